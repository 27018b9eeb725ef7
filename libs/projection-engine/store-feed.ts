import type { Recorded } from '../domain/kernel/event.js';
import type { Codec } from '../event-store/codec.js';
import type { EventStore, StoredEvent } from '../event-store/event-store.js';
import type { Fed, Feed } from './feed.js';
import { isConnectionFailure } from './leadership.js';

/** The events of the store as the projection engine reads them. `url` is shown to people: without its credentials. */
export function storeFeed(store: EventStore, codec: Pick<Codec, 'decode'>, url: string): Feed {
  return {
    store: url.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/, ''),
    read: async function* ({ after, signal }) {
      for await (const batch of store.subscribeAll({ after, signal })) yield await decoded(codec, batch);
    },
    has: async ({ id, stream, revision }) => {
      const [event] = await store.readStream(stream, { from: revision, to: revision });
      return event?.id === id;
    },
    next: async (after) => {
      for await (const [event] of store.readAll({ after, batchSize: 1 }))
        return event && { position: event.position, time: Date.parse(event.metadata.time) };
      return undefined;
    },
  };
}

/** A batch that can't be decoded holds an event that can't: only that one is lost to those whom it concerns. */
async function decoded(codec: Pick<Codec, 'decode'>, batch: readonly StoredEvent[]): Promise<Fed[]> {
  try {
    return (await codec.decode(batch)).map((event, i) => withStored(event, batch[i]!));
  } catch {
    const events: Fed[] = [];
    for (const event of batch) events.push(await decodedAlone(codec, event));
    return events;
  }
}

async function decodedAlone(codec: Pick<Codec, 'decode'>, event: StoredEvent): Promise<Fed> {
  try {
    const [readable] = await codec.decode([event]);
    return withStored(readable as Recorded, event);
  } catch (error) {
    if (isConnectionFailure(error)) throw error; // the keys could not be read: that is not the event's fault
    return { ...event, unreadable: error instanceof Error ? error : new Error(String(error)) };
  }
}

const withStored = (event: Recorded, { data }: StoredEvent): Recorded => (event.data === data ? event : { ...event, stored: data });
