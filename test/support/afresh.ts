import type { Pool } from 'pg';
import { pino } from 'pino';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { verifyChain } from '../../libs/event-store/chain.js';
import type { EventStore, StoredEvent } from '../../libs/event-store/event-store.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import { storeFeed } from '../../libs/projection-engine/store-feed.js';
import { TODO } from '../../libs/projection-engine/todo.js';
import { verify } from '../../libs/projection-engine/verify.js';
import { until } from './fleet.js';

// Everything that was ever stored, read and folded again, to hold it against what the service says.

const MAX_SAID = 20;

interface Reads {
  store: EventStore;
  codec: Pick<Parts['codec'], 'decode'>;
}

/** All events of the store, in the order of `$all`. */
export async function wholeHistory({ store, codec }: Reads): Promise<{ stored: StoredEvent[]; events: Recorded[] }> {
  const stored: StoredEvent[] = [];
  for await (const batch of store.readAll()) stored.push(...batch);
  return { stored, events: await codec.decode(stored) };
}

export function byStream<Event extends { stream: string }>(events: readonly Event[]): Map<string, Event[]> {
  const streams = new Map<string, Event[]>();
  for (const event of events) {
    const own = streams.get(event.stream);
    if (own) own.push(event);
    else streams.set(event.stream, [event]);
  }
  return streams;
}

/** What does not hold in the streams' hash chains (K4): nothing, if nobody changed, lost or doubled an event. */
export const brokenChains = (stored: readonly StoredEvent[]): object[] =>
  [...byStream(stored).values()].flatMap((events) => verifyChain(events) ?? []);

/**
 * K3: every row of every read model, and every version that is over, against a fold of all events afresh, as `projector verify` does it. Empty:
 * they are equal.
 */
export async function readModelDifferences(pool: Pool, { store, codec }: Reads): Promise<object[]> {
  const differences: object[] = [];
  const projections = await allProjections();
  await until(() => areLive(pool, projections), 'all read models are live');
  const results = await verify(
    {
      ...{ databaseUrl: pool.options.connectionString!, feed: storeFeed(store, codec, 'of the test'), projections },
      ...{ logger: pino({ level: 'silent' }), onDifference: (difference: object) => void differences.push(difference) },
    },
    new AbortController().signal,
  );
  return [...results.filter(({ problem }) => problem !== null), ...differences].slice(0, MAX_SAID);
}

async function areLive(pool: Pool, projections: readonly Projection[]): Promise<boolean> {
  const { rows } = await pool.query<{ name: string; version: number }>('SELECT projection AS name, version FROM read_models.live_builds');
  return projections.every((one) => rows.some(({ name, version }) => name === one.name && version === one.version));
}

/** The projector holds all events that there are, nothing that follows from them is left to do, and every invoice has its number. */
export async function isUpToDate(
  pool: Pool,
  store: Pick<EventStore, 'lastPosition'>,
  policies: 'here' | 'elsewhere' = 'here',
): Promise<boolean> {
  const position = await store.lastPosition();
  const { rows } = await pool.query<{ behind: number; waiting: number }>(
    `SELECT (SELECT count(*)::int FROM (SELECT position FROM read_models.checkpoints
        UNION ALL SELECT position FROM policies.checkpoints WHERE $2 OR projection <> '${TODO}') c WHERE position IS NULL OR position < $1) AS behind,
      (SELECT count(*)::int FROM policies.todo WHERE parked IS NULL) AS waiting`,
    [position ?? -1n, policies === 'here'],
  );
  return rows[0]!.behind === 0 && rows[0]!.waiting === 0 && (await store.lastPosition()) === position; // numbers are events too
}
