import { startEventStore } from '../../libs/embedded-event-store/server.js';
import { createDatabase } from './postgres.js';

export interface Parts {
  databaseUrl: string;
  eventStoreUrl: string;
  /** False when EVENTSTORE_URL names a server that the tests can neither stop nor expect to be empty. */
  embedded: boolean;
  stop(): Promise<void>;
}

/** A database of the spec's own, and an event store: the one of EVENTSTORE_URL, or an embedded one that keeps its events in that database. */
export async function startParts(): Promise<Parts> {
  const database = await createDatabase();
  const given = process.env.EVENTSTORE_URL;
  if (given) return { databaseUrl: database.url, eventStoreUrl: given, embedded: false, stop: () => database.drop() };
  const server = await startEventStore({ databaseUrl: database.url });
  return {
    databaseUrl: database.url,
    eventStoreUrl: server.url,
    embedded: true,
    stop: async () => {
      await server.stop();
      await database.drop();
    },
  };
}
