import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { openSources } from '../projection-engine/sources.js';
import { Exports } from './exports.js';
import { TooManyAtOnce } from './places.js';

const PATIENCE = 3_000; // ms

let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let exports: Exports;
let impatient: Exports;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  exports = new Exports(database.url, { pool, sources: openSources(pool, []), onError: () => undefined });
  impatient = new Exports(database.url, { pool, sources: openSources(pool, []), onError: () => undefined, patience: PATIENCE });
});
afterAll(async () => {
  await exports.close();
  await impatient.close();
  await pool.end();
  await database.drop();
});

const file = (statement: string, from = exports): Promise<Readable> =>
  from.csv(() => statement, { business: 'a', columns: ['one', 'two'], bom: false });
const running = async (): Promise<number> => {
  const { rows } = await pool.query<{ running: number }>(
    `SELECT count(*)::int AS running FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY%'`,
  );
  return rows[0]!.running;
};

it('J2: lines end in CRLF; what is within quotes stays as it is', async () =>
  expect(await text(await file(`VALUES (1, E'two\\nlines, "quoted"'), (2, NULL)`))).toBe(
    'one,two\r\n1,"two\nlines, ""quoted"""\r\n2,\r\n',
  ));

it('J2: what fails at once is not a file; what fails midway is no whole one', async () => {
  await expect(file('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
  const broken = await file('SELECT 1 / (150000 - n), n FROM generate_series(1, 200000) AS n');
  await expect(text(broken)).rejects.toMatchObject({ code: '22012' });
});

it('J2: a reader who goes away ends the query, and another one takes the place', async () => {
  const abandoned = [
    await file('SELECT generate_series(1, 100000000), 2'),
    await file(`SELECT repeat('x', 20000), pg_sleep(0.2) FROM generate_series(1, 100000) AS n`),
  ];
  await expect(file('SELECT 1, 2')).rejects.toThrow(TooManyAtOnce);
  for (const stream of abandoned) {
    stream.destroy();
    await once(stream, 'close');
  }
  while ((await running()) > 0) await sleep(20);
  expect(await text(await file('SELECT 1, 2'))).toBe('one,two\r\n1,2\r\n');
});

it('J2: a reader who does not read on gives up the place, and the query ends', async () => {
  const statement = `SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n`; // more than there is room for on its way
  const left = await Promise.all([file(statement, impatient), file(statement, impatient)]);
  await expect(file(statement, impatient)).rejects.toThrow(TooManyAtOnce);
  expect(await running()).toBe(2);
  const errors = await Promise.all(left.map((stream) => new Promise<Error>((resolve) => stream.once('error', resolve))));
  expect(errors.map(({ name }) => name)).toEqual(['NotRead', 'NotRead']);
  while ((await running()) > 0) await sleep(20);
  expect(await text(await file('SELECT 1, 2', impatient))).toBe('one,two\r\n1,2\r\n');
});

it('J2: whoever reads slowly, or has to wait for Postgres, gets all of it', async () => {
  const slow = await file(`SELECT n, repeat('x', 1000) FROM generate_series(1, 1000) AS n`, impatient);
  const late = await file(
    `SELECT n, repeat('x', 20000) || pg_sleep(CASE n WHEN 2 THEN ${(1.5 * PATIENCE) / 1000} ELSE 0 END) FROM generate_series(1, 3) AS n`,
    impatient,
  );
  const linesOf = async (stream: Readable, pause: number): Promise<number> => {
    let lines = 0;
    for await (const chunk of stream) {
      lines += String(chunk).split('\r\n').length - 1;
      await sleep(pause);
    }
    return lines;
  };
  expect(await Promise.all([linesOf(slow, PATIENCE / 10), linesOf(late, 0)])).toEqual([1001, 4]);
});
