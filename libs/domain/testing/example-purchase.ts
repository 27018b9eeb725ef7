import type { PurchaseEvent, PurchaseStartedData } from '../purchase/purchase.events.js';
import type { HeardOfCheckout } from '../purchase/purchase.decisions.js';
import { anna, cad, idOf } from './example.js';
import { p, sale } from './example-package.js';

type EventData<Type extends PurchaseEvent['type']> = Extract<PurchaseEvent, { type: Type }>['data'];

export const purchaseId = idOf('purchase');
const about = { purchaseId, clientId: anna };
export const opensUntil = '2027-01-31T18:00:00.000Z';

const { expiresOn: _, payment: __, paymentReference: ___, ...pinned } = sale({ channel: 'online', purchaseId });

/** Anna wants the package for $80 from the clinic's site, on the last of January. */
export const purchaseOf = (over: Partial<PurchaseStartedData> = {}): PurchaseStartedData => ({
  ...{ ...about, stripeAccount: 'acct_1', amount: cad(80_00), description: 'Relax', paymentId: idOf('paid'), invoiceId: idOf('ip') },
  ...{ packageId: p, sale: pinned, successUrl: 'https://clinic.example/thanks', cancelUrl: 'https://clinic.example/shop' },
  ...{ expiresAt: opensUntil, ...over },
});
/** D2: the same for what is owing on an invoice that is there. */
export const ofInvoice = (over: Partial<PurchaseStartedData> = {}): PurchaseStartedData => purchaseOf({ sale: null, ...over });

export const purchaseStarted = (purchase = purchaseOf()): PurchaseEvent => ({ type: 'PurchaseStarted', data: purchase });
export const checkoutOpened: PurchaseEvent = {
  type: 'CheckoutOpened',
  data: { ...about, checkoutId: 'cs_1', url: 'https://checkout.example/cs_1', expiresAt: opensUntil },
};
export const purchaseProcessing: PurchaseEvent = {
  type: 'PurchaseProcessing',
  data: { ...about, checkoutId: 'cs_1', paymentIntentId: 'pi_1' },
};
export const purchasePaid = (paidOn: string, over: Partial<EventData<'PurchasePaid'>> = {}): PurchaseEvent => ({
  type: 'PurchasePaid',
  data: {
    ...{ ...about, amount: cad(80_00), paymentIntentId: 'pi_1', paidOn, paymentId: idOf('paid'), invoiceId: idOf('ip'), packageId: p },
    sale: { ...pinned, soldOn: paidOn, invoice: { ...pinned.invoice, issuedOn: paidOn } },
    ...over,
  },
});
export const purchaseFailed: PurchaseEvent = { type: 'PurchaseFailed', data: { ...about, paymentIntentId: 'pi_1' } };
export const purchaseExpired = (because: EventData<'PurchaseExpired'>['because'] = 'abandoned'): PurchaseEvent => ({
  type: 'PurchaseExpired',
  data: { ...about, because },
});

/** What Stripe says of her checkout on a day. */
export const heard = (status: HeardOfCheckout['status'], over: Partial<HeardOfCheckout> = {}): HeardOfCheckout => ({
  ...{ purchaseId, stripeAccount: 'acct_1', checkoutId: 'cs_1', status, url: null, expiresAt: opensUntil, amount: cad(80_00) },
  ...{ paymentIntentId: status === 'open' || status === 'expired' ? null : 'pi_1', because: 'abandoned', today: '2027-02-03', ...over },
});
