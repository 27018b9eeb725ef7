import type { Fed, Feed } from '../feed.js';

/** A feed of events that are given to it: what a projector reads is input. */
export class MemoryFeed implements Feed {
  store = 'memory';
  reads = 0;
  private readonly events: Fed[] = [];
  private readonly ids = new Set<string>();
  private readonly waiting: (() => void)[] = [];

  /** @param batchOf how what is after a position is cut into batches, and delivered */
  constructor(
    events: readonly Fed[] = [],
    private readonly batchOf: (events: readonly Fed[]) => readonly (readonly Fed[])[] = (all) => [all],
  ) {
    this.append(events);
  }

  append(events: readonly Fed[]): void {
    for (const event of events) {
      this.events.push(event);
      this.ids.add(event.id);
    }
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  async *read({ after, signal }: { after: bigint | undefined; signal: AbortSignal }): AsyncGenerator<readonly Fed[]> {
    this.reads += 1;
    let given = after === undefined ? 0 : this.events.findIndex(({ position }) => position > after);
    if (given < 0) given = this.events.length;
    while (!signal.aborted) {
      const arrived = this.events.slice(given);
      given += arrived.length;
      if (arrived.length) yield* this.batchOf(arrived);
      if (given === this.events.length && !signal.aborted) await this.change(signal);
    }
  }

  has = ({ id }: { id: string }): Promise<boolean> => Promise.resolve(this.ids.has(id));

  next = (after: bigint | undefined): Promise<{ position: bigint; time: number } | undefined> => {
    const event = this.events.find(({ position }) => position > (after ?? -1n));
    return Promise.resolve(event && { position: event.position, time: Date.parse(event.metadata.time) });
  };

  private readonly change = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
}
