import { setTimeout as sleep } from 'node:timers/promises';
import { startOf } from '../../libs/embedded-postgres/owner.js';
import { readWhole, writeWhole } from './data-folder.js';

/** The processes of a start, written down so that the next one finds those that outlived it. */
interface Noted {
  name: string;
  pid: number;
  start?: string | undefined; // tells it from a later process with the same pid
}

const PATIENCE_MS = 3_000;

/** Writes one note after the other, so that the last is the one that stays. */
export function childrenNote(path: string) {
  let written = Promise.resolve();
  return (pids: Map<string, number>): Promise<void> => {
    written = written
      .catch(() => undefined) // told to who wrote that one
      .then(async () => {
        const noted = [...pids].map(async ([name, pid]): Promise<Noted> => ({ name, pid, start: await startOf(pid) }));
        await writeWhole(path, await Promise.all(noted));
      });
    return written;
  };
}

/** After a `kill -9` of the start before, its processes stop by themselves; those that take too long are ended. */
export async function endLeftovers(path: string): Promise<void> {
  for (const { pid, start } of (await readWhole<Noted[]>(path)) ?? []) {
    const lives = async () => start !== undefined && (await startOf(pid)) === start;
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until && (await lives());) await sleep(20);
    if (await lives()) process.kill(pid, 'SIGKILL');
  }
}
