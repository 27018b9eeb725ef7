import { hash } from 'node:crypto';
import type { Metadata } from '../domain/kernel/event.js';
import type { EncodedEvent, StoredEvent } from './event-store.js';
import { canonical, type JsonObject } from './stored-json.js';

/** What stands in the place of the hash before the first event of a stream. */
export const GENESIS = '0'.repeat(64);

/** What is hashed of an event: the event as it is stored, and where, but its own hash. */
export type Link = { stream: string; revision: bigint } & Omit<EncodedEvent, 'metadata'> & { metadata: Omit<Metadata, 'hash'> };

/** The text of an event that is hashed: RFC 8785 (docs/stored-forms.md). `data` and `metadata` must be as JSON.parse gives them. */
export const linkText = ({ stream, revision, id, type, data, metadata }: Link): string =>
  canonical({
    stream,
    revision: revision.toString(),
    eventId: id,
    type,
    version: metadata.version,
    data,
    metadata: metadata as unknown as JsonObject,
  });

/** The hash of an event: lower-case hex of SHA-256 over the hash before it, followed by the event's text. */
export const chainHash = (previous: string, text: string): string => hash('sha256', previous + text, 'hex');

/** The first event of a stream that does not hold, and why. */
export interface Fault {
  stream: string;
  revision: bigint; // where an event was expected
  eventId: string;
  why: 'gap' | 'otherStream' | 'hash';
}

/**
 * Checks the events of one stream, in order, against their hashes (K4). A part of a stream is checked by giving what
 * comes before it. An intact chain can still lack its tail: only a seal shows that.
 * @returns the first event that does not hold, or undefined
 */
export function verifyChain(events: readonly StoredEvent[], before = { revision: -1n, hash: GENESIS }): Fault | undefined {
  let { revision, hash: previous } = before;
  const stream = events[0]?.stream;
  for (const event of events) {
    revision += 1n;
    const fault = (why: Fault['why']): Fault => ({ stream: event.stream, revision, eventId: event.id, why });
    if (event.stream !== stream) return fault('otherStream');
    if (event.revision !== revision) return fault('gap');
    const { hash: stored, ...metadata } = event.metadata;
    if (chainHash(previous, linkText({ ...event, metadata })) !== stored) return fault('hash');
    previous = stored;
  }
  return undefined;
}
