import { setTimeout as sleep } from 'node:timers/promises';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { buffered } from './batches.js';
import { appendFailure, Conflict, OutcomeUnknown, readFailure, StoreUnavailable, survivesBrokenConnections } from './failures.js';
import { decodeBase64Natively } from './native-base64.js';
import type { ReadAnswer } from './read-answers.js';
import { openRead, type Read, readAhead } from './reads.js';
import type { EncodedEvent, StoredEvent } from './stored-event.js';

export { Conflict, OutcomeUnknown, StoreUnavailable };

export type { EncodedEvent, StoredEvent };

export interface Subscribe {
  /** Position of the last event that was handled; undefined: from the first event. */
  after?: bigint;
  /** Only streams whose name starts with one of these, `package-`; undefined: all but the system's. */
  prefixes?: readonly string[];
  signal: AbortSignal;
  /** Events given at once, at most. */
  batchSize?: number;
}

export interface EventStore {
  /**
   * Appends all of the events or none. Never repeat it blindly: a repeat at the current revision is stored again.
   * @returns the revision of the last event, and its position
   * @throws Conflict if the stream is at another revision, OutcomeUnknown if it may or may not have been stored
   */
  append(stream: string, expected: bigint | 'no_stream', events: readonly EncodedEvent[]): Promise<{ revision: bigint; position: bigint }>;
  /**
   * The events of a stream from one revision to another, both included; none if there is no such stream.
   * @throws StoreUnavailable
   */
  readStream(stream: string, range?: { from?: bigint; to?: bigint }): Promise<StoredEvent[]>;
  /** The last event of a stream; undefined if it has none. Throws StoreUnavailable. */
  lastOf(stream: string): Promise<StoredEvent | undefined>;
  /** All events after a position up to the present end, in batches, in the order of `$all`. Throws StoreUnavailable. */
  readAll(range?: { after?: bigint; batchSize?: number }): AsyncIterable<StoredEvent[]>;
  /** Position of the last event of `$all`; undefined when there is none. Throws StoreUnavailable. */
  lastPosition(): Promise<bigint | undefined>;
  /**
   * All events after a position, past and to come, in batches of what has arrived. A dropped connection is taken up
   * again after the last event given, for ever; it ends when the signal is aborted.
   */
  subscribeAll(subscribe: Subscribe): AsyncIterable<StoredEvent[]>;
  /** Once it resolves, no event that is appended from then on will be missed. Throws StoreUnavailable. */
  subscribeFromEnd(subscribe: Omit<Subscribe, 'after'>): Promise<AsyncIterable<StoredEvent[]>>;
  dispose(): Promise<void>;
}

export interface Logger {
  warn(details: object, message: string): void;
}

const BATCH = 1000;
const APPEND_DEADLINE = 5_000; // ms, for the server; its own timeout answer is an unknown outcome too
const GRACE = 1_000; // ms more, after which we stop waiting for an answer that may never come
const READ_DEADLINE = 15_000; // ms, for a stream
const BACK_OFF = { first: 50, most: 5_000 }; // ms, doubling

/** Connects to an EventStoreDB, `esdb://…`. One per process: the client shares what is pending among all of its instances. */
export function connectEventStore({ url, logger }: { url: string; logger?: Logger }): EventStore {
  survivesBrokenConnections();
  decodeBase64Natively();
  const client = EventStoreDBClient.connectionString(url);
  readAhead(client);

  const append: EventStore['append'] = async (stream, expected, events) => {
    const appending = client.appendToStream(stream, events.map(toProposed), { expectedRevision: expected, deadline: APPEND_DEADLINE });
    const { nextExpectedRevision: revision, position } = await within(
      APPEND_DEADLINE + GRACE,
      appending,
      () => new OutcomeUnknown(`No answer to an append to ${stream}`),
    ).catch((error: unknown) => {
      throw appendFailure(stream, error);
    });
    if (!position) throw new OutcomeUnknown(`An append to ${stream} was answered without a position: it was there before`);
    return { revision, position: position.commit };
  };

  /** All that a read of a stream gives; nothing if there is no such stream. */
  const whole = async (read: Read & { stream: string }): Promise<StoredEvent[]> => {
    const signal = AbortSignal.timeout(READ_DEADLINE);
    const events: StoredEvent[] = [];
    try {
      for await (const batch of batchesOf(read, { signal })) events.push(...batch);
    } catch (error) {
      throw readFailure(read.stream, error);
    }
    if (signal.aborted) throw new StoreUnavailable(`Reading ${read.stream} took longer than ${READ_DEADLINE} ms`);
    return events;
  };

  const batchesOf = (read: Read, { size = BATCH, signal }: { size?: number; signal?: AbortSignal } = {}) =>
    buffered(() => openRead(client, read), toStored, { size, ...(signal && { signal }) });

  const readStream: EventStore['readStream'] = async (stream, { from = 0n, to } = {}) => {
    if (to !== undefined && to < from) return [];
    return whole({ stream, from, ...(to !== undefined && { count: to - from + 1n }) });
  };

  const lastOf: EventStore['lastOf'] = async (stream) => (await whole({ stream, from: 'last' }))[0];

  async function* readAll({ after, batchSize = BATCH }: { after?: bigint; batchSize?: number } = {}) {
    try {
      for await (const batch of batchesOf({ after }, { size: batchSize })) {
        const events = batch.filter(({ type, position }) => !type.startsWith('$') && position !== after);
        if (events.length > 0) yield events;
      }
    } catch (error) {
      throw readFailure('$all', error);
    }
  }

  const lastPosition = async () => {
    try {
      for await (const [last] of batchesOf({ from: 'last' }, { size: 1 })) return last!.position;
      return undefined;
    } catch (error) {
      throw readFailure('$all', error);
    }
  };

  async function* subscribeAll({ after, prefixes, signal, batchSize = BATCH }: Subscribe) {
    let last = after;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        for await (const batch of batchesOf({ after: last, follow: { prefixes } }, { signal, size: batchSize })) {
          failures = 0;
          last = batch.at(-1)!.position;
          yield batch;
        }
      } catch (error) {
        logger?.warn({ err: error, after: last?.toString() }, 'The subscription to $all was dropped; it is taken up again.');
      }
      await sleep(Math.min(BACK_OFF.first * 2 ** failures, BACK_OFF.most), undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    append,
    readStream,
    lastOf,
    readAll,
    lastPosition,
    subscribeAll,
    subscribeFromEnd: async (subscribe) => subscribeAll({ ...subscribe, after: await lastPosition() }),
    dispose: () => client.dispose(),
  };
}

const utf8 = new TextEncoder();

/** The client takes metadata as bytes too, and then spares itself a detour over base64 that it makes with objects. */
const toProposed = ({ id, type, data, metadata }: EncodedEvent) =>
  jsonEvent({ id, type, data, metadata: utf8.encode(JSON.stringify(metadata)) });

const toStored = (answer: ReadAnswer): StoredEvent | undefined => (typeof answer === 'string' ? undefined : answer);

async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late()), ms)));
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}
