import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Parts } from '../../libs/command-handling/operation.js';
import { InvoiceIssued, type InvoiceEvent } from '../../libs/domain/invoice/invoice.events.js';
import type { InvoiceNumbersEvent } from '../../libs/domain/invoice-numbers/invoice-numbers.events.js';
import {
  invoiceNumbers,
  invoiceNumbersOf,
  numberInvoices,
  type InvoiceNumbers,
  yearOf,
} from '../../libs/domain/invoice-numbers/invoice-numbers.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { policyCommandIdOf } from '../../libs/domain/kernel/ids.js';
import { GENESIS } from '../../libs/event-store/chain.js';
import { Conflict, type EncodedEvent } from '../../libs/event-store/event-store.js';
import { NOTHING } from '../../libs/projection-engine/checkpoint.js';
import type { Consumer } from '../../libs/projection-engine/consumer.js';

// The numbers of invoices: the one policy that only the projector carries out, because one writer at a time leaves no gap and
// nothing to wait for. A booking neither knows of it nor waits for it (docs/operations-over-streams.md).

/** Pinned: the ids of its commands follow from it, and its checkpoint has this name. */
export const NUMBERING = 'numbering';

const LINGER = 250; // ms: one append for all that were issued in that time
const APPENDED = 200; // events in one append, at most
const AT_ONCE = 8; // streams
const HEADS = 10_000; // streams whose last event is remembered
const MAX_TRIES = 10;
const JITTER = 20; // ms, at most, times the number of the try

type Issued = Recorded<Extract<InvoiceEvent, { type: 'InvoiceIssued' }>>;

/** The last event of a stream of numbers, and what is known by it. */
interface Head {
  state: InvoiceNumbers;
  revision: bigint;
  hash: string;
  time: string;
}

/**
 * Numbers what was issued before its checkpoint moves. Who is no longer the leader and does not know it can do no harm: an append
 * goes after the very event that was read, in the order of `$all`, and leaves out what that event says is numbered.
 */
export function numberingOf({ store, codec, clock }: Pick<Parts, 'store' | 'codec' | 'clock'>): Consumer {
  const heads = new LRUCache<string, Head>({ max: HEADS });

  const readHead = async (stream: string): Promise<Head> => {
    const stored = await store.lastOf(stream);
    if (!stored) return { state: invoiceNumbers.initial, revision: -1n, hash: GENESIS, time: '' };
    const [last] = (await codec.decode([stored])) as Recorded<InvoiceNumbersEvent>[];
    const { revision, metadata } = last!;
    return { state: invoiceNumbers.evolve(invoiceNumbers.initial, last!), revision, hash: metadata.hash, time: metadata.time };
  };

  /** Encodes the next numbers one by one: each follows from an invoice of its own, and so has its own command. */
  const encode = async (stream: string, head: Head, events: InvoiceNumbersEvent[], issued: ReadonlyMap<string, Issued>) => {
    const encoded: EncodedEvent[] = [];
    let after = head;
    for (const event of events) {
      const { id, metadata: trigger } = issued.get(event.data.invoiceId)!;
      const now = clock();
      const metadata = {
        ...{ business: trigger.business, actor: trigger.actor, policy: NUMBERING, commandId: policyCommandIdOf(id, NUMBERING, 0) },
        ...{ $correlationId: trigger.$correlationId, $causationId: id, time: now > after.time ? now : after.time },
      };
      const place = { stream, revision: after.revision + 1n, previousHash: after.hash };
      const [next] = await codec.encode([event], { ...place, metadata });
      encoded.push(next!.event);
      const { hash, time } = next!.event.metadata;
      after = { state: invoiceNumbers.evolve(after.state, event), revision: place.revision, hash, time };
    }
    return encoded;
  };

  /** In the order of `$all`. When somebody else, or an earlier attempt of ours, was there first, the stream says what is left. */
  const numberAll = async (stream: string, issued: readonly Issued[]): Promise<void> => {
    const year = yearOf(issued[0]!.data.issuedOn);
    const byInvoice = new Map(issued.map((one) => [one.data.invoiceId, one]));
    const toNumber = issued.map(({ data: { invoiceId }, position }) => ({ invoiceId, position }));
    for (let tries = 0; tries < MAX_TRIES;) {
      const head = heads.get(stream) ?? (await readHead(stream));
      const events = numberInvoices(year, toNumber)(head.state).slice(0, APPENDED);
      if (events.length === 0) return void heads.set(stream, head);
      const encoded = await encode(stream, head, events, byInvoice);
      try {
        await store.append(stream, head.revision < 0n ? 'no_stream' : head.revision, encoded);
        tries = 0;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        tries += 1;
        await sleep(Math.random() * JITTER * tries);
      } finally {
        heads.delete(stream); // it may have been there before, with another time and so another hash: only what is read is known
      }
    }
    throw new Error(`${stream}: others were always first, ${MAX_TRIES} times`);
  };

  return {
    name: NUMBERING,
    version: 1,
    linger: LINGER,
    concerns: (type) => type === InvoiceIssued.type,
    fold: async (events) => {
      const issued = byStream(events.filter(({ type }) => type === InvoiceIssued.type) as Issued[]);
      for (let from = 0; from < issued.length; from += AT_ONCE)
        await Promise.all(issued.slice(from, from + AT_ONCE).map(([stream, own]) => numberAll(stream, own)));
      return NOTHING;
    },
    reset: () => heads.clear(),
  };
}

function byStream(issued: readonly Issued[]): [string, Issued[]][] {
  const streams = new Map<string, Issued[]>();
  for (const one of issued) {
    const stream = invoiceNumbersOf(one.metadata.business, yearOf(one.data.issuedOn));
    const own = streams.get(stream);
    if (own) own.push(one);
    else streams.set(stream, [one]);
  }
  return [...streams];
}
