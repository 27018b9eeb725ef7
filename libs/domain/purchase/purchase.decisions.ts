import { minutesBetween } from '../kernel/calendar.js';
import type { Decide } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { Money } from '../kernel/shapes.js';
import { assertByCard } from './card-amounts.js';
import type { PinnedSale, PurchaseEvent, PurchaseStartedData } from './purchase.events.js';
import type { ExpiredBecause, PurchaseState, StartedPurchase } from './purchase.state.js';

// One function per command: (command) => (state) => events. A repeat is [], a refusal throws.

type DecidePurchase = Decide<PurchaseState, PurchaseEvent>;

/** I4, D2: the terms, or what is owing, are pinned before anybody is asked to pay. */
export const startPurchase =
  (purchase: PurchaseStartedData): DecidePurchase =>
  (state) => {
    if (state.status !== 'none') throw new Refusal('ALREADY_EXISTS', 'This purchase has been started already.');
    if (purchase.amount.amount === 0)
      throw new Refusal('NOTHING_TO_PAY', 'This costs nothing, and cannot be paid by card: it is sold without a payment.');
    assertByCard(purchase.amount);
    return [{ type: 'PurchaseStarted', data: purchase }];
  };

/** What Stripe says of a checkout. */
export interface HeardOfCheckout {
  purchaseId: string;
  stripeAccount: string; // that was asked
  checkoutId: string;
  status: 'open' | 'paid' | 'processing' | 'failed' | 'expired';
  url: string | null; // null once it can no longer be paid there
  expiresAt: string;
  amount: Money;
  paymentIntentId: string | null;
  because: ExpiredBecause; // if it has expired
  today: string; // local date of the business
}

/**
 * I4: brings in what has become of a checkout, in whatever order and however often it is heard: it goes from started over processing to
 * failed or expired, never back; and paid is paid, also after it was said to have failed or expired.
 */
export const hearOfCheckout =
  (heard: HeardOfCheckout): DecidePurchase =>
  (state) => {
    const started = existing(state, heard.purchaseId);
    assertAsStarted(started, heard);
    if (started.status === 'paid') return [];
    switch (heard.status) {
      case 'open':
        return opened(started, heard);
      case 'processing':
        return started.status === 'started' ? [processing(started, heard)] : [];
      case 'failed':
        return isUnderWay(started) ? [{ type: 'PurchaseFailed', data: { ...about(started), paymentIntentId: heard.paymentIntentId } }] : [];
      case 'expired':
        return isUnderWay(started) ? [{ type: 'PurchaseExpired', data: { ...about(started), because: heard.because } }] : [];
      case 'paid':
        return [paid(started, heard)];
      default:
        return heard.status satisfies never;
    }
  };

/** There is no page to pay at, and there will be none: Stripe refused to open one. */
export const neverOpened =
  (purchaseId: string): DecidePurchase =>
  (state) => {
    const started = existing(state, purchaseId);
    if (started.status !== 'started' || started.checkout !== null) return [];
    return [{ type: 'PurchaseExpired', data: { ...about(started), because: 'neverOpened' } }];
  };

/** Stripe will not say any more what has become of its checkout, which is long over: so it is for us, unless it is heard to be paid after all. */
export const giveUp =
  ({ purchaseId, now }: { purchaseId: string; now: string }): DecidePurchase =>
  (state) => {
    const started = existing(state, purchaseId);
    if (!isUnderWay(started) || minutesBetween(started.checkout?.expiresAt ?? started.expiresAt, now) < PATIENCE[started.status]) return [];
    return [{ type: 'PurchaseExpired', data: { ...about(started), because: 'abandoned' } }];
  };

const DAY = 24 * 60; // minutes
const PATIENCE = { started: DAY, processing: 30 * DAY };

export const existing = (state: PurchaseState, purchaseId: string): StartedPurchase => {
  if (state.status === 'none') throw new NotFound('purchase', purchaseId);
  return state;
};

export const isUnderWay = (purchase: StartedPurchase): purchase is StartedPurchase & { status: 'started' | 'processing' } =>
  purchase.status === 'started' || purchase.status === 'processing';

/** Whoever can write to Stripe can write there what leads to a purchase of ours: then it is not this one, or not what was to be paid. */
const assertAsStarted = ({ stripeAccount, checkout, amount }: StartedPurchase, heard: HeardOfCheckout): void => {
  const asStarted =
    heard.stripeAccount === stripeAccount &&
    heard.checkoutId === (checkout?.checkoutId ?? heard.checkoutId) &&
    heard.amount.amount === amount.amount &&
    heard.amount.currency === amount.currency &&
    (heard.paymentIntentId !== null || (heard.status !== 'paid' && heard.status !== 'processing'));
  if (!asStarted)
    throw new Refusal('NOT_AS_STARTED', 'What Stripe says is not of this purchase as it was started: nothing is booked.', {
      ...{ purchaseId: heard.purchaseId, started: { stripeAccount, checkoutId: checkout?.checkoutId ?? null, amount } },
      heard: pick(heard, 'stripeAccount', 'checkoutId', 'amount', 'status'),
    });
};

const opened = (started: StartedPurchase, { checkoutId, url, expiresAt }: HeardOfCheckout): PurchaseEvent[] =>
  started.checkout === null && url !== null && isUnderWay(started)
    ? [{ type: 'CheckoutOpened', data: { ...about(started), checkoutId, url, expiresAt } }]
    : [];

const processing = (started: StartedPurchase, { checkoutId, paymentIntentId }: HeardOfCheckout): PurchaseEvent => ({
  type: 'PurchaseProcessing',
  data: { ...about(started), checkoutId, paymentIntentId: paymentIntentId! },
});

const paid = (started: StartedPurchase, { paymentIntentId, today }: HeardOfCheckout): PurchaseEvent => ({
  type: 'PurchasePaid',
  data: {
    ...about(started),
    ...pick(started, 'amount', 'paymentId', 'invoiceId', 'packageId'),
    ...{ paymentIntentId: paymentIntentId!, paidOn: today, sale: started.sale && soldOn(started.sale, today) },
  },
});

/** The terms are those of the start; sold it is on the day of the payment. */
const soldOn = (sale: PinnedSale, day: string): PinnedSale => ({ ...sale, soldOn: day, invoice: { ...sale.invoice, issuedOn: day } });

const about = (started: StartedPurchase) => pick(started, 'purchaseId', 'clientId');
