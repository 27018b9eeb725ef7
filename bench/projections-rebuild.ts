import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { storeFeed } from '../libs/projection-engine/store-feed.js';
import { domainEvents } from '../libs/domain/events.js';
import { createCodec } from '../libs/event-store/codec.js';
import type { EventStore } from '../libs/event-store/event-store.js';
import { createPersonalKeys } from '../libs/event-store/personal-keys.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { Projector } from '../libs/projection-engine/projector.js';
import { rebuild } from '../libs/projection-engine/rebuild.js';
import { openSources } from '../libs/projection-engine/sources.js';
import { sales } from './package-history.js';

const logger = pino({ level: 'warn' });

/** Seconds that a rebuild takes beside a projector that leads, with so many who read and as many who write meanwhile. */
export async function rebuildBeside(
  databaseUrl: string,
  store: EventStore,
  url: string,
  projections: readonly Projection[],
  atWork: number,
): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 20, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined); // connections that are ended with the server
  const feed = storeFeed(store, createCodec(domainEvents, createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 1) })), url);
  const stopping = new AbortController();
  const leading = new Projector({ databaseUrl, feed, projections, logger }).run(stopping.signal);
  const working = [
    ...Array.from({ length: atWork }, () => read(pool, projections, stopping.signal)),
    ...writers(store, atWork, stopping.signal),
  ];
  const started = performance.now();
  const rebuilt = await rebuild({ databaseUrl, feed, projections, logger }, stopping.signal);
  const seconds = (performance.now() - started) / 1_000;
  if (rebuilt.some(({ poison }) => poison)) throw new Error(JSON.stringify(rebuilt));
  stopping.abort();
  await Promise.all([...working, leading]);
  await pool.end();
  return seconds;
}

/** Pages at random, from wherever the rows are now. */
async function read(pool: pg.Pool, [projection]: readonly Projection[], signal: AbortSignal): Promise<void> {
  const sources = openSources(pool, [projection!]);
  while (!signal.aborted)
    await sources.read(projection!, undefined, ({ from, condition }) => ({
      text: `SELECT * FROM ${from} WHERE ${condition} AND package_id > $1 ORDER BY package_id LIMIT 20`,
      values: [randomUUID()],
    }));
}

const writers = (store: EventStore, count: number, signal: AbortSignal): Promise<void>[] =>
  Array.from({ length: count }, async () => {
    for (const { id, type, data, metadata, stream } of sales(1_000_000)) {
      if (signal.aborted) return;
      await store.append(stream, 'no_stream', [{ id, type, data, metadata }]);
    }
  });
