import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deletePostgres, startPostgres } from '../../libs/embedded-postgres/embedded-postgres.js';

// The Postgres of a test run, as a process of its own: when the run ends, killed or not, the channel to it closes, and the server and
// its data go.

const PREFIX = 'punchcard-test-';
/** A server that only lives for a test run need not outlive the machine's power: it still survives any kill. */
const settings = { fsync: 'off', full_page_writes: 'off', max_connections: 400 };

/** What is left if this process itself was killed. A young folder may be that of a run that is just starting. */
async function deleteLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dataDir = join(tmpdir(), name);
    const made = name.startsWith(PREFIX) && (await stat(dataDir).catch(() => undefined));
    if (!made || Date.now() - made.mtimeMs < 60_000) continue;
    await deletePostgres(dataDir).catch(() => undefined); // in use, somebody else's, or somebody else is at it: it stays for the next run
  }
}

const ended = new Promise((resolve) => process.once('disconnect', resolve));
process.on('SIGINT', () => undefined); // Ctrl-C reaches us too: the run that started us says when
await deleteLeftovers();
const dataDir = await mkdtemp(join(tmpdir(), PREFIX));
const postgres = await startPostgres({ dataDir, settings });
process.send?.({ ready: postgres.url() });
await ended;
await postgres.stop();
await deletePostgres(dataDir);
