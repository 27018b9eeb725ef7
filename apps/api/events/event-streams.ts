import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';
import type { EventReaders, FeedEvent, FeedQuery } from '../../../libs/projection-engine/event-readers.js';
import { HttpProblem } from '../http/problems.js';

/** The token under which the readers of the feed are provided. */
export const EVENT_READERS = Symbol('event readers');

const STREAMS = { business: 25, all: 500 }; // at once, in this process
const PAGE = 100; // events read, and written, at once: what a reader that does not read can hold back
const HEARTBEAT = 15_000; // ms
const RECONNECT = 2_000; // ms that a reader waits before it comes again
const LONGEST = 24 * 3_600_000; // ms: also where a token is good for longer
const GOODBYE = 500; // ms for a reader to take what is on its way

export interface Following {
  business: string;
  after: bigint | undefined;
  types: FeedQuery['types'];
  /** Ms since 1970: no stream outlives its token. */
  until: number;
}

/**
 * L6: the events of a business as server-sent events. A page is read when the one before it was taken, so a slow reader costs no memory;
 * whoever was cut off goes on after the last id that it has.
 */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();
  private readonly open = new Map<string, number>(); // by business
  private all = 0;

  constructor(@Inject(EVENT_READERS) private readonly readers: EventReaders) {}

  /**
   * What is written to a connection for as long as it is there.
   * @throws HttpProblem when there are too many, or no more
   */
  follow(following: Following, connection: ServerResponse): Readable {
    this.admit(following.business);
    const over = new AbortController();
    const stop = () => over.abort();
    const expiry = setTimeout(stop, Math.max(0, Math.min(following.until - Date.now(), LONGEST)));
    const signal = AbortSignal.any([over.signal, this.closing.signal]);
    signal.addEventListener('abort', () => setTimeout(() => connection.destroy(), GOODBYE).unref());
    const release = () => {
      clearTimeout(expiry);
      stop();
      this.release(following.business);
    };
    if (connection.destroyed)
      release(); // hung up while we made sure that we are fresh
    else connection.once('close', release);
    return Readable.from(this.text(following, signal), { highWaterMark: 1 });
  }

  get count(): number {
    return this.all;
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
    this.readers.close();
  }

  private async *text({ business, types, after }: Following, signal: AbortSignal): AsyncGenerator<string> {
    yield `retry: ${RECONNECT}\n\n`;
    let last = after;
    while (!signal.aborted) {
      const page = await this.readers.page(business, { after: last, types, limit: PAGE });
      if (page.events.length) yield page.events.map(written).join('');
      if (page.through !== last && String(page.through) !== page.events.at(-1)?.position) yield `id: ${page.through}\n\n`; // what was left out is behind
      last = page.through;
      if (!page.more && !(await this.readers.newsAfter(business, page, HEARTBEAT, signal))) yield ':\n\n';
    }
  }

  private admit(business: string): void {
    const own = this.open.get(business) ?? 0;
    if (this.closing.signal.aborted) throw refused(503, 'CLOSING', 'This process is closing. Repeat the call.');
    if (own >= STREAMS.business)
      throw refused(429, 'TOO_MANY_STREAMS', `This business follows its events ${own} times already. Close one of those streams.`);
    if (this.all >= STREAMS.all) throw refused(503, 'TOO_MANY_STREAMS', 'Too many streams are open here. Repeat the call later.');
    this.open.set(business, own + 1);
    this.all += 1;
  }

  private release(business: string): void {
    const own = (this.open.get(business) ?? 1) - 1;
    if (own > 0) this.open.set(business, own);
    else this.open.delete(business);
    this.all -= 1;
  }
}

const refused = (status: number, code: string, message: string) =>
  new HttpProblem(status, code, message, { headers: { 'retry-after': '5' } });

const written = (event: FeedEvent): string => `id: ${event.position}\ndata: ${JSON.stringify(event)}\n\n`;
