import { receiveByStripe } from '../invoice/invoice.decisions.js';
import { invoice } from '../invoice/invoice.state.js';
import { pick } from '../kernel/pick.js';
import { sellPackage } from '../package/package.decisions.js';
import { packageAggregate } from '../package/package.state.js';
import type { PurchaseEvent } from '../purchase/purchase.events.js';
import { change, create, definePolicy } from './policy.js';

/** I4, D2: what was paid by card is sold with its payment, or is paid on the invoice that was there. */
export const purchasing = definePolicy<PurchaseEvent>('purchasing', {
  PurchasePaid: ({ data: { sale, invoiceId, paidOn, ...data } }) => {
    const payment = { ...pick(data, 'paymentId', 'amount'), method: 'stripe' as const };
    if (sale)
      return [create(packageAggregate, sale.packageId, { decide: sellPackage({ ...sale, payment, paymentReference: null, apply: null }) })];
    const received = { ...payment, invoiceId, reference: null, receivedOn: paidOn, purchaseId: data.purchaseId };
    return [change(invoice, invoiceId, { decide: receiveByStripe(received) })];
  },
});
