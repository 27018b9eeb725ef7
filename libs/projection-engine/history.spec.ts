import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import pino from 'pino';
import { createDatabase } from '../../test/support/postgres.js';
import type { AnyEvent, Recorded } from '../domain/kernel/event.js';
import { rowsAsOf } from './as-of.js';
import { checkpointOf, type Checkpoint } from './checkpoint.js';
import {
  type AnyRow,
  column,
  defineProjection,
  insert,
  type Projection,
  remove,
  removeMany,
  update,
  updateEach,
  updateMany,
  upsert,
} from './define-projection.js';
import { fold, keyOfRow } from './fold.js';
import { consumerOf, type ConsumerOptions } from './projection-consumer.js';
import { migrate } from './schema.js';
import { quoted } from './sql-names.js';
import { fromText } from './table.js';
import { idOf } from './testing/example.js';
import { recorded } from './testing/recorded.js';
import { CommitsLost, Worker } from './worker.js';

// K2: rows as they were at any position, whatever happened to them since.

type Happening =
  | { type: 'Put'; data: { ids: string[]; shelf: string } }
  | { type: 'Counted'; data: { id: string; count: number } }
  | { type: 'AllCounted'; data: { items: { key: string; by: number }[] } }
  | { type: 'Touched'; data: { id: string; shelf: string } }
  | { type: 'Taken'; data: { id: string } }
  | { type: 'Replaced'; data: { id: string; shelf: string } }
  | { type: 'ShelfMoved'; data: { from: string; into: string } }
  | { type: 'ShelfCleared'; data: { shelf: string } };

const onShelf = (id: string, shelf: string) => ({ id, shelf: idOf(shelf), count: 0, note: null as string | null });

const table = {
  version: 1,
  key: 'id' as const,
  columns: { id: column.uuid(), shelf: column.uuid().indexed(), count: column.integer(), note: column.text().nullable() },
};

/** Every verb that there is. */
const things = defineProjection({ ...table, name: 'things', history: true }).on<Happening>({
  Put: insert(({ data }) => data.ids.map((id) => onShelf(id, data.shelf))),
  Counted: update(
    ({ data }) => data.id,
    (row, { data }) => ({ ...row, count: data.count }),
  ),
  AllCounted: updateEach(
    ({ data }) => data.items,
    (row, { by }) => (by === 0 ? row : { ...row, count: row.count + by }),
  ),
  Touched: upsert(
    ({ data }) => data.id,
    (row, { data }) => (row ? { ...row, note: `${row.note ?? ''}+` } : onShelf(data.id, data.shelf)),
  ),
  Taken: remove(({ data }) => data.id),
  Replaced: [remove(({ data }) => data.id), insert(({ data }) => ({ ...onShelf(data.id, data.shelf), note: 'new' }))],
  ShelfMoved: updateMany(
    ({ data }) => ({ shelf: idOf(data.from) }),
    (row, { data }) => ({ ...row, shelf: idOf(data.into) }),
  ),
  ShelfCleared: removeMany(({ data }) => ({ shelf: idOf(data.shelf) })),
}) as Projection;

/** The same without history. */
const bareThings: Projection = { ...things, name: 'bare_things', history: false };

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC -c synchronous_commit=off' });
  await migrate(pool, [things, bareThings]);
  await pool.query(`INSERT INTO read_models.leader VALUES (true, 1, 'the test', now(), now(), '{}')`);
});
const fromNothing = () =>
  pool.query(`TRUNCATE read_models.things_v1, read_models.things_v1_history, read_models.bare_things_v1;
    UPDATE read_models.checkpoints SET position = NULL, event_id = NULL, stream = NULL, revision = NULL, time = NULL`);
beforeEach(fromNothing);
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });

interface How extends Omit<ConsumerOptions, 'build'> {
  maxBatch?: number;
  /** What becomes of the writes, one after the other: each that is not told is as it should be. */
  writes?: readonly Fate[];
}
type Fate = 'written' | 'connection lost before' | 'connection lost after' | 'refused';

/** As the projector does it: delivered in these batches, each folded while the one before is written. */
async function follow(batches: readonly (readonly Recorded[])[], { maxBatch = 100, writes = [], ...how }: How = {}, of = things) {
  const checkpoint = checkpointOf(pool, 'read_models', of.name, 1);
  const fates = [...writes];
  const move: Checkpoint['move'] = async (...to) => {
    const fate = fates.shift();
    if (fate === 'connection lost before') throw new Error('Connection terminated');
    if (fate === 'refused' && to[4]! > 1) throw new TypeError('not this value'); // so that it is cut, and each half tried
    await checkpoint.move(...to);
    if (fate === 'connection lost after') throw new Error('Connection terminated');
  };
  const worker = new Worker({
    consumer: consumerOf(of, pool, how),
    checkpoint: { ...checkpoint, move },
    ...{ epoch: 1n, leads: () => Promise.resolve(true), logger, maxBatch },
  });
  const working = worker.run(new AbortController().signal);
  for (const batch of batches) await worker.inbox.offer(batch);
  worker.inbox.close();
  await working;
  expect(worker.poison).toBeUndefined();
}

async function asOf(position: bigint): Promise<Map<string, AnyRow>> {
  const fields = Object.entries(things.columns);
  const { rows } = await pool.query<(string | null)[]>({
    text: `SELECT ${fields.map(([field]) => quoted(field)).join(', ')} FROM ${rowsAsOf(things, things, position)} AS t`,
    ...{ rowMode: 'array', types: { getTypeParser: () => (text: string) => text } },
  });
  const found = rows.map((values) => Object.fromEntries(fields.map(([field, column], n) => [field, fromText(column, values[n] ?? null)])));
  const byKey = new Map(found.map((row) => [keyOfRow(things, row), row]));
  expect(byKey.size).toBe(found.length); // no row twice
  return byKey;
}

const folded = (events: readonly Recorded[], until: bigint): Map<string, AnyRow> =>
  fold(things, new Map<string, AnyRow>(), events.filter(({ position }) => position <= until) as Recorded<AnyEvent>[]);

async function expectEveryMoment(events: readonly Recorded[]): Promise<void> {
  const last = events.at(-1)?.position ?? 0n;
  for (let position = 0n; position <= last; position += 1n) expect(await asOf(position)).toEqual(folded(events, position));
}

const [a, b, c] = [idOf('a'), idOf('b'), idOf('c')];
const history = (...happened: Happening[]) => recorded(happened);
const inOne = (events: readonly Recorded[]) => [events];
const oneByOne = (events: readonly Recorded[]) => events.map((event) => [event]);

describe.each([
  ['in one batch', inOne],
  ['one by one', oneByOne],
])('delivered %s', (_, batchesOf) => {
  const shown = async (events: readonly Recorded[]) => {
    await follow(batchesOf(events), { maxBatch: batchesOf === oneByOne ? 1 : 100 });
    await expectEveryMoment(events);
  };

  it('K2: a row as it was after each event, also of several in one batch', () =>
    shown(
      history(
        { type: 'Put', data: { ids: [a], shelf: 'top' } },
        ...[1, 2, 3].map((count): Happening => ({ type: 'Counted', data: { id: a, count } })),
      ),
    ));
  it('K2: a row that was removed is there before, and one that came again is another', () =>
    shown(
      history(
        { type: 'Put', data: { ids: [a, b], shelf: 'top' } },
        ...[
          { type: 'Taken' as const, data: { id: a } },
          { type: 'Taken' as const, data: { id: a } },
        ],
        ...[
          { type: 'Put' as const, data: { ids: [a], shelf: 'low' } },
          { type: 'Put' as const, data: { ids: [a, c], shelf: 'top' } },
        ],
        ...[
          { type: 'Replaced' as const, data: { id: b, shelf: 'low' } },
          { type: 'Replaced' as const, data: { id: b, shelf: 'top' } },
        ],
      ),
    ));
  it('K2: of many rows at once each has its versions, and one that stays as it is has none', () =>
    shown(
      history(
        { type: 'Put', data: { ids: [a, b], shelf: 'top' } },
        { type: 'AllCounted', data: { items: [a, b].map((key, by) => ({ key, by })) } },
        { type: 'ShelfMoved', data: { from: 'top', into: 'low' } },
        ...[
          { type: 'Touched' as const, data: { id: c, shelf: 'low' } },
          { type: 'Touched' as const, data: { id: a, shelf: 'low' } },
        ],
        { type: 'ShelfCleared', data: { shelf: 'low' } },
        { type: 'Touched', data: { id: a, shelf: 'low' } },
      ),
    ));
});

it('K2: what did not change makes no version', async () => {
  await follow(
    inOne(history({ type: 'Put', data: { ids: [a], shelf: 'top' } }, { type: 'AllCounted', data: { items: [{ key: a, by: 0 }] } })),
  );
  expect((await pool.query('SELECT FROM read_models.things_v1_history')).rowCount).toBe(0);
  expect((await pool.query('SELECT FROM read_models.things_v1 WHERE valid_from = 1')).rowCount).toBe(1);
});

const aThing = fc.integer({ min: 0, max: 5 }).map((n) => idOf(`thing ${n}`));
const aShelf = fc.constantFrom('top', 'middle', 'low');
const aHappening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ type: fc.constant('Put' as const), data: fc.record({ ids: fc.uniqueArray(aThing, { maxLength: 3 }), shelf: aShelf }) }),
  fc.record({ type: fc.constant('Counted' as const), data: fc.record({ id: aThing, count: fc.nat(9) }) }),
  fc.record({
    type: fc.constant('AllCounted' as const),
    data: fc.record({ items: fc.uniqueArray(fc.record({ key: aThing, by: fc.nat(1) }), { selector: ({ key }) => key, maxLength: 4 }) }),
  }),
  fc.record({ type: fc.constant('Touched' as const), data: fc.record({ id: aThing, shelf: aShelf }) }),
  fc.record({ type: fc.constant('Taken' as const), data: fc.record({ id: aThing }) }),
  fc.record({ type: fc.constant('Replaced' as const), data: fc.record({ id: aThing, shelf: aShelf }) }),
  fc.record({ type: fc.constant('ShelfMoved' as const), data: fc.record({ from: aShelf, into: aShelf }) }),
  fc.record({ type: fc.constant('ShelfCleared' as const), data: fc.record({ shelf: aShelf }) }),
);

/** Of what may have happened, what can: only what is there is counted. */
const possible = (happened: readonly Happening[]): Recorded<Happening>[] => {
  const rows = new Map<string, AnyRow>();
  const can = happened.filter((one) => {
    const counted = one.type === 'Counted' ? [one.data.id] : one.type === 'AllCounted' ? one.data.items.map(({ key }) => key) : [];
    if (!counted.every((id) => rows.has(id))) return false;
    fold(things, rows, recorded([one]) as Recorded<AnyEvent>[]);
    return true;
  });
  return recorded(can);
};

/** In batches of some size, each with some of the events before it again. */
function inBatches(events: Recorded[], cuts: readonly { size: number; again: number }[]): Recorded[][] {
  const batches: Recorded[][] = [];
  for (let at = 0, n = 0; at < events.length; n += 1) {
    const { size, again } = cuts[n % cuts.length]!;
    batches.push(events.slice(Math.max(0, at - again), at + size));
    at += size;
  }
  return batches;
}

async function rowsOfBare(): Promise<Map<string, AnyRow>> {
  const { rows } = await pool.query<AnyRow>('SELECT id, shelf, count, note FROM read_models.bare_things_v1');
  return new Map(rows.map((row) => [keyOfRow(bareThings, row), row]));
}

it('K2: whatever happened, in whatever batches it came and came again: as of every position, the rows are a fold of the events up to there', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(aHappening, { minLength: 1, maxLength: 25 }),
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 12 }), again: fc.nat(6) }), { minLength: 1, maxLength: 25 }),
      fc.record({
        maxBatch: fc.integer({ min: 1, max: 12 }),
        inBulk: fc.boolean(),
        keeping: fc.record({ events: fc.nat(6), rows: fc.nat(8) }),
        writes: fc.array(fc.constantFrom<Fate>('written', 'refused', 'connection lost before', 'connection lost after'), { maxLength: 5 }),
      }),
      async (happened, cuts, how) => {
        await fromNothing();
        const events = possible(happened);
        await follow(inBatches(events, cuts), how);
        await expectEveryMoment(events);
        await follow(inBatches(events, cuts), how, bareThings);
        expect(await rowsOfBare()).toEqual(folded(events, BigInt(events.length)));
      },
    ),
    { numRuns: process.env.SOAK ? 500 : 40 },
  ));

it('K2: what was folded, kept and not written is folded on what is in the table', async () => {
  const events = history(
    { type: 'Put', data: { ids: [a], shelf: 'one' } },
    ...[1, 2].map((): Happening => ({ type: 'AllCounted', data: { items: [{ key: a, by: 1 }] } })),
  );
  await follow(oneByOne(events), { maxBatch: 1, keeping: { events: 1, rows: 8 }, writes: ['written', 'connection lost before'] });
  await expectEveryMoment(events);
});

it('reads again what Postgres had committed and lost in a crash', async () => {
  const events = history({ type: 'Put', data: { ids: [a, b], shelf: 'one' } }, { type: 'Taken', data: { id: a } });
  const worker = new Worker({
    consumer: consumerOf(things, pool),
    checkpoint: checkpointOf(pool, 'read_models', 'things', 1),
    ...{ epoch: 1n, leads: () => Promise.resolve(true), logger },
  });
  const working = worker.run(new AbortController().signal);
  await worker.inbox.offer(events.slice(0, 1));
  while (worker.written !== events[0]!.position) await sleep(5);
  await fromNothing();
  await worker.inbox.offer(events.slice(1));
  await expect(working).rejects.toThrow(CommitsLost);
  expect(await asOf(events[1]!.position)).toEqual(new Map());
});
