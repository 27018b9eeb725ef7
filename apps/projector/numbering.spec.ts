import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { Pool } from 'pg';
import { brokenChains } from '../../test/support/afresh.js';
import { startParts, type Parts } from '../../test/support/event-store.js';
import { systemClock } from '../../libs/command-handling/clock.js';
import { domainEvents } from '../../libs/domain/events.js';
import type { InvoiceNumbersEvent } from '../../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { invoiceNumbersOf } from '../../libs/domain/invoice-numbers/invoice-numbers.js';
import { issueInvoice } from '../../libs/domain/invoice/invoice.decisions.js';
import { invoice } from '../../libs/domain/invoice/invoice.state.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { policyCommandIdOf } from '../../libs/domain/kernel/ids.js';
import { regularFee } from '../../libs/domain/testing/example-invoice.js';
import { createCodec, type Codec } from '../../libs/event-store/codec.js';
import { connectEventStore, type EventStore, OutcomeUnknown } from '../../libs/event-store/event-store.js';
import { createHandle, type Handle } from '../../libs/event-store/handle.js';
import { createPersonalKeys } from '../../libs/event-store/personal-keys.js';
import { context } from '../../libs/event-store/testing/counters.js';
import { NOTHING } from '../../libs/projection-engine/checkpoint.js';
import type { Consumer } from '../../libs/projection-engine/consumer.js';
import { NUMBERING, numberingOf } from './numbering.js';

// The numbering on a real event store: fed as the projector feeds it, by one leader and by two who both believe to lead.

const AT_ONCE = 8;

let parts: Parts, pool: Pool, store: EventStore, codec: Codec, handle: Handle;
beforeAll(async () => {
  parts = await startParts();
  pool = new Pool({ connectionString: parts.databaseUrl, max: 2 });
  store = connectEventStore({ url: parts.eventStoreUrl });
  const keys = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 1) });
  await keys.migrate();
  codec = createCodec(domainEvents, keys);
  handle = createHandle({ store, codec });
});
afterAll(async () => {
  await store?.dispose();
  await pool?.end();
  await parts?.stop();
});

const numbering = (over: Partial<EventStore> = {}): Consumer => numberingOf({ store: { ...store, ...over }, codec, clock: systemClock });

/** Invoices are issued, some at a time, on these local dates; as they come from `$all`. */
async function issued(business: string, days: readonly string[]): Promise<Recorded[]> {
  const limit = pLimit(AT_ONCE);
  const events = await Promise.all(days.map((issuedOn) => limit(() => issueOne(business, issuedOn))));
  return events.flat().sort((a, b) => (a.position < b.position ? -1 : 1));
}

async function issueOne(business: string, issuedOn: string): Promise<Recorded[]> {
  const invoiceId = randomUUID();
  const content = regularFee([], { invoiceId, issuedOn });
  const command = context(randomUUID(), { business, actor: { id: `who issued ${invoiceId}`, role: 'receptionist' } });
  return (await handle(invoice, invoiceId, command, issueInvoice(content), { create: 'unseen' })).events;
}

/** As the projector does when others are always first: again, from the checkpoint. */
async function persistently(leader: Consumer, events: readonly Recorded[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return void (await leader.fold(events));
    } catch (error) {
      if (tries === 20) throw error;
      leader.reset();
    }
  }
}

const times = (count: number, day = '2027-03-01'): string[] => Array.from({ length: count }, () => day);
const invoicesOf = (events: readonly Recorded[]): string[] => events.map(({ data }) => (data as { invoiceId: string }).invoiceId);

/** What the numbers of a year are: the stream itself, whose hashes must hold. */
async function numbers(business: string, year = 2027): Promise<Recorded<InvoiceNumbersEvent>[]> {
  const stored = await store.readStream(invoiceNumbersOf(business, year));
  expect(brokenChains(stored)).toEqual([]);
  return (await codec.decode(stored)) as Recorded<InvoiceNumbersEvent>[];
}

/** The invoices have the numbers from 1 on, in this order, and no others have any. */
async function expectNumbered(events: readonly Recorded[], business: string, year = 2027): Promise<void> {
  const numbered = await numbers(business, year);
  expect(numbered.map(({ data }) => data.invoiceId)).toEqual(invoicesOf(events));
  expect(numbered.map(({ data, revision }) => [data.number, BigInt(data.number) - revision])).toEqual(events.map((_, n) => [n + 1, 1n]));
  expect(numbered.map(({ data }) => data.through)).toEqual(events.map(({ position }) => String(position)));
}

describe('D3: invoices get their numbers', () => {
  it('D3: in the order in which they were issued, many in one append, and nothing is written beside them', async () => {
    const business = randomUUID();
    const events = await issued(business, times(7));
    const appends: number[] = [];
    const counted = numbering({
      append: (stream, expected, batch) => {
        appends.push(batch.length);
        return store.append(stream, expected, batch);
      },
    });
    expect(await counted.fold(events)).toBe(NOTHING);
    expect(appends).toEqual([7]);
    await expectNumbered(events, business);
  });

  it('D3: and each says what it follows from, and who issued the invoice', async () => {
    const business = randomUUID();
    const [trigger] = await issued(business, times(1));
    await numbering().fold([trigger!]);
    const [{ metadata, data }] = (await numbers(business)) as [Recorded<InvoiceNumbersEvent>];
    expect(data).toMatchObject({ year: 2027, number: 1, shown: '2027-000001' });
    expect(metadata).toMatchObject({
      ...{ business, policy: NUMBERING, actor: trigger!.metadata.actor, commandId: policyCommandIdOf(trigger!.id, NUMBERING, 0) },
      ...{ $correlationId: trigger!.metadata.$correlationId, $causationId: trigger!.id },
    });
  });

  it('D3: each business and each year by itself, also when the years come out of order', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const ofOne = await issued(one, ['2027-12-31', '2028-01-01', '2027-12-31', '2026-05-05', '2028-01-02', '2027-01-01']);
    const ofOther = await issued(other, ['2028-01-01', '2027-12-31']);
    await numbering().fold([...ofOne, ...ofOther]);
    const inYear = (events: readonly Recorded[], year: number) =>
      events.filter(({ data }) => (data as { issuedOn: string }).issuedOn.startsWith(`${year}-`));
    for (const year of [2026, 2027, 2028]) await expectNumbered(inYear(ofOne, year), one, year);
    for (const year of [2027, 2028]) await expectNumbered(inYear(ofOther, year), other, year);
  });

  it('D3: more at once than one append takes', async () => {
    const business = randomUUID();
    const events = await issued(business, times(230));
    await numbering().fold(events);
    await expectNumbered(events, business);
  });
});

describe('D3: no number is missing and none is there twice', () => {
  it('D3: a new leader goes on from the last event alone', async () => {
    const business = randomUUID();
    const events = await issued(business, times(5));
    await numbering().fold(events.slice(0, 3));
    const reads: string[] = [];
    const next = numbering({
      readStream: (stream, range) => {
        reads.push(stream);
        return store.readStream(stream, range);
      },
    });
    await next.fold(events.slice(3));
    expect(reads).toEqual([]);
    await expectNumbered(events, business);
  });

  it.each([
    ['from the first event on', 0],
    ['from somewhere in the middle', 4],
  ])('D3: a checkpoint that was lost: read again %s', async (_, from) => {
    const business = randomUUID();
    const events = await issued(business, times(9));
    const leader = numbering();
    await leader.fold(events.slice(0, 8));
    leader.reset();
    await leader.fold(events.slice(from));
    await numbering().fold(events);
    await expectNumbered(events, business);
  });

  it('D3: three who all believe to lead, over the same events, cut differently', async () => {
    const business = randomUUID();
    const events = await issued(business, times(60));
    const inBatches = async (leader: Consumer, size: number) => {
      for (let at = 0; at < events.length; at += size) await persistently(leader, events.slice(at, at + size));
    };
    await Promise.all([inBatches(numbering(), 7), inBatches(numbering(), 4), inBatches(numbering(), 60)]);
    await expectNumbered(events, business);
  });

  it('D3: one that was paused before its append, while another went on, changes nothing when it wakes', async () => {
    const business = randomUUID();
    const events = await issued(business, times(6));
    const gate = { wake: () => undefined as void };
    const woken = new Promise<void>((resolve) => (gate.wake = resolve));
    const paused = numbering({
      append: async (stream, expected, batch) => {
        await woken;
        return store.append(stream, expected, batch);
      },
    });
    const waking = paused.fold(events.slice(0, 3));
    const leader = numbering();
    await leader.fold(events.slice(0, 2));
    await leader.fold(events.slice(2));
    gate.wake();
    await waking;
    await expectNumbered(events, business);
  });

  it.each(['stored', 'not stored'])('D3: an append whose outcome is not known, and that was %s, is settled by the stream', async (fate) => {
    const business = randomUUID();
    const events = await issued(business, times(4));
    let unknown = 0;
    const leader = numbering({
      append: async (stream, expected, batch) => {
        if (unknown > 0) return store.append(stream, expected, batch);
        unknown += 1;
        if (fate === 'stored') await store.append(stream, expected, batch);
        throw new OutcomeUnknown('An append of this spec');
      },
    });
    await expect(leader.fold(events.slice(0, 3))).rejects.toThrow(OutcomeUnknown);
    leader.reset(); // as the projector does: back to the checkpoint
    await leader.fold(events);
    await expectNumbered(events, business);
  });

  it('D3: an append that arrives late, after it was given up and made again with more, changes nothing', async () => {
    const business = randomUUID();
    const events = await issued(business, times(4));
    const late: (() => Promise<unknown>)[] = [];
    const leader = numbering({
      append: async (stream, expected, batch) => {
        if (late.length > 0) return store.append(stream, expected, batch);
        late.push(() => store.append(stream, expected, batch).catch(() => undefined));
        throw new OutcomeUnknown('An append of this spec');
      },
    });
    await expect(leader.fold(events.slice(0, 2))).rejects.toThrow(OutcomeUnknown);
    leader.reset();
    await leader.fold(events);
    for (const append of late) await append();
    await expectNumbered(events, business);
  });
});
