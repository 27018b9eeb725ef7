import { explainInvoice, type InvoiceFigure } from '../invoice/explanation.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import { folded, type Recorded } from '../kernel/event.js';
import { sharesOf, type Share } from '../kernel/explanation.js';
import { pick } from '../kernel/pick.js';
import type { PackageEvent } from './package.events.js';
import { packageAggregate } from './package.state.js';

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

/** What a sale says for ever of the package: in which months, of whom and of what it is counted. */
export const saleIn = (sold: readonly Recorded<PackageEvent>[]) => {
  for (const { type, data } of sold)
    if (type === 'PackageSold')
      return { ...pick(data, 'packageId', 'soldOn', 'clientId', 'offeringId', 'channel'), invoiceId: data.invoice.invoiceId };
  return undefined;
};

/** What decides the status of a package sold, and whether something is owing: all that ever happened to it and to its invoice. */
export const standingOf = (sold: readonly Recorded<PackageEvent>[], invoiced: readonly Recorded<InvoiceEvent>[]) => {
  const state = folded(packageAggregate, sold);
  if (state.status === 'unsold') return undefined;
  const left = [...state.services.values()].map(({ remaining }) => remaining);
  const amountOf = (figure: SalesFigure) => explainSale(sold, invoiced, figure).at(-1)?.sum ?? 0;
  return {
    ...{ expiresOn: state.expiresOn, cancelled: state.status === 'cancelled' },
    remaining: left.reduce((sum, remaining) => (sum === null || remaining === null ? null : sum + remaining), 0),
    ...{ paid: amountOf('paid'), refunded: amountOf('refunded'), outstanding: amountOf('outstanding') },
  };
};
