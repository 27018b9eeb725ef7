import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { column, defineProjection, type RowOf } from './define-projection.js';
import { openReadModels, type ReadModels } from './read-models.js';
import { migrate } from './schema.js';
import { tableName } from './sql-names.js';

// A list is paged while its rows come, change and go.

const things = defineProjection({
  name: 'things',
  version: 1,
  key: 'thingId',
  columns: { thingId: column.uuid(), rank: column.integer().nullable().indexed() },
}).on<{ type: 'Nothing'; data: object }>({});
type Thing = RowOf<typeof things>;

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
let readModels: ReadModels;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC -c synchronous_commit=off' });
  await migrate(pool, [things]);
  readModels = await openReadModels(pool, [things]);
});
afterAll(async () => {
  await readModels?.close();
  await pool?.end();
  await database?.drop();
});

const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const rank = fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }); // few, so that many are equal
const which = fc.nat({ max: 30 });
const change = fc.oneof(
  fc.record({ does: fc.constant('put' as const), n: which, rank }), // a new one, or another rank
  fc.record({ does: fc.constant('remove' as const), n: which }),
);
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

class Table {
  readonly business = randomUUID();
  readonly touched = new Set<string>(); // since the first page: changed, removed, or new

  put = (n: number, to: number | null) =>
    pool.query(
      `INSERT INTO ${tableName(things)} VALUES ($1, $2, $3) ON CONFLICT (business_id, thing_id) DO UPDATE SET rank = excluded.rank`,
      [this.business, idOf(n), to],
    );

  async carryOut(changed: Change): Promise<void> {
    this.touched.add(idOf(changed.n));
    if (changed.does === 'put') await this.put(changed.n, changed.rank);
    else await pool.query(`DELETE FROM ${tableName(things)} WHERE business_id = $1 AND thing_id = $2`, [this.business, idOf(changed.n)]);
  }
}

/** Where a row stands: those without a rank last, whatever the direction. */
const inOrder = (descending: boolean) => (a: Thing, b: Thing) => {
  const sign = descending ? -1 : 1;
  if ((a.rank === null) !== (b.rank === null)) return a.rank === null ? 1 : -1;
  return sign * ((a.rank ?? 0) - (b.rank ?? 0) || (a.thingId < b.thingId ? -1 : 1));
};

it('L5: page by page, what stood unchanged is given once, in its place, whatever comes, changes and goes meanwhile', async () => {
  const steps = fc.record({
    first: fc.uniqueArray(fc.record({ n: which, rank }), { selector: ({ n }) => n, maxLength: 25 }),
    limit: fc.integer({ min: 1, max: 6 }),
    descending: fc.boolean(),
    between: fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 25 }), // the changes before each next page
  });
  await fc.assert(
    fc.asyncProperty(steps, async ({ first, limit, descending, between }) => {
      const table = new Table();
      for (const { n, rank: at } of first) await table.put(n, at);
      const given: Thing[] = [];
      let cursor: string | undefined;
      for (let page = 0; ; page += 1) {
        const { rows, next } = await readModels.list(things, table.business, { by: 'rank', descending, limit, cursor });
        expect(rows.length).toBeLessThanOrEqual(limit);
        given.push(...rows);
        if (next === null) break;
        cursor = next;
        for (const changed of between[page] ?? []) await table.carryOut(changed);
      }
      expect(given).toEqual(given.toSorted(inOrder(descending)));
      const unchanged = first
        .map(({ n, rank: at }) => ({ thingId: idOf(n), rank: at }))
        .filter(({ thingId }) => !table.touched.has(thingId));
      expect(given.filter(({ thingId }) => !table.touched.has(thingId))).toEqual(unchanged.toSorted(inOrder(descending)));
      expect(given.length).toBeLessThanOrEqual(new Set(given.map(({ thingId, rank: at }) => `${thingId} ${at}`)).size);
    }),
    { numRuns: process.env.SOAK ? 2_000 : 60 },
  );
});
