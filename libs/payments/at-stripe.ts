import type { Money } from '../domain/kernel/shapes.js';

// What Punchcard needs to know of Stripe, in its own words: whoever speaks of it needs nothing of Stripe's library.

/** Stripe did not answer, or not so that one knows what came of it: the same call can be made again, and has one effect. */
export class StripeUnavailable extends Error {
  override name = 'StripeUnavailable';
}

/** The account is not connected any more, or belongs to other keys: whether something was done before, cannot be asked either. */
export class StripeNotAllowed extends StripeUnavailable {
  override name = 'StripeNotAllowed';
}

/** Stripe said no: the same call will not do better. `code` is Stripe's own, such as `charge_already_refunded`. */
export class StripeRefused extends Error {
  override name = 'StripeRefused';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The page on which a client pays. */
export interface Checkout {
  checkoutId: string;
  url: string | null; // null once it can no longer be paid there
  status: 'open' | 'paid' | 'processing' | 'failed' | 'expired'; // processing: a delayed method, which may still fail
  amount: Money;
  paymentIntentId: string | null;
  expiresAt: string;
  purchase: PurchaseRef | null;
}

/** What leads from a thing at Stripe back to what it is for. */
export interface PurchaseRef {
  businessId: string;
  purchaseId: string;
}

export interface OpenCheckout extends PurchaseRef {
  amount: Money;
  description: string;
  successUrl: string;
  cancelUrl: string;
  expiresAt: string; // between 30 minutes and 24 hours from now
}

/** A card payment that went through, and all that has become of it since. */
export interface CardPayment {
  paymentIntentId: string;
  amount: Money;
  received: Money;
  purchase: PurchaseRef | null;
  refunds: CardRefund[];
  disputes: CardDispute[];
}

export interface CardRefund {
  stripeRefundId: string;
  refundId: string | null; // ours; null: made at Stripe, in its dashboard
  paymentIntentId: string;
  amount: Money;
  status: 'pending' | 'succeeded' | 'failed';
  reason: string | null; // why it failed, in Stripe's word
  createdAt: string;
}

export interface CardDispute {
  disputeId: string;
  amount: Money;
  status: 'open' | 'won' | 'lost';
  reason: string;
  createdAt: string;
}

export interface ConnectedAccount {
  account: string; // `acct_…`
  businessId: string | null; // whose it is; null: it was there before, and nobody has claimed it
  chargesEnabled: boolean;
  payoutsEnabled: boolean;
  detailsSubmitted: boolean;
  currentlyDue: string[]; // what Stripe still wants to know, in its words
}

/** Something has happened at Stripe: what it is now, is asked there. */
export interface Knock {
  eventId: string;
  type: string;
  account: string | null;
  at: string;
  about: { kind: 'checkout' | 'payment'; id: string } | null; // null: of no concern to us
}

/** A webhook that does not come from Stripe, or is too old. */
export class NotFromStripe extends Error {
  override name = 'NotFromStripe';
}

/** Types of events that say what became of a checkout. */
export const CHECKOUTS = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
] as const;
const PAYMENTS = [
  ...(['charge.refunded', 'refund.created', 'refund.updated', 'refund.failed'] as const),
  ...(['charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed'] as const),
] as const;
export const CONCERN: ReadonlySet<string> = new Set([...CHECKOUTS, ...PAYMENTS]);

/** Whether an event of this type can be of concern to us. */
export const isOfConcern = (type: string): boolean => CONCERN.has(type);
