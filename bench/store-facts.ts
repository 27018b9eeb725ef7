import { domainEvents } from '../libs/domain/events.js';
import type { Recorded } from '../libs/domain/kernel/event.js';
import { GENESIS } from '../libs/event-store/chain.js';
import { createCodec } from '../libs/event-store/codec.js';
import { connectEventStore } from '../libs/event-store/event-store.js';

/** The API looks up time zone, fees and taxes in the store. */
export async function storeFacts(url: string, history: readonly Pick<Recorded, 'type' | 'data' | 'stream' | 'metadata'>[]): Promise<void> {
  const store = connectEventStore({ url });
  const nobody = () => Promise.resolve(new Map<string, Buffer>());
  const codec = createCodec(domainEvents, { forWriting: nobody, forReading: nobody });
  for (const { stream, metadata, ...event } of history.filter(({ stream }) => /^(business|service)-/.test(stream))) {
    const encoded = await codec.encode([event], { stream, revision: 0n, previousHash: GENESIS, metadata });
    await store.append(
      stream,
      'no_stream',
      encoded.map((one) => one.event),
    );
  }
  await store.dispose();
}
