import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { FORGOTTEN } from '../domain/kernel/event.js';
import { createPersonalKeys } from './personal-keys.js';

let database: Awaited<ReturnType<typeof createDatabase>>, pool: pg.Pool;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url });
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});
const keysOfAProcess = (operatorKey = Buffer.alloc(32, 1)) => createPersonalKeys({ pool, operatorKey });

it('several processes can make the schema at once', async () => {
  await Promise.all(Array.from({ length: 8 }, () => keysOfAProcess().migrate()));
  await expect(keysOfAProcess().migrate()).resolves.toBeUndefined();
});

it('whoever comes first makes the key, all use the same', async () => {
  const people = Array.from({ length: 20 }, () => randomUUID());
  const made = await Promise.all(Array.from({ length: 8 }, (_, n) => keysOfAProcess().forWriting(n % 2 ? people : people.toReversed())));
  const [first] = made;
  for (const person of people) for (const keys of made) expect(keys.get(person)).toEqual(first!.get(person));
  expect(new Set([...first!.values()].map((key) => (key as Buffer).toString('hex'))).size).toBe(people.length);
});

it('a key is wrapped: the table alone does not give it away, nor to another operator key', async () => {
  const person = randomUUID();
  const key = (await keysOfAProcess().forWriting([person])).get(person) as Buffer;
  const { rows } = await pool.query<{ wrapped: Buffer }>('select wrapped from personal_keys.keys where person_id = $1', [person]);
  expect(key).toHaveLength(32);
  expect(rows[0]!.wrapped.includes(key)).toBe(false);
  await expect(keysOfAProcess(Buffer.alloc(32, 2)).forReading([person])).rejects.toThrow('OPERATOR_KEY');
});

it('a key put in the place of another person’s does not unwrap', async () => {
  const [anna, ben] = [randomUUID(), randomUUID()];
  await keysOfAProcess().forWriting([anna, ben]);
  await pool.query(
    'update personal_keys.keys set wrapped = (select wrapped from personal_keys.keys where person_id = $1) where person_id = $2',
    [anna, ben],
  );
  await expect(keysOfAProcess().forReading([ben])).rejects.toThrow();
});

it('a forgotten person has no key, whoever asks, and gets none while being forgotten', async () => {
  const person = randomUUID();
  await keysOfAProcess().forWriting([person]);
  await Promise.all([keysOfAProcess().forget(person), ...Array.from({ length: 8 }, () => keysOfAProcess().forWriting([person]))]);
  const { rows } = await pool.query('select wrapped, forgotten_at is not null as listed from personal_keys.keys where person_id = $1', [
    person,
  ]);
  expect(rows).toEqual([{ wrapped: null, listed: true }]);
  expect((await keysOfAProcess().forReading([person])).get(person)).toBe(FORGOTTEN);
  expect((await keysOfAProcess().forWriting([person])).get(person)).toBe(FORGOTTEN);
});

it('an operator key of the wrong length is refused', () => expect(() => keysOfAProcess(Buffer.alloc(16))).toThrow('32 bytes'));
