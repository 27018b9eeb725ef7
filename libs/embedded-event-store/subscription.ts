import { randomUUID } from 'node:crypto';
import type { CheckpointCounter, EventFilter } from './event-filter.js';
import type { UuidForm } from './proto-writer.js';
import type { Feed, Subscriber } from './feed.js';
import { streamDeleted } from './grpc-errors.js';
import type { Outgoing } from './outgoing.js';
import { caughtUpResponse, checkpointResponse, confirmationResponse, fellBehindResponse, readEventResponse } from './read-responses.js';
import { unresolved, type Reads } from './reads.js';
import { noStream, systemEventTypes, type StoredEvent } from './stored-event.js';

export interface SubscriptionOptions {
  resolveLinks: boolean;
  uuidForm: UuidForm;
  outgoing: Outgoing;
  feed: Feed;
  reads: Reads;
}

type Interruption = 'tooSlow' | 'missedSome' | 'ended';
const everything = 0xffff_ffff_ffff_ffffn;

/**
 * What subscriptions to a stream and to `$all` share: they read from storage until nothing newer is there, then are
 * handed events as they are committed. A client that is too slow for that gets no backlog in memory: it falls behind
 * and is read for from storage again, at its own pace. Nothing is left out either way.
 */
abstract class Subscription implements Subscriber {
  protected live = false;
  /** Something was committed that the catching up under way may not have seen. */
  protected stale = false;
  private interrupt: ((why: Interruption) => void) | undefined;

  constructor(protected readonly options: SubscriptionOptions) {}

  /** Ends when the call has ended. */
  async run(): Promise<void> {
    const { outgoing } = this.options;
    outgoing.whenEnded(() => this.stop());
    this.follow();
    outgoing.write(confirmationResponse(randomUUID()));
    for (let why: Interruption = 'tooSlow'; why !== 'ended' && !outgoing.ended;) {
      await this.catchUp();
      if (outgoing.ended) return;
      if (why === 'tooSlow') outgoing.write(caughtUpResponse);
      why = await new Promise<Interruption>((resolve) => (this.interrupt = resolve));
      if (why === 'tooSlow') outgoing.write(fellBehindResponse);
      await outgoing.drained();
    }
  }

  committed(events: readonly StoredEvent[]): void {
    this.stale = true;
    if (!this.live) return;
    for (const event of events) {
      if (!this.isNew(event)) continue;
      if (this.options.outgoing.isFull) return this.fallBehind('tooSlow');
      // The target of a link has to be read first, which takes the way from storage.
      if (this.options.resolveLinks && event.type === systemEventTypes.link) return this.fallBehind('missedSome');
      this.deliverLive(event);
    }
  }

  missedSome(): void {
    this.stale = true;
    if (this.live) this.fallBehind('missedSome');
  }

  protected abstract follow(): void;
  protected abstract unfollow(): void;
  protected abstract isNew(event: StoredEvent): boolean;
  protected abstract deliverLive(event: StoredEvent): void;
  /** Reads from storage up to the head; is live when it returns, unless the call has ended. */
  protected abstract catchUp(): Promise<void>;

  /** Live, unless something was committed since `stale` was last cleared. */
  protected goLive(): boolean {
    this.setLive(!this.stale);
    return this.live;
  }

  protected write(event: StoredEvent): void {
    this.options.outgoing.write(readEventResponse(unresolved(event), this.options.uuidForm));
  }

  protected async writeResolved(event: StoredEvent): Promise<void> {
    const { resolveLinks, reads, outgoing, uuidForm } = this.options;
    if (resolveLinks && event.type === systemEventTypes.link) outgoing.write(readEventResponse(await reads.resolve(event), uuidForm));
    else this.write(event);
  }

  private setLive(live: boolean): void {
    this.live = live;
    this.options.outgoing.isIdle = live;
  }

  private fallBehind(why: Interruption): void {
    this.setLive(false);
    this.interrupt?.(why);
  }

  protected stop(): void {
    this.unfollow();
    this.fallBehind('ended');
  }
}

/** @param after revision after which it starts; -1 for all, undefined for what comes from now on */
export class StreamSubscription extends Subscription {
  private revision: bigint;
  private fromEnd: boolean; // until its end is known
  private appeared: (() => void) | undefined;

  constructor(
    private readonly stream: string,
    after: bigint | undefined,
    options: SubscriptionOptions,
  ) {
    super(options);
    this.fromEnd = after === undefined;
    this.revision = after ?? noStream;
  }

  override committed(events: readonly StoredEvent[]): void {
    super.committed(events);
    this.appeared?.();
  }

  override missedSome(): void {
    super.missedSome();
    this.appeared?.();
  }

  protected follow(): void {
    this.options.feed.add(this, this.stream);
  }

  protected unfollow(): void {
    this.options.feed.remove(this, this.stream);
  }

  protected override stop(): void {
    super.stop();
    this.appeared?.();
  }

  protected isNew({ revision }: StoredEvent): boolean {
    return revision > this.revision;
  }

  protected deliverLive(event: StoredEvent): void {
    this.write(event);
    this.revision = event.revision;
    // A tombstone is delivered, and then ends the subscription with an error.
    if (event.type === systemEventTypes.streamDeleted) this.options.outgoing.fail(streamDeleted(this.stream));
  }

  protected async catchUp(): Promise<void> {
    while (!this.options.outgoing.ended) {
      this.stale = false;
      const view = await this.options.reads.view(this.stream);
      if (this.fromEnd) {
        this.fromEnd = false;
        if (view.kind === 'readable') this.revision = view.last;
        if (this.goLive()) return;
      } else if (view.kind === 'deleted') throw streamDeleted(this.stream);
      else if (view.kind === 'notFound') await this.nextEvent();
      else if (view.last > this.revision) await this.readOn(view);
      else if (this.goLive()) return;
    }
  }

  private async readOn(view: { kind: 'readable'; first: bigint; last: bigint }): Promise<void> {
    const { reads, outgoing } = this.options;
    for await (const page of reads.stream(this.stream, view, this.revision + 1n, 'forwards', everything)) {
      for (const event of page) {
        await this.writeResolved(event);
        this.revision = event.revision;
      }
      await outgoing.drained();
      if (outgoing.ended) return;
    }
    if (this.revision < view.last) this.revision = view.last; // the rest cannot be read
  }

  /** While there is no such stream, the subscription waits for one without being caught up, as in the real server. */
  private async nextEvent(): Promise<void> {
    if (this.stale || this.options.outgoing.ended) return;
    await new Promise<void>((resolve) => (this.appeared = resolve));
    this.appeared = undefined;
  }
}

export interface AllFilter {
  matches: EventFilter;
  checkpoints: CheckpointCounter;
}

export class AllSubscription extends Subscription {
  /** @param position after which it starts */
  constructor(
    private position: bigint,
    private readonly filter: AllFilter | undefined,
    options: SubscriptionOptions,
  ) {
    super(options);
  }

  protected follow(): void {
    this.options.feed.add(this);
  }

  protected unfollow(): void {
    this.options.feed.remove(this);
  }

  protected isNew({ position }: StoredEvent): boolean {
    return position > this.position;
  }

  protected deliverLive(event: StoredEvent): void {
    if (!this.filter || this.filter.matches(event)) this.write(event);
    this.checkpoint(this.filter?.checkpoints.passedLive(event));
    this.position = event.position;
  }

  protected async catchUp(): Promise<void> {
    const { feed, reads, outgoing } = this.options;
    while (feed.position > this.position || !this.goLive()) {
      this.stale = false;
      for await (const page of reads.all(this.position + 1n, 'forwards', everything)) {
        for (const event of page) await this.deliverStored(event);
        await outgoing.drained();
        if (outgoing.ended) return;
      }
    }
    this.filter?.checkpoints.endPage(this.position);
  }

  private async deliverStored(event: StoredEvent): Promise<void> {
    const matches = !this.filter || this.filter.matches(event);
    if (matches) await this.writeResolved(event);
    this.checkpoint(this.filter?.checkpoints.caughtUpWith(event, matches));
    this.position = event.position;
  }

  private checkpoint(position: bigint | undefined): void {
    if (position !== undefined) this.options.outgoing.write(checkpointResponse(position));
  }
}
