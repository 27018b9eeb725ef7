import pg from 'pg';
import pino from 'pino';
import { createDatabase } from '../../test/support/postgres.js';
import type { Recorded } from '../domain/kernel/event.js';
import type { Difference } from './compare.js';
import { withoutTexts } from './compare.js';
import type { Projection } from './define-projection.js';
import { Projector } from './projector.js';
import { packages, counts, exampleHistory, idOf } from './testing/example.js';
import { MemoryFeed } from './testing/memory-feed.js';
import { lastVerified } from './verified.js';
import { verify } from './verify.js';

// J5, K3: the events folded afresh beside the live tables, which are read and written meanwhile.

const versioned = { ...packages, name: 'versioned', history: true } as Projection;
const all = [packages, counts, versioned] as Projection[];
const [SOLD, EVENTS] = [40, 400];
const logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
let feed: MemoryFeed;
let stop: () => Promise<void>;

const positions = async (): Promise<(string | null)[]> => {
  const { rows } = await pool.query<{ position: string | null }>('SELECT position FROM read_models.checkpoints WHERE build = 0');
  return rows.map(({ position }) => position);
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await holds().catch(() => false)); await new Promise((resolve) => setTimeout(resolve, 20)))
    if (performance.now() > end) throw new Error('It did not come true in time.');
}
const reached = (position: number) =>
  until(async () => {
    const at = await positions();
    return at.length === all.length && at.every((one) => one === String(position));
  });

beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined);
  feed = new MemoryFeed(exampleHistory(EVENTS, SOLD));
  const stopping = new AbortController();
  const running = new Projector({ databaseUrl: database.url, feed, projections: all, logger }).run(stopping.signal);
  stop = async () => {
    stopping.abort();
    await running;
  };
  await reached(EVENTS);
});
afterAll(async () => {
  await stop();
  await pool.end();
  await database.drop();
});

async function verified(projections: readonly Projection[] = all, maxBatch?: number) {
  const differences: Difference[] = [];
  const results = await verify(
    { databaseUrl: database.url, feed, projections, logger, maxBatch, onDifference: (difference) => differences.push(difference) },
    new AbortController().signal,
  );
  return { differences, results };
}

/** Changed behind the engine's back, looked at, and put back. */
async function spoilt(sql: string, table: string): Promise<Difference[]> {
  const client = await pool.connect();
  await client.query(`CREATE TABLE kept AS TABLE read_models.${table}`);
  await client.query(sql);
  const { differences, results } = await verified([versioned]);
  await client.query(`TRUNCATE read_models.${table}; INSERT INTO read_models.${table} TABLE kept; DROP TABLE kept`);
  client.release();
  expect(results).toMatchObject([{ name: 'versioned', differences: differences.length, problem: null }]);
  return differences;
}

const [one, business] = [idOf(3), exampleHistory(1, 1)[0]!.metadata.business];
const ofOne = `package_id = '${one}'`;

it('K3, J5: a store in which nothing is amiss has no differences, row by row and version by version', async () => {
  const { differences, results } = await verified();
  expect(differences).toEqual([]);
  expect(results).toEqual(
    [packages, counts, versioned].map(({ name }, n) => ({
      ...{ name, version: 1, position: String(EVENTS), rows: n === 1 ? 10 : SOLD, differences: 0, problem: null },
    })),
  );
});

it('K3: a row that was changed is named, with what it should be', async () => {
  const [difference, ...more] = await spoilt(
    `UPDATE read_models.versioned_v1 SET remaining = 7, note = 'Anna', active = false WHERE ${ofOne}`,
    'versioned_v1',
  );
  expect(more).toEqual([]);
  expect(difference).toEqual({
    ...{ projection: 'versioned', of: 'rows', business, key: { packageId: one }, is: 'different' },
    columns: [
      { name: 'remaining', expected: '991', found: '7' },
      { name: 'note', expected: null, found: 'Anna' },
      { name: 'active', expected: 't', found: 'f' },
    ],
  });
  expect(withoutTexts(versioned, difference!).columns.map(({ found }) => found)).toEqual(['7', '(4 characters)', 'f']);
});
it.each([
  ['a row that was taken away', `DELETE FROM read_models.versioned_v1 WHERE ${ofOne}`, 'versioned_v1', ['rows', 'missing']],
  [
    'a row that was put there',
    `INSERT INTO read_models.versioned_v1 SELECT business_id, '${idOf('nobody')}', client_id, remaining, price, note, active, sold_at, sold_on,
      position, services, valid_from FROM read_models.versioned_v1 WHERE ${ofOne}`,
    'versioned_v1',
    ['rows', 'tooMany'],
  ],
  ['since when it is so', `UPDATE read_models.versioned_v1 SET valid_from = 1 WHERE ${ofOne}`, 'versioned_v1', ['rows', 'different']],
  [
    'what it was once',
    `UPDATE read_models.versioned_v1_history SET remaining = 3 WHERE ${ofOne} AND valid_from = 44`,
    'versioned_v1_history',
    ['history', 'different'],
  ],
  [
    'a version that was taken away',
    `DELETE FROM read_models.versioned_v1_history WHERE ${ofOne} AND valid_from = 44`,
    'versioned_v1_history',
    ['history', 'missing'],
  ],
  [
    'a version that was put there',
    `UPDATE read_models.versioned_v1_history SET valid_from = 5 WHERE ${ofOne} AND valid_from = 4`,
    'versioned_v1_history',
    ['history', 'tooMany'],
  ],
])('K3: %s is named', async (_, sql, table, [of, is]) => {
  const differences = await spoilt(sql, table);
  expect(differences).toContainEqual(expect.objectContaining({ of, is, key: expect.objectContaining({ packageId: expect.any(String) }) }));
  expect(differences.length).toBeLessThanOrEqual(2);
});

it('J5: is right while events come in, and holds up nobody for long', async () => {
  const more: Recorded[] = exampleHistory(EVENTS + 600, SOLD).slice(EVENTS);
  const coming = (async () => {
    for (const event of more) {
      feed.append([event]);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  for (let times = 0; times < 3; times += 1) {
    const { differences, results } = await verified(all, 50);
    expect(differences).toEqual([]);
    expect(results.map(({ problem }) => problem)).toEqual([null, null, null]);
  }
  await coming;
  await reached(EVENTS + 600);
});

it('J5: whoever verifies in the process that follows the events does not keep it from following', async () => {
  const [long, first] = [6_000, EVENTS + 600];
  feed.append(exampleHistory(first + long, SOLD).slice(first));
  await reached(first + long);
  const coming = exampleHistory(first + long + 2_000, SOLD).slice(first + long);
  let verifying = true;
  let [appended, worst] = [first + long, 0];
  const arriving = (async () => {
    const at: number[] = []; // when what is not held yet has come, the oldest first
    while (verifying) {
      const event = coming.shift();
      if (event) {
        feed.append([event]);
        at.push(performance.now());
        appended += 1;
      }
      const held = Math.min(...(await positions()).map(Number));
      at.splice(0, at.length - (appended - held));
      worst = Math.max(worst, performance.now() - (at[0] ?? performance.now()));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const began = performance.now();
  const { results } = await verified();
  const took = performance.now() - began;
  verifying = false;
  await arriving;
  expect(results.map(({ differences, problem }) => [differences, problem])).toEqual(all.map(() => [0, null]));
  expect(worst).toBeLessThan(Math.max(2_000, took / 2));
  await reached(appended);
});

it('J5: its last result is kept, and nothing else of it', async () => {
  const { results } = await verified();
  expect(await lastVerified(pool)).toEqual(
    results.map((result) => ({ ...result, verifiedAt: expect.any(String) as string })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  );
  const { rows } = await pool.query(
    `SELECT FROM read_models.checkpoints WHERE build < 0 UNION ALL SELECT FROM read_models.builders UNION ALL SELECT FROM read_models.retired
      UNION ALL SELECT FROM pg_tables WHERE tablename LIKE '%afresh%'`,
  );
  expect(rows).toEqual([]);
});

it('K3: two at once: one verifies, the other is told so', async () => {
  const outcomes = await Promise.allSettled([verified(), verified()]);
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  expect(refused.length).toBeLessThanOrEqual(1);
  for (const reason of refused) expect(reason).toContain('is being verified by another');
});
