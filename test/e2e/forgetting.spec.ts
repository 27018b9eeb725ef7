import type { CallerRole } from '../../libs/auth/roles.js';
import type { Seal } from '../../libs/domain/seal/seal.events.js';
import { sealKeyOf } from '../../libs/audit/seal.js';
import { sealAll, migrateSealing } from '../../libs/audit/sealing.js';
import { StoredHistory } from '../../libs/audit/stored-history.js';
import { verify } from '../../libs/audit/verify.js';
import { createCodec } from '../../libs/event-store/codec.js';
import { sealEvents } from '../../libs/domain/seal/seal.events.js';
import { readModelDifferences, wholeHistory } from '../support/afresh.js';
import { openClinic, type Booked, type Clinic, type Page, type Sold } from '../support/clinic.js';
import { until } from '../support/fleet.js';
import { tablesWith } from '../support/in-tables.js';
import { csvOf, importOf } from '../support/moving-in.js';
import { startService, type Service } from '../support/service.js';

// K4, L6: a client with a rich history is forgotten: nothing that the service keeps or says names them any more, and the ledger is what it was.

const MARK = 'Zephyrine'; // stands in every text about her, and in nothing else
const KEY = sealKeyOf('33'.repeat(32));

let service: Service;
let clinic: Clinic;
let clientId: string;
let importedId: string;
let sold: Sold;
let booked: Booked;
let before: object;

const about = (what: string) => `${MARK} ${what}`;
const totalsOf = async () => {
  const { items } = await clinic.owner.get<Page<Record<string, unknown>>>('/v1/invoices?limit=100');
  return items.map(({ invoiceId, total, paid, refunded, balance, status }) => ({ invoiceId, total, paid, refunded, balance, status }));
};

beforeAll(async () => {
  service = await startService({ apis: 2 });
  clinic = await openClinic(service);
  await richHistory();
  before = await totalsOf();
});
afterAll(() => service.stop());

async function richHistory(): Promise<void> {
  const { owner } = clinic;
  const keyed = (key: string) => ({ 'idempotency-key': key });
  const her = { name: about('Dupont'), email: `${MARK}@example.org`, phone: about('555'), externalReference: about('ref') };
  ({ clientId } = await owner.post<{ clientId: string }>('/v1/clients', her, keyed('register')));
  await owner.patch(`/v1/clients/${clientId}`, { name: about('Durand') }, keyed('rename'));
  const payment = { amount: clinic.money(20_000), method: 'other' as const, reference: about('gift card') };
  sold = await clinic.sell({}, { clientId, payment });
  const services = `/v1/packages/${sold.packageId}/services/${clinic.has.massage}`;
  await owner.put(`${services}/remaining`, { remaining: 9, reason: about('is kind') }, keyed('adjust'));
  await owner.put(`/v1/packages/${sold.packageId}/expiry`, { expiresOn: clinic.day(300), reason: about('asked') });
  booked = await clinic.book(sold);
  const others = [await clinic.book(sold, { start: clinic.in(2) }), await clinic.book(sold, { start: clinic.in(3) })];
  await clinic.end(others[0]!, 'cancel', { reason: about('is ill') });
  const cancelled = await clinic.sell({}, { clientId, payment: { amount: clinic.money(10_000), method: 'cash' } });
  const { payments } = (await clinic.invoice(cancelled)) as unknown as { payments: { paymentId: string }[] };
  await owner.post(`/v1/invoices/${cancelled.invoiceId}/payments/${payments[0]!.paymentId}/void`, { reason: about('paid wrongly') });
  await owner.post(`/v1/invoices/${cancelled.invoiceId}/payments`, {
    amount: clinic.money(5_000),
    method: 'other',
    reference: about('cheque'),
  });
  await owner.post(`/v1/packages/${cancelled.packageId}/cancel`, { reason: about('moves away') });
  await owner.post(`/v1/packages/${cancelled.packageId}/refunds`, {
    ...{
      amount: clinic.money(1_000),
      outcome: 'outstandingBalance',
      method: 'cash',
      notes: about('insisted'),
      reference: about('receipt'),
    },
  });
  await movedIn();
  await service.history();
}

/** L7: what a file says of her, and of somebody who is registered by it; good rows and bad ones. */
async function movedIn(): Promise<void> {
  const offering = await clinic.offering({ name: 'Moved in' });
  const row = { offering, soldOn: clinic.day(-9), remaining: 2, amountPaid: '10.00' };
  const rows = [
    { ...row, reference: 'm-1', client: clientId, clientName: about('in a file') },
    { ...row, reference: 'm-2', client: `${MARK}.imported@example.org`, clientName: about('imported') },
    { ...row, reference: 'm-3', client: clientId, clientName: about('bad'), offering: about('offers') },
    { ...row, reference: 'm-4', client: `${MARK} at example.org`, clientName: about('unknown'), soldOn: about('day') },
  ];
  expect(await importOf(clinic.owner, csvOf(rows), '?createClients=true')).toMatchObject({ imported: 2, failed: 2 });
  const { items } = await clinic.owner.get<Page<{ clientId: string }>>(`/v1/clients?name=${encodeURIComponent(about('imported'))}`);
  ({ clientId: importedId } = items[0]!);
}

const textOf = (event: object): string => JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));

const scrubbed = () =>
  until(async () => {
    const { rowCount } = await service.pool.query('SELECT FROM policies.forgotten WHERE client_id = ANY ($1) AND scrubbed_at IS NOT NULL', [
      [clientId, importedId],
    ]);
    return rowCount === 2;
  }, 'both clients are scrubbed');

/** What is read of her, whoever reads. */
async function allReads(): Promise<string> {
  const lists = ['clients', 'packages', 'appointments', 'invoices', `clients/${clientId}`, `packages/${sold.packageId}/history`];
  const ofHers = [`packages/${sold.packageId}`, `packages/${sold.packageId}/audit-tags`, `appointments/${booked.appointmentId}`];
  const paper = [
    `invoices/${sold.invoiceId}/invoice.html`,
    `invoices/${sold.invoiceId}`,
    `invoices/${sold.invoiceId}/history`,
    'audit/export',
  ];
  const answers: unknown[] = [];
  for (const role of ['owner', 'auditor'] as CallerRole[])
    for (const path of [...lists, ...ofHers, ...paper]) answers.push((await (await clinic.as(role)).send('GET', `/v1/${path}`)).body);
  return JSON.stringify(answers);
}

it('K4: before, her name is read, and is in tables', async () => {
  expect(await allReads()).toContain(MARK);
  expect(await tablesWith(service.pool, MARK)).not.toEqual([]);
});

it('A2: only owners and administrators forget, and only clients of their business', async () => {
  const path = `/v1/clients/${clientId}/forget`;
  for (const role of ['receptionist', 'auditor', 'client'] as const) await (await clinic.as(role)).refused(403, 'POST', path);
  const another = await openClinic(service);
  await another.owner.refused(404, 'POST', path);
  await clinic.owner.refused(400, 'POST', path, { body: { why: 'because' } });
});

it('K4: once forgotten, nothing that is kept or answered names the client', async () => {
  const path = `/v1/clients/${clientId}/forget`;
  expect(await clinic.owner.post(path)).toMatchObject({ clientId });
  await clinic.owner.post(path); // again: nothing more happens
  await clinic.owner.post(`/v1/clients/${importedId}/forget`);
  await scrubbed();
  await service.history();
  const { events, stored } = await wholeHistory(service);
  expect([events, stored].map((all) => all.filter((event) => textOf(event).includes(MARK)))).toEqual([[], []]); // as it is stored, and as it is read
  expect(await tablesWith(service.pool, MARK)).toEqual([]);
  const reads = await allReads();
  expect(reads).not.toContain(MARK);
  expect(reads).toContain('(forgotten)');
});

it('K4: each read model is as a fold of all events makes it now that the key is gone', async () => {
  const events = await service.history();
  expect(events.filter(({ type }) => type === 'ClientForgotten')).toHaveLength(2);
  expect(await readModelDifferences(service.pool, service)).toEqual([]);
});

it('K4: the ledger is what it was', async () => expect(await totalsOf()).toEqual(before));

it('K4: the chains hold, and seals of before too', async () => {
  const nobody = { forWriting: async () => new Map(), forReading: async () => new Map() };
  await migrateSealing(service.pool);
  const parts = { store: service.store, codec: createCodec(sealEvents, nobody), pool: service.pool, clock: () => new Date().toISOString() };
  const kept: Seal[] = [];
  const folder = { keep: async (seal: Seal) => void kept.push(seal), lacking: async () => Math.max(1, kept.length) };
  await sealAll(parts, { key: KEY, mostHeads: 5, folder }); // several seals, one after the other
  expect(kept.length).toBeGreaterThan(2);
  const verdicts = await verify(new StoredHistory(service.store), { publicKeys: [KEY.publicKey], kept });
  expect(verdicts.flatMap(({ faults }) => faults)).toEqual([]);
});

it('K4: the answer of a command that is sent again names nobody', async () => {
  const again = await clinic.owner.patch(`/v1/clients/${clientId}`, { name: about('Durand') }, { 'idempotency-key': 'rename' });
  expect(JSON.stringify(again)).not.toContain(MARK);
});

it('K4: nothing new is sold to, booked for or said of somebody who is forgotten', async () => {
  const { owner } = clinic;
  const offeringId = await clinic.offering();
  const refused = [
    ['POST', '/v1/packages', { offeringId, clientId }],
    ['POST', '/v1/appointments', clinic.booking({ clientId })],
    ['POST', '/v1/appointments', clinic.booking({ clientId }, sold.packageId)],
    ['PATCH', `/v1/clients/${clientId}`, { name: 'Somebody' }],
    ['PUT', `/v1/clients/${clientId}/links/${await clinic.client()}`, { relationship: 'child', ...{ otherRelationship: 'parent' } }],
  ] as const;
  for (const [method, path, body] of refused)
    expect(await owner.refused(409, method, path, { body })).toMatchObject({ code: 'CLIENT_FORGOTTEN' });
});

it('K4: what the client has goes on: returns, payments, cancellations, refunds', async () => {
  const { owner } = clinic;
  await clinic.end(booked, 'cancel', { reason: about('late word') });
  await owner.post(`/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(1_000), method: 'other', reference: about('late') });
  await owner.post(`/v1/packages/${sold.packageId}/cancel`, { reason: about('late reason') });
  await owner.post(`/v1/packages/${sold.packageId}/refunds`, {
    ...{ amount: clinic.money(2_000), outcome: 'outstandingBalance', method: 'cash', notes: about('late notes') },
  });
  await service.history();
  expect(await tablesWith(service.pool, MARK)).toEqual([]);
  expect(await allReads()).not.toContain(MARK);
  expect(await readModelDifferences(service.pool, service)).toEqual([]);
});
