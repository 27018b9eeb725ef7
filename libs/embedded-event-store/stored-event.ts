// Terms used throughout: what an append proposes, what the log holds, and the numbers with a meaning of their own.

/** An event as a client proposes it. */
export interface ProposedEvent {
  id: string; // UUID, lower case
  type: string;
  isJson: boolean;
  data: Uint8Array;
  metadata: Uint8Array;
}

/** An event as it is stored. */
export interface StoredEvent extends ProposedEvent {
  position: bigint; // in `$all`; commit and prepare position alike, as the real server gives since 20.x
  stream: string;
  revision: bigint; // in its stream, from 0
  created: bigint; // ticks of 100 ns since 1970
}

/** What the writer of an append believes of its stream. */
export type ExpectedRevision = bigint | 'any' | 'noStream' | 'streamExists';

/** The revision of a stream without events. */
export const noStream = -1n;
/** The revision of a tombstone, and the `$tb` of a soft-deleted stream (`EventNumber.DeletedStream`). */
export const deletedStream = 9_223_372_036_854_775_807n;

export const systemEventTypes = { metadata: '$metadata', streamDeleted: '$streamDeleted', link: '$>' } as const;

const metastreamPrefix = '$$';
export const isMetastream = (stream: string): boolean => stream.startsWith(metastreamPrefix);
export const metastreamOf = (stream: string): string => metastreamPrefix + stream;
export const originalOf = (metastream: string): string => metastream.slice(metastreamPrefix.length);

const recordOverhead = 64n;

/** How far an event moves the head of the log: like the real server's, positions are offsets, not a count. */
export const recordSize = (event: Pick<StoredEvent, 'stream' | 'type' | 'data' | 'metadata'>): bigint =>
  recordOverhead + BigInt(event.stream.length + event.type.length + event.data.length + event.metadata.length);

/** Now, in ticks of 100 ns since 1970. */
export const ticksNow = (): bigint => BigInt(Date.now()) * 10_000n;
