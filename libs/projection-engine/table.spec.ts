import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import type { AnyRow } from './define-projection.js';
import { FIRST_VALUE, type Write } from './checkpoint.js';
import { column, defineProjection } from './define-projection.js';
import { migrate } from './schema.js';
import { tableOf } from './table.js';
import { idOf } from './testing/example.js';

const NUMBERS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const numbers = defineProjection({
  name: 'numbers',
  version: 1,
  key: 'id',
  columns: {
    ...{ id: column.uuid(), a: column.integer(), b: column.integer(), c: column.integer() },
    ...{ d: column.integer(), e: column.integer(), f: column.integer().nullable() },
  },
}).on({});

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  await migrate(pool, [numbers]);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const carryOut = ({ kind, ctes, values }: Write) =>
  pool.query({
    name: kind,
    text: `WITH ${[`moved AS (SELECT ${Array.from({ length: FIRST_VALUE - 1 }, (_, n) => `$${n + 1}::text`).join(', ')})`, ...ctes].join(', ')} SELECT FROM moved`,
    values: [...Array<string>(FIRST_VALUE - 1).fill(''), ...values],
  });

it('sets the columns that changed and no others, also when they change in more ways than statements are prepared', async () => {
  const table = tableOf(numbers);
  const [business, id] = [idOf('business'), idOf('row')];
  let row: AnyRow = { id, a: 0, b: 0, c: 0, d: 0, e: 0, f: null };
  const nothing = { put: [], updated: [], columns: new Set<string>(), removed: [] };
  await carryOut(table.write(FIRST_VALUE, { ...nothing, put: [[business, row]] }));
  for (let way = 1; way < 2 ** NUMBERS.length; way += 1) {
    const columns = new Set(NUMBERS.filter((_, n) => way & (1 << n)));
    row = { ...row, ...Object.fromEntries([...columns].map((name) => [name, way])) };
    await carryOut(table.write(FIRST_VALUE, { ...nothing, updated: [[business, row]], columns }));
    expect(await table.load(pool, [[business, id]])).toEqual([[business, row]]);
  }
  const { rows } = await pool.query('SELECT FROM pg_prepared_statements');
  expect(rows.length).toBeLessThan(16);
});
