import { setMaxListeners } from 'node:events';
import type { Feed } from './feed.js';
import type { Worker } from './worker.js';

export interface LaneOptions {
  feed: Feed;
  after: bigint | undefined;
  /** Stop at once: what is not written is not. */
  signal: AbortSignal;
  /** Stop reading, finish what was read. */
  enough: AbortSignal;
  /** Whether the events up to here are all that this lane is for. */
  until?: (position: bigint) => boolean;
}

/** One read of `$all` and the workers that it feeds. */
export class Lane {
  /** Position of the last event that was read. */
  position: bigint;

  constructor(
    readonly workers: readonly Worker[],
    private readonly options: LaneOptions,
  ) {
    this.position = options.after ?? -1n;
  }

  /**
   * Reads and works until told to stop, or there.
   * @throws LeadershipLost, or what the feed throws
   */
  async run(): Promise<void> {
    const { signal } = this.options;
    setMaxListeners(0, signal); // one for each worker
    const working = Promise.all(this.workers.map((worker) => worker.run(signal)));
    const failed = new AbortController();
    working.catch(() => failed.abort());
    try {
      await this.read(failed.signal);
    } finally {
      for (const { inbox } of this.workers) inbox.close();
      await working;
    }
  }

  private async read(failed: AbortSignal): Promise<void> {
    const { feed, after, signal, enough, until } = this.options;
    for await (const batch of feed.read({ after, signal: AbortSignal.any([signal, enough, failed]) })) {
      await Promise.all(this.workers.map(({ inbox }) => inbox.offer(batch)));
      this.position = batch.at(-1)?.position ?? this.position;
      if (until?.(this.position) || failed.aborted || this.workers.every(({ poison }) => poison)) return;
    }
  }
}
