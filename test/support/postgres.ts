import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/**
 * A database of a test's own, on the Postgres of the run. `drop` also ends what is still connected to it.
 * @param like one that nobody is connected to, whose copy it is; empty unless told
 */
export async function createDatabase(like?: { url: string }): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(`CREATE DATABASE ${name}${like ? ` TEMPLATE ${new URL(like.url).pathname.slice(1)}` : ''}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** A copy of a database that nobody is connected to: a backup, or what is restored from one. */
export async function copyDatabase(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const copy = new URL(url);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${copy.pathname.slice(1)}`);
  copy.pathname = `/${name}`;
  return { url: copy.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

const serverUrl = (): string => {
  const url = process.env.PUNCHCARD_TEST_POSTGRES;
  if (!url) throw new Error('PUNCHCARD_TEST_POSTGRES is not set: run the tests with Jest, whose global setup starts a Postgres.');
  return url;
};

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
