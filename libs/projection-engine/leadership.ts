import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Client } from 'pg';
import type { Logger } from 'pino';
import { LeadershipLost } from './worker.js';

/** Held for the life of a connection by the one projector that leads. */
const LEADER_LOCK = 7_205_610_002n;
const TRY_AGAIN = 1_000; // ms, of one that stands by
const BEAT = 1_000; // ms
/** A leader that was silent for so long is taken for paused or cut off: its connections are ended, which frees the lock. */
const SILENCE = '10 seconds';

export interface LeadershipOptions {
  databaseUrl: string;
  /** Of this process, unique: shown in the status, and the application_name of its connections. */
  name: string;
  /** What it feeds, for others to read. */
  feeds?: readonly string[];
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Told with every beat, for others to read. */
  rates?: () => Record<string, number>;
  /** Postgres interval after which a silent leader is deposed. */
  silence?: string;
}

/**
 * Stands by until no other projector leads, then works, until the signal says stop. The work's own signal says when leadership is
 * lost: then it stands by again. What the work throws ends it, but for LeadershipLost.
 */
export async function lead(
  options: LeadershipOptions,
  signal: AbortSignal,
  work: (epoch: bigint, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({ connectionString: options.databaseUrl, application_name: options.name, keepAlive: true });
    const lost = new AbortController();
    client.on('error', (error) => lost.abort(error));
    client.on('end', () => lost.abort());
    try {
      await client.connect();
      if (await acquire(client, options, signal)) await reign(client, options, AbortSignal.any([signal, lost.signal]), lost, work);
    } catch (error) {
      if (!(error instanceof LeadershipLost) && !isConnectionFailure(error)) throw error;
      options.logger.warn({ err: error }, 'Leadership is lost; standing by.');
      await sleep(TRY_AGAIN, undefined, { signal }).catch(() => undefined);
    } finally {
      await client.end().catch(() => undefined); // it may be what broke
    }
  }
}

async function acquire(client: Client, { name, logger, silence = SILENCE }: LeadershipOptions, signal: AbortSignal): Promise<boolean> {
  for (let waited = false; !signal.aborted; waited = true) {
    const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [LEADER_LOCK]);
    if (rows[0]?.got) return true;
    if (!waited) logger.info({ name }, 'Another projector leads; standing by.');
    await client.query(
      `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN read_models.leader l ON a.application_name = l.holder
        WHERE l.beat < clock_timestamp() - $1::interval AND a.datname = current_database() AND a.pid <> pg_backend_pid()`,
      [silence],
    );
    await sleep(TRY_AGAIN, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

async function reign(
  client: Client,
  { name, feeds = [], logger, rates = () => ({}) }: LeadershipOptions,
  signal: AbortSignal,
  lost: AbortController,
  work: (epoch: bigint, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { rows } = await client.query<{ epoch: string }>(
    `INSERT INTO read_models.leader AS l (epoch, holder, since, beat, rates, feeds) VALUES (1, $1, clock_timestamp(), clock_timestamp(), '{}', $2)
      ON CONFLICT (one) DO UPDATE SET epoch = l.epoch + 1, holder = $1, since = clock_timestamp(), beat = clock_timestamp(), feeds = $2
      RETURNING epoch::text`,
    [name, feeds],
  );
  const epoch = BigInt(rows[0]!.epoch);
  logger.info({ name, epoch: String(epoch) }, 'This projector leads.');
  const beating = setInterval(() => {
    client
      .query('UPDATE read_models.leader SET beat = clock_timestamp(), rates = $2 WHERE epoch = $1', [epoch, rates()])
      .then(({ rowCount }) => rowCount === 1 || lost.abort())
      .catch((error: unknown) => lost.abort(error));
  }, BEAT);
  try {
    await work(epoch, signal);
  } finally {
    clearInterval(beating);
  }
}

/** The database is away: it may come back. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectionFailure);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    /^(08|57P|53)|^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/.test(code) ||
    (error instanceof Error && /Connection terminated|connection error/i.test(error.message))
  );
}
