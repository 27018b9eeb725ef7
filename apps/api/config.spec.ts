import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigError } from './config.js';
import { configFromEnv } from './config.js';

const secret = 'a secret for tests only, of enough bytes';
const env = {
  DATABASE_URL: 'postgres://localhost/punchcard',
  EVENTSTORE_URL: 'esdb+discover://localhost:2113?tls=false',
  JWT_SECRET: secret,
  REQUEST_HASH_KEY: secret,
  OPERATOR_KEY: secret,
};

const problemsWith = (changes: NodeJS.ProcessEnv): string[] => {
  try {
    configFromEnv({ ...env, ...changes });
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

describe('Settings', () => {
  it('need addresses and secrets; all else has a standard', () => {
    expect(configFromEnv(env)).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      metricsPort: undefined,
      policies: 'both',
      tokens: { secret, issuer: 'punchcard', audience: 'punchcard-api' },
      logLevel: 'info',
      trustProxy: false,
      bodyLimit: 262_144,
    });
  });

  it('that are missing or wrong are all named at once, and no secret is shown', () => {
    expect(
      problemsWith({
        DATABASE_URL: '',
        EVENTSTORE_URL: 'http://x',
        JWT_SECRET: 'short',
        PORT: '99999',
        POLICIES: 'none',
        OPERATOR_KEY: undefined,
      }),
    ).toEqual([
      'PORT must be a whole number from 0 to 65535',
      'DATABASE_URL (or DATABASE_URL_FILE) is missing',
      'EVENTSTORE_URL must be an address that starts with esdb:, esdb+discover:, kurrentdb:, kurrentdb+discover:',
      'POLICIES must be one of api, projector, both',
      'JWT_SECRET must have at least 32 bytes',
      'OPERATOR_KEY (or OPERATOR_KEY_FILE) is missing',
    ]);
  });

  it('take either a secret or an address of public keys', () => {
    const jwksUrl = 'https://issuer.example/jwks.json';
    expect(configFromEnv({ ...env, JWT_SECRET: '', JWKS_URL: jwksUrl }).tokens).toMatchObject({ jwksUrl });
    expect(problemsWith({ JWKS_URL: jwksUrl })).toEqual(['JWT_SECRET and JWKS_URL exclude each other']);
    expect(problemsWith({ JWT_SECRET: '' })).toEqual(['one of JWT_SECRET, JWT_SECRET_FILE or JWKS_URL is needed']);
  });

  it('can stand in files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'punchcard-config-'));
    try {
      writeFileSync(join(folder, 'key'), `${secret} of the file\n`, { mode: 0o600 });
      expect(configFromEnv({ ...env, OPERATOR_KEY: '', OPERATOR_KEY_FILE: join(folder, 'key') }).operatorKey).toBe(`${secret} of the file`);
      expect(problemsWith({ OPERATOR_KEY: '', OPERATOR_KEY_FILE: join(folder, 'none') })).toEqual([
        `OPERATOR_KEY_FILE: ${join(folder, 'none')} can't be read (ENOENT)`,
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('say whose word on the caller’s address is believed', () => {
    const trusted = (TRUST_PROXY: string) => configFromEnv({ ...env, TRUST_PROXY }).trustProxy;
    expect(['true', 'false', '2', '10.0.0.0/8'].map(trusted)).toEqual([true, false, 2, '10.0.0.0/8']);
  });
});
