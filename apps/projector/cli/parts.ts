import pg, { type Pool } from 'pg';
import { connectEventStore, type EventStore } from '../../../libs/event-store/event-store.js';

export interface CliParts {
  pool: Pool;
  /** Undefined: EVENTSTORE_URL is missing. */
  eventStore: { store: EventStore; url: string } | undefined;
}

/**
 * What a command of the projector's works on, for as long as it takes.
 * @throws Error when DATABASE_URL is missing
 */
export async function withParts<T>(work: (parts: CliParts) => Promise<T>): Promise<T> {
  const { DATABASE_URL: databaseUrl, EVENTSTORE_URL: url } = process.env;
  if (!databaseUrl) throw new Error('DATABASE_URL is missing');
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4, options: '-c TimeZone=UTC' });
  try {
    return await work({ pool, eventStore: url ? { store: connectEventStore({ url }), url } : undefined });
  } finally {
    await pool.end(); // the program's end is that of the store's client, which would wait for the reads that it has not seen the end of
  }
}
