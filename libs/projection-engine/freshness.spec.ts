import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import type { Projection } from './define-projection.js';
import { freshnessOf } from './freshness.js';
import { migrate } from './schema.js';
import { counts, packages } from './testing/example.js';

it('L3: before the first event there is no position; that Postgres cannot be asked is another thing, and told', async () => {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.url });
  await migrate(pool, [packages, counts] as Projection[]);
  const freshness = await freshnessOf(pool, [packages, counts]);
  expect(await freshness.position(packages.name)).toBeUndefined();
  await pool.end();
  await expect(freshness.position(packages.name)).rejects.toThrow(/pool/);
  for (let n = 0; n < 200; n += 1) expect(await freshness.waitFor(1n, 1 + (n % 5))).toBe(false); // within bounds, each time
  await freshness.close();
  await database.drop();
});
