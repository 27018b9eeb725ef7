import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deletePostgres } from '../../libs/embedded-postgres/embedded-postgres.js';
import { FolderInUse, own, type Ownership } from '../../libs/embedded-postgres/owner.js';
import { OperatorError } from './operator-error.js';

/** All that `npm start` keeps. It is one unit: back it up, move it and delete it as a whole, while nothing runs. */
export interface DataFolder {
  path: string;
  postgres: string;
  logs: string;
  secrets: string;
  demo: string;
  stripe: string; // what the simulated Stripe knows
  children: string;
  connection: string; // of the start that runs, for commands beside it
  isNew: boolean; // there is no data in it yet
  release(): Promise<void>;
}

const MARKER = 'punchcard.json'; // says that the folder is ours to write to and to delete
const FORMAT = 1;

/** Makes the folder if it is not there, and this process its only user. Throws OperatorError. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new OperatorError(`The data folder cannot be made: ${error.message}. Another: npm start -- --data DIR`);
  });
  if (made !== undefined && process.getuid?.() === 0) await chmod(path, 0o711); // Postgres, which does not run as root, passes through
  const marker = await readMarker(path);
  if (marker === undefined && (await readdir(path)).some((file) => !file.startsWith('owner-')))
    throw new OperatorError(`${path} is not empty and not a data folder of Punchcard. Another: npm start -- --data DIR`);
  if (marker !== undefined && marker.format !== FORMAT)
    throw new OperatorError(`${path} was written by another version of Punchcard (format ${marker.format}, this is ${FORMAT}).`);

  const { release } = await ownIt(path);
  const folder = pathsOf(path);
  await mkdir(folder.logs, { recursive: true, mode: 0o700 });
  if (marker === undefined) await writeWhole(join(path, MARKER), { format: FORMAT, madeAt: new Date().toISOString() });
  return { ...folder, isNew: !(await exists(folder.postgres)) && !(await exists(folder.demo)), release };
}

export const pathsOf = (path: string) => ({
  path,
  postgres: join(path, 'postgres'),
  logs: join(path, 'logs'),
  secrets: join(path, 'secrets.json'),
  demo: join(path, 'demo.json'),
  stripe: join(path, 'stripe.jsonl'),
  children: join(path, 'children.json'),
  connection: join(path, 'connection.json'),
});

/** What a reset would delete, in the operator's words; undefined if there is nothing. Throws OperatorError for a folder that is not ours. */
export async function describeData(path: string): Promise<string | undefined> {
  const files = await readdir(path).catch(() => undefined);
  if (files === undefined || files.length === 0) return undefined;
  const marker = await readMarker(path);
  if (marker === undefined) throw new OperatorError(`${path} is not a data folder of Punchcard, so nothing in it is deleted.`);
  return `${path}: the database with every event and read model, the secrets, the logs (made ${marker.madeAt})`;
}

/** Deletes the data folder, and what belongs to it elsewhere. Throws OperatorError if it is in use or not ours. */
export async function deleteData(path: string): Promise<void> {
  if ((await describeData(path)) === undefined) return;
  const { release } = await ownIt(path);
  const folder = pathsOf(path);
  try {
    if (await exists(folder.postgres)) await deletePostgres(folder.postgres);
    // The marker last: a reset that was killed can be done again.
    for (const file of await readdir(path))
      if (file !== MARKER && !file.startsWith('owner-')) await rm(join(path, file), { recursive: true });
    await rm(join(path, MARKER));
  } finally {
    await release();
  }
}

async function ownIt(path: string): Promise<Ownership> {
  try {
    return await own(path);
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    throw new OperatorError(
      `Punchcard already runs on ${path} (process ${error.pid}). Stop that one, or use another folder: npm start -- --data DIR`,
    );
  }
}

async function readMarker(path: string): Promise<{ format: number; madeAt: string } | undefined> {
  return readWhole<{ format: number; madeAt: string }>(join(path, MARKER));
}

/** A JSON file that is either whole or not there. Throws OperatorError if someone else broke it. */
export async function readWhole<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new OperatorError(`${path} cannot be read: ${error.message}`);
  });
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    throw new OperatorError(`${path} is not JSON: restore it.`);
  }
}

export async function writeWhole(path: string, content: unknown): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
