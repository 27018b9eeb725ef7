import { z } from 'zod';
import { defineEvent, personal, type EventOf } from '../kernel/event.js';
import { id, instant, localDate, price } from '../kernel/shapes.js';
import { PackageSold } from '../package/package.events.js';

// What is stored for a payment by card through Stripe: of a package that is bought online (I4), or of an invoice at the desk (D2).
// Stored for ever: add versions, never edit one.

const about = z.object({ purchaseId: id, clientId: id });

/** The sale as it is pinned when the purchase starts; its days are those of the payment once it is paid. */
export const pinnedSale = PackageSold.data.omit({ expiresOn: true, payment: true, paymentReference: true });
export type PinnedSale = z.infer<typeof pinnedSale>;

export const PurchaseStarted = defineEvent(
  'PurchaseStarted',
  about.extend({
    stripeAccount: z.string(), // of the business at that time: there it is paid, and refunded
    amount: price,
    description: z.string(), // what the client reads at the checkout
    paymentId: id, // of the payment on the invoice, once it is paid
    invoiceId: id,
    packageId: id.nullable(), // that is sold, or of which the invoice is
    sale: pinnedSale.nullable(), // null: an invoice that is there is paid
    successUrl: personal('clientId'), // of whoever asked: what stands in them, nobody knows
    cancelUrl: personal('clientId'),
    expiresAt: instant, // when the checkout ends by itself
  }),
);

/** There is a page to pay at. */
export const CheckoutOpened = defineEvent(
  'CheckoutOpened',
  about.extend({ checkoutId: z.string(), url: personal('clientId'), expiresAt: instant }),
);

/** It was completed with a method that takes days, and may still fail. */
export const PurchaseProcessing = defineEvent('PurchaseProcessing', about.extend({ checkoutId: z.string(), paymentIntentId: z.string() }));

/** Stripe says paid. `sale`: the package to sell because of it, with the days of the payment. */
export const PurchasePaid = defineEvent(
  'PurchasePaid',
  about.extend({
    amount: price,
    paymentIntentId: z.string(),
    paidOn: localDate,
    paymentId: id,
    invoiceId: id,
    packageId: id.nullable(),
    sale: pinnedSale.nullable(),
  }),
);

export const PurchaseFailed = defineEvent('PurchaseFailed', about.extend({ paymentIntentId: z.string().nullable() }));

export const PurchaseExpired = defineEvent(
  'PurchaseExpired',
  about.extend({ because: z.enum(['abandoned', 'offeringUnavailable', 'nothingOwing', 'neverOpened', 'calledOff']) }),
);

export const purchaseEvents = [PurchaseStarted, CheckoutOpened, PurchaseProcessing, PurchasePaid, PurchaseFailed, PurchaseExpired] as const;
export type PurchaseEvent = EventOf<(typeof purchaseEvents)[number]>;
export type PurchaseStartedData = EventOf<typeof PurchaseStarted>['data'];
