import { Client } from 'pg';
import { createDatabase } from './postgres.js';

it('gives each test a database of its own, dropped even while connected', async () => {
  const database = await createDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined); // dropped below
  await client.connect();
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  expect(database.url.endsWith(rows[0]!.name)).toBe(true);
  await database.drop();
  await expect(client.query('SELECT 1')).rejects.toThrow();
});
