import type { Aggregate } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import type { Money } from '../kernel/shapes.js';
import { purchaseEvents, type PurchaseEvent, type PurchaseStartedData } from './purchase.events.js';

export type PurchaseState = { status: 'none' } | StartedPurchase;

/** What is paid is paid, whatever was heard before or comes after it: a payment that completes is honoured (I4). */
export interface StartedPurchase extends PurchaseStartedData {
  status: 'started' | 'processing' | 'paid' | 'failed' | 'expired';
  checkout: { checkoutId: string; url: string; expiresAt: string } | null;
  paymentIntentId: string | null;
  because: ExpiredBecause | null; // it has expired
}

export type ExpiredBecause = Extract<PurchaseEvent, { type: 'PurchaseExpired' }>['data']['because'];

export const purchase: Aggregate<PurchaseState, PurchaseEvent> = {
  category: 'purchase',
  events: purchaseEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'PurchaseStarted') return { ...data, status: 'started', checkout: null, paymentIntentId: null, because: null };
    if (state.status === 'none') return state;
    switch (type) {
      case 'CheckoutOpened':
        return { ...state, checkout: pick(data, 'checkoutId', 'url', 'expiresAt') };
      case 'PurchaseProcessing':
        return { ...state, status: 'processing', paymentIntentId: data.paymentIntentId };
      case 'PurchasePaid':
        return { ...state, status: 'paid', paymentIntentId: data.paymentIntentId, because: null };
      case 'PurchaseFailed':
        return { ...state, status: 'failed' };
      case 'PurchaseExpired':
        return { ...state, status: 'expired', because: data.because };
      default:
        return type satisfies never;
    }
  },
};

/** How a purchase stands, for whoever asks to pay: what is bought exists once it is paid. */
export interface PurchaseView {
  purchaseId: string;
  clientId: string;
  kind: 'package' | 'invoice';
  description: string;
  amount: Money;
  status: StartedPurchase['status'];
  because: ExpiredBecause | null; // why nobody can pay it any more
  url: string | null; // of the page to pay at, while it can be paid there
  expiresAt: string;
  packageId: string | null;
  invoiceId: string | null;
}

export const purchaseView = (state: PurchaseState): PurchaseView => {
  if (state.status === 'none') throw new Error('A purchase that was not started is not shown.');
  const { sale, checkout, status, packageId, invoiceId } = state;
  const exists = sale === null || status === 'paid';
  return {
    ...pick(state, 'purchaseId', 'clientId', 'description', 'amount', 'status', 'because'),
    ...{ kind: sale ? 'package' : 'invoice', url: status === 'started' && checkout ? readable(checkout.url) : null },
    ...{ expiresAt: checkout?.expiresAt ?? state.expiresAt, packageId: exists ? packageId : null, invoiceId: exists ? invoiceId : null },
  };
};

/** The page of a client who has been forgotten can't be read any more: there is none to show. */
export const readable = (url: string): string | null => (/^https?:/.test(url) ? url : null);
