import { hash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import pg from 'pg';
import { salesReport } from '../../apps/api/reports/sales.report.js';
import { usageReport } from '../../apps/api/reports/usage.report.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import type { AnyRow, Projection, RowOf } from '../../libs/projection-engine/define-projection.js';
import type { Place } from '../../libs/projection-engine/paging.js';
import { migrate } from '../../libs/projection-engine/schema.js';
import { openSources } from '../../libs/projection-engine/sources.js';
import { quoted, tableName, VALID_FROM } from '../../libs/projection-engine/sql-names.js';
import type { Here, Report } from '../../libs/reporting/define-report.js';
import { Exports } from '../../libs/reporting/exports.js';
import { TooManyAtOnce } from '../../libs/reporting/places.js';
import { Reports, type CellRows, type ReportPage } from '../../libs/reporting/reports.js';
import { appointmentList } from '../../projections/appointment-list.projection.js';
import { directory } from '../../projections/directory.projection.js';
import { packageSales } from '../../projections/package-sales.projection.js';
import { packageUsage } from '../../projections/package-usage.projection.js';
import { createDatabase } from '../support/postgres.js';

// J2, J3, J5: rows of any kind, asked for in any way: pages, sub-totals, total and file say the same.

const idOf = (what: string, n: number): string => hash('md5', `${what} ${n}`, 'hex').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const FEW = 3; // clients, offerings, providers
const business = idOf('business', 0);
const here: Here = { business, today: '2027-02-01', timeZone: 'America/Toronto', currency: 'CAD' };

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
let reports: Reports;
let exports: Exports;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC -c synchronous_commit=off' });
  const projections = await allProjections();
  await migrate(pool, projections);
  const sources = openSources(pool, projections);
  reports = new Reports(pool, sources);
  exports = new Exports(database.url, { pool, sources, onError: () => undefined });
});
afterAll(async () => {
  await exports?.close();
  await pool?.end();
  await database?.drop();
});

const texts = fc.oneof(
  fc.constantFrom(
    '=1+1',
    '+1',
    '-1',
    '@now',
    "'quoted",
    'two\nlines',
    'two\r\nlines',
    '\ttab',
    '"',
    '',
    ',;',
    '＝1',
    'Zoé "Z", Roy',
    '\\N',
    '\\.',
  ),
  fc.string({ maxLength: 12, unit: 'grapheme' }).map((said) => said.replaceAll('\0', '')),
);
const few = fc.nat({ max: FEW - 1 });
const amount = fc.integer({ min: 0, max: 1_000_000 });
const day = fc.constantFrom('2026-12-31', '2027-01-01', '2027-01-31', '2027-02-01', '2027-03-14');
const instant = fc.constantFrom(
  '2026-12-31T23:30:00.000Z',
  '2027-02-01T04:59:59.999Z',
  '2027-02-01T05:00:00.000Z',
  '2027-03-14T07:00:00.000Z',
);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null });

const sale = fc.record({
  ...{
    client: few,
    offering: few,
    soldOn: day,
    offeringName: texts,
    number: maybe(texts),
    expiresOn: maybe(day),
    remaining: maybe(fc.nat(3)),
  },
  ...{ fee: amount, tax: amount, off: amount, paid: amount, refunded: fc.oneof(fc.constant(0), amount), cancelled: fc.boolean() },
  channel: fc.constantFrom('staff', 'online', 'import'),
});
type Sale = typeof sale extends fc.Arbitrary<infer T> ? T : never;

function salesRow({ client, offering, number, fee, tax, off, channel, ...said }: Sale, n: number): RowOf<typeof packageSales> {
  const [total, adjustments] = [fee + tax, 0 - off];
  return {
    ...{ ...said, packageId: idOf('package', n), invoiceId: idOf('invoice', n), invoiceNumber: number, currency: 'CAD', fee, tax, total },
    ...{ clientId: idOf('client', client), offeringId: idOf('offering', offering), channel: channel, left: [], adjustments },
    outstanding: total + adjustments - said.paid + said.refunded,
  };
}

const appointment = fc.record({ provider: few, start: instant, status: fc.constantFrom('booked', 'completed', 'cancelled', 'noShow') });
const WHAT = ['sold', 'consumed', 'moved', 'returned', 'forfeited', 'forfeitUndone', 'adjusted'] as const;
const use = fc.record({
  ...{ client: few, owner: few, offering: few, name: texts, service: texts, what: fc.constantFrom(...WHAT), remaining: maybe(fc.nat(9)) },
  ...{ effect: fc.integer({ min: -3, max: 3 }), appointment: fc.nat(4), at: instant, fee: amount },
});
type Use = typeof use extends fc.Arbitrary<infer T> ? T : never;

/** What comes back has been taken: each session once. */
function usageRows(
  { client, owner, offering, name, service, what, appointment: booked, fee, ...said }: Use,
  n: number,
): RowOf<typeof packageUsage>[] {
  const isOfSession = what !== 'sold' && what !== 'adjusted';
  const row: RowOf<typeof packageUsage> = {
    ...{ ...said, entryId: idOf(what, n), packageId: idOf('package', n % FEW), packageName: name, offeringId: idOf('offering', offering) },
    ...{
      ownerId: idOf('client', owner),
      clientId: idOf('client', client),
      serviceId: idOf('service', offering),
      serviceName: service,
      what,
    },
    ...{ position: BigInt(n), start: null, fee: what === 'consumed' ? { amount: fee, currency: 'CAD' } : null },
    ...{ appointmentId: isOfSession ? idOf('appointment', booked) : null, consumptionId: isOfSession ? idOf('session', n) : null },
  };
  if (!isOfSession || what === 'consumed') return [row];
  const taken = { ...row, entryId: idOf('consumed', n), what: 'consumed' as const, effect: -1, fee: { amount: fee, currency: 'CAD' } };
  return [taken, { ...row, position: BigInt(n + 1_000) }];
}

const bookedRow = (
  { provider, start, status }: { provider: number; start: string; status: string },
  n: number,
): RowOf<typeof appointmentList> => ({
  ...{ appointmentId: idOf('appointment', n), clientId: idOf('client', 0), serviceId: idOf('service', 0), serviceName: 'Massage' },
  ...{
    providerId: idOf('provider', provider),
    start,
    end: start,
    timeZone: here.timeZone,
    on: start.slice(0, 10),
    status: status as 'booked',
  },
  ...{ outcome: null, packageId: null, consumptionId: null, soldPackageIds: [], seriesId: null, invoiceId: idOf('invoice', 0) },
  ...{ externalReference: null, revision: 0n },
});

/** In the business, and a few of them in another too. */
async function put<Row extends object>(projection: Projection<Row>, rows: readonly Row[]): Promise<void> {
  const { columns, history } = projection as Projection;
  const names = ['business_id', ...Object.keys(columns).map(quoted), ...(history ? [VALID_FROM] : [])];
  const table = tableName(projection);
  await pool.query(`TRUNCATE ${table}`);
  for (const [whose, own] of [
    [business, rows],
    [idOf('business', 1), rows.slice(0, 2)],
  ] as const)
    for (const row of own as readonly AnyRow[]) {
      const values = Object.keys(columns).map((column) => (columns[column]!.readAs === 'json' ? JSON.stringify(row[column]) : row[column]));
      const all = [whose, ...values.map((value) => (value === 'null' ? null : value)), ...(history ? [0] : [])];
      await pool.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${all.map((_, n) => `$${n + 1}`).join(', ')})`, all);
    }
}

const names = fc.array(texts, { minLength: FEW, maxLength: FEW });
const world = fc.record({
  ...{
    clients: names,
    providers: names,
    sales: fc.array(sale, { maxLength: 12, size: 'max' }),
    usage: fc.array(use, { maxLength: 12, size: 'max' }),
  },
  appointments: fc.array(appointment, { minLength: 5, maxLength: 5 }),
});

async function make({
  clients,
  providers,
  sales,
  usage,
  appointments,
}: typeof world extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  const named = (kind: 'client' | 'provider', all: string[]) => all.slice(1).map((name, n) => ({ id: idOf(kind, n + 1), kind, name })); // one is not known yet
  await put(directory, [...named('client', clients), ...named('provider', providers)]);
  await put(packageSales, sales.map(salesRow));
  await put(appointmentList, appointments.slice(1).map(bookedRow));
  await put(packageUsage, usage.flatMap(usageRows));
}

interface Wanted {
  query: object;
  limit: number;
  descending: boolean;
  n: number; // which sorting
}
const wanted = <Query extends object>(query: fc.Arbitrary<Query>) =>
  fc.record({ query, limit: fc.integer({ min: 1, max: 7 }), descending: fc.boolean(), n: fc.nat() });
/** Two filters at most: more leave no rows. */
const filtered = (by: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc
    .tuple(fc.record(by), fc.subarray(Object.keys(by), { maxLength: 2 }))
    .map(([query, names]) => Object.fromEntries(names.map((name) => [name, query[name]])));
const id = (what: string) => few.map((n) => idOf(what, n));
const ofSales = filtered({
  ...{ soldFrom: day, soldUntil: day, clientId: id('client'), offeringId: id('offering'), owing: fc.boolean(), expiringUntil: day },
  ...{ status: fc.constantFrom('refunded', 'cancelled', 'expired', 'usedUp', 'active'), channel: fc.constantFrom('staff', 'import') },
});
const ofUsage = filtered({
  ...{
    dateFrom: day,
    dateUntil: day,
    clientId: id('client'),
    ownerId: id('client'),
    offeringId: id('offering'),
    packageId: id('package'),
  },
  ...{ serviceId: id('service'), providerId: id('provider'), what: fc.constantFrom(...WHAT) },
  appointmentStatus: fc.constantFrom('booked', 'completed', 'cancelled', 'noShow'),
});

type Row = ReportPage['items'][number];
type Figures = Record<string, number>;

async function pagesOf(report: Report<object>, { query, limit, descending }: Wanted, sort: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page: ReportPage = await reports.page(report, { here, query }, { sort, descending, limit, cursor });
    rows.push(...page.items);
    cursor = page.next;
  }
  return rows;
}

async function totalsOf(
  report: Report<object>,
  { query, limit, descending }: Wanted,
  by: string,
): Promise<[groups: Figures[], total: Figures]> {
  const groups: Figures[] = [];
  let total: Figures = {};
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page: Awaited<ReturnType<Reports['totals']>> = await reports.totals(report, { here, query }, { by, descending, limit, cursor });
    groups.push(...page.groups);
    ({ total, next: cursor } = page);
  }
  return [groups, total];
}

/** The rows that make up a figure of one group, and of all, come to it, in pages. */
async function cellsAgree(report: Report<object>, { query, limit, n }: Wanted, by: string): Promise<void> {
  const those = { here, query };
  const { groups, total } = await reports.totals(report, those, { by, limit: 200 });
  const figure = Object.keys(total)[n % Object.keys(total).length]!;
  const some = groups.length === 0 ? [] : [groups[n % groups.length]!];
  for (const { group, value } of [
    { group: undefined, value: total[figure] },
    ...some.map((one) => ({ group: { by, key: one.key }, value: one[figure] })),
  ]) {
    let sum = 0;
    for (let [after, more]: [Place | undefined, boolean] = [undefined, true]; more;) {
      const cell = { figure, group, until: 10_000n, columns: ['packageId'] };
      const page: CellRows = await reports.cell(report, those, cell, { after, limit }, (rows) => Promise.resolve(rows));
      expect(page.rows.map((row) => row.sum)).toEqual(page.rows.map(({ adds }) => (sum += adds)));
      expect(page.value).toBe(value);
      [after, more] = [page.rows.at(-1)?.place, page.more];
    }
    expect(sum).toBe(value);
  }
}

it('J2: explaining a cell takes a turn of the business until its page is made, and is told when its time is over', async () => {
  const sources = openSources(pool, await allProjections());
  const others = new pg.Pool(pool.options); // statements are prepared for one `Reports` in each session
  const some = new Reports(others, sources, { turn: 50 });
  const those = { here: { ...here, business: idOf('business', 1) }, query: {} };
  const cell = { figure: 'packages', group: undefined, until: 1n, columns: ['packageId'] };
  const from = { after: undefined, limit: 1 };
  const making = new EventEmitter().setMaxListeners(5);
  const begun = Array.from({ length: 4 }, (_, n) => once(making, `begun ${n}`));
  const cells = begun.map((_, n) =>
    some.cell(salesReport, those, cell, from, async (_rows, isOver) => {
      making.emit(`begun ${n}`);
      await once(making, 'end');
      return isOver();
    }),
  );
  await Promise.all(begun);
  const totals = () => some.totals(salesReport, those, { by: 'month', limit: 1 });
  await expect(totals()).rejects.toThrow(TooManyAtOnce);
  making.emit('end');
  expect(await Promise.all(cells)).toEqual([false, false, false, false]);
  expect(await totals()).toMatchObject({ groups: [], next: null });
  const hasty = new Reports(others, sources, { cell: 0 });
  expect(await hasty.cell(salesReport, those, cell, from, (_rows, isOver) => Promise.resolve(isOver()))).toBe(true);
  await others.end();
});

const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;
const MINOR = 100;

/** What a file has of a value. */
function cellOf(report: Report<object>, name: string, value: string | number | null): string {
  const { is } = report.columns[name]!;
  if (value === null) return '';
  if (is === 'amount') return (Number(value) / MINOR).toFixed(2);
  return is === 'text' && FORMULA.test(String(value)) ? `'${value}` : String(value);
}

async function agrees(report: Report<object>, asked: Wanted, added: (row: Row) => Figures): Promise<void> {
  const sorts = Object.keys(report.sortings);
  const sort = sorts[asked.n % sorts.length]!;
  const rows = await pagesOf(report, asked, sort);
  const sums = rows.map(added);
  const figures = Object.keys(added({}));
  const sumOf = (all: readonly Figures[]) =>
    Object.fromEntries(figures.map((figure) => [figure, all.reduce((sum, one) => sum + one[figure]!, 0)]));
  const only = (total: Figures) => Object.fromEntries(figures.map((figure) => [figure, total[figure]]));
  for (const by of Object.keys(report.groups)) {
    const [groups, total] = await totalsOf(report, asked, by);
    expect(only(total)).toEqual(sumOf(sums));
    expect(sumOf(groups)).toEqual(only(total));
  }
  const groupings = Object.keys(report.groups);
  await cellsAgree(report, asked, groupings[asked.n % groupings.length]!);
  const columns = Object.keys(report.columns);
  const statementOf = reports.allRows(report, { here, query: asked.query }, { sort, descending: asked.descending });
  const file: Readable = await exports.csv(statementOf, { business, columns, bom: false });
  const [header, ...lines] = parse(await text(file), { record_delimiter: '\r\n' });
  expect(header).toEqual(columns);
  expect(lines).toEqual(rows.map((row) => columns.map((name) => cellOf(report, name, row[name] ?? null))));
}

const number = (value: string | number | null | undefined): number => Number(value ?? 0);
const ofSale = ({ fee, tax, total, adjustments, paid, refunded, outstanding }: Row): Figures => ({
  packages: 1,
  ...Object.fromEntries(
    Object.entries({ fee, tax, total, adjustments, paid, refunded, outstanding }).map(([name, of]) => [name, number(of)]),
  ),
});
const ofUse = ({ effect, fee, what }: Row): Figures => ({
  ...{ entries: 1, effect: number(effect), fee: number(fee), taken: Number(what === 'consumed'), returned: Number(what === 'returned') },
});

it('J2, J3, J5: for any rows and filters, pages, sub-totals, the total, the rows of each figure and the file say the same', () =>
  fc.assert(
    fc.asyncProperty(
      world,
      fc.array(wanted(ofSales), { minLength: 2, maxLength: 2 }),
      fc.array(wanted(ofUsage), { minLength: 2, maxLength: 2 }),
      async (rows, sales, usage) => {
        await make(rows);
        for (const asked of sales) await agrees(salesReport, asked, ofSale);
        for (const asked of usage) await agrees(usageReport, asked, ofUse);
      },
    ),
    { numRuns: process.env.SOAK ? 300 : 8 },
  ));
