import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, startOf } from './owner.js';

/** What a running Postgres writes into its cluster: postmaster.pid, lines 1, 4 and 8. */
interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

export async function postmasterOf(cluster: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/**
 * Stops a Postgres whose parent died without stopping it. A pid file whose process is another program by now is removed: Postgres itself
 * would refuse to start over it. One whose process is gone is left to Postgres, which then looks for processes that outlived it.
 */
export async function stopLeftBehind(cluster: string, log: (message: string) => void): Promise<void> {
  const postmaster = await postmasterOf(cluster);
  if (!postmaster || (await startOf(postmaster.pid)) === undefined) return;
  if (!(await commandOf(postmaster.pid)).includes(cluster)) return rm(join(cluster, 'postmaster.pid'));
  log(`Stopping a Postgres that was left running (pid ${postmaster.pid}).`);
  await shutDown(postmaster.pid);
}

/** Fast shutdown (SIGINT), then an immediate one (SIGQUIT: the next start recovers from the log). */
export async function shutDown(pid: number): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    if (!send(pid, signal)) return;
    for (const until = Date.now() + patience; Date.now() < until; await sleep(5)) if ((await startOf(pid)) === undefined) return;
  }
  throw new Error(`Postgres (pid ${pid}) did not stop on SIGINT and SIGQUIT: see what holds it, stop it, and start again.`);
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw new Error(`A Postgres of another user (pid ${pid}) runs on this data folder: stop it as that user, or use another folder.`, {
      cause: error,
    });
  }
}
