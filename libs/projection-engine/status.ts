import type { Pool } from 'pg';
import type { Poison } from './checkpoint.js';
import type { Feed } from './feed.js';

/** What an operator wants to know of the projections; the same in the CLI, over HTTP and as metrics. */
export interface Status {
  leader: { name: string; epoch: string; since: string; silentFor: number } | null; // ms
  projections: ProjectionStatus[];
  todo: { waiting: number; parked: number };
}

export interface ProjectionStatus {
  name: string;
  version: number;
  build: number;
  live: boolean;
  state: 'running' | 'poisoned';
  position: string | null; // of the last event it holds
  lag: number | null; // ms: age of the oldest event that it does not hold; 0: it holds all; null: the store could not be asked
  rate: number; // events per second
  poison: Poison | null;
}

/** @param feed without one, or when it fails, lags are null */
export async function readStatus(pool: Pool, feed: Feed | undefined, now: () => number = Date.now): Promise<Status> {
  const leader = await pool.query<LeaderRow>(
    `SELECT holder, epoch::text, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since,
      extract(epoch FROM clock_timestamp() - beat) * 1000 AS silent_for, rates FROM read_models.leader`,
  );
  const { holder, epoch, since, silent_for, rates } = leader.rows[0] ?? {};
  const checkpoints = await pool.query<CheckpointRow>(CHECKPOINTS);
  const lagOf = lags(feed, now);
  const projections = checkpoints.rows.map(async ({ position, ...checkpoint }) => ({
    ...checkpoint,
    position,
    lag: await lagOf(position),
    rate: rates?.[checkpoint.name] ?? 0,
  }));
  const todo = await pool.query<{ waiting: number; parked: number }>(
    'SELECT count(*) FILTER (WHERE parked IS NULL)::int AS waiting, count(parked)::int AS parked FROM policies.todo',
  );
  return {
    leader: holder === undefined ? null : { name: holder, epoch: epoch!, since: since!, silentFor: Math.round(Number(silent_for)) },
    projections: await Promise.all(projections),
    todo: todo.rows[0]!,
  };
}

interface LeaderRow {
  holder: string;
  epoch: string;
  since: string;
  silent_for: string;
  rates: Record<string, number>;
}

interface CheckpointRow {
  name: string;
  version: number;
  build: number;
  live: boolean;
  state: ProjectionStatus['state'];
  position: string | null;
  poison: Poison | null;
}

const CHECKPOINTS = `
  SELECT projection AS name, version, build, live_builds.build IS NOT NULL AS live, state, position::text, poison
    FROM read_models.checkpoints LEFT JOIN read_models.live_builds USING (projection, version, build)
  UNION ALL SELECT projection, version, 0, true, state, position::text, poison FROM policies.checkpoints
  UNION ALL SELECT projection, version, 0, true, state, position::text, poison FROM event_feed.checkpoints
  ORDER BY name, version, build`;

/** Most projections stand at the same position: the store is asked once for each. */
function lags(feed: Feed | undefined, now: () => number): (position: string | null) => Promise<number | null> {
  const known = new Map<string | null, Promise<number | null>>();
  const ask = async (position: string | null): Promise<number | null> => {
    if (!feed) return null;
    const next = await feed.next(position === null ? undefined : BigInt(position)).catch(() => null);
    return next === null ? null : next ? Math.max(0, now() - next.time) : 0;
  };
  return (position) => {
    const lag = known.get(position) ?? ask(position);
    known.set(position, lag);
    return lag;
  };
}
