import { setTimeout as sleep } from 'node:timers/promises';
import type { Fed } from './feed.js';

/** Who is behind is sent packet after packet. A batch costs much the same whatever its size: so it waits while they keep coming, but not for long. */
const COMING = { events: 16, every: 10, enough: 1_000, most: 10 }; // within so many ms; events; times

/** The events that wait for one consumer: bounded, so that a slow consumer slows the reader instead of filling the memory. */
export class Inbox {
  private batches: (readonly Fed[])[] = [];
  private size = 0;
  private taken = 0; // the last time
  private closed = false;
  private waiting: (() => void)[] = [];

  /** @param limit events that may wait before `offer` does */
  constructor(private readonly limit: number) {}

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Closed, and all of it taken. */
  get isOver(): boolean {
    return this.closed && this.isEmpty;
  }

  /** Resolves when there is room for more. What is offered to a closed inbox is dropped. */
  async offer(batch: readonly Fed[]): Promise<void> {
    if (this.closed) return;
    this.batches.push(batch);
    this.size += batch.length;
    this.notify();
    while (this.size > this.limit && !this.closed) await this.change();
  }

  /** All that has arrived, at most so many events and one batch more; none once it is closed and empty. */
  async take(most: number, linger: number): Promise<readonly Fed[]> {
    while (!this.size && !this.closed) await this.change();
    if (linger && this.size < most && !this.closed) await Promise.race([sleep(linger), this.closing()]);
    else if (this.taken >= COMING.events) await this.whileMoreCome(most); // it was many the last time too
    const taken: (readonly Fed[])[] = [];
    for (let events = 0; this.batches.length && events < most; events += taken.at(-1)!.length) taken.push(this.batches.shift()!);
    const events = taken.length === 1 ? taken[0]! : taken.flat();
    this.size -= events.length;
    this.taken = events.length;
    this.notify();
    return events;
  }

  /** No more will come. */
  close(): void {
    this.closed = true;
    this.notify();
  }

  /** Nobody takes any more. */
  discard(): void {
    this.batches = [];
    this.size = 0;
    this.close();
  }

  private async whileMoreCome(most: number): Promise<void> {
    const enough = Math.min(most, COMING.enough);
    for (let [times, before] = [0, 0]; times < COMING.most && this.size < enough && !this.closed; times += 1) {
      if (this.size - before < COMING.events) return;
      before = this.size;
      await sleep(COMING.every);
    }
  }

  private async closing(): Promise<void> {
    while (!this.closed) await this.change();
  }

  private readonly change = () => new Promise<void>((resolve) => this.waiting.push(resolve));

  private notify(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
