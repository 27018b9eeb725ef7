import fc from 'fast-check';
import pg from 'pg';
import pino from 'pino';
import { createDatabase } from '../../test/support/postgres.js';
import type { AnyEvent, Metadata, Recorded } from '../domain/kernel/event.js';
import { EVENT_FEED, EVENT_FEED_VERSION, eventFeed, positionAt, timeAt } from './event-feed.js';
import type { Fed } from './feed.js';
import { Projector } from './projector.js';
import { skipPoison } from './skip.js';
import { idOf } from './testing/example.js';
import { MemoryFeed } from './testing/memory-feed.js';
import { recorded } from './testing/recorded.js';

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
const running: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()));
  await pool.end();
  await database.drop();
});

function follow(feed: MemoryFeed, maxBatch?: number): () => Promise<void> {
  const options = { databaseUrl: database.url, feed, projections: [], publish: true, logger: pino({ level: 'silent' }), maxBatch };
  const stopping = new AbortController();
  const ended = new Projector(options).run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  running.push(stop);
  return stop;
}

async function reached(position: bigint): Promise<void> {
  const question = 'SELECT FROM event_feed.checkpoints WHERE position = $1';
  for (const end = performance.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const { rowCount } = await pool.query(question, [position]).catch(() => ({ rowCount: 0 }));
    if (rowCount) return;
    if (performance.now() > end) throw new Error('It did not get there in time.');
  }
}

const written = async () => {
  const { rows } = await pool.query<{ business_id: string; position: string; at: Date }>(
    'SELECT business_id, position::text, at FROM event_feed.events ORDER BY event_feed.events.position',
  );
  return rows.map(({ business_id, position, at }) => ({ business: business_id, position: BigInt(position), at: at.toISOString() }));
};

const BUSINESSES = [idOf('one'), idOf('another'), idOf('a third')];
const START = Date.UTC(2027, 2, 1);

/** Events of several businesses whose clocks go back and forth. */
const happening = (business: number, seconds: number, position: bigint): Recorded => {
  const time = new Date(START + seconds * 1_000).toISOString();
  return recorded([{ type: 'Happened', data: {} }], { first: position, metadata: { business: BUSINESSES[business]!, time } })[0]!;
};

const histories = fc
  .array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 60 })), { minLength: 1, maxLength: 60 })
  .map((all) => all.map(([business, seconds], i) => happening(business, seconds, BigInt(i + 1))));

/** The same worked out plainly. */
function expected(events: readonly Recorded[]) {
  const latest = new Map<string, string>();
  return events.map(({ position, metadata: { business, time } }) => {
    const at = [latest.get(business) ?? time, time].sort().at(-1)!;
    latest.set(business, at);
    return { business, position, at };
  });
}

/** Cuts what is to be delivered, and delivers some of it again. */
const deliveries =
  (size: number, overlap: number) =>
  (events: readonly Fed[]): (readonly Fed[])[] =>
    Array.from({ length: Math.ceil(events.length / size) }, (_, i) => events.slice(Math.max(0, i * size - overlap), (i + 1) * size));

it('L6: each event is there once, with the running maximum of its business, wherever batches end and however often they come', async () => {
  const cuts = fc.tuple(histories, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 9 }));
  await fc.assert(
    fc.asyncProperty(cuts, async ([events, size, overlap, maxBatch]) => {
      const stop = follow(new MemoryFeed(events, deliveries(size, overlap)), maxBatch);
      await reached(events.at(-1)!.position);
      await stop();
      const rows = await written();
      await pool.query('DROP SCHEMA event_feed CASCADE');
      expect(rows).toEqual(expected(events));
    }),
    { numRuns: 12 },
  );
});

it('K2: the position at an instant is the last one whose running maximum is not after it', async () => {
  const seconds = [10, 30, 20, 30, 5, 40];
  const events = seconds.map((at, i) => happening(0, at, BigInt(i + 7)));
  follow(new MemoryFeed([...events, happening(1, 0, 13n)]));
  await reached(13n);
  const at = (second: number, business = 0) =>
    positionAt(pool, BUSINESSES[business]!, new Date(START + second * 1_000).toISOString()).then((position) => position ?? null);
  expect(await at(9)).toBeNull();
  expect(await at(10)).toBe(7n);
  expect(await at(29)).toBe(7n); // the one of second 20 came after one of second 30
  expect(await at(30)).toBe(11n); // and the one of second 5 as well
  expect(await at(39.999)).toBe(11n);
  expect(await at(3_600)).toBe(12n);
  expect(await at(3_600, 1)).toBe(13n);
  expect(await at(3_600, 2)).toBeNull();
});

it('K2: the time at a position is the running maximum of the business there', async () => {
  const events = [10, 30, 20, 40].map((at, i) => happening(0, at, BigInt(2 * i + 2)));
  follow(new MemoryFeed([...events, happening(1, 0, 9n)]));
  await reached(9n);
  const secondAt = async (position?: bigint) => {
    const at = await timeAt(pool, BUSINESSES[0]!, position);
    return at === undefined ? null : (Date.parse(at) - START) / 1_000;
  };
  expect(await Promise.all([1n, 2n, 3n, 4n, 6n, 7n, 8n, 9n, undefined].map(secondAt))).toEqual([null, 10, 10, 30, 30, 30, 40, 40, 40]);
});

it('goes on after a stop, from the last row of each business', async () => {
  const events = [50, 10, 60, 20, 55].map((at, i) => happening(i % 2, at, BigInt(i + 1)));
  const feed = new MemoryFeed(events.slice(0, 3));
  const stop = follow(feed);
  await reached(3n);
  await stop();
  feed.append(events.slice(3));
  follow(feed);
  await reached(5n);
  expect(await written()).toEqual(expected(events));
});

const encrypted = (key: string) => ({ $enc: 1, key, iv: 'aaaa', ct: 'bbbb' });

const one = (event: AnyEvent, beside: Partial<Metadata>, more: Partial<Fed> = {}): Fed => ({
  ...recorded([event], { metadata: beside })[0]!,
  ...more,
});

it('L6: what is personal is left out as it is stored, of known events and of unknown ones; nothing stops the feed', async () => {
  const business = BUSINESSES[0]!;
  const data = { clientId: 'c', name: 'Anna', note: null, limit: 5 };
  const stored = { clientId: 'c', name: encrypted('anna'), note: null, limit: 5 };
  const known = one({ type: 'ClientRegistered', data }, { business, version: 3 }, { stored });
  const later = { name: encrypted('anna'), mail: encrypted('ben'), shown: 'a' };
  const unknown = one({ type: 'FromTheFuture', data: later }, { business, policy: 'selling' }, { unreadable: new Error('unknown') });
  const foreign = one({ type: 'SomebodyElses', data: {} }, {}, { metadata: {} as Metadata, unreadable: new Error('not ours') });
  const without = one({ type: 'SomebodyElses', data: {} }, {}, { metadata: undefined as unknown as Metadata });
  const partly = one({ type: 'SomebodyElses', data: {} }, { business, actor: undefined, $correlationId: undefined });
  const timeless = one({ type: 'SomebodyElses', data: {} }, { business, time: 'yesterday' });
  const foreigners = [foreign, without, partly, timeless];
  const all = [known, unknown, ...foreigners, happening(1, 1, 4n)].map((event, i) => ({ ...event, position: BigInt(i + 1) }));
  follow(new MemoryFeed(all));
  await reached(7n);
  const { rows } = await pool.query('SELECT type, version, policy, people, data FROM event_feed.events ORDER BY position');
  expect(rows).toEqual([
    { type: 'ClientRegistered', version: 3, policy: null, people: ['anna'], data: { clientId: 'c', note: null, limit: 5 } },
    { type: 'FromTheFuture', version: 1, policy: 'selling', people: ['anna', 'ben'], data: { shown: 'a' } },
    { type: 'Happened', version: 1, policy: null, people: [], data: {} },
  ]);
});

it('takes whatever text an event may hold', async () => {
  const data = { text: 'a\u0000b "quoted" \\ {} 🙂', list: [{ deep: [1, null] }] };
  follow(new MemoryFeed(recorded([{ type: 'Happened', data }])));
  await reached(1n);
  const { rows } = await pool.query<{ data: object }>('SELECT data FROM event_feed.events');
  expect(rows[0]!.data).toEqual(data);
});

it('L6: an event that Postgres cannot take stops it until it is passed over, with a reason', async () => {
  const events = [1, 2, 3].map((seconds) => happening(0, seconds, BigInt(seconds)));
  const tooLarge = { ...events[1]!, metadata: { ...events[1]!.metadata, version: 2 ** 40 } };
  follow(new MemoryFeed([events[0]!, tooLarge, events[2]!]));
  await reached(1n);
  const feed = { name: EVENT_FEED, version: EVENT_FEED_VERSION, schema: 'event_feed' } as const;
  const skipped = () => skipPoison(pool, feed, tooLarge.id, 'nobody knows such a version');
  for (let is = false; !is; await new Promise((resolve) => setTimeout(resolve, 10)))
    is = await skipped().then(
      () => true,
      () => false, // it has not come there yet
    );
  await reached(3n);
  expect((await written()).map(({ position }) => position)).toEqual([1n, 3n]);
});

it('folds without a look at the database', async () => {
  expect(await eventFeed().fold([])).toEqual({ kind: '', ctes: [], values: [] });
});
