import { randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import type { InvoiceEvent } from '../../libs/domain/invoice/invoice.events.js';
import { invoice } from '../../libs/domain/invoice/invoice.state.js';
import type { InvoiceNumbersEvent } from '../../libs/domain/invoice-numbers/invoice-numbers.events.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { invoiceContent, issued } from '../../libs/domain/testing/example-invoice.js';
import { verifyChain } from '../../libs/event-store/chain.js';
import { connectEventStore, type EventStore } from '../../libs/event-store/event-store.js';
import { type Parts as Servers, startParts } from '../../test/support/event-store.js';
import { numberingOf } from './numbering.js';

// Over a real event store; what the engine does with a consumer is shown in its own specs.

const secret = 'only for this spec: thirty-two bytes at least';

let servers: Servers;
let pool: pg.Pool;
let store: EventStore;
let commands: Awaited<ReturnType<typeof openCommandHandling>>;

beforeAll(async () => {
  servers = await startParts();
  pool = new pg.Pool({ connectionString: servers.databaseUrl });
  pool.on('error', () => undefined);
  store = connectEventStore({ url: servers.eventStoreUrl });
  const log = pino({ level: 'silent' });
  commands = await openCommandHandling({ store, pool, operatorKey: secret, requestHashKey: secret, policies: 'projector', log });
});
afterAll(async () => {
  commands.close();
  await store.dispose();
  await pool.end();
  await servers.stop();
});

/** Invoices of a business, as the projector reads them: in the order of `$all`. */
async function issue(business: string, issuedOn: readonly string[]): Promise<Recorded[]> {
  const events = await Promise.all(issuedOn.map((on) => issueOne(business, on)));
  return events.sort((a, b) => (a.position < b.position ? -1 : 1));
}

async function issueOne(business: string, issuedOn: string): Promise<Recorded> {
  const [invoiceId, commandId] = [randomUUID(), randomUUID()];
  const actor = { id: 'rita', role: 'receptionist' as const };
  const context = { commandId, business, actor, correlationId: commandId, causationId: commandId, now: new Date().toISOString() };
  const event: InvoiceEvent = issued(invoiceContent({ invoiceId, issuedOn }));
  await commands.handle(invoice, invoiceId, { ...context, soleUntil: Infinity }, () => [event], { create: 'unseen' });
  return (await commands.codec.decode(await store.readStream(`invoice-${invoiceId}`)))[0]!;
}

const days = (count: number, on = '2027-06-30'): string[] => Array.from({ length: count }, () => on);
const invoiceIds = (events: readonly Recorded[]) => events.map(({ data }) => (data as { invoiceId: string }).invoiceId);

/** The numbers as they are stored: their chain must hold, whoever wrote them. */
async function numbersOf(business: string, year: number) {
  const stored = await store.readStream(`invoiceNumbers-${business}-${year}`);
  expect(verifyChain(stored)).toBeUndefined();
  return (await commands.codec.decode(stored)) as Recorded<InvoiceNumbersEvent>[];
}
const shownOf = (numbers: readonly Recorded<InvoiceNumbersEvent>[]) => numbers.map(({ data }) => data.shown);

it('D3: numbers what was issued, in that order, without a gap; again it does nothing', async () => {
  const business = randomUUID();
  const numbering = numberingOf(commands);
  const all = await issue(business, days(5));
  await numbering.fold(all.slice(0, 2));
  await numbering.fold(all.slice(2));
  await numbering.fold(all.slice(1));
  numbering.reset();
  await numbering.fold(all);
  const numbers = await numbersOf(business, 2027);
  expect(invoiceIds(numbers)).toEqual(invoiceIds(all));
  expect(shownOf(numbers)).toEqual(['2027-000001', '2027-000002', '2027-000003', '2027-000004', '2027-000005']);
  expect(numbers.map(({ data, revision }) => BigInt(data.number) - revision)).toEqual([1n, 1n, 1n, 1n, 1n]);
});

it('D3: says who issued it and because of what', async () => {
  const business = randomUUID();
  const [first] = await issue(business, days(1));
  await numberingOf(commands).fold([first!]);
  const [number] = await numbersOf(business, 2027);
  expect(number!.metadata).toMatchObject({ business, actor: first!.metadata.actor, policy: 'numbering', $causationId: first!.id });
  expect(number!.data.through).toBe(String(first!.position));
});

it('D3: each year and each business by itself', async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  const mine = await issue(one, ['2027-12-31', '2028-01-01', '2027-12-31']);
  const theirs = await issue(other, ['2028-01-01']);
  await numberingOf(commands).fold([...mine, ...theirs]);
  expect(shownOf(await numbersOf(one, 2027))).toEqual(['2027-000001', '2027-000002']);
  expect(shownOf(await numbersOf(one, 2028))).toEqual(['2028-000001']);
  expect(shownOf(await numbersOf(other, 2028))).toEqual(['2028-000001']);
});

it('D3: more than one append takes, and several who number at once: none is missing, none is there twice', async () => {
  const business = randomUUID();
  const all = await issue(business, days(210));
  const [one, stale, third] = [numberingOf(commands), numberingOf(commands), numberingOf(commands)];
  await stale.fold(all.slice(0, 10)); // it knows the head as it was then
  await one.fold(all.slice(0, 100));
  await Promise.all([stale.fold(all.slice(5)), one.fold(all.slice(100)), third.fold(all)]);
  expect(invoiceIds(await numbersOf(business, 2027))).toEqual(invoiceIds(all));
}, 60_000);
