import type { Pool, PoolClient } from 'pg';

const told = (): void => undefined;

/**
 * A connection for several statements. That it breaks between two of them is told by the next one; without a listener it would end the
 * process. Whoever takes it gives it back.
 */
export async function heldClient(pool: Pool): Promise<{ client: PoolClient; giveBack(broken: boolean): void }> {
  const client = await pool.connect();
  client.on('error', told);
  return {
    client,
    giveBack: (broken) => {
      client.off('error', told);
      client.release(broken);
    },
  };
}

/** All of it or nothing; nothing, too, when the work comes to false. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const { client, giveBack } = await heldClient(pool);
  let broken = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query(result === false ? 'ROLLBACK' : 'COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => (broken = true)); // the connection may be what failed
    throw error;
  } finally {
    giveBack(broken);
  }
}
