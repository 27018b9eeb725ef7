import { requestRefund, type RequestRefund } from '../invoice/card-refunds.decisions.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import type { IssuedInvoice } from '../invoice/invoice.state.js';
import { minus, sum } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { assertRefundable, isKnown } from './cancellation.decisions.js';
import { existing, type DecidePackage } from './package.decisions.js';
import type { PackageEvent } from './package.events.js';
import { pendingOf, refundedOf } from './package.state.js';

// H6: what was paid for a package through Stripe is given back there. The package decides that it may be; what comes of it, its invoice tells.

export interface RequestPackageRefund extends Omit<RequestRefund, 'invoiceId'> {
  packageId: string;
  invoice: IssuedInvoice; // of the package, as it was read a moment ago
}

/** As any refund of a package; and what its invoice would say no to is refused here already. */
export const requestPackageRefund =
  ({ packageId, invoice, ...refund }: RequestPackageRefund): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const { clientId, invoiceId, currency } = sold;
    if (isKnown(sold, refund.refundId)) return [];
    assertRefundable(sold, invoice);
    return requestRefund({ invoiceId, ...refund })(invoice).flatMap((event): PackageEvent[] => {
      if (event.type !== 'InvoiceRefundRequested') return [];
      const { paymentId, amount } = event.data;
      const after = { refunded: refundedOf(sold), pending: sum(currency, [pendingOf(sold), amount]) };
      return [{ type: 'PackageRefundRequested', data: { packageId, clientId, invoiceId, ...refund, paymentId, ...after } }];
    });
  };

type Told<Type extends InvoiceEvent['type']> = Extract<InvoiceEvent, { type: Type }>['data'] & { packageId: string };

/** Its invoice has heard from Stripe that the money was given back: also what was refunded there, of a package that is not cancelled. */
export const noteRefund =
  ({ packageId, invoiceId, ...refund }: Told<'InvoiceRefunded'>): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const { refundId, amount } = refund;
    const known = sold.refunds.find((one) => one.refundId === refundId);
    if (known?.status === 'succeeded') return [];
    const pending = pendingOf(sold);
    const after = {
      refunded: sum(amount.currency, [refundedOf(sold), amount]),
      pending: known?.status === 'pending' ? minus(pending, amount) : pending,
    };
    const said = pick(refund, 'refundId', 'amount', 'tax', 'outcome', 'method', 'reference', 'notes', 'refundedOn', 'source');
    return [{ type: 'PackageRefunded', data: { packageId, clientId: sold.clientId, invoiceId, ...said, ...after } }];
  };

/** Its invoice has heard of a dispute, or what came of it. */
export const noteDispute =
  ({ packageId, invoiceId, ...dispute }: Told<'InvoiceDisputed'>): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const said = pick(dispute, 'disputeId', 'amount', 'status', 'because', 'disputedOn');
    if (sold.disputes.some(({ disputeId, status }) => disputeId === said.disputeId && status === said.status)) return [];
    return [{ type: 'PackageDisputed', data: { packageId, clientId: sold.clientId, invoiceId, ...said } }];
  };
