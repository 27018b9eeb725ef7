import type { StoredEvent } from './stored-event.js';

export interface Subscriber {
  /** Events just committed, in order. Called synchronously for every commit: must not throw and not wait. */
  committed(events: readonly StoredEvent[]): void;
  /** Events may have been committed that `committed` was never called with: read on from storage. */
  missedSome(): void;
}

/**
 * What has just been committed, handed to whoever follows live. A subscriber to one stream costs nothing while
 * others are written.
 */
export class Feed {
  private head = 0n;
  private readonly toAll = new Set<Subscriber>();
  private readonly toStream = new Map<string, Set<Subscriber>>();

  /** Position of the newest event that subscribers have been given; 0 before the first. */
  get position(): bigint {
    return this.head;
  }

  /** @param stream undefined: `$all` */
  add(subscriber: Subscriber, stream?: string): void {
    if (stream === undefined) {
      this.toAll.add(subscriber);
      return;
    }
    const subscribers = this.toStream.get(stream) ?? new Set();
    this.toStream.set(stream, subscribers.add(subscriber));
  }

  remove(subscriber: Subscriber, stream?: string): void {
    if (stream === undefined) {
      this.toAll.delete(subscriber);
      return;
    }
    const subscribers = this.toStream.get(stream);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.toStream.delete(stream);
  }

  publish(events: readonly StoredEvent[]): void {
    this.head = events.at(-1)?.position ?? this.head;
    for (const subscriber of this.toAll) subscriber.committed(events);
    if (this.toStream.size === 0) return;
    for (const [stream, ofStream] of groupByStream(events))
      for (const subscriber of this.toStream.get(stream) ?? []) subscriber.committed(ofStream);
  }

  /** The head moved in a way that was not published: a new session found it further on. */
  advanceTo(position: bigint): void {
    this.head = position;
    for (const subscriber of this.toAll) subscriber.missedSome();
    for (const subscribers of this.toStream.values()) for (const subscriber of subscribers) subscriber.missedSome();
  }
}

const groupByStream = (events: readonly StoredEvent[]): Map<string, StoredEvent[]> => {
  const groups = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const group = groups.get(event.stream);
    if (group) group.push(event);
    else groups.set(event.stream, [event]);
  }
  return groups;
};
