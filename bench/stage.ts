import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deletePostgres, startPostgres, type RunningPostgres } from '../libs/embedded-postgres/embedded-postgres.js';
import { start, type Started } from './processes.js';

// What every bench over whole processes stands on.

const secret = (): string => randomBytes(32).toString('base64url');
export const SECRETS = { JWT_SECRET: secret(), REQUEST_HASH_KEY: secret(), OPERATOR_KEY: secret() };

/** Settings of an API under load: calls are counted as ever, and never too many. */
export const UNDER_LOAD = { PORT: '0', LOG_LEVEL: 'warn', RATE_LIMIT_PER_MINUTE: '1000000000' };

/** A Postgres of its own in a temporary folder, and processes that end with it. */
export interface Stage {
  postgres: RunningPostgres;
  launch(name: string, path: string, env?: Record<string, string>): Promise<Started>;
  stop(...those: Started[]): Promise<void>;
}

/** Everything is stopped and deleted at the end, whatever happens, also on SIGINT and SIGTERM. */
export async function onStage(name: string, measure: (stage: Stage) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), `punchcard-${name}-`));
  const postgres = await startPostgres({ dataDir });
  const running = new Set<Started>();
  const stop = async (...those: Started[]): Promise<void> => {
    for (const started of those) {
      running.delete(started);
      await started.stop();
    }
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await Promise.all([...running].map((started) => started.stop()));
      await postgres.stop();
      await deletePostgres(dataDir);
      await rm(dataDir, { recursive: true, force: true });
    })());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close().then(() => process.exit(1)));
  const launch: Stage['launch'] = async (called, path, env) => {
    const started = await start(called, path, env);
    running.add(started);
    return started;
  };
  try {
    await measure({ postgres, launch, stop });
  } finally {
    await close();
  }
}

/** The embedded event store on a database: its settings for whoever uses both. */
export async function openEventStore(
  { launch }: Stage,
  databaseUrl: string,
): Promise<{ eventStore: Started; stores: Record<string, string> }> {
  const eventStore = await launch('event store', 'libs/embedded-event-store/main.js', { DATABASE_URL: databaseUrl, EVENT_STORE_PORT: '0' });
  return { eventStore, stores: { DATABASE_URL: databaseUrl, EVENTSTORE_URL: eventStore.ready, ...SECRETS } };
}
