import type { Metadata } from '../domain/kernel/event.js';

// Somebody else may keep events in the same store, with other metadata or none: nobody's business here, and no reason to stop.

interface Read {
  metadata: Partial<Metadata> | undefined;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;

const isText = (value: unknown): value is string => typeof value === 'string';

/** It says that it is of a business: whether that is true, its hash shows. */
export const isOfABusiness = ({ metadata }: Read): boolean => isText(metadata?.business) && UUID.test(metadata.business);

/** It has a hash, as all that we append. */
export const isHashed = ({ metadata }: Read): boolean => isText(metadata?.hash) && SHA256.test(metadata.hash);

/** It has all that we store beside an event of a business. */
export function hasOurMetadata(event: Read): boolean {
  const { actor, version, time = '', $correlationId, $causationId } = event.metadata ?? {};
  const texts = [actor?.id, actor?.role, time, $correlationId, $causationId];
  return isOfABusiness(event) && texts.every(isText) && Number.isInteger(version) && !Number.isNaN(Date.parse(time));
}
