import { randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { column, defineProjection, scrub } from '../../libs/projection-engine/define-projection.js';
import { migrate } from '../../libs/projection-engine/schema.js';
import { createDatabase } from '../../test/support/postgres.js';
import { until } from '../../test/support/fleet.js';
import { ForgettingAgain } from './forgetting-again.js';

const people = defineProjection({ name: 'people', version: 1, key: 'id', columns: { id: column.uuid() } }).on<{
  type: 'ClientForgotten';
  data: { clientId: string };
}>({
  ClientForgotten: scrub(
    ({ data }) => ({ id: data.clientId }),
    (row) => row,
  ),
});

it('K4: whoever starts before the clients are forgotten again holds back too, and says what it waits for', async () => {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.url });
  await migrate(pool, [people]);
  const [heard, unheard] = [randomUUID(), randomUUID()];
  const hear = (clientId: string) =>
    pool.query(
      `INSERT INTO policies.forgotten (client_id, business_id, stream, revision, position) VALUES ($1, gen_random_uuid(), 'client', 1, 1)`,
      [clientId],
    );
  await hear(heard);
  const starting = () => new ForgettingAgain(pool, [people], pino({ level: 'silent' }));
  const [first, second] = [starting(), starting()];
  await first.start([unheard]);
  await second.start([]);
  expect(first.heldBy).toMatch(/\(2\).* the projector to hear of them, people\./);
  expect(second.heldBy).toMatch(/\(1\).* people\./);
  await expect(second.done()).rejects.toThrow('people');
  await hear(unheard);
  await pool.query('UPDATE policies.forgotten SET scrubbed_at = now() WHERE client_id = $1', [heard]);
  await until(() => second.heldBy === undefined, 'the second answers');
  expect(first.heldBy).toBeDefined();
  await pool.query('UPDATE policies.forgotten SET scrubbed_at = now()');
  await until(() => first.heldBy === undefined, 'the first answers');
  first.stop();
  second.stop();
  await pool.end();
  await database.drop();
});
