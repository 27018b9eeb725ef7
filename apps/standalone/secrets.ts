import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { readWhole, writeWhole, type DataFolder } from './data-folder.js';
import { OperatorError } from './operator-error.js';

/** The secrets that every process needs, by the names of their environment variables. */
const SECRETS = ['JWT_SECRET', 'OPERATOR_KEY', 'REQUEST_HASH_KEY'] as const;
type Secrets = Record<(typeof SECRETS)[number], string>;

/**
 * Made once per data folder, file mode 0600. Lost ones are never made anew over existing data: OPERATOR_KEY wraps the keys of every
 * person's data, which would stay unreadable for ever.
 */
export async function secretsOf({ secrets: path, isNew }: Pick<DataFolder, 'secrets' | 'isNew'>): Promise<Secrets> {
  const kept = await readWhole<Partial<Secrets>>(path);
  if (kept === undefined && !isNew)
    throw new OperatorError(`${path} is gone, and the data cannot be read without it: restore it, or start over with --reset.`);
  if (kept !== undefined) {
    const missing = SECRETS.filter((name) => typeof kept[name] !== 'string' || kept[name].length === 0);
    if (missing.length > 0) throw new OperatorError(`${path} lacks ${missing.join(', ')}: restore it.`);
    await chmod(path, 0o600);
    return kept as Secrets;
  }
  const made = Object.fromEntries(SECRETS.map((name) => [name, randomBytes(32).toString('base64url')])) as Secrets;
  await writeWhole(path, made);
  return made;
}

/** The operator's own, given as NAME or NAME_FILE, go before those of the data folder; a JWKS_URL replaces JWT_SECRET. */
export function withSecrets(env: NodeJS.ProcessEnv, secrets: Secrets): NodeJS.ProcessEnv {
  const ours = SECRETS.filter((name) => !env[name] && !env[`${name}_FILE`] && !(name === 'JWT_SECRET' && env.JWKS_URL));
  return { ...env, ...Object.fromEntries(ours.map((name) => [name, secrets[name]])) };
}
