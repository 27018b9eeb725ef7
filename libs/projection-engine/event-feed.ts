import type { Pool } from 'pg';
import type { Recorded } from '../domain/kernel/event.js';
import { isSeal } from '../domain/seal/seal.events.js';
import { isEncrypted } from '../event-store/encrypted-field.js';
import { hasOurMetadata } from '../event-store/foreign-events.js';
import { FIRST_VALUE, NOTHING, type Write } from './checkpoint.js';
import type { Consumer } from './consumer.js';

// All events of all businesses, one row each, for whoever follows a business (product L6) and for what is asked as of an instant. A row
// follows from what is stored alone, whatever build writes it: of the version that was stored, and without the person (docs/stored-forms.md).

/** Its name, as a read model's: in the status, and to wait for. */
export const EVENT_FEED = 'event_feed';
export const EVENT_FEED_VERSION = 1;

export const EVENT_FEED_TABLES = (checkpointColumns: string) => `
  CREATE SCHEMA IF NOT EXISTS event_feed;
  CREATE TABLE IF NOT EXISTS event_feed.checkpoints (
    projection text NOT NULL,
    version integer NOT NULL,
    ${checkpointColumns},
    PRIMARY KEY (projection, version)
  );
  INSERT INTO event_feed.checkpoints (projection, version) VALUES ('${EVENT_FEED}', ${EVENT_FEED_VERSION}) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS event_feed.events (
    business_id uuid NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    stream text NOT NULL,
    revision bigint NOT NULL,
    type text NOT NULL,
    version integer NOT NULL,            -- of the shape of its data
    recorded_at timestamptz(3) NOT NULL,
    at timestamptz(3) NOT NULL,          -- the latest recorded time of the business's events up to this one: clocks of processes differ
    correlation_id text NOT NULL,
    causation_id text NOT NULL,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    policy text,                         -- that gave the command, because of what the actor did
    people text[] NOT NULL,              -- whose keys its personal fields are encrypted with
    data json NOT NULL,                  -- without its personal fields
    PRIMARY KEY (business_id, position)
  );
  CREATE INDEX IF NOT EXISTS events_at ON event_feed.events (business_id, at, position);`;

/**
 * Writes the rows; seals say nothing that has happened, and what somebody else keeps in the same store is nobody's business here. What this build
 * can't read it publishes all the same: it is as true as the rest, and a newer reader may know it.
 */
export const eventFeed = (): Consumer => ({
  name: EVENT_FEED,
  version: EVENT_FEED_VERSION,
  linger: 0,
  concerns: () => true,
  takesUnreadable: true,
  fold: (events) => Promise.resolve(writeOf(events.filter((event) => hasOurMetadata(event) && !isSeal(event)).map(rowOf))),
  reset: () => undefined,
});

/**
 * Position of the last event whose running maximum of recorded time, over the business's events in the order of `$all`, is not after the
 * instant: what `asOf` an instant means. Undefined: nothing had happened yet. It knows what the feed holds: to wait for more is the caller's.
 * @param instant in UTC, `2027-01-31T09:30:00.000Z`
 */
export async function positionAt(pool: Pool, business: string, instant: string): Promise<bigint | undefined> {
  const { rows } = await pool.query<{ position: string }>({
    name: 'position at',
    text: `SELECT e.position::text FROM event_feed.events e WHERE business_id = $1 AND at <= $2::timestamptz ORDER BY at DESC, e.position DESC LIMIT 1`,
    values: [business, instant],
  });
  return rows[0] && BigInt(rows[0].position);
}

/**
 * The time on the business's clocks when the event at a position had happened: the running maximum of recorded time, of the last of its
 * events up to there, or of all. Undefined: nothing had happened yet.
 */
export async function timeAt(pool: Pool, business: string, position = LAST): Promise<string | undefined> {
  const { rows } = await pool.query<{ at: string }>({
    name: 'time at',
    text: `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at FROM event_feed.events
      WHERE business_id = $1 AND position <= $2 ORDER BY position DESC LIMIT 1`,
    values: [business, position],
  });
  return rows[0]?.at;
}

/** All businesses of which something has happened: one look at the index for each. */
export async function businessesOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ business: string }>(`
    WITH RECURSIVE businesses (business) AS (
      (SELECT business_id FROM event_feed.events ORDER BY business_id LIMIT 1)
      UNION ALL SELECT (SELECT business_id FROM event_feed.events WHERE business_id > business ORDER BY business_id LIMIT 1)
        FROM businesses WHERE business IS NOT NULL
    ) SELECT business FROM businesses WHERE business IS NOT NULL`);
  return rows.map(({ business }) => business);
}

const LAST = 2n ** 63n - 1n;

function rowOf({ id, stream, revision, position, type, metadata, data, stored }: Recorded) {
  const fields: [string, unknown][] = Object.entries(stored ?? (data as object));
  const people = fields.flatMap(([, value]) => (isEncrypted(value) ? [value.key] : []));
  return {
    ...{ business_id: metadata.business, position: String(position), event_id: id, stream, revision: String(revision) },
    ...{ type, version: metadata.version, recorded_at: metadata.time, policy: metadata.policy ?? null },
    ...{ correlation_id: metadata.$correlationId, causation_id: metadata.$causationId },
    ...{ actor_id: metadata.actor.id, actor_role: metadata.actor.role },
    people: [...new Set(people)],
    data: JSON.stringify(Object.fromEntries(fields.filter(([, value]) => !isEncrypted(value)))),
  };
}

const COLUMNS = `business_id, position, event_id, stream, revision, type, version, recorded_at, correlation_id, causation_id, actor_id, actor_role,
  policy, people`;
const SENT = `business_id uuid, position bigint, event_id uuid, stream text, revision bigint, type text, version integer, recorded_at timestamptz,
  correlation_id text, causation_id text, actor_id text, actor_role text, policy text, people text[], data text`;

/** The running maximum goes on from the business's last row: there is no later one, since the checkpoint moves with the rows. */
function writeOf(rows: readonly object[]): Write {
  if (!rows.length) return NOTHING;
  return {
    kind: ' events',
    values: [JSON.stringify(rows)],
    ctes: [
      `arrived AS (SELECT * FROM json_to_recordset($${FIRST_VALUE}) AS sent (${SENT}) WHERE EXISTS (SELECT FROM moved))`,
      `before AS (SELECT business_id, latest.at FROM (SELECT DISTINCT business_id FROM arrived) AS businesses, LATERAL (
        SELECT at FROM event_feed.events e WHERE e.business_id = businesses.business_id ORDER BY position DESC LIMIT 1) AS latest)`,
      `written AS (INSERT INTO event_feed.events (${COLUMNS}, data, at)
        SELECT ${COLUMNS}, data::json, greatest(before.at, max(recorded_at) OVER (PARTITION BY business_id ORDER BY position))
        FROM arrived LEFT JOIN before USING (business_id) ON CONFLICT DO NOTHING)`,
    ],
  };
}
