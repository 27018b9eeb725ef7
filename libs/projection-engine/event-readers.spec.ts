import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { EventReaders } from './event-readers.js';
import { migrate } from './schema.js';
import { idOf } from './testing/example.js';

const [one, another] = [idOf('one'), idOf('another')];
const FROM_THE_START = { after: undefined, types: undefined, limit: 10 };
const SOON = 2_000; // ms: less than it takes until somebody looks anyway

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC' });
  await migrate(pool, []);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const happens = (business: string, position: bigint) =>
  pool.query(
    `INSERT INTO event_feed.events (business_id, position, event_id, stream, revision, type, version, recorded_at, at, correlation_id, causation_id,
        actor_id, actor_role, people, data)
      VALUES ($1, $2, gen_random_uuid(), 'things', 0, 'Happened', 1, now(), now(), 'c', 'c', 'rita', 'owner', '{}', '{}')`,
    [business, position],
  );

it('L6: whoever begins to wait while it is being looked for others is told at once too', async () => {
  let moved = (): void => undefined;
  const readers = new EventReaders(pool, { onMove: (_, tell) => ((moved = tell), () => undefined) });
  const leaving = new AbortController();
  const other = readers.newsAfter(one, await readers.page(one, FROM_THE_START), 60_000, leaving.signal);
  const page = await readers.page(another, FROM_THE_START);
  await happens(another, 7n);
  moved(); // it looks for the one who waits
  expect(await readers.newsAfter(another, page, SOON, leaving.signal)).toBe(true);
  leaving.abort();
  expect(await other).toBe(false);
  readers.close();
});
