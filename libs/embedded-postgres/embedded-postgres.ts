import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile, readdir, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { binaries } from './binaries.js';
import { existingHome, openHome, type Home } from './home.js';
import { own } from './owner.js';
import { postmasterOf, shutDown, stopLeftBehind } from './postmaster.js';

const run = promisify(execFile);
const USER = 'punchcard';

interface PostgresOptions {
  /** The folder that is Postgres's alone; made if it is not there. */
  dataDir: string;
  /** TCP port on 127.0.0.1; 0 or none: a free one. */
  port?: number;
  logger?: { info(message: string): void };
  /** Server settings over those of SETTINGS. */
  settings?: Record<string, string | number>;
}

export interface RunningPostgres {
  /** With user and password. */
  url(database?: string): string;
  port: number;
  pid: number;
  /** Resolves when the server has ended, asked to or not, with how (`signal SIGKILL`). */
  ended: Promise<string>;
  /** Fast shutdown: open transactions are rolled back, everything committed is kept. Not called on exit or signals by itself. */
  stop(): Promise<void>;
}

/** For a small machine that must not lose a commit. Queries' errors go to who asked, not to the log: they may quote personal data. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  fsync: 'on',
  jit: 'off',
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

const MAX_LOG_BYTES = 10_000_000; // looked at when it starts; one older log is kept
const PORT_ATTEMPTS = 5;
const START_PATIENCE_MS = 120_000; // recovery after a crash replays at most max_wal_size
const WORKERS_PATIENCE_MS = 10_000;
const WORKERS_PAUSE_MS = 100;

/**
 * Starts a real Postgres on a data folder, making the cluster if there is none. Listens on 127.0.0.1 with a generated password (file mode
 * 0600). A server left behind on the folder is stopped first. Throws FolderInUse if a living process has it, and Error with what to do.
 */
export async function startPostgres({ dataDir, port: wanted = 0, logger, settings = {} }: PostgresOptions): Promise<RunningPostgres> {
  const log = (message: string) => logger?.info(message);
  const home = await openHome(dataDir, log);
  const owner = await own(home.folder);
  try {
    await stopLeftBehind(home.cluster, log);
    const bin = await binaries(home.account, log);
    await makeCluster(home, bin, log);
    const password = await passwordOf(home);
    const { server, port } = await serve(home, bin, wanted, { ...SETTINGS, ...settings });
    const ended = endOf(server).then(async (how) => {
      await owner.release();
      return how;
    });
    return {
      url: (database = 'postgres') => `postgres://${USER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
      port,
      pid: server.pid!,
      ended,
      stop: async () => {
        if (!hasEnded(server)) await shutDown(server.pid!);
        await ended;
      },
    };
  } catch (error) {
    await owner.release();
    throw error;
  }
}

/** Stops a server that was left running on a data folder, so that its port is free again. Throws FolderInUse. */
export async function stopPostgres(dataDir: string, logger?: PostgresOptions['logger']): Promise<void> {
  const home = await existingHome(dataDir);
  if (!home) return;
  const owner = await own(home.folder);
  await stopLeftBehind(home.cluster, (message) => logger?.info(message)).finally(() => owner.release());
}

/** Deletes a data folder with all that belongs to it elsewhere, stopping a server left behind. Throws FolderInUse. */
export async function deletePostgres(dataDir: string, logger?: PostgresOptions['logger']): Promise<void> {
  await stopPostgres(dataDir, logger);
  const home = await existingHome(dataDir);
  for (const folder of [home?.folder, dataDir]) if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A cluster is made beside and renamed when it is whole: one that was killed in the middle is made again. */
async function makeCluster({ folder, cluster, password, account }: Home, bin: string, log: (message: string) => void): Promise<void> {
  for (const file of await readdir(folder))
    if (file.startsWith('cluster.new-')) await rm(join(folder, file), { recursive: true, maxRetries: 5 });
  const made = await stat(cluster).catch(() => undefined);
  if (made && process.getuid?.() !== 0 && made.uid !== process.getuid?.())
    throw new Error(`${cluster} belongs to another user (uid ${made.uid}): start as that user or as root, or use another data folder.`);
  if (made) return;

  log('Making a new Postgres cluster.');
  const beside = join(folder, `cluster.new-${process.pid}`);
  await mkdir(beside, { mode: 0o700 });
  await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
  await chmod(password, 0o600);
  if (account) for (const theirs of [beside, password]) await chown(theirs, account.uid, account.gid);
  await run(
    join(bin, 'initdb'),
    // A collation of Postgres's own orders alike on every machine, and asks for no locale of the system.
    [`--pgdata=${beside}`, `--username=${USER}`, `--pwfile=${password}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'].concat([
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ]),
    { cwd: '/', env: ENVIRONMENT, ...account },
  ).catch((error: Error & { stderr?: string }) => {
    throw new Error(`Postgres could not make its cluster in ${folder}. ${error.stderr || error.message}`);
  });
  await rename(beside, cluster);
}

async function passwordOf({ password, dataDir }: Home): Promise<string> {
  return readFile(password, 'utf8').catch((error: Error) => {
    throw new Error(
      `The password of this cluster cannot be read (${error.message}): put the file back, or delete ${dataDir} and start anew.`,
    );
  });
}

/** Nothing of ours: no secret, no PG* variable of the caller's shell. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/** The server, accepting connections; `wanted` 0 takes a free port, and another if that was taken in between. */
async function serve(
  home: Home,
  bin: string,
  wanted: number,
  settings: Record<string, string | number>,
): Promise<{ server: ChildProcess; port: number }> {
  const until = Date.now() + WORKERS_PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    const port = wanted || (await freePort());
    const log = await openLog(home);
    const parameters = Object.entries({ ...settings, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(bin, 'postgres'), ['-D', home.cluster, ...parameters], {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', log.file.fd, log.file.fd], // a file outlives us: the server never writes into a closed pipe
      detached: true, // Ctrl-C in a terminal is ours to pass on, in order
      ...home.account,
    });
    await log.file.close();
    if (await untilReady(server, home.cluster)) return { server, port };
    const said = (await readFile(home.log)).subarray(log.size).toString().trim();
    if (said.includes('shared memory block') && Date.now() < until) {
      await sleep(WORKERS_PAUSE_MS); // the workers of a server that was killed are still on their way out
      continue;
    }
    if (wanted || attempt >= PORT_ATTEMPTS || !said.includes('could not bind')) throw new Error(`Postgres did not start. ${said}`);
  }
}

/** False: it ended instead. Postgres says in its pid file when it is ready, so that nothing needs to connect. */
async function untilReady(server: ChildProcess, cluster: string): Promise<boolean> {
  const failed = once(server, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  for (const until = Date.now() + START_PATIENCE_MS; Date.now() < until; await Promise.race([sleep(5), failed])) {
    if (hasEnded(server)) return false;
    const postmaster = await postmasterOf(cluster);
    if (postmaster?.ready && postmaster.pid === server.pid) return true;
  }
  await shutDown(server.pid!);
  throw new Error(`Postgres was not ready after ${START_PATIENCE_MS / 1000} s: see the log beside ${cluster}.`);
}

async function endOf(server: ChildProcess): Promise<string> {
  if (!hasEnded(server)) await once(server, 'exit');
  return server.signalCode === null ? `exit code ${server.exitCode}` : `signal ${server.signalCode}`;
}

const hasEnded = (server: ChildProcess) => server.exitCode !== null || server.signalCode !== null;

async function openLog({ log, account }: Home): Promise<{ file: FileHandle; size: number }> {
  const { size } = await stat(log).catch(() => ({ size: 0 }));
  if (size > MAX_LOG_BYTES) await rename(log, `${log}.1`);
  const file = await open(log, 'a', 0o600);
  if (account) await file.chown(account.uid, account.gid);
  return { file, size: size > MAX_LOG_BYTES ? 0 : size };
}

/** A port of 127.0.0.1 that nothing listens on now. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
