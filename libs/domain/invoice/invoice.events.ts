import { z } from 'zod';
import { defineEvent, personal, type EventOf } from '../kernel/event.js';
import { id, instant, invoiceContent, localDate, money, paymentMethod, price, taxLine, type Money } from '../kernel/shapes.js';

// After the event: `adjustments` are all of them together, below zero where they take off; `balance` is what is owing,
// total + adjustments − paid + refunded, below zero where it is credit (J2).

const about = z.object({ invoiceId: id, clientId: id });
const after = z.object({ adjustments: money, balance: money });
const moneyMoved = after.extend({ paid: money, refunded: money }); // all payments that stand, all refunds, after the event
const note = personal('clientId').nullable();

export const InvoiceIssued = defineEvent('InvoiceIssued', invoiceContent.extend(after.shape));

const removal = z.object({
  packageId: id,
  consumptionId: id,
  moveTo: z.object({ providerId: id, start: instant, end: instant, timeZone: z.string(), on: localDate }).nullable(), // E7
});

/**
 * Applying a package to an appointment, or removing it, makes the invoice anew (E9); it keeps its number. `removes`: the
 * session that the appointment uses no more because of this event; null: the event follows from the appointment's.
 */
export const InvoiceReissued = defineEvent('InvoiceReissued', invoiceContent.extend({ ...after.shape, removes: removal.nullable() }), {
  version: 2,
  upcast: { 1: (data) => ({ ...(data as object), removes: null }) },
});
export type Removal = z.infer<typeof removal>;

/**
 * E9: the appointment did not take place: an adjustment that takes off all that is left of the total. `consumptionId`: its session,
 * which is returned; null: it had none.
 */
export const InvoiceAdjustedToZero = defineEvent(
  'InvoiceAdjustedToZero',
  about.extend({ because: z.enum(['cancelled', 'noShow']), consumptionId: id.nullable(), adjustment: money, ...after.shape }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), consumptionId: null }) } },
);

/** The appointment takes place after all: the adjustment to zero is taken back. */
export const InvoiceAdjustmentUndone = defineEvent('InvoiceAdjustmentUndone', about.extend({ adjustment: money, ...after.shape }));

/** D2: all of what is owing, or a part of it. `purchaseId`: of one through Stripe, which knows the payment there. */
export const PaymentReceived = defineEvent(
  'PaymentReceived',
  about.extend({
    ...{ paymentId: id, amount: price, method: paymentMethod, reference: note, receivedOn: localDate, purchaseId: id.nullable() },
    ...moneyMoved.shape,
  }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), purchaseId: null }) } },
);

/** A payment that was noted by mistake; it stays in the history. */
export const PaymentVoided = defineEvent(
  'PaymentVoided',
  about.extend({ paymentId: id, amount: price, reason: note, ...moneyMoved.shape }),
);

/** An overall adjustment, gross: below zero it takes off, above zero it takes back what one before took off. */
export const InvoiceAdjusted = defineEvent(
  'InvoiceAdjusted',
  about.extend({
    adjustmentId: id,
    adjustment: money,
    discounts: money, // all overall adjustments together, after it
    because: z.enum(['discount', 'writtenOff', 'reinstated']), // H4: what was owing is written off, or owing again
    reason: note,
    ...moneyMoved.shape,
  }),
);

/** H5. What the refund does to the balance: that much more is owing, or it is what it was before. */
export const refundOutcome = z.enum(['outstandingBalance', 'noOutstandingBalance']);

/** H6: who wanted it given back: staff, here; or it was done at Stripe, in its dashboard or because a dispute was lost. */
export const refundSource = z.enum(['staff', 'stripe']);

const pending = price; // all refunds that Stripe has not confirmed yet together, after the event

/**
 * H5, H7: money given back. `taxes`: its share of each tax of each line; `adjustment`: what its outcome takes off the invoice. `packageId`:
 * of the package that was paid with it, `paymentId`: of the payment through Stripe, where it is known.
 */
export const InvoiceRefunded = defineEvent(
  'InvoiceRefunded',
  about.extend({
    ...{ refundId: id, paymentId: id.nullable(), packageId: id.nullable(), source: refundSource },
    ...{ stripeRefundId: z.string().nullable(), disputeId: z.string().nullable() }, // Stripe's own ids
    amount: price,
    taxes: z.array(taxLine),
    tax: price, // the sum of `taxes`
    outcome: refundOutcome,
    adjustment: money,
    method: paymentMethod,
    reference: note,
    notes: note,
    refundedOn: localDate,
    pending,
    ...moneyMoved.shape,
  }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as { amount: Money }), ...givenBackAtTheDesk(data as { amount: Money }) }) } },
);

const refundAtStripe = about.extend({ refundId: id, paymentId: id, packageId: id.nullable(), amount: price });

/** H6: so much of a payment through Stripe is to be given back: kept for it until Stripe has said what came of it. */
export const InvoiceRefundRequested = defineEvent(
  'InvoiceRefundRequested',
  refundAtStripe.extend({
    ...{ purchaseId: id, outcome: refundOutcome, reference: note, notes: note, requestedOn: localDate },
    ...{ pending, ...moneyMoved.shape },
  }),
);

const failure = z.string(); // why, in Stripe's word

/** H6: Stripe refused: nothing was given back. */
export const InvoiceRefundFailed = defineEvent(
  'InvoiceRefundFailed',
  refundAtStripe.extend({ stripeRefundId: z.string().nullable(), failure, pending, ...moneyMoved.shape }),
);

/**
 * H6: it had succeeded, and has failed since: the money came back to the business. `taxes`, `adjustment`: what of each comes back with it;
 * `toZero`: what adjusting to zero takes off now, null: it is not at zero.
 */
export const InvoiceRefundReturned = defineEvent(
  'InvoiceRefundReturned',
  refundAtStripe.extend({
    ...{ stripeRefundId: z.string(), failure, taxes: z.array(taxLine), tax: price, outcome: refundOutcome, adjustment: money },
    ...{ toZero: money.nullable(), returnedOn: localDate, ...moneyMoved.shape },
  }),
);

/** Whoever paid by card disputes it with their bank; what is lost is given back (`InvoiceRefunded`). */
export const InvoiceDisputed = defineEvent(
  'InvoiceDisputed',
  about.extend({
    ...{ disputeId: z.string(), paymentId: id, packageId: id.nullable(), amount: price }, // disputeId: Stripe's own
    ...{ status: z.enum(['open', 'won', 'lost']), because: z.string(), disputedOn: localDate, ...moneyMoved.shape }, // because: Stripe's word
  }),
);

const givenBackAtTheDesk = ({ amount: { currency } }: { amount: Money }) => ({
  ...{ paymentId: null, packageId: null, source: 'staff', stripeRefundId: null, disputeId: null, pending: { amount: 0, currency } },
});

export const invoiceEvents = [
  InvoiceIssued,
  InvoiceReissued,
  InvoiceAdjustedToZero,
  InvoiceAdjustmentUndone,
  PaymentReceived,
  PaymentVoided,
  InvoiceAdjusted,
  InvoiceRefunded,
  InvoiceRefundRequested,
  InvoiceRefundFailed,
  InvoiceRefundReturned,
  InvoiceDisputed,
] as const;
export type InvoiceEvent = EventOf<(typeof invoiceEvents)[number]>;
export type RefundOutcome = z.infer<typeof refundOutcome>;
export type RefundSource = z.infer<typeof refundSource>;
