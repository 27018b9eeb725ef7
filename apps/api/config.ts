import { readFileSync } from 'node:fs';
import { AUDIENCE, ISSUER } from '../../libs/auth/tokens.js';
import type { TokenKeys } from '../../libs/auth/tokens.js';
import { cardSettings, type CardSettings } from '../../libs/payments/settings.js';

/** All that an API process is told (docs/api.md, Settings). */
export interface ApiConfig {
  host: string;
  port: number; // 0: any free one
  metricsPort?: number; // without it, /metrics is served beside the API
  databaseUrl: string;
  eventStoreUrl: string;
  policies: 'api' | 'projector' | 'both';
  tokens: TokenKeys & { issuer: string; audience: string };
  requestHashKey: string;
  operatorKey: string;
  cards: CardSettings;
  logLevel: LogLevel;
  slowMs: number; // a request that takes longer is logged
  trustProxy: boolean | string | number; // `true`, hops, or addresses: whose X-Forwarded-For is believed
  rateLimit: number; // requests a minute, per caller and process; 0: no limit
  bodyLimit: number; // bytes
  importLimit: number; // bytes of a file of packages
  requestTimeoutMs: number;
  shutdownTimeoutMs: number;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** Names every variable that is missing or wrong at once, and never the value of a secret. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(`The settings are not complete:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Reads the settings from the environment. A secret can also stand in a file: `JWT_SECRET_FILE=/run/secrets/jwt`. */
export const configFromEnv = (env: NodeJS.ProcessEnv): ApiConfig => {
  const read = reader(env);
  const config: ApiConfig = {
    host: read.text('HOST', '127.0.0.1'),
    port: read.integer('PORT', 3000, 0, 65_535),
    metricsPort: env.METRICS_PORT === undefined ? undefined : read.integer('METRICS_PORT', 0, 0, 65_535),
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    eventStoreUrl: read.url('EVENTSTORE_URL', ['esdb:', 'esdb+discover:', 'kurrentdb:', 'kurrentdb+discover:']),
    policies: read.oneOf('POLICIES', ['api', 'projector', 'both'], 'both'),
    tokens: { ...tokenKeys(env, read), issuer: read.text('JWT_ISSUER', ISSUER), audience: read.text('JWT_AUDIENCE', AUDIENCE) },
    requestHashKey: read.secret('REQUEST_HASH_KEY'),
    operatorKey: read.secret('OPERATOR_KEY'),
    cards: cardSettings(read, { webhooks: true }),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    slowMs: read.integer('SLOW_REQUEST_MS', 1_000, 0, 3_600_000),
    trustProxy: trustProxy(read.text('TRUST_PROXY', 'false')),
    rateLimit: read.integer('RATE_LIMIT_PER_MINUTE', 60_000, 0, 1_000_000_000),
    bodyLimit: read.integer('BODY_LIMIT_BYTES', 256 * 1024, 1_024, 64 * 1024 * 1024),
    importLimit: read.integer('IMPORT_LIMIT_BYTES', 32 * 1024 * 1024, 1_024, 1024 * 1024 * 1024),
    requestTimeoutMs: read.integer('REQUEST_TIMEOUT_MS', 30_000, 100, 600_000),
    shutdownTimeoutMs: read.integer('SHUTDOWN_TIMEOUT_MS', 10_000, 0, 600_000),
  };
  read.done();
  return config;
};

const MIN_SECRET_BYTES = 32;

const reader = (env: NodeJS.ProcessEnv) => {
  const problems: string[] = [];
  const wrong = (problem: string): void => void problems.push(problem);

  const fromFile = (name: string): string | undefined => {
    const path = env[`${name}_FILE`];
    if (!path) return undefined;
    try {
      return readFileSync(path, 'utf8').trim();
    } catch (error) {
      wrong(`${name}_FILE: ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
      return undefined;
    }
  };
  const raw = (name: string): string | undefined => env[name] || fromFile(name);
  const missing = (name: string): string => {
    if (!env[`${name}_FILE`]) wrong(`${name} (or ${name}_FILE) is missing`);
    return '';
  };

  return {
    wrong,
    raw,
    text: (name: string, standard: string): string => env[name] || standard,
    integer(name: string, standard: number, min: number, max: number): number {
      const value = env[name] ? Number(env[name]) : standard;
      if (!Number.isInteger(value) || value < min || value > max) wrong(`${name} must be a whole number from ${min} to ${max}`);
      return value;
    },
    oneOf<const T extends string>(name: string, values: readonly T[], standard: T): T {
      const value = (env[name] || standard) as T;
      if (!values.includes(value)) wrong(`${name} must be one of ${values.join(', ')}`);
      return value;
    },
    url(name: string, protocols: string[]): string {
      const value = raw(name);
      if (value === undefined) return missing(name);
      if (!protocols.includes(protocolOf(value))) wrong(`${name} must be an address that starts with ${protocols.join(', ')}`);
      return value;
    },
    secret(name: string): string {
      const value = raw(name);
      if (value === undefined) return missing(name);
      if (Buffer.byteLength(value) < MIN_SECRET_BYTES) wrong(`${name} must have at least ${MIN_SECRET_BYTES} bytes`);
      return value;
    },
    done(): void {
      if (problems.length > 0) throw new ConfigError(problems);
    },
  };
};

type Reader = ReturnType<typeof reader>;

const tokenKeys = (env: NodeJS.ProcessEnv, read: Reader): TokenKeys => {
  const jwksUrl = read.raw('JWKS_URL');
  const hasSecret = Boolean(env.JWT_SECRET || env.JWT_SECRET_FILE);
  if (jwksUrl && hasSecret) read.wrong('JWT_SECRET and JWKS_URL exclude each other');
  if (!jwksUrl && !hasSecret) read.wrong('one of JWT_SECRET, JWT_SECRET_FILE or JWKS_URL is needed');
  if (jwksUrl) return { jwksUrl: read.url('JWKS_URL', ['https:', 'http:']) };
  return { secret: hasSecret ? read.secret('JWT_SECRET') : '' };
};

const protocolOf = (address: string): string => {
  const end = address.indexOf('://');
  return end < 0 ? '' : address.slice(0, end + 1);
};

const trustProxy = (value: string): boolean | string | number => {
  if (value === 'true' || value === 'false') return value === 'true';
  return /^\d+$/.test(value) ? Number(value) : value;
};
