import { refundInvoice, reissueForCancellation, undoWriteOff, writeOff } from '../invoice/invoice.decisions.js';
import { invoice } from '../invoice/invoice.state.js';
import { idFor } from '../kernel/ids.js';
import { pick } from '../kernel/pick.js';
import { refuseRefund } from '../package/cancellation.decisions.js';
import type { PackageEvent } from '../package/package.events.js';
import { packageAggregate } from '../package/package.state.js';
import { change, definePolicy } from './policy.js';

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
  PackageRefunded: ({ data }) => [
    change(invoice, data.invoiceId, {
      decide: refundInvoice(pick(data, 'invoiceId', 'refundId', 'amount', 'outcome', 'method', 'reference', 'notes', 'refundedOn')),
      refused: () => [change(packageAggregate, data.packageId, { decide: refuseRefund(data) })],
    }),
  ],
});
