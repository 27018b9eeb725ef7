import { sum } from '../kernel/money.js';
import type { InvoiceContent } from '../kernel/shapes.js';

/** A whole invoice from its lines: the totals are the sums of the lines' exact figures. */
export const invoiceOver = (currency: string, { lines, ...invoice }: Omit<InvoiceContent, 'total'>): InvoiceContent => ({
  ...invoice,
  lines,
  total: {
    net: sum(
      currency,
      lines.map(({ net }) => net),
    ),
    tax: sum(
      currency,
      lines.flatMap(({ taxes }) => taxes.map(({ amount }) => amount)),
    ),
    total: sum(
      currency,
      lines.map(({ total }) => total),
    ),
  },
});
