import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { instantFromText } from './table.js';
import type { EventRef, Fed } from './feed.js';
import { inTransaction } from './held-client.js';
import { buildName } from './sql-names.js';

/** How far a consumer is: its rows hold all events up to `last`. */
export interface Progress {
  /** Undefined: it has seen nothing yet. */
  last: (EventRef & { position: bigint; time: string }) | undefined;
  state: 'running' | 'poisoned';
  poison: Poison | undefined;
  /** Ids of the poison events that it passes over, as somebody decided. */
  skipped: ReadonlySet<string>;
}

/** The event that stopped a consumer, and why. */
export interface Poison {
  position: string;
  eventId: string;
  type: string;
  stream: string;
  revision: string;
  error: string;
}

/** What a consumer writes with its checkpoint: CTEs that run if the CTE `moved` has a row. Values count from FIRST_VALUE. */
export interface Write {
  /** Which statement it is: one text per kind, so that Postgres plans it once. */
  kind: string;
  ctes: string[];
  values: string[];
  /** Rows that are new, to be copied into the table in the same transaction; and how to write all of it if they were not. */
  copy?: { into: string; text: string; otherwise: () => Write };
}

export const FIRST_VALUE = 12;
export const NOTHING: Write = { kind: '', ctes: [], values: [] };
/** The channel on which every moved checkpoint is told: `<name> <version> <build> <position>`. */
export const CHANNEL = 'read_models';

/** The checkpoint did not move: another leader's epoch, or it is not where this process believes. Nothing was written. */
export class Fenced extends Error {
  override name = 'Fenced';
}

/** One consumer's place in `$all`, moved together with what the consumer writes, in one statement, so in one transaction. */
export interface Checkpoint {
  name: string;
  version: number;
  read(): Promise<Progress>;
  /**
   * Moves from one event to a later one, so many further on, if it still is where it was and the epoch is not over.
   * @throws Fenced
   */
  move(from: bigint | undefined, to: Fed, epoch: bigint, write: Write, events?: number): Promise<void>;
  /** Marks the consumer as stopped by an event. Throws Fenced. */
  stop(poison: Poison, epoch: bigint): Promise<void>;
  /** Says which store the positions are of. */
  nameStore(store: string): Promise<void>;
}

/** Where a table `checkpoints` is: in `read_models` each build has its own. */
export type CheckpointSchema = 'read_models' | 'policies' | 'event_feed';

/**
 * @param writer whose epochs fence it: those of the leader, or of whoever folds this build beside it
 */
export function checkpointOf(
  pool: Pool,
  schema: CheckpointSchema,
  name: string,
  version: number,
  build = 0,
  writer: 'leader' | 'builder' = 'leader',
): Checkpoint {
  const table = `${schema}.checkpoints`;
  const own = [name, version];
  const isOwn = `projection = $1 AND version = $2${schema === 'read_models' ? ` AND build = ${build}` : ''}`;
  const mayWrite = writer === 'leader' ? LEADS : `EXISTS (SELECT FROM read_models.builders WHERE ${isOwn} AND epoch = `;
  return {
    name,
    version,
    read: async () => {
      const { rows } = await pool.query<ProgressRow>(
        `SELECT position::text, event_id, stream, revision::text, time::text, state, poison,
            (SELECT array_agg(event_id) FROM read_models.skipped WHERE projection = $1 AND version = $2)::text[] AS skipped
          FROM ${table} WHERE ${isOwn}`,
        own,
      );
      if (!rows[0]) throw new Error(`${name} version ${version} has no checkpoint: migrate first`);
      return progressOf(rows[0]);
    },
    move: (from, to, epoch, write, events = 1) =>
      inOneTransaction(pool, write, async (client, { kind, ctes, values }) => {
        const moved = `moved AS (UPDATE ${table} SET position = $4, event_id = $5, stream = $6, revision = $7, time = $8, state = 'running',
          poison = NULL, changed_at = now(), events = events + $11
        WHERE ${isOwn} AND position IS NOT DISTINCT FROM $3::bigint AND ${mayWrite}$9) RETURNING position)`;
        const { rowCount } = await client.query({
          name: `move ${schema[0]}.${buildName({ name, version, build })}${kind}`,
          text: `WITH ${[moved, ...ctes].join(', ')} SELECT pg_notify('${CHANNEL}', $10) FROM moved`,
          values: [
            ...own,
            from,
            to.position,
            to.id,
            to.stream,
            to.revision,
            to.metadata.time,
            epoch,
            `${name} ${version} ${build} ${to.position}`,
            events,
            ...values,
          ],
        });
        if (rowCount !== 1) throw new Fenced(`${name} did not move from ${from} to ${to.position}`);
      }),
    stop: async (poison, epoch) => {
      const { rowCount } = await pool.query(
        `UPDATE ${table} SET state = 'poisoned', poison = $3, changed_at = now() WHERE ${isOwn} AND ${mayWrite}$4)`,
        [...own, poison, epoch],
      );
      if (rowCount !== 1) throw new Fenced(`${name} was not marked as stopped`);
    },
    nameStore: async (store) => {
      await pool.query(`UPDATE ${table} SET store = $3 WHERE ${isOwn} AND store IS DISTINCT FROM $3`, [...own, store]);
    },
  };
}

// A lock is no fence: a leader that was paused and wakes believes that it still has it. Its epoch is over.
const LEADS = 'EXISTS (SELECT FROM read_models.leader WHERE epoch = ';

interface ProgressRow {
  position: string | null;
  event_id: string;
  stream: string;
  revision: string;
  time: string | null;
  state: Progress['state'];
  poison: Poison | null;
  skipped: string[] | null;
}

/** One statement is a transaction by itself; what is copied takes one around both. */
async function inOneTransaction(
  pool: Pool,
  write: Write,
  move: (client: Pick<PoolClient, 'query'>, write: Write) => Promise<void>,
): Promise<void> {
  if (!write.copy) return move(pool, write);
  const { into, text, otherwise } = write.copy;
  try {
    await inTransaction(pool, async (client) => {
      await move(client, write);
      await pipeline(Readable.from([text]), client.query(copyFrom(`COPY ${into} FROM STDIN`)));
    });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    await move(pool, otherwise()); // rows that an event puts anew, and that were there already
  }
}

const UNIQUE_VIOLATION = '23505';
const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;

const progressOf = ({ position, event_id, stream, revision, time, state, poison, skipped }: ProgressRow): Progress => ({
  last:
    position === null
      ? undefined
      : {
          position: BigInt(position),
          id: event_id,
          stream,
          revision: BigInt(revision),
          time: time ? instantFromText(time) : new Date(0).toISOString(),
        },
  state,
  poison: poison ?? undefined,
  skipped: new Set(skipped),
});
