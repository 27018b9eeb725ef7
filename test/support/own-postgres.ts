import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deletePostgres, startPostgres, type RunningPostgres } from '../../libs/embedded-postgres/embedded-postgres.js';

/** A Postgres of a test's own, as an installation has it, to be killed. */
export async function startOwnPostgres() {
  const dataDir = await mkdtemp(join(tmpdir(), 'punchcard-fault-'));
  let postgres: RunningPostgres = await startPostgres({ dataDir });
  return {
    url: postgres.url(),
    /** `kill -9`, and started again on the same data and port. */
    async killAndStart(): Promise<void> {
      const { port, pid, ended } = postgres;
      process.kill(pid, 'SIGKILL');
      await ended;
      postgres = await startedAgain(dataDir, port);
    },
    async stop(): Promise<void> {
      await postgres.stop();
      await deletePostgres(dataDir);
    },
  };
}

/** Its processes end a moment after it, and hold its memory until then. */
async function startedAgain(dataDir: string, port: number): Promise<RunningPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startPostgres({ dataDir, port });
    } catch (error) {
      if (attempt === 40) throw error;
      await sleep(250);
    }
  }
}
