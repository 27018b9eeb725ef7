import type { ClientBase, Pool, QueryArrayConfig } from 'pg';
import { pgArray } from './pg-arrays.js';
import { metastreamOf, noStream, recordSize, type StoredEvent } from './stored-event.js';
import { isSoftDeleted, parseStreamMetadata, type StreamMetadata } from './stream-metadata.js';

// The SQL of the log. Statements are named, so that each session plans them once.

const columns = 'position, stream, revision, id, type, is_json, created, data, metadata';

type Row = [
  position: string,
  stream: string,
  revision: string,
  id: string,
  type: string,
  isJson: boolean,
  created: string,
  data: Buffer,
  metadata: Buffer,
];

const toEvent = ([position, stream, revision, id, type, isJson, created, data, metadata]: Row): StoredEvent => ({
  position: BigInt(position),
  stream,
  revision: BigInt(revision),
  id,
  type,
  isJson,
  created: BigInt(created),
  data,
  metadata,
});

export interface StreamHead {
  revision: bigint; // -1 without events
  metadataRevision: bigint; // -1 without metadata
  metadata: StreamMetadata;
  rawMetadata: Uint8Array | null; // kept while the stream is soft-deleted, which is when it is needed again
}

/** The head of a stream whose newest metadata event holds this JSON (null: none, or not JSON). */
export const streamHead = (revision: bigint, metadataRevision: bigint, json: Uint8Array | null): StreamHead => {
  const metadata = parseStreamMetadata(json);
  return { revision, metadataRevision, metadata, rawMetadata: isSoftDeleted(metadata) ? json : null };
};

/** Appends in one statement and so in one transaction: all of them are on disk when this returns, or none. */
export const insertEvents = async (session: ClientBase, events: readonly StoredEvent[]): Promise<void> => {
  await session.query({
    name: 'insert_events',
    text: `INSERT INTO event_store.events (${columns})
      SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::boolean[], $7::bigint[], $8::bytea[], $9::bytea[])`,
    values: [
      pgArray.int8(events.map(({ position }) => position)),
      pgArray.text(events.map(({ stream }) => stream)),
      pgArray.int8(events.map(({ revision }) => revision)),
      pgArray.uuid(events.map(({ id }) => id)),
      pgArray.text(events.map(({ type }) => type)),
      pgArray.bool(events.map(({ isJson }) => isJson)),
      pgArray.int8(events.map(({ created }) => created)),
      pgArray.bytea(events.map(({ data }) => data)),
      pgArray.bytea(events.map(({ metadata }) => metadata)),
    ],
  });
};

/** The event stored last, from which the next position and the clock go on; undefined while the store is empty. */
export const readLastEvent = async (session: ClientBase): Promise<StoredEvent | undefined> => {
  const { rows } = await session.query<Row>({
    text: `SELECT ${columns} FROM event_store.events ORDER BY position DESC LIMIT 1`,
    rowMode: 'array',
  } satisfies QueryArrayConfig);
  return rows[0] && toEvent(rows[0]);
};

/** Where the log goes on after this event. */
export const positionAfter = (event: StoredEvent): bigint => event.position + recordSize(event);

type HeadRow = [stream: string, revision: string | null, metadataRevision: string | null, metadata: Buffer | null];

/** Current revision and metadata of each stream, whether it exists or not. */
export const readHeads = async (pool: Pool, streams: readonly string[]): Promise<Map<string, StreamHead>> => {
  const { rows } = await pool.query<HeadRow>({
    name: 'read_heads',
    text: `SELECT s.stream,
        (SELECT e.revision FROM event_store.events e WHERE e.stream = s.stream ORDER BY e.revision DESC LIMIT 1),
        m.revision, m.json
      FROM unnest($1::text[], $2::text[]) AS s(stream, metastream)
      LEFT JOIN LATERAL (
        SELECT e.revision, CASE WHEN e.is_json THEN e.data END AS json FROM event_store.events e WHERE e.stream = s.metastream ORDER BY e.revision DESC LIMIT 1
      ) m ON true`,
    values: [pgArray.text(streams), pgArray.text(streams.map(metastreamOf))],
    rowMode: 'array',
  } satisfies QueryArrayConfig);
  return new Map(
    rows.map(([stream, revision, metadataRevision, json]) => [
      stream,
      streamHead(revision === null ? noStream : BigInt(revision), metadataRevision === null ? noStream : BigInt(metadataRevision), json),
    ]),
  );
};

export type Direction = 'forwards' | 'backwards';

const range = { forwards: { compare: '>=', order: 'ASC' }, backwards: { compare: '<=', order: 'DESC' } } as const;

/** Events of one stream from a revision on, that revision included. */
export const readStreamPage = async (
  pool: Pool,
  stream: string,
  from: bigint,
  direction: Direction,
  limit: number,
): Promise<StoredEvent[]> => {
  const { compare, order } = range[direction];
  const { rows } = await pool.query<Row>({
    name: `read_stream_${direction}`,
    text: `SELECT ${columns} FROM event_store.events WHERE stream = $1 AND revision ${compare} $2 ORDER BY revision ${order} LIMIT $3`,
    values: [stream, from, limit],
    rowMode: 'array',
  } satisfies QueryArrayConfig);
  return rows.map(toEvent);
};

/** Events of `$all` between two positions, both included. */
export const readAllPage = async (
  pool: Pool,
  { from, to }: { from: bigint; to: bigint },
  direction: Direction,
  limit: number,
): Promise<StoredEvent[]> => {
  const { rows } = await pool.query<Row>({
    name: `read_all_${direction}`,
    text: `SELECT ${columns} FROM event_store.events WHERE position BETWEEN $1 AND $2 ORDER BY position ${range[direction].order} LIMIT $3`,
    values: [from, to, limit],
    rowMode: 'array',
  } satisfies QueryArrayConfig);
  return rows.map(toEvent);
};

/** Revision of the first event of a stream that is not older than this; time never goes back in the log. */
export const readFirstSince = async (pool: Pool, stream: string, created: bigint): Promise<bigint | undefined> => {
  const { rows } = await pool.query<[revision: string]>({
    name: 'read_first_since',
    text: 'SELECT revision FROM event_store.events WHERE stream = $1 AND created >= $2 ORDER BY revision LIMIT 1',
    values: [stream, created],
    rowMode: 'array',
  } satisfies QueryArrayConfig);
  return rows[0] && BigInt(rows[0][0]);
};

/** Ids and positions of the events of a stream between two revisions, both included. */
export const readIds = async (
  pool: Pool,
  stream: string,
  from: bigint,
  to: bigint,
): Promise<Map<bigint, { id: string; position: bigint }>> => {
  const { rows } = await pool.query<[revision: string, id: string, position: string]>({
    name: 'read_ids',
    text: 'SELECT revision, id, position FROM event_store.events WHERE stream = $1 AND revision BETWEEN $2 AND $3',
    values: [stream, from, to],
    rowMode: 'array',
  } satisfies QueryArrayConfig);
  return new Map(rows.map(([revision, id, position]) => [BigInt(revision), { id, position: BigInt(position) }]));
};
