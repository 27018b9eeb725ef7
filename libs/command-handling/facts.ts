import { LRUCache } from 'lru-cache';
import { business } from '../domain/business/business.js';
import { ClientForgotten } from '../domain/client/client.events.js';
import { client } from '../domain/client/client.js';
import type { Aggregate, AnyEvent, Recorded } from '../domain/kernel/event.js';
import { provider } from '../domain/provider/provider.js';
import { service } from '../domain/service/service.js';
import { tax } from '../domain/tax/tax.js';
import type { Codec } from '../event-store/codec.js';
import type { EventStore, Logger, StoredEvent } from '../event-store/event-store.js';

/** The kinds of streams whose newest state decisions read without guarding it. */
const followed = [business, tax, service, provider, client] as const;
/** Whether the newest state of such streams is kept here. */
export const isFact = ({ category }: { category: string }): boolean => followed.some((aggregate) => aggregate.category === category);

const MAX_ENTRIES = 50_000;

interface Entry {
  state: unknown;
  revision: bigint;
  business: string;
}

/** A fact as it was read: the newest description of something, and at which revision of its stream. */
export interface Fact<State> {
  state: NonNullable<State>;
  stream: string;
  revision: bigint;
}

/**
 * Prices, taxes, names, settings: loaded per stream on first use, and kept fresh by one subscription. Milliseconds old
 * by design; the event that rests on a fact pins the revision that was read.
 */
export class Facts {
  private readonly entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });
  private readonly loading = new Map<string, Promise<Entry | undefined>>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly store: EventStore,
    private readonly codec: Codec,
    private readonly log: Pick<Logger, 'warn'>,
    private readonly forgotten: (clientId: string) => void = () => undefined,
  ) {}

  /** Follows the store from its present end, until `stop`. */
  async start(): Promise<void> {
    const live = await this.store.subscribeFromEnd({
      prefixes: followed.map(({ category }) => `${category}-`),
      signal: this.stopped.signal,
    });
    void this.follow(live);
  }

  stop(): void {
    this.stopped.abort();
  }

  /** Undefined: there is no such thing in this business (A3). */
  async of<State>(aggregate: Aggregate<State, AnyEvent>, businessId: string, id: string): Promise<Fact<State> | undefined> {
    const stream = `${aggregate.category}-${id}`;
    const entry = this.entries.get(stream) ?? (await this.loadOnce(aggregate, stream));
    if (entry === undefined || entry.business !== businessId) return undefined;
    return { state: entry.state as NonNullable<State>, stream, revision: entry.revision };
  }

  /** This process has just changed it: its next reader sees that. */
  forget(stream: string): void {
    this.entries.delete(stream);
    this.loading.delete(stream);
  }

  /** What an event overtook while it was read is given to those who wait for it, but not kept. */
  private async loadOnce<State>(aggregate: Aggregate<State, AnyEvent>, stream: string): Promise<Entry | undefined> {
    const under = this.loading.get(stream);
    if (under) return under;
    const loading = this.load(aggregate, stream);
    this.loading.set(stream, loading);
    try {
      const entry = await loading;
      if (entry && this.loading.get(stream) === loading) this.entries.set(stream, entry);
      return entry;
    } finally {
      if (this.loading.get(stream) === loading) this.loading.delete(stream);
    }
  }

  private async load<State>(aggregate: Aggregate<State, AnyEvent>, stream: string): Promise<Entry | undefined> {
    const events = await this.codec.decode(await this.store.readStream(stream));
    const last = events.at(-1);
    if (!last) return undefined;
    return {
      state: events.reduce((state, event) => aggregate.evolve(state, event), structuredClone(aggregate.initial)),
      revision: last.revision,
      business: last.metadata.business,
    };
  }

  private async follow(live: AsyncIterable<StoredEvent[]>): Promise<void> {
    for await (const batch of live) {
      for (const { type, data } of batch) if (type === ClientForgotten.type) this.forgotten(data.clientId as string);
      const kept = batch.filter(({ stream }) => this.isKept(stream));
      try {
        for (const event of await this.codec.decode(kept)) this.keepFresh(event);
      } catch (error) {
        this.log.warn({ err: error }, 'What has changed cannot be read now: it is read when it is next needed.');
        for (const { stream } of kept) this.forget(stream);
      }
    }
  }

  /** What is being read may not have this event yet; whoever begins to read after it came has it. */
  private isKept(stream: string): boolean {
    this.loading.delete(stream);
    return this.entries.has(stream);
  }

  /** The next event is folded in; one that came too early means that some were missed: loaded anew when needed. */
  private keepFresh(event: Recorded): void {
    const entry = this.entries.peek(event.stream);
    if (!entry || event.revision <= entry.revision) return;
    if (event.revision > entry.revision + 1n) return this.forget(event.stream);
    const aggregate = followed.find(({ category }) => event.stream.startsWith(`${category}-`)) as Aggregate<unknown, AnyEvent> | undefined;
    if (!aggregate) return;
    this.entries.set(event.stream, { ...entry, state: aggregate.evolve(entry.state, event), revision: event.revision });
  }
}
