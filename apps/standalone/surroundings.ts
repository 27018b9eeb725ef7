import { pathsOf, readWhole } from './data-folder.js';
import { OperatorError } from './operator-error.js';
import { secretsOf, withSealKey, withSecrets } from './secrets.js';

/**
 * What a command needs to reach a service: the environment's own settings if it has all of these, or else those of the `npm start` that runs on this data
 * folder.
 */
export async function surroundings(data: string, needed: readonly string[]): Promise<NodeJS.ProcessEnv> {
  if (needed.every((name) => process.env[name] || process.env[`${name}_FILE`])) return process.env;
  const folder = pathsOf(data);
  const connection = await readWhole<Record<string, string>>(folder.connection);
  if (!connection) throw new OperatorError(`Nothing runs on ${data}. Start it (npm start), or set ${needed.join(', ')} to the API's.`);
  const secrets = await secretsOf({ secrets: folder.secrets, isNew: false });
  return { ...withSealKey(withSecrets(process.env, secrets), secrets), ...connection };
}
