import { explainInvoice, type InvoiceFigure } from '../invoice/explanation.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import type { Recorded } from '../kernel/event.js';
import { sharesOf, type Share } from '../kernel/explanation.js';
import type { PackageEvent } from './package.events.js';

/** Figures of the report of sales (J2). */
export const SALES_FIGURES = ['packages', 'fee', 'tax', 'total', 'adjustments', 'paid', 'refunded', 'outstanding'] as const;
export type SalesFigure = (typeof SALES_FIGURES)[number];

/** What the report calls otherwise than the invoice does. */
const ON_INVOICE: { [Figure in Exclude<SalesFigure, 'packages'>]: InvoiceFigure } = {
  ...{ fee: 'net', tax: 'tax', total: 'total', adjustments: 'adjustments', paid: 'paid', refunded: 'refunded', outstanding: 'balance' },
};

/**
 * J2: why a package sold adds so much to a figure: that it was sold, or what its invoice says. In the moments in which it is sold and the
 * invoice not issued yet, the sale says what will be on it.
 */
export const explainSale = (
  sold: readonly Recorded<PackageEvent>[],
  invoiced: readonly Recorded<InvoiceEvent>[],
  figure: SalesFigure,
): Share[] => {
  if (figure !== 'packages' && invoiced.length > 0) return explainInvoice(invoiced, ON_INVOICE[figure]);
  return sharesOf(sold, figure, ({ type, data }) => {
    if (type !== 'PackageSold') return {};
    const { net, tax, total } = data.invoice.total;
    return { packages: 1, fee: net.amount, tax: tax.amount, total: total.amount, outstanding: total.amount };
  });
};
