import { extractText } from 'unpdf';
import type { Schemas } from '../../libs/api-client/index.js';
import type { Caller } from '../support/caller.js';
import { unexplained } from '../support/explained.js';
import { badRowsOf, csvOf, importOf } from '../support/moving-in.js';
import { misreported, unexplainedCells } from '../support/reports.js';
import { startService, type Business, type Service } from '../support/service.js';

// A business that has nothing yet, set up and run through the API alone; and then every figure is found again in the histories.

const MOVED_IN = process.env.SOAK ? 500 : 20; // packages of the spreadsheet

let service: Service;
let business: Business;
let owner: Caller;
beforeAll(async () => {
  service = await startService();
  business = await service.createBusiness({ name: 'Clinique du Parc' });
  owner = await business.as('owner');
});
afterAll(() => service?.stop());

const cad = (amount: number) => ({ amount, currency: 'CAD' });

/** Four offerings in two categories: paid upfront for each, for all and without end, and paid at each appointment. */
async function setUp() {
  await owner.call('settings.change', { body: { settings: { onLateCancellation: 'forfeited', lateCancellationWindowMinutes: 120 } } });
  const taxOf = async (name: string, rate: string) => (await owner.call('taxes.define', { body: { name, rate } })).taxId;
  const taxIds = [await taxOf('GST', '5'), await taxOf('QST', '9.975')];
  const serviceOf = async (name: string, price: number) =>
    (await owner.call('services.define', { body: { name, durationMinutes: 60, price: cad(price), taxIds } })).serviceId;
  const [massage, yoga] = [await serviceOf('Massage', 9_000), await serviceOf('Yoga', 2_500)];
  const { providerId } = await owner.call('providers.register', { body: { name: 'Dana Roy', serviceIds: [massage, yoga] } });
  const offered = async (name: string, said: Partial<Schemas['OfferingBody']>) =>
    (await owner.call('offerings.define', { body: { name, status: 'active', ...said } })).offeringId;
  const upfront = (fee: number) => ({ method: 'paidUpfront' as const, fee: cad(fee), taxIds });
  const offerings = {
    ten: await offered('Ten massages', {
      services: [{ serviceId: massage, limit: 10 }],
      payment: upfront(80_000),
      expiryRule: { kind: 'after', from: 'purchase', amount: 6, unit: 'months' },
    }),
    both: await offered('Five of each', {
      services: [massage, yoga].map((serviceId) => ({ serviceId, limit: 5 })),
      payment: upfront(50_000),
    }),
    pass: await offered('Yoga without end', {
      services: [{ serviceId: yoga, limit: 'unlimited' }],
      payment: upfront(12_000),
      expiryRule: { kind: 'onDate', date: '2099-12-31' },
    }),
    eachTime: await offered('Massages at 70', {
      services: [{ serviceId: massage, limit: 5 }],
      payment: { method: 'paidEachAppointment', fees: [{ serviceId: massage, fee: cad(7_000) }] },
      expiryRule: { kind: 'after', from: 'firstUse', amount: 3, unit: 'months' },
    }),
  };
  const categoryOf = async (name: string) => (await owner.call('offeringList.create', { body: { name } })).categoryId;
  const [hands, mats] = [await categoryOf('Hands on'), await categoryOf('On the mat')];
  const { revision } = await owner.call('offeringList.read');
  const categories = [
    { categoryId: hands, offeringIds: [offerings.eachTime, offerings.ten] },
    { categoryId: mats, offeringIds: [offerings.pass] },
  ];
  await owner.call('offeringList.arrange', { body: { ungrouped: [offerings.both], categories }, ifMatch: `"${revision}"` });
  return { massage, yoga, providerId, offerings };
}

it('A1, B1, C1, C8, C9, D1, D2, D3, E4, J2, J3, J5, L7, K1: from nothing to every figure', async () => {
  const { massage, providerId, offerings } = await setUp();
  const { items } = await owner.call('offerings.list');
  expect(items.map(({ name, category }) => [category?.name, name])).toEqual([
    [undefined, 'Five of each'],
    ['Hands on', 'Massages at 70'],
    ['Hands on', 'Ten massages'],
    ['On the mat', 'Yoga without end'],
  ]);

  // Each kind of offering, paid in full, in part, and not at all. 14.975 % of taxes are on top.
  const sale = async (offeringId: string, payment?: Schemas['PaymentBody']) => {
    const { clientId } = await owner.call('clients.register', { body: { name: 'Zoé Tremblay' } });
    return owner.call('packages.sell', { body: { offeringId, clientId, payment } });
  };
  const [full, part, none] = [
    await sale(offerings.ten, { amount: cad(91_980), method: 'cardTerminal' }),
    await sale(offerings.both, { amount: cad(20_000), method: 'bankTransfer', reference: '4711' }),
    await sale(offerings.pass),
  ];
  const assigned = await sale(offerings.eachTime);
  const start = new Date(Date.now() + 24 * 3_600_000).toISOString();
  const { clientId, packageId } = assigned;
  const booked = await owner.call('appointments.book', { body: { clientId, serviceId: massage, providerId, start, packageId } });
  await owner.call('invoices.pay', { path: { invoiceId: booked.invoiceId }, body: { amount: cad(8_048), method: 'cash' } });

  const owing = ({ invoiceId }: { invoiceId: string }) => owner.call('invoices.read', { path: { invoiceId } });
  expect(await owing(full)).toMatchObject({ total: 91_980, paid: 91_980, balance: 0, status: 'paid' });
  expect(await owing(part)).toMatchObject({ net: 50_000, tax: 7_488, total: 57_488, paid: 20_000, balance: 37_488, status: 'partlyPaid' });
  expect(await owing(none)).toMatchObject({ total: 13_797, paid: 0, balance: 13_797, status: 'unpaid' });
  expect(await owing(assigned)).toMatchObject({ total: 0, balance: 0 });
  expect(await owing(booked)).toMatchObject({ net: 7_000, tax: 1_048, total: 8_048, balance: 0, packageInvoiceId: assigned.invoiceId });

  // On paper.
  const receptionist = await business.as('receptionist');
  const printed = async ({ invoiceId }: { invoiceId: string }, page: 'invoicePdf' | 'receiptPdf') => {
    const pdf = await receptionist.call(`prints.${page}`, { path: { invoiceId } });
    return (await extractText(pdf, { mergePages: true })).text.replaceAll(/\s+/g, ' ');
  };
  expect(await printed(part, 'invoicePdf')).toMatch(/Clinique du Parc .*Five of each .*574\.88 .*Balance due CAD 374\.88/);
  expect(await printed(full, 'receiptPdf')).toMatch(/Ten massages .*919\.80/);

  // From a spreadsheet.
  const rows = Array.from({ length: MOVED_IN }, (_, n) => ({
    offering: n % 2 === 0 ? 'Ten massages' : 'Massages at 70',
    client: `old-${n % 40}`,
    clientName: `Client ${n % 40}`,
    remaining: n % 5,
    soldOn: '2026-11-02',
    amountPaid: n % 2 === 0 ? '400.00' : '',
    reference: `package-${n}`,
  }));
  const bad = { ...rows[0], offering: 'Twelve massages', reference: 'package-bad' };
  const imported = await importOf(owner, csvOf([...rows, bad]), '?source=spreadsheet&createClients=true');
  expect(await badRowsOf(owner, imported)).toEqual([`${MOVED_IN + 2} offering UNKNOWN_OFFERING`]);
  expect(imported).toMatchObject({ status: 'completed', imported: MOVED_IN, failed: 1 });

  // Every figure again: in the lists, and explained by the histories.
  const { items: now } = await owner.call('offerings.list');
  expect(Object.fromEntries(now.map(({ name, sold }) => [name, sold]))).toEqual({
    ...{ 'Five of each': 1, 'Yoga without end': 1, 'Ten massages': 1 + MOVED_IN / 2, 'Massages at 70': 1 + MOVED_IN / 2 },
  });
  const { items: left } = await owner.call('packages.list', { query: { remainingAtMost: 0, limit: 200 } });
  expect(left).toHaveLength(MOVED_IN / 5);
  await service.history(); // all that follows has followed
  expect(await unexplained(owner)).toEqual([]);
  expect(await misreported(owner)).toEqual([]);
  expect(await unexplainedCells(owner, 'sales', { query: '&channel=staff' })).toEqual([]);
  expect(await unexplainedCells(owner, 'usage', { query: `&packageId=${assigned.packageId}` })).toEqual([]);
});
