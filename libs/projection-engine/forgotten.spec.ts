import pg from 'pg';
import pino from 'pino';
import { createDatabase } from '../../test/support/postgres.js';
import { FORGOTTEN } from '../domain/kernel/event.js';
import { column, defineProjection, insert, type Projection, scrub } from './define-projection.js';
import { scrubForgotten, unscrubbed } from './forgotten.js';
import { goLive } from './go-live.js';
import { createBuild, migrate, underMigrationLock } from './schema.js';
import { AFRESH } from './sql-names.js';
import { MemoryFeed } from './testing/memory-feed.js';
import { recorded } from './testing/recorded.js';
import { lastVerified } from './verified.js';
import { dropAbandoned, verify } from './verify.js';

// K4: who is forgotten is taken out of each build by itself.

const quiet = pino({ level: 'silent' });
type Registered = { type: 'ClientRegistered'; data: { clientId: string; name: string } };
type Forgot = { type: 'ClientForgotten'; data: { clientId: string } };
const version = (number: number) =>
  defineProjection({
    name: 'people',
    version: number,
    history: true,
    key: 'id',
    columns: { id: column.uuid(), name: column.text() },
  }).on<Registered | Forgot>({
    ClientRegistered: insert(({ data }) => ({ id: data.clientId, name: data.name })),
    ClientForgotten: scrub(
      ({ data }) => ({ id: data.clientId }),
      (row) => ({ ...row, name: FORGOTTEN }),
    ),
  });
const people = version(1);

const business = '11111111-1111-4111-8111-111111111111';
const personOf = (n: number) => `22222222-2222-4222-8222-${String(n).padStart(12, '0')}`;

let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  await migrate(pool, [people]);
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

/** A build with a row and a version that is over, of one person. */
async function named(build: string, position: number | null, state = 'running', person = personOf(1)): Promise<void> {
  await pool.query(`INSERT INTO read_models.${build} (business_id, id, name, valid_from) VALUES ($1, $2, 'Zephyrine Durand', 2)`, [
    ...[business, person],
  ]);
  await pool.query(
    `INSERT INTO read_models.${build}_history (business_id, id, name, valid_from, valid_to) VALUES ($1, $2, 'Zephyrine Dupont', 1, 2)`,
    [business, person],
  );
  const [, number, nth = '0'] = /_v(\d+)(?:_b(\d+))?$/.exec(build)!;
  await pool.query('UPDATE read_models.checkpoints SET position = $3, state = $4 WHERE version = $1 AND build = $2', [
    ...[number, nth, position, state],
  ]);
}

const forget = (position: number, person = personOf(1)) =>
  pool.query(`INSERT INTO policies.forgotten (client_id, business_id, stream, revision, position) VALUES ($1, $2, 'client', 2, $3)`, [
    ...[person, business, position],
  ]);

const names = async (build: string): Promise<string[]> => {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT name FROM read_models.${build}_history UNION ALL SELECT name FROM read_models.${build}`,
  );
  return rows.map(({ name }) => name);
};

async function begun(build: number, holder: string | null): Promise<void> {
  await underMigrationLock(pool, (client) => createBuild(client, people, build));
  await pool.query(`INSERT INTO read_models.builders (projection, version, build, epoch, holder) VALUES ('people', 1, $1, 1, $2)`, [
    ...[build, holder],
  ]);
}

it('K4: the history of a live build that holds the event is scrubbed; one that is behind is waited for', async () => {
  await named('people_v1', 9);
  await forget(10);
  await scrubForgotten(pool, [people], quiet);
  expect(await names('people_v1')).toEqual(['Zephyrine Dupont', 'Zephyrine Durand']);
  expect(await unscrubbed(pool, [people])).toEqual(new Map([[personOf(1), ['people']]]));
  await pool.query('UPDATE read_models.checkpoints SET position = 10');
  await scrubForgotten(pool, [people], quiet);
  expect(await names('people_v1')).toEqual([FORGOTTEN, 'Zephyrine Durand']); // the row is the fold's
  expect(await unscrubbed(pool, [people])).toEqual(new Map([[personOf(1), []]]));
});

it('K4: a build that has stopped before the event is scrubbed as it is, holds up nobody, and is scrubbed again once it holds it', async () => {
  await named('people_v1', 9, 'poisoned');
  await forget(10);
  await scrubForgotten(pool, [people], quiet);
  expect(await names('people_v1')).toEqual([FORGOTTEN, FORGOTTEN]);
  expect(await unscrubbed(pool, [people])).toEqual(new Map([[personOf(1), []]]));
  await pool.query("UPDATE read_models.people_v1_history SET name = 'Zephyrine Dupont'");
  await pool.query("UPDATE read_models.checkpoints SET position = 11, state = 'running'");
  await scrubForgotten(pool, [people], quiet);
  expect(await names('people_v1')).toEqual([FORGOTTEN, FORGOTTEN]);
});

it('K4: a rebuild that was left lying holds up nobody, and does not name them either', async () => {
  await named('people_v1', 10);
  await begun(1, null);
  await named('people_v1_b1', 5);
  await begun(AFRESH, 'a verification that died');
  await forget(10);
  await scrubForgotten(pool, [people], quiet);
  expect(await names('people_v1_b1')).toEqual([FORGOTTEN, FORGOTTEN]);
  expect(await unscrubbed(pool, [people])).toEqual(new Map([[personOf(1), []]]));
  await pool.query(`UPDATE read_models.builders SET beat = now() - interval '2 minutes'`);
  await dropAbandoned(pool);
  const { rows } = await pool.query(`SELECT build FROM read_models.builders WHERE to_regclass('read_models.people_v1_afresh') IS NULL`);
  expect(rows).toEqual([{ build: 1 }]);
});

it('K4: a new version that somebody else has folded goes live without those who are forgotten', async () => {
  await named('people_v1', 10);
  await migrate(pool, [version(2)]);
  await named('people_v2', 10);
  await forget(8);
  await goLive(pool, [version(2)], quiet);
  const { rows } = await pool.query('SELECT version FROM read_models.live_builds ORDER BY version');
  expect(rows).toEqual([{ version: 1 }, { version: 2 }]);
  expect((await names('people_v2'))[0]).toBe(FORGOTTEN);
});

it('K4: a build begun anew under a number that was used is scrubbed anew', async () => {
  await begun(1, null);
  await named('people_v1_b1', 10);
  await forget(10);
  await scrubForgotten(pool, [people], quiet);
  await pool.query(
    'DROP TABLE read_models.people_v1_b1, read_models.people_v1_b1_history; DELETE FROM read_models.builders; DELETE FROM read_models.checkpoints WHERE build = 1',
  );
  await begun(1, null);
  await named('people_v1_b1', 10);
  await scrubForgotten(pool, [people], quiet);
  expect((await names('people_v1_b1'))[0]).toBe(FORGOTTEN);
});

it('J5, K4: a verification waits for those who are being forgotten', async () => {
  const read = (name: string) => ({ type: 'ClientRegistered', data: { clientId: personOf(1), name } });
  const said = [read(FORGOTTEN), read(FORGOTTEN), { type: 'ClientForgotten', data: { clientId: personOf(1) } }]; // as it is read without the key
  const feed = new MemoryFeed(recorded(said, { metadata: { business } }));
  await named('people_v1', 3);
  await pool.query('UPDATE read_models.people_v1 SET name = $1, valid_from = 3', [FORGOTTEN]);
  await pool.query(
    `INSERT INTO read_models.people_v1_history (business_id, id, name, valid_from, valid_to) VALUES ($1, $2, 'Zephyrine', 2, 3)`,
    [...[business, personOf(1)]],
  );
  await forget(3);
  const options = { databaseUrl: database.url, feed, projections: [people as unknown as Projection], logger: quiet };
  const verifying = verify(options, new AbortController().signal);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await scrubForgotten(pool, [people], quiet);
  expect(await verifying).toMatchObject([{ differences: 0, rows: 1, problem: null }]);
});

it('J5, K4: a verification that does not see the end of a forgetting is undecided, which is no difference', async () => {
  const feed = new MemoryFeed(
    recorded([{ type: 'ClientRegistered', data: { clientId: personOf(1), name: FORGOTTEN } }], { metadata: { business } }),
  );
  await pool.query(`INSERT INTO read_models.people_v1 (business_id, id, name, valid_from) VALUES ($1, $2, 'Zephyrine', 1)`, [
    business,
    personOf(1),
  ]);
  await pool.query('UPDATE read_models.checkpoints SET position = 1 WHERE build = 0');
  await forget(5); // heard of, and not in the rows yet
  const options = { databaseUrl: database.url, feed, projections: [people as unknown as Projection], logger: quiet, patience: 100 };
  const [result] = await verify(options, new AbortController().signal);
  expect(result).toMatchObject({
    position: null,
    differences: 0,
    problem: expect.stringMatching(/^Undecided: .* Verify it again later\.$/) as string,
  });
  expect(await lastVerified(pool)).toMatchObject([{ name: 'people', differences: 0, problem: result!.problem }]); // it is told, and not as a difference
  await pool.query('DELETE FROM policies.forgotten');
  expect(await verify(options, new AbortController().signal)).toMatchObject([{ differences: 1, problem: null }]);
});

it('K4: more than fit at once are scrubbed, and one with whom it fails holds up nobody', async () => {
  for (let n = 1; n <= 3; n += 1) await named('people_v1', 700, 'running', personOf(n));
  await pool.query(
    `INSERT INTO policies.forgotten (client_id, business_id, stream, revision, position)
      SELECT ('22222222-2222-4222-8222-' || lpad(n::text, 12, '0'))::uuid, $1, 'client', 2, 700 - n FROM generate_series(1, 150) n`,
    [business],
  );
  await pool.query(
    `ALTER TABLE read_models.people_v1_history ADD CHECK (id <> '${personOf(2)}' OR name <> '${FORGOTTEN}')`, // that of the second can't be
  );
  await scrubForgotten(pool, [people], quiet);
  expect((await names('people_v1')).slice(0, 3).sort()).toEqual([FORGOTTEN, FORGOTTEN, 'Zephyrine Dupont']);
  expect(await unscrubbed(pool, [people])).toMatchObject({ size: 150 });
  const { rows } = await pool.query('SELECT count(*)::int AS scrubbed FROM read_models.scrubbed');
  expect(rows).toEqual([{ scrubbed: 149 }]);
});
