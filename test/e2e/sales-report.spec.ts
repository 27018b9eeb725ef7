import { parse } from 'csv-parse/sync';
import { tableName } from '../../libs/projection-engine/sql-names.js';
import { packageSales } from '../../projections/package-sales.projection.js';
import type { Caller } from '../support/caller.js';
import { type Clinic, openClinic, type Page, type Sold } from '../support/clinic.js';
import { badRowsOf, csvOf, importOf } from '../support/moving-in.js';
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

it('J2: a report that takes longer than its caller waits is given up, in Postgres too, and holds up nothing else', async () => {
  const api = await service.startApi({ REQUEST_TIMEOUT_MS: '4000' });
  const [client, url] = [await service.pool.connect(), api.ready as string];
  const headers = { authorization: `Bearer ${await clinic.business.token('owner')}` };
  const ask = (path: string) => fetch(`${url}/v1/reports/sales${path}`, { headers });
  const most = () => [...Array.from({ length: 6 }, () => ask('/totals?by=day')), ask('')];
  try {
    await Promise.all(most()); // connects
    const { rows } = await client.query<{ build: number }>(
      `SELECT build FROM read_models.live_builds WHERE projection = '${packageSales.name}'`,
    );
    const table = tableName({ ...packageSales, build: rows[0]!.build });
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const asked = most();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const codes = await Promise.all(asked.map(async (answer) => ((await (await answer).json()) as { code: string }).code));
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
