import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStoreDBClient, excludeSystemEvents } from '@eventstore/db-client';
import pg from 'pg';
import { pino } from 'pino';
import { storeFeed } from '../libs/projection-engine/store-feed.js';
import { domainEvents } from '../libs/domain/events.js';
import type { Recorded } from '../libs/domain/kernel/event.js';
import { createCodec } from '../libs/event-store/codec.js';
import { connectEventStore, type EncodedEvent, type EventStore } from '../libs/event-store/event-store.js';
import { createPersonalKeys } from '../libs/event-store/personal-keys.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { Projector } from '../libs/projection-engine/projector.js';

const AT_ONCE = 256; // appends in flight
const FED = 1_000; // events that the client keeps for a listener, at most

/** The embedded event store as a process of its own, holding a history. */
export async function startStoreWith(databaseUrl: string, history: readonly Recorded[]) {
  const child = fork(fileURLToPath(new URL('../libs/embedded-event-store/main.js', import.meta.url)), ['--port', '0'], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [{ ready: url }] = (await once(child, 'message')) as [{ ready: string }];
  const store = connectEventStore({ url });
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let event = history[next++]; event; event = history[next++]) await append(store, event);
    }),
  );
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { url, store, stop };
}

/** In a history of many streams, an event is appended long after the one before it in its stream. */
async function append(store: EventStore, { id, type, data, metadata, stream, revision }: Recorded): Promise<void> {
  const event = { id, type, data, metadata } as EncodedEvent;
  await store.append(stream, revision === 0n ? 'no_stream' : revision - 1n, [event]);
}

/** Seconds that the client takes to give all of the events by its own subscription, to a listener that only counts. */
export async function readAlone(url: string, events: number): Promise<number> {
  const client = EventStoreDBClient.connectionString(url);
  const started = performance.now();
  const subscription = client.subscribeToAll({ filter: excludeSystemEvents() }, { highWaterMark: FED });
  await new Promise<void>((resolve, reject) => {
    let read = 0;
    subscription.on('error', reject).on('data', () => (read += 1) === events && resolve());
  });
  const seconds = (performance.now() - started) / 1000;
  await subscription.unsubscribe();
  await Promise.race([client.dispose(), sleep(1_000)]);
  return seconds;
}

/** Seconds that a projector takes to catch up with everything, from nothing. */
export async function catchUp(databaseUrl: string, store: EventStore, url: string, projections: readonly Projection[]): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  pool.on('error', () => undefined); // connections that are ended with the server
  await pool.query('DROP SCHEMA IF EXISTS read_models, policies, event_feed CASCADE');
  const keys = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 1) });
  await keys.migrate();
  const last = await store.lastPosition();
  const feed = storeFeed(store, createCodec(domainEvents, keys), url);
  const projector = new Projector({ databaseUrl, feed, projections, logger: pino({ level: 'warn' }) });
  const stopping = new AbortController();
  const started = performance.now();
  const running = projector.run(stopping.signal);
  while (projector.progress()[0]!.position !== last) await sleep(5);
  const seconds = (performance.now() - started) / 1000;
  stopping.abort();
  await running;
  await pool.end();
  return seconds;
}
