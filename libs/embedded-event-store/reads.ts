import type { Pool } from 'pg';
import { headKey } from './batch.js';
import { readAllPage, readFirstSince, readStreamPage, type Direction } from './event-log.js';
import type { ResolvedEvent } from './read-responses.js';
import type { StreamHeads } from './stream-heads.js';
import { deletedStream, isMetastream, systemEventTypes, ticksNow, type StoredEvent } from './stored-event.js';
import { firstReadable, isSoftDeleted, metastreamMetadata } from './stream-metadata.js';

/** What can be read of a stream: `$maxCount`, `$tb` and `$maxAge` hide events from here on, nothing removes them. */
export type StreamView = { kind: 'notFound' } | { kind: 'deleted' } | { kind: 'readable'; first: bigint; last: bigint }; // nothing can be read if first > last

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** A page is small at first and then sized by what the last one weighed, so that memory is bounded in bytes. */
const firstPage = 64;
const largestPage = 1_000;
const pageBytes = 1024 * 1024;

const nextPageSize = (page: readonly StoredEvent[]): number => {
  const bytes = page.reduce((total, { data, metadata }) => total + data.length + metadata.length, 0);
  return Math.max(1, Math.min(largestPage, page.length * 8, Math.floor((pageBytes * page.length) / Math.max(1, bytes))));
};

export class Reads {
  constructor(
    private readonly pool: Pool,
    private readonly heads: StreamHeads,
  ) {}

  /** `IndexReader.ReadStreamEventsForward`: deletion first, then the lower bound that the metadata sets. */
  async view(stream: string): Promise<StreamView> {
    const head = await this.heads.get(headKey(stream));
    if (head.revision === deletedStream) return { kind: 'deleted' };
    const last = isMetastream(stream) ? head.metadataRevision : head.revision;
    const metadata = isMetastream(stream) ? metastreamMetadata : head.metadata;
    if (last < 0n || isSoftDeleted(metadata)) return { kind: 'notFound' };
    const { maxAge } = metadata;
    const first = firstReadable(metadata, last);
    if (maxAge === undefined) return { kind: 'readable', first, last };
    const youngEnough = await readFirstSince(this.pool, stream, ticksNow() - maxAge);
    return { kind: 'readable', first: max(first, youngEnough ?? last + 1n), last };
  }

  /** Pages of a stream within its view, from a revision on, that revision included. */
  async *stream(
    stream: string,
    view: Extract<StreamView, { kind: 'readable' }>,
    from: bigint,
    direction: Direction,
    count: bigint,
  ): AsyncGenerator<StoredEvent[]> {
    const forwards = direction === 'forwards';
    yield* this.pages(count, async (last, limit) => {
      const next = last ? last.revision + (forwards ? 1n : -1n) : forwards ? max(from, view.first) : min(from, view.last);
      if (next < view.first || next > view.last) return [];
      const available = forwards ? view.last - next + 1n : next - view.first + 1n;
      return readStreamPage(this.pool, stream, next, direction, Number(min(available, BigInt(limit))));
    });
  }

  /**
   * Pages of `$all`. A position is that of an event: it is included reading forwards, and excluded backwards, where
   * the real server takes it for the end of the event before it.
   */
  async *all(from: bigint, direction: Direction, count: bigint): AsyncGenerator<StoredEvent[]> {
    yield* this.pages(count, async (last, limit) => {
      if (direction === 'forwards')
        return readAllPage(this.pool, { from: last ? last.position + 1n : from, to: deletedStream }, direction, limit);
      return readAllPage(this.pool, { from: 0n, to: (last ? last.position : from) - 1n }, direction, limit);
    });
  }

  async hasEventAt(position: bigint): Promise<boolean> {
    const [event] = await readAllPage(this.pool, { from: position, to: position }, 'forwards', 1);
    return event !== undefined;
  }

  /** What an event links to, if it is a link. */
  async resolve(event: StoredEvent): Promise<ResolvedEvent> {
    if (event.type !== systemEventTypes.link) return unresolved(event);
    const target = parseLink(event);
    if (target === 'malformed') return unresolved(event);
    return { original: event, event: target && (await this.readEvent(target.stream, target.revision)) };
  }

  private async readEvent(stream: string, revision: bigint): Promise<StoredEvent | undefined> {
    const view = await this.view(stream);
    if (view.kind !== 'readable' || revision < view.first || revision > view.last) return undefined;
    const [event] = await readStreamPage(this.pool, stream, revision, 'forwards', 1);
    return event;
  }

  /** One page is read ahead while the one before is on its way to the client. */
  private async *pages(
    count: bigint,
    read: (last: StoredEvent | undefined, limit: number) => Promise<StoredEvent[]>,
  ): AsyncGenerator<StoredEvent[]> {
    let left = count;
    let limit = Number(min(left, BigInt(firstPage)));
    let coming: Promise<StoredEvent[]> | undefined = limit > 0 ? read(undefined, limit) : undefined;
    while (coming) {
      const page: StoredEvent[] = await coming;
      left -= BigInt(page.length);
      const isLast = page.length < limit || left === 0n;
      limit = Number(min(left, BigInt(nextPageSize(page))));
      coming = isLast ? undefined : read(page.at(-1), limit);
      coming?.catch(() => undefined); // thrown when it is awaited, unless the reader has gone
      if (page.length > 0) yield page;
    }
  }
}

export const unresolved = (event: StoredEvent): ResolvedEvent => ({ original: event, event });

/** `12@stream`. Without a stream it leads nowhere; without a number it is taken for an event of its own. */
const parseLink = ({ data }: StoredEvent): { stream: string; revision: bigint } | 'malformed' | undefined => {
  const text = Buffer.from(data).toString('utf8');
  const separator = text.indexOf('@');
  const digits = separator < 0 ? text : text.slice(0, separator);
  if (!/^\s*-?\d{1,18}\s*$/.test(digits)) return 'malformed';
  return separator < 0 ? undefined : { revision: BigInt(digits.trim()), stream: text.slice(separator + 1) };
};
