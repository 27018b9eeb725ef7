import { refundInvoice, reissueForCancellation, undoWriteOff, writeOff } from '../invoice/invoice.decisions.js';
import { requestRefund } from '../invoice/card-refunds.decisions.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import { invoice } from '../invoice/invoice.state.js';
import { idFor } from '../kernel/ids.js';
import { pick } from '../kernel/pick.js';
import { refuseRefund } from '../package/cancellation.decisions.js';
import { noteDispute, noteRefund } from '../package/card-refunds.decisions.js';
import type { DecidePackage } from '../package/package.decisions.js';
import type { PackageEvent } from '../package/package.events.js';
import { packageAggregate } from '../package/package.state.js';
import { change, definePolicy, type PolicyCommand } from './policy.js';

/** The package has decided on its end, and on what is given back: its invoice follows, and those of what is booked (H4, H5). */
export const refunding = definePolicy<PackageEvent>('refunding', {
  PackageCancelled: ({ data: { packageId, toRegularFee, writeOff: off, reason } }) => [
    ...(off === null ? [] : [change(invoice, off.invoiceId, { decide: writeOff({ ...off, reason }) })]),
    ...toRegularFee.map(({ consumptionId, invoice: content }) =>
      change(invoice, content.invoiceId, { decide: reissueForCancellation(content, { packageId, consumptionId, moveTo: null }) }),
    ),
  ],
  PackageReinstated: ({ data: { writeOff: off, reason } }) =>
    off === null
      ? []
      : [change(invoice, off.invoiceId, { decide: undoWriteOff({ ...off, undoneBy: idFor(off.adjustmentId, 'reinstated'), reason }) })],
  // Through Stripe, the invoice was first (H6).
  PackageRefunded: ({ data }) =>
    data.method === 'stripe'
      ? []
      : [
          change(invoice, data.invoiceId, {
            decide: refundInvoice(pick(data, 'invoiceId', 'refundId', 'amount', 'outcome', 'method', 'reference', 'notes', 'refundedOn')),
            refused: () => [refusedByInvoice(data)],
          }),
        ],
  PackageRefundRequested: ({ data }) => [
    change(invoice, data.invoiceId, {
      decide: requestRefund(pick(data, 'invoiceId', 'refundId', 'paymentId', 'amount', 'outcome', 'reference', 'notes', 'requestedOn')),
      refused: () => [refusedByInvoice(data)],
    }),
  ],
});

const refusedByInvoice = ({ packageId, refundId }: { packageId: string; refundId: string }) =>
  change(packageAggregate, packageId, { decide: refuseRefund({ packageId, refundId, because: 'invoice', failure: null }) });

/** H6: the invoice has heard from Stripe: its package follows, which cannot refuse. */
export const confirming = definePolicy<InvoiceEvent>('confirming', {
  InvoiceRefunded: ({ data }) => (data.method === 'stripe' ? toPackage(data, noteRefund) : []),
  InvoiceRefundFailed: ({ data }) => toPackage(data, refusedByStripe),
  InvoiceRefundReturned: ({ data }) => toPackage(data, refusedByStripe),
  InvoiceDisputed: ({ data }) => toPackage(data, noteDispute),
});

const refusedByStripe = (refund: { packageId: string; refundId: string; failure: string }) =>
  refuseRefund({ ...pick(refund, 'packageId', 'refundId', 'failure'), because: 'stripe' });

const toPackage = <Data extends { packageId: string | null }>(
  data: Data,
  follow: (data: Data & { packageId: string }) => DecidePackage,
): PolicyCommand[] => {
  const { packageId } = data;
  return packageId === null ? [] : [change(packageAggregate, packageId, { decide: follow({ ...data, packageId }) })];
};
