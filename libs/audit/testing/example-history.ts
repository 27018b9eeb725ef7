import { createHash } from 'node:crypto';
import type { Seal } from '../../domain/seal/seal.events.js';
import { chainHash, GENESIS, linkText } from '../../event-store/chain.js';
import type { StoredEvent } from '../../event-store/event-store.js';
import { type SealKey, sealKeyOf } from '../seal.js';
import type { HistorySource } from '../verify.js';
import { Unsealed } from '../unsealed.js';

// A history made up for specs: what is in it does not matter, only that it is chained and sealed.

export const BUSINESS = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
export const KEY: SealKey = sealKeyOf('11'.repeat(32));
export const OTHER_KEY: SealKey = sealKeyOf('22'.repeat(32));

export interface History {
  events: StoredEvent[];
  seals: Seal[];
}

/** Events of these streams, one after the other, each hashed after the one before it in its stream. */
export function chained(streams: readonly string[], remaining: (n: number) => number = (n) => n): StoredEvent[] {
  const last = new Map<string, StoredEvent>();
  return streams.map((stream, n) => {
    const before = last.get(stream);
    const event = eventAfter(before, { stream, position: BigInt(n * 100), data: { remaining: remaining(n) }, id: idOf(n) });
    last.set(stream, event);
    return event;
  });
}

const idOf = (n: number): string => createHash('sha256').update(`event ${n}`).digest('hex').slice(0, 32);

export function eventAfter(
  before: StoredEvent | undefined,
  { stream, position, data, id }: Pick<StoredEvent, 'stream' | 'position' | 'data' | 'id'>,
): StoredEvent {
  const event = { stream, revision: (before?.revision ?? -1n) + 1n, position, id, type: 'SessionConsumed', data };
  const about = { business: BUSINESS, actor: { id: 'sub', role: 'receptionist' as const }, commandId: 'c', version: 1 };
  const metadata = { ...about, $correlationId: 'c', $causationId: 'c', time: '2027-01-31T09:30:00.000Z' };
  return { ...event, metadata: { ...metadata, hash: chainHash(before?.metadata.hash ?? GENESIS, linkText({ ...event, metadata })) } };
}

/** The same events hashed anew, as somebody does who changes one and hides it. */
export function rechained(events: readonly StoredEvent[]): StoredEvent[] {
  const last = new Map<string, StoredEvent>();
  return events.map((event) => {
    const again = eventAfter(last.get(event.stream), event);
    last.set(event.stream, again);
    return again;
  });
}

/** Sealed after so many events each. */
export function sealed(events: readonly StoredEvent[], after: readonly number[], key = KEY): Seal[] {
  const seals: Seal[] = [];
  let taken = 0;
  for (const upTo of after) {
    const unsealed = new Unsealed(BUSINESS, seals.at(-1));
    for (const event of events.slice(taken, upTo)) unsealed.take(event);
    taken = upTo;
    seals.push(unsealed.sealed('2027-01-31T10:00:00.000Z', key));
  }
  return seals;
}

export const sourceOf = ({ events, seals }: { events: readonly StoredEvent[]; seals: readonly unknown[] }): HistorySource => ({
  businesses: [BUSINESS],
  events: async function* () {
    yield events;
  },
  businessOf: () => BUSINESS,
  seals: async function* () {
    yield* seals;
  },
});
