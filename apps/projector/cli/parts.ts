import pg, { type Pool } from 'pg';
import { personalKeysOf } from '../../../libs/command-handling/command-handling.js';
import { domainEvents } from '../../../libs/domain/events.js';
import { createCodec } from '../../../libs/event-store/codec.js';
import { connectEventStore, type EventStore } from '../../../libs/event-store/event-store.js';
import { allProjections } from '../../../libs/projection-engine/all-projections.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import type { Feed } from '../../../libs/projection-engine/feed.js';
import { secretOf } from '../config.js';
import { storeFeed } from '../../../libs/projection-engine/store-feed.js';

export interface CliParts {
  databaseUrl: string;
  pool: Pool;
  /** Undefined: EVENTSTORE_URL is missing. */
  eventStore: { store: EventStore; url: string } | undefined;
}

/**
 * What a command of the projector's works on, for as long as it takes.
 * @throws Error when DATABASE_URL is missing
 */
export async function withParts<T>(work: (parts: CliParts) => Promise<T>): Promise<T> {
  const databaseUrl = secretOf(process.env, 'DATABASE_URL');
  const url = secretOf(process.env, 'EVENTSTORE_URL');
  if (!databaseUrl) throw new Error('DATABASE_URL is missing');
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined); // whatever was about to use the connection says so
  try {
    return await work({ databaseUrl, pool, eventStore: url ? { store: connectEventStore({ url }), url } : undefined });
  } finally {
    await pool.end(); // the program's end is that of the store's client, which would wait for the reads that it has not seen the end of
  }
}

/**
 * The events as the projector reads them.
 * @throws Error when EVENTSTORE_URL or OPERATOR_KEY is missing
 */
export function feedOf({ pool, eventStore }: CliParts): Feed {
  const operatorKey = secretOf(process.env, 'OPERATOR_KEY');
  if (!eventStore) throw new Error('EVENTSTORE_URL is missing');
  if (!operatorKey) throw new Error('OPERATOR_KEY (or OPERATOR_KEY_FILE) is missing: names are folded too');
  return storeFeed(eventStore.store, createCodec(domainEvents, personalKeysOf(pool, operatorKey)), eventStore.url);
}

/**
 * The projections of these names.
 * @throws Error that names those that there are
 */
export async function projectionsNamed(names: readonly string[]): Promise<Projection[]> {
  const all = await allProjections();
  const unknown = names.filter((name) => !all.some((projection) => projection.name === name));
  if (unknown.length)
    throw new Error(`There is no read model ${unknown.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}.`);
  return all.filter(({ name }) => names.includes(name));
}
