import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { readHeads, type StreamHead } from './event-log.js';

const byteLimit = 64 * 1024 * 1024;
const entryOverhead = 256;
/** One look-up asks for at most this many heads. */
const loadLimit = 1_000;

/**
 * Heads of the streams used last, as committed. Bounded in bytes, so that memory does not grow with the store;
 * what is missing is read from storage, many streams in one query.
 */
export class StreamHeads {
  private readonly cache = new LRUCache<string, StreamHead>({
    maxSize: byteLimit,
    sizeCalculation: (head, stream) => entryOverhead + 2 * stream.length + (head.rawMetadata?.length ?? 0),
  });
  private readonly wanted = new Set<string>();
  private loading: Promise<void> | undefined;
  private generation = 0;

  constructor(private readonly pool: Pool) {}

  /** Begins to look a head up that will be needed; a failure shows when it is. */
  prefetch(stream: string): void {
    if (!this.cache.has(stream)) this.load([stream]).catch(() => undefined);
  }

  peek(stream: string): StreamHead | undefined {
    return this.cache.get(stream);
  }

  async get(stream: string): Promise<StreamHead> {
    for (;;) {
      const head = this.cache.get(stream);
      if (head) return head;
      await this.load([stream]);
    }
  }

  set(stream: string, head: StreamHead): void {
    this.cache.set(stream, head);
  }

  /** Forgets everything, look-ups under way included: the outcome of a commit is not known. */
  clear(): void {
    this.generation += 1;
    this.cache.clear();
  }

  /** Resolves when each of these heads has been looked up; rejects if storage does not answer. */
  async load(streams: Iterable<string>): Promise<void> {
    const missing = [...streams].filter((stream) => !this.cache.has(stream));
    if (missing.length === 0) return;
    for (const stream of missing) this.wanted.add(stream);
    while (missing.some((stream) => this.wanted.has(stream))) {
      this.loading ??= this.loadWanted().finally(() => (this.loading = undefined));
      await this.loading;
    }
    if (this.loading) await this.loading;
  }

  private async loadWanted(): Promise<void> {
    await Promise.resolve(); // whatever else is asked for in this tick joins in
    const streams = [...this.wanted].slice(0, loadLimit);
    for (const stream of streams) this.wanted.delete(stream);
    const generation = this.generation;
    const heads = await readHeads(this.pool, streams);
    if (generation !== this.generation) return;
    // A head set meanwhile by a commit is newer than what was read.
    for (const [stream, head] of heads) if (!this.cache.has(stream)) this.cache.set(stream, head);
  }
}
