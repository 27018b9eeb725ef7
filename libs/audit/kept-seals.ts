import type { Seal } from '../domain/seal/seal.events.js';
import type { EventStore, StoredEvent } from '../event-store/event-store.js';
import { sealHash } from './seal.js';
import type { SealFolder } from './seal-folder.js';
import { sealIn } from './seal-stream.js';
import { sealEventsBackFrom } from './stored-history.js';

export type Keeps = Pick<SealFolder, 'keep' | 'lacking'>;

/**
 * Writes what the folder lacks of the seals of a business, also in between; and the newest that it has, which may differ once the store was restored.
 * From the last seal back, each names the one before it: what somebody else wrote among them is none of them, and is not kept.
 */
export async function keepSeals(store: Pick<EventStore, 'readStream'>, folder: Keeps, last: StoredEvent | undefined): Promise<void> {
  if (!last) return;
  const { businessId, number } = last.data as unknown as Seal;
  const lacking = await folder.lacking(businessId);
  const first = Math.min(lacking, number);
  let wanted = sealHash(last.data as unknown as Seal);
  for await (const event of sealEventsBackFrom(store, businessId, { end: last.revision, atFirst: 1n })) {
    const seal = sealIn(event, businessId);
    if (!seal || sealHash(seal) !== wanted) continue;
    await folder.keep(seal);
    if (seal.number <= first) return;
    wanted = seal.previous;
  }
}
