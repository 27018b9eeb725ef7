import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { tableName } from '../../libs/projection-engine/sql-names.js';
import { packageSales } from '../../projections/package-sales.projection.js';
import type { Caller } from '../support/caller.js';
import { type Clinic, openClinic, type Page, type Sold } from '../support/clinic.js';
import { carryOut, deedsOf } from '../support/deeds.js';
import { badRowsOf, csvOf, importOf } from '../support/moving-in.js';
import { unexplainedCells } from '../support/reports.js';
import { type Service, startService } from '../support/service.js';

interface Sale extends Record<string, string | number | null> {
  packageId: string;
  clientId: string;
  clientName: string;
  offeringId: string;
  offeringName: string;
  soldOn: string;
  status: string;
}
interface Explanation {
  value: number;
  currency: string | null;
  items: { packageId: string; invoiceId: string; stream: string; type: string; reason: string | null; adds: number; sum: number }[];
  sum: number;
  holds: boolean;
  differing: object[];
  next: string | null;
  asOf?: { position: string };
}
type Figures = Record<(typeof FIGURES)[number], number>;
interface Totals {
  currency: string;
  groups: ({ key: string; name: string; packages: number } & Figures)[];
  total: { packages: number } & Figures;
  next: string | null;
}

const FIGURES = ['fee', 'tax', 'total', 'adjustments', 'paid', 'refunded', 'outstanding'] as const;
const SORTS = ['soldOn', 'invoiceNumber', 'client', 'offering', 'status', 'expiresOn', ...FIGURES];
const GROUPS = ['day', 'month', 'client', 'offering', 'status'];
const ALL = 34_493; // 300.00 with 5 % and 9.975 %

let service: Service;
let clinic: Clinic;
let owner: Caller;
const sold = {} as Record<'refunded' | 'partly' | 'cancelled' | 'expired' | 'usedUp' | 'active' | 'unpaid' | 'each', Sold>;

beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
  ({ owner } = clinic);
  await makeBusiness();
});
afterAll(() => service?.stop());

const inFull = () => ({ payment: { amount: clinic.money(ALL), method: 'cash' } });
const end = (packageId: string) => owner.post(`/v1/packages/${packageId}/cancel`, {});
const giveBack = (packageId: string, amount: number, outcome = 'outstandingBalance') =>
  owner.post(`/v1/packages/${packageId}/refunds`, { amount: clinic.money(amount), method: 'cash', outcome });

/** One of each kind of status, owing and paid; one client whose name a spreadsheet would calculate. */
async function makeBusiness(): Promise<void> {
  const offeringId = await clinic.offering();
  const sell = async (name: string, more: object = inFull()): Promise<Sold> =>
    owner.post<Sold>('/v1/packages', { offeringId, clientId: await clinic.client(name), ...more });
  sold.refunded = await sell('Ada "the first", Byron');
  sold.partly = await sell('=HYPERLINK("http://evil","Ben")');
  sold.cancelled = await sell('-1+1');
  sold.expired = await sell('Ewa');
  sold.usedUp = await sell('Fay');
  sold.active = await sell('Gus', { payment: { amount: clinic.money(10_000), method: 'cash' } });
  sold.unpaid = await owner.post<Sold>('/v1/packages', { offeringId, clientId: sold.active.clientId });
  sold.each = await clinic.sell(clinic.eachAppointment());
  for (const { packageId } of [sold.refunded, sold.partly, sold.cancelled]) await end(packageId);
  await giveBack(sold.refunded.packageId, ALL);
  await giveBack(sold.partly.packageId, 5_000, 'noOutstandingBalance');
  await owner.put(`/v1/packages/${sold.expired.packageId}/expiry`, { expiresOn: clinic.day(-1) });
  await owner.put(`/v1/packages/${sold.usedUp.packageId}/services/${clinic.has.massage}/remaining`, { remaining: 0 });
  await service.history(); // numbers too
}

/** All pages of so many each. */
async function rowsOf(query: string, limit = 200): Promise<Sale[]> {
  const rows: Sale[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<Sale> = await owner.get(`/v1/reports/sales?limit=${limit}${query}${cursor && `&cursor=${cursor}`}`);
    rows.push(...page.items);
    cursor = page.next;
  }
  return rows;
}

const totalsOf = (query: string): Promise<Totals> => owner.get<Totals>(`/v1/reports/sales/totals?limit=200&${query}`);

async function fileOf(query: string): Promise<string> {
  const { body, headers } = await owner.send<string>('GET', `/v1/reports/sales.csv?${query}`);
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
  return body;
}

const statusOf = async ({ packageId }: Sold): Promise<string> => (await rowsOf('')).find((row) => row.packageId === packageId)!.status;
const sumsOf = (rows: readonly Sale[]): Figures =>
  Object.fromEntries(FIGURES.map((figure) => [figure, rows.reduce((sum, row) => sum + Number(row[figure]), 0)])) as Figures;

it('J2: a row per package sold, which adds up', async () => {
  const rows = await rowsOf('');
  expect(rows).toHaveLength(8);
  for (const row of rows) {
    const [total, adjustments, paid, refunded] = ['total', 'adjustments', 'paid', 'refunded'].map((figure) => Number(row[figure]));
    expect(total! + adjustments! - paid! + refunded!).toBe(row.outstanding);
    const invoice = await owner.get<Record<string, unknown>>(`/v1/invoices/${row.invoiceId}`);
    expect(row).toMatchObject({
      ...{ invoiceNumber: invoice.number, fee: invoice.net, tax: invoice.tax, total: invoice.total, adjustments: invoice.adjustments },
      ...{ paid: invoice.paid, refunded: invoice.refunded, outstanding: invoice.balance },
    });
  }
  expect(rows.find(({ packageId }) => packageId === sold.active.packageId)).toMatchObject({
    ...{ soldOn: clinic.day(0), clientName: 'Gus', offeringName: 'Five massages', channel: 'staff', status: 'active', remaining: 5 },
    ...{ fee: 30_000, tax: 4_493, total: ALL, adjustments: 0, paid: 10_000, refunded: 0, outstanding: 24_493, currency: 'CAD' },
  });
  expect(rows.find(({ packageId }) => packageId === sold.each.packageId)).toMatchObject({ fee: 0, total: 0, outstanding: 0 });
});

it('J2: status, the first that fits', async () => {
  for (const status of ['cancelled', 'expired', 'usedUp', 'active', 'refunded'] as const) expect(await statusOf(sold[status])).toBe(status);
  expect(await statusOf(sold.partly)).toBe('refunded');
  const filtered = await rowsOf('&status=refunded');
  expect(filtered.map(({ packageId }) => packageId).toSorted()).toEqual([sold.refunded.packageId, sold.partly.packageId].toSorted());
});

it('J2: status changes at local midnight without an event', async () => {
  const abroad = await openClinic(service, { timeZone: 'Pacific/Auckland' });
  const { packageId } = await abroad.sell({ expiryRule: { kind: 'onDate', date: '2031-03-31' } }); // 13 hours ahead of UTC
  let now = '2031-03-31T10:59:59.999Z';
  const api = await service.apiWith(() => now);
  try {
    const authorization = `Bearer ${await abroad.business.token('owner')}`;
    const ask = async <Body>(query: string): Promise<Body> => {
      const headers = { authorization, 'punchcard-min-position': String(abroad.business.seen.position) };
      return (await (await fetch(`${api.url}/v1/reports/sales${query}`, { headers })).json()) as Body;
    };
    const before = await service.lastPosition();
    expect((await ask<Page<Sale>>('')).items).toMatchObject([{ packageId, status: 'active' }]);
    expect((await ask<Totals>('/totals?by=status')).groups).toMatchObject([{ key: 'active', packages: 1 }]);
    now = '2031-03-31T11:00:00.000Z';
    expect((await ask<Page<Sale>>('')).items).toMatchObject([{ packageId, status: 'expired' }]);
    expect((await ask<Page<Sale>>('?status=active')).items).toEqual([]);
    expect((await ask<Totals>('/totals?by=status')).groups).toMatchObject([{ key: 'expired', packages: 1 }]);
    expect(await service.lastPosition()).toBe(before);
  } finally {
    await api.close();
  }
});

it('J2, K2: as of the past, with the names, the status and the day of then', async () => {
  const other = await openClinic(service);
  const { packageId, clientId, invoiceId } = await other.sell();
  const { position } = await other.owner.patch<{ position: string }>(`/v1/clients/${clientId}`, { name: 'Anna Roy' });
  const [rows, totals] = ['sales?', 'sales/totals?by=status&'].map((path) => `/v1/reports/${path}asOf=${position}`);
  const then = [await other.owner.get(rows!), await other.owner.get(totals!)];
  const { body: file } = await other.owner.send('GET', `/v1/reports/sales.csv?asOf=${position}`);
  expect(then).toMatchObject([
    { items: [{ clientName: 'Anna Roy', status: 'active', paid: 0 }] },
    { groups: [{ key: 'active', paid: 0 }] },
  ]);

  await other.owner.patch(`/v1/clients/${clientId}`, { name: 'Anna Tremblay-Roy' });
  await other.owner.post(`/v1/invoices/${invoiceId}/payments`, { amount: other.money(100), method: 'cash' });
  await other.owner.post(`/v1/packages/${packageId}/cancel`, {});
  await service.history();
  expect((await other.owner.get<Page<Sale>>('/v1/reports/sales')).items).toMatchObject([
    { clientName: 'Anna Tremblay-Roy', status: 'cancelled', paid: 100 },
  ]);
  expect([await other.owner.get(rows!), await other.owner.get(totals!)]).toEqual(then);
  expect((await other.owner.send('GET', `/v1/reports/sales.csv?asOf=${position}`)).body).toEqual(file);
});

it('J2: filters', async () => {
  const ids = async (query: string) => (await rowsOf(query)).map(({ packageId }) => packageId).toSorted();
  const those = (...of: Sold[]) => of.map(({ packageId }) => packageId).toSorted();
  expect(await ids(`&clientId=${sold.active.clientId}`)).toEqual(those(sold.active, sold.unpaid));
  expect(await ids(`&offeringId=${sold.each.offeringId}`)).toEqual(those(sold.each));
  expect(await ids(`&soldFrom=${clinic.day(1)}`)).toEqual([]);
  expect(await ids(`&soldFrom=${clinic.day(0)}&soldUntil=${clinic.day(0)}`)).toHaveLength(8);
  expect(await ids(`&soldUntil=${clinic.day(-1)}`)).toEqual([]);
  expect(await ids('&owing=true')).toEqual(those(sold.active, sold.unpaid, sold.refunded));
  expect(await ids('&owing=false&status=active')).toEqual(those(sold.each));
  expect(await ids(`&expiringUntil=${clinic.day(30)}`)).toEqual(those(sold.expired));
  expect(await ids('&channel=online')).toEqual([]);
});

it.each(SORTS)('J2, L5: sorted by %s both ways, in pages that leave nothing out', async (sort) => {
  const up = await rowsOf(`&sort=${sort}`, 3);
  const down = await rowsOf(`&sort=${sort}&descending=true`, 3);
  expect(new Set(up.map(({ packageId }) => packageId)).size).toBe(8);
  const column = { client: 'clientName', offering: 'offeringName' }[sort] ?? sort;
  const valuesOf = (rows: Sale[]) => rows.map((row) => row[column]).filter((value) => value !== null);
  expect(valuesOf(down)).toEqual(valuesOf(up).toReversed());
  if (FIGURES.some((figure) => figure === sort)) expect(valuesOf(up)).toEqual(valuesOf(up).toSorted((a, b) => Number(a) - Number(b)));
  expect(up.findIndex((row) => row[column] === null)).toBe(valuesOf(up).length === 8 ? -1 : valuesOf(up).length); // nulls last
});

it.each(GROUPS)('J2: sub-totals by %s, and the grand total, are the sums of the rows', async (by) => {
  const rows = await rowsOf('');
  const { groups, total, currency } = await totalsOf(`by=${by}`);
  const keyOf = (row: Sale) =>
    ({ day: row.soldOn, month: row.soldOn.slice(0, 7), client: row.clientId, offering: row.offeringId })[by] ?? row.status;
  expect(currency).toBe('CAD');
  expect(total).toEqual({ packages: 8, ...sumsOf(rows) });
  expect(new Set(groups.map(({ key }) => key))).toEqual(new Set(rows.map(keyOf)));
  for (const { key, name, packages, ...figures } of groups) {
    const own = rows.filter((row) => keyOf(row) === key);
    expect({ packages, ...figures }).toEqual({ packages: own.length, ...sumsOf(own) });
    expect(name).toBe({ client: own[0]!.clientName, offering: own[0]!.offeringName }[by] ?? key);
  }
});

it('J2, L5: sub-totals come in pages, each with the total of all', async () => {
  const keys: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Totals = await owner.get(`/v1/reports/sales/totals?by=client&limit=2${cursor && `&cursor=${cursor}`}`);
    expect(page.total.packages).toBe(8);
    keys.push(...page.groups.map(({ name }) => name));
    cursor = page.next;
  }
  expect(keys).toHaveLength(7);
  expect((await totalsOf('by=client&descending=true')).groups.map(({ name }) => name)).toEqual(keys.toReversed());
  const { next } = await owner.get<Totals>('/v1/reports/sales/totals?by=client&limit=2');
  await owner.refused(400, 'GET', `/v1/reports/sales/totals?by=day&cursor=${next}`);
  await owner.refused(400, 'GET', `/v1/reports/sales?cursor=${next}`);
});

describe('why a cell is what it is', () => {
  const explained = (query: string, reader = owner): Promise<Explanation> =>
    reader.get<Explanation>(`/v1/reports/sales/explanation?${query}`);
  const steps = ({ items }: Pick<Explanation, 'items'>): [string, number, number][] =>
    items.map(({ type, adds, sum }) => [type, adds, sum]);

  it('J2, J5, K1: every sub-total and the grand total is what its events add up to, over all pages', async () => {
    expect(await unexplainedCells(owner, 'sales', { every: Boolean(process.env.SOAK) })).toEqual([]);
    expect(await unexplainedCells(owner, 'sales', { limit: 1, query: `&clientId=${sold.active.clientId}` })).toEqual([]);
  });

  it('J2, K1: the events of a cell, package by package, each with what it adds', async () => {
    const ofGus = `by=client&key=${sold.active.clientId}`;
    const owing = await explained(`figure=outstanding&${ofGus}`, await clinic.as('auditor'));
    expect(owing).toMatchObject({
      ...{ figure: 'outstanding', by: 'client', key: sold.active.clientId, value: ALL + 24_493, currency: 'CAD' },
      ...{ sum: ALL + 24_493, holds: true, differing: [], next: null },
    });
    expect(owing).not.toHaveProperty('asOf');
    const ofActive = owing.items.filter(({ packageId }) => packageId === sold.active.packageId);
    expect(ofActive.map(({ type, adds, stream }) => [type, adds, stream])).toEqual([
      ['InvoiceIssued', ALL, `invoice-${sold.active.invoiceId}`],
      ['PaymentReceived', -10_000, `invoice-${sold.active.invoiceId}`],
    ]);
    expect(steps(owing).at(-1)![2]).toBe(owing.value);
    const count = await explained(`figure=packages&${ofGus}`);
    expect(count).toMatchObject({ value: 2, currency: null });
    expect(steps(count)).toEqual([
      ['PackageSold', 1, 1],
      ['PackageSold', 1, 2],
    ]);
    const refunded = await explained('figure=adjustments&status=refunded');
    expect(steps(refunded)).toEqual([['InvoiceRefunded', -5_000, -5_000]]);
    expect(refunded.items[0]).toMatchObject({ packageId: sold.partly.packageId, invoiceId: sold.partly.invoiceId });
    expect(await explained(`figure=paid&soldFrom=${clinic.day(1)}`)).toMatchObject({
      value: 0,
      sum: 0,
      items: [],
      holds: true,
      next: null,
    });
  });

  it('J2, J3, J5, K1: whatever was done, every sub-total and total is what its events add up to', () =>
    fc.assert(
      fc.asyncProperty(deedsOf(25), fc.integer({ min: 1, max: 4 }), async (deeds, limit) => {
        const other = await openClinic(service);
        await carryOut(other, deeds);
        await service.history();
        for (const report of ['sales', 'usage'] as const) expect(await unexplainedCells(other.owner, report, { limit })).toEqual([]);
      }),
      { numRuns: process.env.SOAK ? 20 : 1, endOnFailure: true },
    ));

  it('L5, K2: pages stay what they were begun as, whatever happens meanwhile', async () => {
    const other = await openClinic(service);
    const pay = ({ invoiceId }: Sold) =>
      other.owner.post<{ position: string }>(`/v1/invoices/${invoiceId}/payments`, { amount: other.money(1_000), method: 'cash' });
    const [first, second] = [await other.sell(), await other.sell()];
    await pay(first);
    const { position } = await pay(second);
    const owing = { value: 2 * (ALL - 1_000), holds: true };
    const begun = await explained('figure=outstanding&limit=1', other.owner);
    expect(begun).toMatchObject({ ...owing, sum: ALL });
    await pay(second);
    await other.sell();
    const seen = [...begun.items];
    for (let { next } = begun; next !== null;) {
      const page = await explained(`figure=outstanding&limit=1&cursor=${next}`, other.owner);
      expect(page).toMatchObject(owing);
      seen.push(...page.items);
      next = page.next;
    }
    expect(steps({ items: seen })).toEqual([
      ...[
        ['InvoiceIssued', ALL, ALL],
        ['PaymentReceived', -1_000, ALL - 1_000],
      ],
      ...[
        ['InvoiceIssued', ALL, 2 * ALL - 1_000],
        ['PaymentReceived', -1_000, 2 * ALL - 2_000],
      ],
    ]);
    expect(await explained('figure=outstanding', other.owner)).toMatchObject({ value: 3 * ALL - 3_000, sum: 3 * ALL - 3_000, holds: true });
    const then = await explained(`figure=outstanding&asOf=${position}`, other.owner);
    expect(then).toMatchObject({ ...owing, sum: owing.value, asOf: { position } });
    expect(steps(then)).toEqual(steps({ items: seen }));
  });

  it('J5, K3: a row that was changed behind our back is named, also if it adds nothing any more', async () => {
    const other = await openClinic(service);
    const { packageId, invoiceId } = await other.sell({}, { payment: { amount: other.money(1_000), method: 'cash' } });
    await other.sell();
    await service.history();
    for (const paid of [0, 1_500]) {
      const changed = await service.pool.query(`UPDATE ${tableName(packageSales)} SET paid = $1 WHERE package_id = $2`, [paid, packageId]);
      expect(changed.rowCount).toBe(1);
      expect(await explained('figure=paid', other.owner)).toMatchObject({
        ...{ value: paid, sum: 1_000, holds: false, items: [{ type: 'PaymentReceived', adds: 1_000 }] },
        differing: [{ packageId, invoiceId, reported: paid, explained: 1_000 }],
      });
    }
    expect(await explained('figure=total', other.owner)).toMatchObject({ holds: true, differing: [] });
    const pages = [await explained('figure=outstanding&status=active&limit=2', other.owner)];
    for (let [page] = pages; page!.next !== null; pages.push(page))
      page = await explained(`figure=outstanding&status=active&limit=2&cursor=${page!.next}`, other.owner);
    expect(pages.map(({ holds, differing }) => [holds, differing.length])).toEqual(
      pages.map(({ items }) => (items.some((item) => item.type === 'PaymentReceived') ? [false, 1] : [true, 0])),
    );
    expect(pages.flatMap(({ differing }) => differing)).toMatchObject([{ packageId, reported: ALL - 1_000, columns: ['paid'] }]);
  });

  it('J2, K3: a row that is counted where its events do not put it is named, with what is not as they say', async () => {
    const other = await openClinic(service);
    const { packageId } = await other.sell();
    await service.history();
    const wrong = [`sold_on = sold_on - 40`, `cancelled = true, client_id = '${packageId}'`];
    for (const change of wrong)
      await service.pool.query(`UPDATE ${tableName(packageSales)} SET ${change} WHERE package_id = $1`, [packageId]);
    const row = { packageId, reported: 1, explained: 1 };
    expect(await explained('figure=packages', other.owner)).toMatchObject({
      ...{ value: 1, sum: 1, holds: false, differing: [{ ...row, columns: ['soldOn', 'clientId'] }] },
    });
    const ofStatus = await explained('figure=packages&by=status&key=cancelled', other.owner);
    expect(ofStatus).toMatchObject({ holds: false, differing: [{ ...row, columns: ['soldOn', 'clientId', 'status'] }] });
  });

  it('J2, L5: pages that go on after midnight, or when the clocks of the business were set anew, are of the day on which they were begun', async () => {
    const abroad = await openClinic(service, { timeZone: 'Pacific/Auckland' });
    const expiring = { expiryRule: { kind: 'onDate', date: '2031-03-31' } } as const;
    for (const said of [expiring, expiring]) await abroad.sell(said);
    let now = '2031-03-31T10:59:59.999Z';
    const api = await service.apiWith(() => now);
    try {
      const authorization = `Bearer ${await abroad.business.token('owner')}`;
      const ask = async (query: string): Promise<Explanation> => {
        const headers = { authorization, 'punchcard-min-position': String(abroad.business.seen.position) };
        const path = '/v1/reports/sales/explanation?figure=packages&by=status&key=active&limit=1';
        return (await (await fetch(api.url + path + query, { headers })).json()) as Explanation;
      };
      const begun = await ask('');
      expect(begun).toMatchObject({ value: 2, sum: 1, holds: true });
      now = '2031-03-31T11:00:00.000Z';
      await abroad.owner.patch('/v1/settings', { timeZone: 'Pacific/Kiritimati' });
      expect(await ask(`&cursor=${begun.next}`)).toMatchObject({ value: 2, sum: 2, holds: true, differing: [], next: null });
      expect(await ask('')).toMatchObject({ value: 0, items: [] });
    } finally {
      await api.close();
    }
  });

  it('K2: of a time before the first event there is nothing, and no position', async () => {
    const none = { value: 0, sum: 0, items: [], holds: true, position: null, next: null };
    expect(await explained('figure=total&asOf=2001-01-01T00:00:00Z')).toMatchObject(none);
  });

  it('A2, A3, L1: who may not see the report, and what is not asked rightly', async () => {
    const path = '/v1/reports/sales/explanation';
    await (await clinic.as('receptionist')).refused(403, 'GET', `${path}?figure=paid`);
    for (const [query, fields] of [
      ['', { '/figure': 'REQUIRED' }],
      ['?figure=luck&by=mood&soldFrom=x', { '/figure': 'NOT_ONE_OF', '/by': 'NOT_ONE_OF', '/soldFrom': 'NOT_A_DATE' }],
      ['?figure=paid&by=day', { '/key': 'REQUIRED' }],
      ['?figure=paid&key=active', { '/by': 'REQUIRED' }],
      ['?figure=paid&by=month&key=2027-13', { '/key': 'NOT_A_GROUP' }],
      ['?figure=paid&by=client&key=Gus', { '/key': 'NOT_A_GROUP' }],
      ['?figure=paid&by=status&key=lost', { '/key': 'NOT_A_GROUP' }],
      ['?figure=paid&by=package&key=1', { '/key': 'NOT_A_GROUP' }],
    ] as const) {
      const { errors } = await owner.refused(400, 'GET', path + query);
      expect(Object.fromEntries(errors!.map(({ field, code }) => [field, code]))).toEqual(fields);
    }
    const { next } = await explained('figure=total&limit=1');
    const madeUp =
      next!.slice(0, 16) +
      Buffer.from(JSON.stringify(['5', '2027-01-31', 'America/Toronto', 0, 0, 0, 'x', sold.each.packageId])).toString('base64url');
    for (const query of [`figure=paid&cursor=${next}`, `figure=total&channel=staff&cursor=${next}`, `figure=total&cursor=${madeUp}`])
      expect(await owner.refused(400, 'GET', `${path}?${query}`)).toMatchObject({ errors: [{ field: '/cursor', code: 'NOT_A_CURSOR' }] });
    const stranger = (await openClinic(service)).owner;
    expect(await explained(`figure=paid&clientId=${sold.active.clientId}`, stranger)).toMatchObject({ value: 0, items: [] });
  });
});

it('J2: as a file it has the same rows, in decimals', async () => {
  const rows = await rowsOf('&sort=total&descending=true');
  const lines = parse<Record<string, string>>(await fileOf('sort=total&descending=true'), { columns: true, record_delimiter: '\r\n' });
  expect(lines.map(({ packageId, total, adjustments, soldOn, remaining }) => [packageId, total, adjustments, soldOn, remaining])).toEqual(
    rows.map(({ packageId, total, adjustments, soldOn, remaining }) => [
      ...[packageId, (Number(total) / 100).toFixed(2), (Number(adjustments) / 100).toFixed(2), soldOn, String(remaining)],
    ]),
  );
  expect(Object.keys(lines[0]!)).toEqual(Object.keys(rows[0]!));
});

it('J2: no cell of a file is a formula; quotes are doubled; a byte order mark when asked', async () => {
  const file = await fileOf('sort=client');
  const [header, ...lines] = file.split('\r\n');
  expect(header).toMatch(/^soldOn,invoiceId,invoiceNumber,packageId,clientId,clientName,/);
  expect(lines.pop()).toBe('');
  expect(file.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(file).toContain(`,"'=HYPERLINK(""http://evil"",""Ben"")",`);
  expect(file).toContain(`,'-1+1,`);
  expect(file).toContain(`,"Ada ""the first"", Byron",`);
  expect(file).toContain(',-50.00,'); // a number stays one
  const headers = { authorization: `Bearer ${await clinic.business.token('owner')}` };
  const bytes = Buffer.from(await (await fetch(`${service.urls[0]}/v1/reports/sales.csv?bom=true&sort=client`, { headers })).arrayBuffer());
  expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
  expect(bytes.subarray(3).toString()).toBe(file);
  expect(await fileOf(`soldFrom=${clinic.day(1)}`)).toBe(`${header}\r\n`);
});

it.each([
  ['JPY', 3_000, '3000'],
  ['KWD', 3_000, '3.000'],
])('J2, A4: amounts have the decimals of the currency: %s', async (currency, fee, shown) => {
  const abroad = await openClinic(service, { currency });
  await abroad.sell({ payment: { method: 'paidUpfront', fee: abroad.money(fee), taxIds: [] } });
  const { body } = await abroad.owner.send<string>('GET', '/v1/reports/sales.csv');
  expect(parse<Record<string, string>>(body, { columns: true })[0]).toMatchObject({ total: shown, outstanding: shown });
});

it('J2, L7: what was sold elsewhere and moved in is there, with nothing charged here', async () => {
  const other = await openClinic(service);
  await other.offering();
  const row = {
    offering: 'Five massages',
    client: 'old-1',
    clientName: 'Old',
    remaining: 2,
    soldOn: '2026-11-02',
    amountPaid: '400.00',
    reference: 'p1',
  };
  const imported = await importOf(other.owner, csvOf([row]), '?source=spreadsheet&createClients=true');
  expect(await badRowsOf(other.owner, imported)).toEqual([]);
  const { items } = await other.owner.get<Page<Sale>>('/v1/reports/sales?channel=import');
  expect(items).toMatchObject([
    { soldOn: '2026-11-02', clientName: 'Old', status: 'active', remaining: 2, total: 0, paid: 0, outstanding: 0 },
  ]);
  expect((await other.owner.get<Totals>('/v1/reports/sales/totals?by=month')).groups).toMatchObject([{ key: '2026-11', total: 0 }]);
});

it('A2, A3: owner, administrator and auditor, each of their own business', async () => {
  for (const role of ['owner', 'administrator', 'auditor'] as const) await (await clinic.as(role)).get('/v1/reports/sales');
  for (const role of ['receptionist', 'client'] as const)
    for (const path of ['', '/totals?by=day', '.csv']) await (await clinic.as(role)).refused(403, 'GET', `/v1/reports/sales${path}`);
  const other = await openClinic(service);
  expect((await other.owner.get<Page<Sale>>('/v1/reports/sales')).items).toEqual([]);
  expect((await other.owner.get<Page<Sale>>(`/v1/reports/sales?clientId=${sold.active.clientId}`)).items).toEqual([]);
  expect(await other.owner.get<Totals>('/v1/reports/sales/totals?by=client')).toMatchObject({
    groups: [],
    total: { packages: 0, total: 0 },
  });
});

it('J2: a report, or what explains it, that takes longer than its caller waits is given up, in Postgres too, and holds up nothing else', async () => {
  const api = await service.startApi({ REQUEST_TIMEOUT_MS: '10000' });
  const [client, url] = [await service.pool.connect(), api.ready as string];
  const headers = { authorization: `Bearer ${await clinic.business.token('owner')}` };
  const ask = (path: string) => fetch(`${url}/v1/reports/sales${path}`, { headers });
  const most = () => [ask('/explanation?figure=outstanding'), ...Array.from({ length: 5 }, () => ask('/totals?by=day')), ask('')];
  try {
    await Promise.all(most()); // connects
    const { rows } = await client.query<{ build: number }>(
      `SELECT build FROM read_models.live_builds WHERE projection = '${packageSales.name}'`,
    );
    const table = tableName({ ...packageSales, build: rows[0]!.build });
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const asked = most();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const answers = await Promise.all(asked.map(async (answer) => (await (await answer).json()) as { code: string; detail: string }));
    expect(answers[0]!.detail).not.toContain('.csv'); // a figure has none
    const codes = answers.map(({ code }) => code);
    expect(codes.toSorted()).toEqual([...Array<string>(5).fill('REPORT_TOO_LARGE'), 'TOO_BUSY', 'TOO_BUSY']);
    const waiting = await client.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%outstanding%'`,
    );
    expect(waiting.rowCount).toBe(0);
    await client.query('ROLLBACK');
    expect((await ask('/totals?by=day')).status).toBe(200);
  } finally {
    client.release(true);
    await api.stop();
  }
});

it('J2: what cannot be asked is refused, each field by name', async () => {
  const { errors } = await owner.refused(400, 'GET', '/v1/reports/sales?soldFrom=2027-02-30&status=gone&sort=colour&clientId=x&bom=true');
  expect(errors?.map(({ field }) => field).toSorted()).toEqual(['/bom', '/clientId', '/soldFrom', '/sort', '/status']);
  await owner.refused(400, 'GET', '/v1/reports/sales/totals');
  await owner.refused(400, 'GET', '/v1/reports/sales.csv?limit=5');
});
