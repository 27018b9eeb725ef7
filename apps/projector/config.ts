import { readFileSync } from 'node:fs';
import { type SealKey, sealKeyOf } from '../../libs/audit/seal.js';
import { cardSettings, type CardSettings } from '../../libs/payments/settings.js';

/** All that a projector process is told. */
export interface ProjectorConfig {
  databaseUrl: string;
  eventStoreUrl: string;
  policies: 'api' | 'projector' | 'both';
  requestHashKey: string;
  operatorKey: string;
  cards: CardSettings;
  lookSeconds: number; // between two looks at what has happened at Stripe, of each connected account
  seals: { key: SealKey; everyMs: number; folder: string | undefined } | undefined; // undefined: no seals are made
  verifying: { everyMs: number; between: readonly [number, number] | undefined } | undefined; // undefined: not by itself
  host: string;
  port: number | undefined; // of health and metrics; 0: any free one; undefined: none
  logLevel: string;
}

const POLICIES = ['api', 'projector', 'both'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * Reads the settings from the environment. A secret can also stand in a file: `OPERATOR_KEY_FILE=/run/secrets/operator-key`.
 * @throws Error that names every variable that is missing or wrong, and never the value of a secret
 */
export function configFromEnv(env: NodeJS.ProcessEnv): ProjectorConfig {
  const problems: string[] = [];
  const needed = (name: string): string => {
    const value = secretOf(env, name);
    if (!value) problems.push(`${name} (or ${name}_FILE) is missing`);
    return value ?? '';
  };
  const oneOf = <const T extends string>(name: string, values: readonly T[], standard: T): T => {
    const value = values.find((one) => one === (env[name] || standard));
    if (!value) problems.push(`${name} must be one of ${values.join(', ')}`);
    return value ?? standard;
  };
  const port = env.PROJECTOR_PORT ? Number(env.PROJECTOR_PORT) : undefined;
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) problems.push('PROJECTOR_PORT must be a port');
  const lookSeconds = Number(env.STRIPE_LOOK_SECONDS || 30);
  if (!Number.isInteger(lookSeconds) || lookSeconds < 1 || lookSeconds > 3_600)
    problems.push('STRIPE_LOOK_SECONDS must be a whole number from 1 to 3600');
  const config = {
    databaseUrl: needed('DATABASE_URL'),
    eventStoreUrl: needed('EVENTSTORE_URL'),
    policies: oneOf('POLICIES', POLICIES, 'both'),
    requestHashKey: needed('REQUEST_HASH_KEY'),
    operatorKey: needed('OPERATOR_KEY'),
    cards: cardSettings({ raw: (name) => secretOf(env, name), wrong: (problem) => problems.push(problem) }, { webhooks: false }),
    lookSeconds,
    seals: sealsIn(env, problems),
    verifying: verifyingIn(env, problems),
    host: env.HOST || '127.0.0.1',
    port,
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  if (problems.length) throw new Error(`The settings are not complete:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  return config;
}

function sealsIn(env: NodeJS.ProcessEnv, problems: string[]): ProjectorConfig['seals'] {
  const minutes = Number(env.SEAL_MINUTES || 60);
  if (!(minutes > 0 && minutes <= 1_440)) problems.push('SEAL_MINUTES must be a number up to 1440');
  const secret = secretOf(env, 'SEAL_KEY');
  if (secret === undefined) return undefined;
  try {
    return { key: sealKeyOf(secret), everyMs: minutes * 60_000, folder: env.SEAL_FOLDER || undefined };
  } catch (error) {
    problems.push(`SEAL_KEY: ${(error as Error).message}`);
    return undefined;
  }
}

function verifyingIn(env: NodeJS.ProcessEnv, problems: string[]): ProjectorConfig['verifying'] {
  const hours = Number(env.VERIFY_HOURS || 24);
  if (!(hours >= 0 && hours <= 8_760)) problems.push('VERIFY_HOURS must be a number of hours up to 8760; 0: never');
  const between = /^(\d{1,2})-(\d{1,2})$/
    .exec(env.VERIFY_BETWEEN ?? '')
    ?.slice(1)
    .map(Number);
  const isRange = between !== undefined && between.every((hour) => hour <= 24) && between[0] !== between[1];
  if (env.VERIFY_BETWEEN && !isRange) problems.push('VERIFY_BETWEEN must be two hours of the day in UTC, such as 1-5');
  return hours > 0 ? { everyMs: hours * 3_600_000, between: between as [number, number] | undefined } : undefined;
}

/** A setting, or what the file holds that `NAME_FILE` names. */
export function secretOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  return env[name] || (file ? readFileSync(file, 'utf8').trim() : undefined);
}
