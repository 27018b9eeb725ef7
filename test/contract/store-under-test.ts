import { randomUUID } from 'node:crypto';
import {
  EventStoreDBClient,
  type AppendExpectedRevision,
  jsonEvent,
  type AllStreamSubscription,
  type JSONEventType,
  type ResolvedEvent,
  type StreamSubscription,
} from '@eventstore/db-client';
import { startEventStore } from '../../libs/embedded-event-store/server.js';
import { createDatabase } from '../support/postgres.js';

/** The server that the suite runs on: the one that EVENTSTORE_URL names, or an embedded one of its own. */
export interface StoreUnderTest {
  client: EventStoreDBClient;
  url: string;
  isEmbedded: boolean;
  stop(): Promise<void>;
}

export const startStoreUnderTest = async (): Promise<StoreUnderTest> => {
  const external = process.env.EVENTSTORE_URL;
  if (external) {
    const client = EventStoreDBClient.connectionString(external);
    return { client, url: external, isEmbedded: false, stop: () => client.dispose() };
  }
  const database = await createDatabase();
  const server = await startEventStore({ databaseUrl: database.url });
  const client = EventStoreDBClient.connectionString(server.url);
  const stop = async (): Promise<void> => {
    await client.dispose();
    await server.stop();
    await database.drop();
  };
  return { client, url: server.url, isEmbedded: true, stop };
};

export type Noted = JSONEventType<'Noted', { n: number }>;

/** A table of one column, for `it.each`. */
export const each = (...expected: AppendExpectedRevision[]): [AppendExpectedRevision][] => expected.map((revision) => [revision]);

export const newStream = (): string => `contract-${randomUUID()}`;
export const noted = (n = 0, id: string = randomUUID()) => jsonEvent<Noted>({ id, type: 'Noted', data: { n } });
export const notedMany = (count: number) => Array.from({ length: count }, (_, n) => noted(n));

/** What a refused call is rejected with, in the terms of the client. */
export const refusal = async (call: Promise<unknown>): Promise<Record<string, unknown>> => {
  try {
    await call;
  } catch (error) {
    const { type, code, streamName, expectedVersion, actualVersion, maxAppendSize } = error as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries({ type, code, streamName, expectedVersion, actualVersion, maxAppendSize }).filter(([, value]) => value !== undefined),
    );
  }
  throw new Error('the call was expected to be refused');
};

export const collect = async <Event>(events: AsyncIterable<Event>): Promise<Event[]> => {
  const collected: Event[] = [];
  for await (const event of events) collected.push(event);
  return collected;
};

/** Revisions as read: `0 1 2`. */
export const revisionsOf = (events: ResolvedEvent[]): string => events.map(({ link, event }) => (link ?? event)!.revision).join(' ');

/** Follows a subscription and notes what it is told, in order. */
export class Follower {
  readonly told: string[] = [];
  readonly events: ResolvedEvent[] = [];
  readonly ended: Promise<string>;
  private waiting: (() => void)[] = [];

  constructor(private readonly subscription: StreamSubscription | AllStreamSubscription) {
    const note = (what: string): void => {
      this.told.push(what);
      for (const check of [...this.waiting]) check();
    };
    const emitter = subscription as NodeJS.EventEmitter;
    emitter.on('confirmation', () => note('confirmation'));
    emitter.on('caughtUp', () => note('caughtUp'));
    emitter.on('data', (resolved: ResolvedEvent) => {
      this.events.push(resolved);
      const event = (resolved.link ?? resolved.event)!;
      note(`${event.type}@${event.revision}`);
    });
    this.ended = new Promise((resolve) => {
      emitter.on('error', (error: { type?: string; message: string }) => resolve(error.type ?? error.message));
      emitter.on('end', () => resolve('end'));
    });
  }

  /** Resolves when it has been told this. */
  until(condition: (told: string[]) => boolean, patience = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = setTimeout(() => reject(new Error(`only told: ${this.told.join(', ')}`)), patience);
      const check = (): void => {
        if (!condition(this.told)) return;
        clearTimeout(give);
        this.waiting = this.waiting.filter((other) => other !== check);
        resolve();
      };
      this.waiting.push(check);
      check();
    });
  }

  stop(): Promise<void> {
    return this.subscription.unsubscribe();
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
