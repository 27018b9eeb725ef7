import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import type { Projection } from './define-projection.js';
import { migrate } from './schema.js';
import { NotBuilt, openSources, type Sources } from './sources.js';
import { tableName } from './sql-names.js';
import { counts, packages } from './testing/example.js';

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
let sources: Sources;

beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC' });
  await migrate(pool, [packages, counts] as Projection[]);
  sources = openSources(pool, [packages, counts]);
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const holding = (build: number, text: string) =>
  pool.query(
    `CREATE TABLE IF NOT EXISTS ${tableName({ ...packages, build })} (note text); INSERT INTO ${tableName({ ...packages, build })} (note) VALUES ('${text}')`,
  );
const goLive = (build: number) => pool.query(`UPDATE read_models.live_builds SET build = ${build} WHERE projection = 'packages'`);
const notes = () =>
  sources.read(packages, undefined, ({ from, condition, prepared }) => ({
    name: prepared('notes'),
    text: `SELECT note FROM ${from} WHERE ${condition}`,
    values: [],
  }));

it('reads the table that is live, without an error when another has become it, or the old one is gone', async () => {
  await holding(1, 'first');
  await holding(2, 'second');
  expect(await notes()).toEqual([]);
  await goLive(1);
  expect(await notes()).toEqual([['first']]);
  await goLive(2);
  await pool.query(`DROP TABLE ${tableName({ ...packages, build: 1 })}`);
  expect(await notes()).toEqual([['second']]);
});

it('does what reads several again from its start when one of them is no longer live', async () => {
  await holding(1, 'first');
  let runs = 0;
  const read = () =>
    sources.use(async (sourceOf) => {
      runs += 1;
      const [one, other] = [sourceOf(packages), sourceOf(counts)];
      return (await pool.query(`SELECT FROM ${one.from}, ${other.from} WHERE ${one.condition} AND ${other.condition}`)).rowCount;
    });
  expect(await read()).toBe(0);
  await goLive(1);
  expect(await read()).toBe(0);
  expect(runs).toBe(4); // each time once in vain: it has not looked before, and then it is another
});

it('says which read model is still being built', async () => {
  const next = openSources(pool, [counts, { ...packages, version: 2 }]);
  await expect(next.requireBuilt()).rejects.toThrow(NotBuilt);
  await expect(next.requireBuilt()).rejects.toThrow('packages, version 2, is still being built');
  await sources.requireBuilt();
});

it('goes on with the tables from before there were builds', async () => {
  await pool.query(`
    DROP TABLE read_models.live_builds;
    ALTER TABLE read_models.checkpoints DROP CONSTRAINT checkpoints_pkey, DROP COLUMN build, ADD PRIMARY KEY (projection, version);
    UPDATE read_models.checkpoints SET position = 42;
    CREATE TABLE read_models.live_versions (projection text PRIMARY KEY, version integer NOT NULL);
    INSERT INTO read_models.live_versions VALUES ('packages', 1), ('counts', 1);
    CREATE FUNCTION read_models.require_live(of text, this integer) RETURNS boolean RETURN true;`);
  await migrate(pool, [packages, counts] as Projection[]);
  await migrate(pool, [packages, counts] as Projection[]);
  await sources.requireBuilt();
  const { rows } = await pool.query('SELECT projection, version, build, position FROM read_models.checkpoints ORDER BY 1');
  expect(rows).toEqual(['counts', 'packages'].map((projection) => ({ projection, version: 1, build: 0, position: '42' })));
});
