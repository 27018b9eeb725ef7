import type { Pool } from 'pg';
import type { Poison } from './checkpoint.js';
import type { Feed } from './feed.js';
import { allSkipped, type Skipped } from './skip.js';
import { lastVerified, type Verified } from './verified.js';

/** What an operator wants to know of the projections; the same in the CLI, over HTTP and as metrics. */
export interface Status {
  leader: { name: string; epoch: string; since: string; silentFor: number } | null; // ms
  projections: ProjectionStatus[];
  skipped: SkippedStatus[];
  verified: (Verified & { verifiedAt: string })[]; // the last results
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
  building: Building | null; // of what is folded beside what the leader feeds: a rebuild, or a version that the leader does not know
}

export interface Building {
  by: string | null; // null: nobody now; the same command goes on
  step: string;
  silentFor: number; // ms
  startedAt: string;
  events: number; // that are in the rows
  total: number; // that there are
  secondsLeft: number | null; // null: nobody can tell
}

/** A poison event that somebody decided to pass over. */
export interface SkippedStatus extends Skipped {
  name: string;
  version: number;
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
  const total = Math.max(0, ...checkpoints.rows.map(({ events }) => Number(events)));
  const projections = checkpoints.rows.map(async ({ position, events, building, ...checkpoint }) => ({
    ...checkpoint,
    position,
    building: building && { ...builtSoFar(building, Number(events), total) },
    lag: await lagOf(position),
    rate: building ? building.rate : checkpoint.live ? (rates?.[checkpoint.name] ?? 0) : 0,
  }));
  const todo = await pool.query<{ waiting: number; parked: number }>(
    'SELECT count(*) FILTER (WHERE parked IS NULL)::int AS waiting, count(parked)::int AS parked FROM policies.todo',
  );
  return {
    leader: holder === undefined ? null : { name: holder, epoch: epoch!, since: since!, silentFor: Math.round(Number(silent_for)) },
    projections: await Promise.all(projections),
    skipped: await allSkipped(pool),
    verified: await lastVerified(pool),
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
  events: string;
  building: BuildingRow | null;
}

interface BuildingRow {
  by: string | null;
  step: string;
  silentFor: number;
  startedAt: string;
  rate: number;
}

const builtSoFar = ({ rate, ...building }: BuildingRow, events: number, total: number): Building => ({
  ...building,
  events,
  total,
  secondsLeft: rate > 0 ? Math.ceil(Math.max(0, total - events) / rate) : null,
});

const CHECKPOINTS = `
  SELECT projection AS name, version, build, live_builds.build IS NOT NULL AS live, state, position::text, poison, events::text,
      CASE WHEN b.step IS NOT NULL THEN json_build_object('by', b.holder, 'step', b.step, 'rate', b.rate,
        'silentFor', round(extract(epoch FROM clock_timestamp() - b.beat) * 1000),
        'startedAt', to_char(b.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END AS building
    FROM read_models.checkpoints LEFT JOIN read_models.live_builds USING (projection, version, build)
      LEFT JOIN read_models.builders b USING (projection, version, build)
  UNION ALL SELECT projection, version, 0, true, state, position::text, poison, events::text, NULL FROM policies.checkpoints
  UNION ALL SELECT projection, version, 0, true, state, position::text, poison, events::text, NULL FROM event_feed.checkpoints
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
