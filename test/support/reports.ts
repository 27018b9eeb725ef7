import { isDeepStrictEqual } from 'node:util';
import type { Caller } from './caller.js';
import type { Page } from './clinic.js';
import { everyOf } from './explained.js';

// J5: whatever a report is asked, it says the same: in its rows, in its sub-totals, in its total, and on the invoices.

type Row = Record<string, string | number | null>;
type Figures = Record<string, number>;
interface Totals {
  groups: (Record<string, string | number> & { key: string })[];
  total: Figures;
  next: string | null;
}
interface OnInvoice {
  invoiceId: string;
  packageId: string | null;
  kind: string;
  net: number;
  tax: number;
  total: number;
  adjustments: number;
  paid: number;
  refunded: number;
  balance: number;
}

interface Explained {
  value: number;
  items: { adds: number; sum: number; position: string }[];
  sum: number;
  holds: boolean;
  differing: unknown[];
  position: string;
  next: string | null;
}

const REPORTS = {
  sales: {
    row: 'package',
    groups: ['day', 'month', 'client', 'offering', 'status'],
    figuresOf: ({ fee, tax, total, adjustments, paid, refunded, outstanding }: Row) => ({
      packages: 1,
      ...{ fee, tax, total, adjustments, paid, refunded, outstanding },
    }),
  },
  usage: {
    row: 'entry',
    groups: ['day', 'month', 'client', 'owner', 'offering', 'service', 'provider', 'appointmentStatus', 'what'],
    figuresOf: ({ effect, fee }: Row) => ({ entries: 1, effect, fee }),
  },
};

/** What the reports of a business say otherwise in one place than in another. Empty: nothing. */
export async function misreported(reader: Caller): Promise<string[]> {
  const sales = await everyOf<Row>(reader, '/v1/reports/sales');
  const usage = await everyOf<Row>(reader, '/v1/reports/usage');
  const invoices = (await everyOf<OnInvoice>(reader, '/v1/invoices')).filter(({ kind }) => kind === 'package');
  if (sales.length === 0 || usage.length === 0) return ['There is nothing to report.'];
  return [
    ...differing('sales and invoices', byId(sales.map(onInvoice)), byId(invoices.map(ofInvoice))),
    ...(await inTotals(reader, 'sales', sales)),
    ...(await inTotals(reader, 'usage', usage)),
  ];
}

interface Cell {
  asked: string; // `figure=paid&by=status&key=active`
  value: number;
}

/**
 * Cells of a report that the events of their explanation do not add up to, over all of its pages: of every figure of the grand total, of
 * every sub-total one figure or, when asked, each, and of some rows. Empty: none.
 */
export async function unexplainedCells(
  reader: Caller,
  report: keyof typeof REPORTS,
  { query = '', limit = 200, every = false }: { query?: string; limit?: number; every?: boolean } = {},
): Promise<string[]> {
  const path = `/v1/reports/${report}`;
  const cells: Cell[] = [];
  for (const by of REPORTS[report].groups) {
    const { groups, total } = await reader.get<Totals>(`${path}/totals?by=${by}&limit=200${query}`);
    const figures = Object.keys(total);
    if (by === REPORTS[report].groups[0]) cells.push(...figures.map((figure) => ({ asked: `figure=${figure}`, value: total[figure]! })));
    for (const group of groups) {
      const some = every ? figures : [figures[cells.length % figures.length]!];
      cells.push(...some.map((figure) => ({ asked: `figure=${figure}&by=${by}&key=${group.key}`, value: Number(group[figure]) })));
    }
  }
  const { items } = await reader.get<Page<Row>>(`${path}?limit=10${query}`);
  const { row, figuresOf } = REPORTS[report];
  cells.push(
    ...items.map((one, n) => {
      const figures = Object.entries(figuresOf(one));
      const [figure, value] = figures[n % figures.length]!;
      return { asked: `figure=${figure}&by=${row}&key=${one[`${row}Id`]}`, value: Number(value) };
    }),
  );
  const found: string[] = [];
  for (const cell of cells) found.push(...(await ofCell(reader, `${path}/explanation?limit=${limit}${query}&${cell.asked}`, cell)));
  return found;
}

async function ofCell(reader: Caller, path: string, { asked, value }: Cell): Promise<string[]> {
  let sum = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Explained = await reader.get<Explained>(path + (cursor && `&cursor=${cursor}`));
    const sums = page.items.map(({ adds }) => (sum += adds));
    const said = [page.value, page.items.map((item) => item.sum), page.sum, page.holds, page.differing];
    const wrong = differing(`${asked}: explained`, said, [value, sums, sum, true, []]);
    if (wrong.length > 0) return wrong;
    cursor = page.next;
  }
  return differing(`${asked}: value and explained`, value, sum);
}

async function inTotals(reader: Caller, report: keyof typeof REPORTS, rows: readonly Row[]): Promise<string[]> {
  const { groups, figuresOf } = REPORTS[report];
  const sums = sumsOf(rows.map((row) => figuresOf(row)));
  const found = await Promise.all(
    groups.map(async (by) => {
      const { groups: parts, total, next } = await reader.get<Totals>(`/v1/reports/${report}/totals?by=${by}&limit=200`);
      return [
        ...differing(`${report} by ${by}: rows and total`, sums, only(sums, total)),
        ...differing(`${report} by ${by}: groups and total`, sumsOf(parts.map((part) => only(sums, part))), only(sums, total)),
        ...differing(`${report} by ${by}: pages of groups`, next, null),
      ];
    }),
  );
  return found.flat();
}

const onInvoice = ({ packageId, invoiceId, fee, tax, total, adjustments, paid, refunded, outstanding }: Row) => ({
  ...{ id: String(packageId), figures: [invoiceId, fee, tax, total, adjustments, paid, refunded, outstanding] },
});

const ofInvoice = ({ packageId, invoiceId, net, tax, total, adjustments, paid, refunded, balance }: OnInvoice) => ({
  ...{ id: String(packageId), figures: [invoiceId, net, tax, total, adjustments, paid, refunded, balance] },
});

const byId = (rows: readonly { id: string; figures: unknown }[]): Record<string, unknown> =>
  Object.fromEntries(rows.map(({ id, figures }) => [id, figures]));

const sumsOf = (rows: readonly Record<string, unknown>[]): Figures =>
  Object.fromEntries(Object.keys(rows[0]!).map((name) => [name, rows.reduce((sum, row) => sum + Number(row[name]), 0)]));

const only = (like: Figures, figures: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.keys(like).map((name) => [name, figures[name]]));

const differing = (about: string, one: unknown, other: unknown): string[] =>
  isDeepStrictEqual(one, other) ? [] : [`${about}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`];
