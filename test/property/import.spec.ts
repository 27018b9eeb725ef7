import { Readable } from 'node:stream';
import fc from 'fast-check';
import { columnsOf } from '../../apps/api/imports/columns.js';
import { CsvFile } from '../../apps/api/imports/csv-file.js';
import { newClientId, placesOf, type Offered } from '../../apps/api/imports/places.js';
import { rowReader, saidBy } from '../../apps/api/imports/row.js';
import { importedIdOf } from '../../libs/domain/kernel/ids.js';
import { decimalOf, placesOf as decimalsOf } from '../../libs/domain/kernel/money.js';
import type { ExpiryRule } from '../../libs/domain/kernel/shapes.js';
import { importPackage } from '../../libs/domain/package/import.js';
import { packageAggregate, type PackageState, type SoldPackage } from '../../libs/domain/package/package.state.js';
import { saleOf } from '../../libs/domain/package/sale.js';
import { anna, ben, facial, idOf, massage } from '../../libs/domain/testing/example.js';

// L7: files as people and programs write them, good and bad rows in any order, against what each row was made to say.

const business = idOf('business');
const TODAY = '2027-01-31';
const dayBefore = (days: number): string => new Date(Date.parse(TODAY) - days * 86_400_000).toISOString().slice(0, 10);

const services = [
  { serviceId: massage, name: 'Massage', externalReference: null },
  { serviceId: facial, name: 'Facial', externalReference: 'F-1' },
];

interface Sold extends Offered {
  expiryRule: ExpiryRule;
}
const offering = (name: string, limits: Sold['services'], expiryRule: ExpiryRule = { kind: 'none' }): Sold => ({
  ...{ offeringId: idOf(name), name, externalReference: `ref-${name}`, deleted: false, services: limits, expiryRule },
});
const RULE_DAYS = 400;
const offerings = [
  offering('Ten massages', [{ serviceId: massage, limit: 10 }], { kind: 'after', from: 'purchase', amount: RULE_DAYS, unit: 'days' }),
  offering('Wellness', [
    { serviceId: massage, limit: 5 },
    { serviceId: facial, limit: 'unlimited' },
  ]),
];

/** Who is there, as a file may name them. */
const known = new Map([
  [anna, anna],
  ['c-ben', ben],
  ['ben@example.org', ben],
]);
const NAMES = ['Anna', 'Tremblay, Anna', 'Ben "the bear" Park', 'Zoé; Chloé', "  O'Hara "];
const isNew = (named: string): boolean => !known.has(named.toLowerCase());

/** What can be wrong with a row: what that makes of its cells, and what is then told; `named`: an earlier row has its client's name. */
const DEFECTS: Record<string, { cells: Record<string, string>; told: (row: Row, named: boolean) => string[] }> = {
  noReference: { cells: { reference: '' }, told: () => ['reference REQUIRED'] },
  longReference: { cells: { reference: 'x'.repeat(201) }, told: () => ['reference NOT_A_TEXT'] },
  noOffering: { cells: { offering: 'None such' }, told: () => ['offering UNKNOWN_OFFERING'] },
  noClient: { cells: { client: '' }, told: () => ['client REQUIRED'] },
  noName: { cells: { clientName: '' }, told: ({ client }, named) => (isNew(client) && !named ? ['clientName REQUIRED'] : []) },
  noDay: { cells: { soldOn: '2026-02-30' }, told: () => ['soldOn NOT_A_DATE'] },
  later: { cells: { soldOn: dayBefore(-1), expiresOn: dayBefore(-1) }, told: () => ['soldOn IN_THE_FUTURE'] },
  expiredBefore: { cells: { expiresOn: '1999-12-31' }, told: () => ['expiresOn BEFORE_SALE'] }, // by a row that says when it was sold
  currency: { cells: { currency: 'XTS' }, told: () => ['currency WRONG_CURRENCY'] },
  amount: { cells: { amountPaid: '1.0000' }, told: () => ['amountPaid NOT_AN_AMOUNT'] },
  none: { cells: { 'remaining:Massage': '' }, told: () => ['remaining:Massage REQUIRED'] },
  fraction: { cells: { 'remaining:Massage': '2.5' }, told: () => ['remaining:Massage NOT_AN_INTEGER'] },
  unlimited: { cells: { 'remaining:Massage': 'Unlimited' }, told: () => ['remaining:Massage NOT_UNLIMITED'] },
  ofAnother: {
    cells: { 'remaining:F-1': '3' },
    told: ({ offered }) => [`remaining:F-1 ${offered === offerings[1] ? 'UNLIMITED' : 'NOT_IN_OFFERING'}`],
  },
  more: { cells: { '': 'one too many' }, told: () => ['null TOO_MANY_CELLS'] },
};

/** Of two that concern one cell there is one. */
const oneACell = (defects: readonly string[]): string[] => {
  const cellOf = (defect: string) => Object.keys(DEFECTS[defect]!.cells)[0];
  return defects.filter((defect, n) => defects.findIndex((other) => cellOf(other) === cellOf(defect)) === n);
};

/** What cannot be seen beside something else that is wrong. */
const isHidden = (defect: string, all: readonly string[]): boolean =>
  all.includes(
    {
      none: 'noOffering',
      fraction: 'noOffering',
      unlimited: 'noOffering',
      ofAnother: 'noOffering',
      noName: 'noClient',
      expiredBefore: 'noDay',
    }[defect] ?? '',
  );

const rowArbitrary = fc.record({
  reference: fc.integer({ min: 1, max: 12 }).map((n) => `old-${n}`), // some are there twice
  offered: fc.constantFrom(...offerings),
  by: fc.constantFrom('offeringId' as const, 'name' as const, 'externalReference' as const),
  client: fc.constantFrom(anna, 'c-ben', 'Ben@Example.org', 'new@example.org', 'c-new'),
  clientName: fc.constantFrom(...NAMES, 'two\nlines'),
  left: fc.integer({ min: 0, max: 20 }),
  sold: fc.integer({ min: 0, max: 900 }), // days ago
  expires: fc.option(fc.integer({ min: 0, max: 900 })), // days after it was sold
  amount: fc.option(fc.integer({ min: 0, max: 1_000_000_000 })),
  saysMore: fc.boolean(), // what could be left out
  defects: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 2, arbitrary: fc.subarray(Object.keys(DEFECTS), { minLength: 1, maxLength: 4 }).map(oneACell) },
  ),
});
type Row = typeof rowArbitrary extends fc.Arbitrary<infer R> ? R : never;

const layoutArbitrary = fc.record({
  delimiter: fc.constantFrom(',', ';'),
  newline: fc.constantFrom('\n', '\r\n'),
  bom: fc.boolean(),
  quotesAll: fc.boolean(),
  endsOpen: fc.boolean(), // without a last line break
  order: fc.shuffledSubarray(
    [
      'reference',
      'offering',
      'client',
      'clientName',
      'soldOn',
      'expiresOn',
      'amountPaid',
      'currency',
      'remaining:Massage',
      'remaining:F-1',
    ],
    { minLength: 10 },
  ),
  capitals: fc.boolean(),
  blanks: fc.array(fc.constantFrom(0, 0, 1, 2), { minLength: 20, maxLength: 20 }), // 1: an empty line, 2: a line of delimiters, before each row
  pieces: fc.integer({ min: 1, max: 500 }), // bytes that arrive at once
});
type Layout = typeof layoutArbitrary extends fc.Arbitrary<infer L> ? L : never;

const cellsOf = (row: Row, currency: string): Record<string, string> => ({
  ...{ reference: row.reference, offering: row.offered[row.by]!, client: row.client, soldOn: dayBefore(row.sold) },
  clientName: isNew(row.client) ? row.clientName.replace('\n', ' ') : row.clientName,
  expiresOn: row.expires === null ? '' : dayBefore(row.sold - row.expires),
  amountPaid: row.amount === null ? '' : decimalOf({ amount: row.amount, currency }),
  currency: row.saysMore ? currency : '',
  'remaining:Massage': `${row.left}`,
  'remaining:F-1': row.offered === offerings[1] && row.saysMore ? 'unlimited' : '',
  ...Object.fromEntries(row.defects.flatMap((defect) => Object.entries(DEFECTS[defect]!.cells))),
});

/** The file, and at which line each row begins. */
const written = (rows: readonly Row[], layout: Layout, currency: string): { text: string; lines: number[] } => {
  const { delimiter, newline, order } = layout;
  const quoted = (cell: string): string =>
    layout.quotesAll || /[",;\n]/.test(cell) ? `"${cell.replaceAll('"', '""').replaceAll('\n', newline)}"` : cell;
  const all: string[] = [order.map((name) => quoted(layout.capitals && !name.includes(':') ? name.toUpperCase() : name)).join(delimiter)];
  const lines: number[] = [];
  let line = 2;
  rows.forEach((row, n) => {
    const blank = ['', ...['', delimiter.repeat(order.length - 1)]][layout.blanks[n % layout.blanks.length]!]!;
    if (layout.blanks[n % layout.blanks.length] !== 0) all.push(blank);
    if (layout.blanks[n % layout.blanks.length] !== 0) line += 1;
    const cells = cellsOf(row, currency);
    lines.push(line);
    const said = [...order.map((name) => cells[name]!), ...(cells[''] === undefined ? [] : [cells['']])];
    all.push(said.map(quoted).join(delimiter));
    line += said.join('').split('\n').length;
  });
  return { text: (layout.bom ? '\ufeff' : '') + all.join(newline) + (layout.endsOpen ? '' : newline), lines };
};

/** What is told of each row, in its order: nothing of good ones. */
const toldOf = (rows: readonly Row[]): string[][] => {
  const seen = new Set<string>();
  const named = new Set<string>();
  return rows.map((row) => {
    const who = row.client.toLowerCase();
    const told = row.defects.flatMap((defect) => (isHidden(defect, row.defects) ? [] : DEFECTS[defect]!.told(row, named.has(who))));
    if (!['noName', 'noClient'].some((defect) => row.defects.includes(defect))) named.add(who);
    const { reference } = cellsOf(row, 'CAD');
    const repeated = seen.has(reference!) && reference!.length <= 200;
    if (reference !== '') seen.add(reference!);
    return [...told, ...(repeated ? ['reference REPEATED'] : [])].sort();
  });
};

/** Moves a file in as the service does, but that packages are kept here. Gives the bad rows, and what became new. */
const moveIn = async (text: string, currency: string, piece: number, packages: Map<string, PackageState>) => {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, n) => bytes.subarray(n * piece, (n + 1) * piece));
  const file = await CsvFile.take(Readable.from(pieces), 1_000_000);
  const places = placesOf({ businessId: business, currency, today: TODAY }, services, offerings);
  const read = rowReader({ places, source: 'elsewhere', createClients: true });
  const bad: { line: number; told: string[] }[] = [];
  let imported = 0;
  let columns: ReturnType<typeof columnsOf> | undefined;
  for await (const row of file.rows()) {
    if (!columns) {
      columns = columnsOf(row);
      continue;
    }
    const wanted = read(saidBy(row, columns), (named) => [known.get(named) ?? known.get(named.toLowerCase()) ?? []].flat());
    if (Array.isArray(wanted)) {
      bad.push({ line: row.line, told: wanted.map(({ column, code }) => `${column} ${code}`).sort() });
      continue;
    }
    const { moved } = wanted;
    const packageId = importedIdOf(business, 'package', moved.source, moved.reference);
    const { state, isNew: became } = decided(packageId, moved, currency, packages.get(packageId) ?? packageAggregate.initial);
    packages.set(packageId, state);
    if (became) imported += 1;
  }
  await file.close();
  return { bad, imported };
};

type Moved = Parameters<typeof importPackage>[0]['imported'];

const decided = (packageId: string, moved: Omit<Moved, 'packageId'>, currency: string, state: PackageState) => {
  const { name, services: limits, expiryRule } = offerings.find(({ offeringId }) => offeringId === moved.offeringId)!;
  const terms = {
    ...{ name, description: '', status: 'active' as const, services: limits, expiryRule, soldOnline: false, externalReference: null },
    payment: { method: 'paidUpfront' as const, fee: { amount: 1, currency }, taxIds: [] },
  };
  const described = limits.map(({ serviceId }) => ({
    ...{ ...services.find((each) => each.serviceId === serviceId)!, description: '', durationMinutes: 60, taxIds: [] },
    ...{ price: { amount: 1, currency }, active: true, publiclyDisplayed: true },
  }));
  const sale = saleOf(terms, described, [], {
    ...{ packageId, offeringId: moved.offeringId, clientId: moved.clientId, soldOn: moved.soldOn, externalReference: moved.reference },
    ...{ invoiceId: idOf(packageId), appointmentId: null, purchaseId: null, channel: 'import', currency, timeZone: 'UTC', today: TODAY },
  });
  const events = importPackage({ sale, imported: { packageId, ...moved } })(state);
  return { state: events.reduce(packageAggregate.evolve, state), isNew: events.length > 0 };
};

/** What a package is, as far as a row says it. */
const shown = (state: PackageState) => {
  const { clientId, offeringId, soldOn, expiresOn, imported, services: own } = state as SoldPackage;
  const remaining = Object.fromEntries([...own.values()].map(({ serviceId, remaining: left }) => [serviceId, left]));
  return { clientId, offeringId, soldOn, expiresOn, amountPaid: imported!.amountPaid, remaining };
};

const expectedOf = ({ client, offered, left, sold, expires, amount }: Row, currency: string) => ({
  clientId: known.get(client.toLowerCase()) ?? newClientId(business, client),
  ...{ offeringId: offered.offeringId, soldOn: dayBefore(sold) },
  expiresOn: expires !== null ? dayBefore(sold - expires) : offered === offerings[0] ? dayBefore(sold - RULE_DAYS) : null,
  amountPaid: amount === null ? null : { amount, currency },
  remaining: { [massage]: left, ...(offered === offerings[1] && { [facial]: null }) },
});

it('L7: every good row is one package with what it says, every bad row is told with its line and why; sent again, nothing changes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowArbitrary, { minLength: 1, maxLength: 20 }),
      layoutArbitrary,
      fc.constantFrom('JPY', 'CAD', 'KWD'),
      async (rows, layout, currency) => {
        expect(decimalsOf(currency)).toBeLessThan(4);
        const { text, lines } = written(rows, layout, currency);
        const told = toldOf(rows);
        const bad = rows.flatMap((_, n) => (told[n]!.length > 0 ? [{ line: lines[n]!, told: told[n]! }] : []));
        const good = rows.filter((_, n) => told[n]!.length === 0);

        const packages = new Map<string, PackageState>();
        expect(await moveIn(text, currency, layout.pieces, packages)).toEqual({ bad, imported: good.length });
        const becoming = new Map(
          good.map((row) => [importedIdOf(business, 'package', 'elsewhere', row.reference), expectedOf(row, currency)]),
        );
        expect(new Map([...packages].map(([id, state]) => [id, shown(state)]))).toEqual(becoming);
        expect(await moveIn(text, currency, layout.pieces, packages)).toEqual({ bad, imported: 0 });
        expect(new Map([...packages].map(([id, state]) => [id, shown(state)]))).toEqual(becoming);
      },
    ),
    { numRuns: 150 },
  );
});
