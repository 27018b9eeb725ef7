import { Client } from 'pg';
import { startPostgres } from '../../libs/embedded-postgres/embedded-postgres.js';
import type { RunningPart } from './supervisor.js';

const DATABASE = 'punchcard';

interface PostgresPart extends RunningPart {
  url: string;
}

/** The embedded Postgres with the one database that everything is in, as a part to supervise. */
export async function startPostgresPart(dataDir: string, port: number, say: (message: string) => void): Promise<PostgresPart> {
  const server = await startPostgres({ dataDir, port, logger: { info: say } });
  try {
    await createDatabase(server.url());
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: server.url(DATABASE),
    pid: server.pid,
    ended: server.ended,
    stop: () => server.stop(),
    kill: () => void process.kill(server.pid, 'SIGQUIT'), // at once, but its own processes with it
  };
}

async function createDatabase(server: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
