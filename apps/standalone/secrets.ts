import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { readWhole, writeWhole, type DataFolder } from './data-folder.js';
import { OperatorError } from './operator-error.js';

/** The secrets that every process needs, by the names of their environment variables. */
const SECRETS = ['JWT_SECRET', 'OPERATOR_KEY', 'REQUEST_HASH_KEY'] as const;
/** Sign the webhooks of the simulated Stripe, and the seals of histories: no data is lost with them, so that folders of before get them too. */
const SIGNING = ['STRIPE_WEBHOOK_SECRET', 'SEAL_KEY'] as const;
type Secrets = Record<(typeof SECRETS)[number], string>;
export type Kept = Secrets & Record<(typeof SIGNING)[number], string>;

/**
 * Made once per data folder, file mode 0600. Lost ones are never made anew over existing data: OPERATOR_KEY wraps the keys of every
 * person's data, which would stay unreadable for ever.
 */
export async function secretsOf({ secrets: path, isNew }: Pick<DataFolder, 'secrets' | 'isNew'>): Promise<Kept> {
  const kept = await readWhole<Partial<Kept>>(path);
  if (kept === undefined && !isNew)
    throw new OperatorError(`${path} is gone, and the data cannot be read without it: restore it, or start over with --reset.`);
  if (kept !== undefined) {
    const missing = SECRETS.filter((name) => typeof kept[name] !== 'string' || kept[name].length === 0);
    if (missing.length > 0) throw new OperatorError(`${path} lacks ${missing.join(', ')}: restore it.`);
    await chmod(path, 0o600);
    if (SIGNING.every((name) => kept[name])) return kept as Kept;
  }
  const made = { ...Object.fromEntries([...SECRETS, ...SIGNING].map((name) => [name, newSecret()])), ...kept } as Kept;
  await writeWhole(path, made);
  return made;
}

const newSecret = () => randomBytes(32).toString('base64url');

/** The operator's own, given as NAME or NAME_FILE, go before those of the data folder; a JWKS_URL replaces JWT_SECRET. */
export function withSecrets(env: NodeJS.ProcessEnv, secrets: Secrets): NodeJS.ProcessEnv {
  const ours = SECRETS.filter((name) => !env[name] && !env[`${name}_FILE`] && !(name === 'JWT_SECRET' && env.JWKS_URL));
  return { ...env, ...Object.fromEntries(ours.map((name) => [name, secrets[name]])) };
}

/** The key of seals goes only to whoever seals: the operator's own, or that of the data folder. */
export const withSealKey = (env: NodeJS.ProcessEnv, { SEAL_KEY }: Pick<Kept, 'SEAL_KEY'>): NodeJS.ProcessEnv =>
  env.SEAL_KEY || env.SEAL_KEY_FILE ? env : { ...env, SEAL_KEY };
