import { isDeepStrictEqual } from 'node:util';
import type { Caller } from './caller.js';
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

const REPORTS = {
  sales: {
    groups: ['day', 'month', 'client', 'offering', 'status'],
    figuresOf: ({ fee, tax, total, adjustments, paid, refunded, outstanding }: Row) => ({
      packages: 1,
      ...{ fee, tax, total, adjustments, paid, refunded, outstanding },
    }),
  },
  usage: {
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
