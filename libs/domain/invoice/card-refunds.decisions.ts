import { assertByCard } from '../purchase/card-amounts.js';
import type { Decide } from '../kernel/event.js';
import { idFor } from '../kernel/ids.js';
import { minus, negative, sum, zero } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { Refusal } from '../kernel/refusal.js';
import type { Money } from '../kernel/shapes.js';
import {
  assertRefundable,
  existing,
  givenBack,
  moneyAfter,
  packageOf,
  pendingAfter,
  taxOf,
  type RefundInvoice,
} from './invoice.decisions.js';
import type { InvoiceEvent } from './invoice.events.js';
import { invoice, refundIn, type InvoiceState, type IssuedInvoice, type Payment, type Refund } from './invoice.state.js';

// H6: money that was paid through Stripe is given back there. The invoice keeps it for the refund until Stripe says what came of it; and what
// was done at Stripe itself is a fact, which nothing here refuses.

type DecideInvoice = Decide<InvoiceState, InvoiceEvent>;

export interface RequestRefund extends Pick<RefundInvoice, 'invoiceId' | 'refundId' | 'amount' | 'outcome' | 'reference' | 'notes'> {
  paymentId: string | null; // null: the one through Stripe of which something is left
  requestedOn: string; // local date of the business
}

/** H6: never more than is left of the payment, nor than was paid and is neither refunded nor about to be. */
export const requestRefund =
  ({ invoiceId, paymentId: wanted, ...refund }: RequestRefund): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    const { refundId, amount } = refund;
    if (refundIn(issued, refundId)) return [];
    const payment = paymentToRefund(issued, wanted, amount);
    assertByCard(amount);
    assertRefundable(issued, refund);
    const about = { ...pick(issued, 'invoiceId', 'clientId'), packageId: packageOf(issued), ...payment };
    const pending = sum(amount.currency, [issued.pending, amount]);
    return [{ type: 'InvoiceRefundRequested', data: { ...about, ...refund, pending, ...moneyAfter(issued, {}) } }];
  };

/** Which payment it is, if there is one that bears it. */
const paymentToRefund = (issued: IssuedInvoice, wanted: string | null, amount: Money): { paymentId: string; purchaseId: string } => {
  const { invoiceId } = issued;
  const throughStripe = issued.payments.flatMap(({ paymentId, purchaseId, ...payment }) =>
    purchaseId !== null && !payment.voided && (wanted ?? paymentId) === paymentId
      ? [{ paymentId, purchaseId, left: leftOf(issued, { paymentId, ...payment }) }]
      : [],
  );
  if (throughStripe.length === 0)
    throw new Refusal('NOT_PAID_BY_STRIPE', 'No such payment was made through Stripe: give the money back in another way.', { invoiceId });
  const withSomething = throughStripe.filter(({ left }) => left.amount > 0);
  if (withSomething.length > 1)
    throw new Refusal('WHICH_PAYMENT', 'Several payments were made through Stripe: say which one to refund (paymentId).', {
      ...{ invoiceId, payments: withSomething.map((payment) => pick(payment, 'paymentId', 'left')) },
    });
  const { left, ...payment } = withSomething[0] ?? throughStripe[0]!;
  if (amount.amount > left.amount)
    throw new Refusal('REFUND_ABOVE_PAYMENT', `At most ${left.amount} (minor units) is left of this payment: refund that or less of it.`, {
      ...{ invoiceId, paymentId: payment.paymentId, left },
    });
  return payment;
};

/** What was neither given back of it through Stripe nor is about to be; 0 at least. */
const leftOf = ({ refunds }: IssuedInvoice, { paymentId, amount }: Pick<Payment, 'paymentId' | 'amount'>): Money => {
  const back = refunds.filter((refund) => refund.paymentId === paymentId && refund.status !== 'failed').map((refund) => refund.amount);
  const left = minus(amount, sum(amount.currency, back));
  return left.amount > 0 ? left : zero(amount.currency);
};

/** What Stripe says of a refund. `refundId`: ours; null: it was made at Stripe. */
export interface RefundAtStripe {
  stripeRefundId: string | null; // null: Stripe did not even begin it
  refundId: string | null;
  amount: Money;
  status: 'pending' | 'succeeded' | 'failed';
  reason: string | null; // why it failed, in Stripe's word
}

export interface DisputeAtStripe {
  disputeId: string;
  amount: Money;
  status: 'open' | 'won' | 'lost';
  reason: string; // in Stripe's word
}

interface OfPurchase {
  invoiceId: string;
  purchaseId: string;
  on: string; // local date of the business
}

/** H6: all that has become at Stripe of one payment, whatever of it is known already: in one go, so that it is all of one moment. */
export const bringIn =
  ({
    refunds,
    disputes,
    ...of
  }: OfPurchase & { refunds: readonly RefundAtStripe[]; disputes: readonly DisputeAtStripe[] }): DecideInvoice =>
  (state) => {
    const decisions = [
      ...refunds.map((refund) => settleRefund({ ...of, ...refund })),
      ...disputes.map((one) => noteDispute({ ...of, ...one })),
    ];
    return decisions.reduce<{ events: InvoiceEvent[]; after: InvoiceState }>(
      ({ events, after }, decide) => {
        const more = decide(after);
        return { events: [...events, ...more], after: more.reduce(invoice.evolve, after) };
      },
      { events: [], after: state },
    ).events;
  };

/**
 * H6: what Stripe says of a refund, once, whoever hears it first: pending, then succeeded, then failed, never back. One that was made at
 * Stripe, or that is not the one that we asked for, is a fact.
 */
export const settleRefund =
  ({ invoiceId, purchaseId, on, ...said }: OfPurchase & RefundAtStripe): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    const { stripeRefundId, status } = said;
    if (status === 'pending') return [];
    const asked = askedFor(issued, purchaseId, said);
    const refundId = asked?.refundId ?? idFor(purchaseId, stripeRefundId ?? 'refund');
    const known = asked ?? refundIn(issued, refundId);
    if (status === 'succeeded') {
      if (known && (known.status === 'succeeded' || cameToNothing(known))) return [];
      return [known ? confirmed(issued, known, said, on) : madeThere(issued, { ...said, refundId }, { purchaseId, on })];
    }
    if (!known || known.status === 'failed') return [];
    return [known.status === 'pending' ? failed(issued, known, said) : returned(issued, known, said, on)];
  };

/** What leads to a refund of ours anybody can write at Stripe: it is that one if all else is as well, and only one of them is. */
const askedFor = (issued: IssuedInvoice, purchaseId: string, said: RefundAtStripe): Refund | undefined => {
  const asked = said.refundId === null ? undefined : refundIn(issued, said.refundId);
  const asAsked =
    asked?.source === 'staff' &&
    issued.payments.some((payment) => payment.paymentId === asked.paymentId && payment.purchaseId === purchaseId) &&
    minus(asked.amount, said.amount).amount === 0 &&
    (asked.stripeRefundId ?? said.stripeRefundId) === said.stripeRefundId;
  return asAsked ? asked : undefined;
};

/** It had begun at Stripe when it failed: what says that it succeeded is older. */
const cameToNothing = ({ status, stripeRefundId }: Refund): boolean => status === 'failed' && stripeRefundId !== null;

type Said = Pick<RefundAtStripe, 'stripeRefundId' | 'reason'>;

/** The discount that it was to bring, as far as the invoice can still bear it. */
const confirmed = (issued: IssuedInvoice, refund: Refund, { stripeRefundId }: Said, on: string): InvoiceEvent => {
  const { total, adjustments } = issued;
  const charged = Math.max(0, total.amount + adjustments.amount);
  const off = refund.outcome === 'noOutstandingBalance' ? Math.min(refund.amount.amount, charged) : 0;
  return givenBack(issued, {
    ...pick(refund, 'refundId', 'paymentId', 'amount', 'outcome', 'source', 'disputeId', 'reference', 'notes'),
    ...{ stripeRefundId, method: 'stripe', refundedOn: on, adjustment: negative({ ...total, amount: off }) },
  });
};

/** H6: it is owing again, also without a cancellation. */
const madeThere = (
  issued: IssuedInvoice,
  made: { refundId: string; amount: Money; stripeRefundId?: string | null; disputeId?: string },
  { purchaseId, on }: Pick<OfPurchase, 'purchaseId' | 'on'>,
): InvoiceEvent =>
  givenBack(issued, {
    ...pick(made, 'refundId', 'amount'),
    ...{ stripeRefundId: made.stripeRefundId ?? null, disputeId: made.disputeId ?? null, paymentId: paymentOf(issued, purchaseId) },
    ...{ source: 'stripe', method: 'stripe', outcome: 'outstandingBalance', adjustment: zero(made.amount.currency) },
    ...{ reference: null, notes: null, refundedOn: on },
  });

const atStripe = (issued: IssuedInvoice, { refundId, paymentId, amount }: Refund, { stripeRefundId, reason }: Said) => ({
  ...{ ...pick(issued, 'invoiceId', 'clientId'), packageId: packageOf(issued), refundId, paymentId: paymentId!, amount },
  ...{ stripeRefundId, failure: reason ?? 'unknown' },
});

const failed = (issued: IssuedInvoice, refund: Refund, said: Said): InvoiceEvent => ({
  type: 'InvoiceRefundFailed',
  data: { ...atStripe(issued, refund, said), pending: pendingAfter(issued, refund), ...moneyAfter(issued, {}) },
});

/** All figures are as they were without it: of the taxes too, whatever was refunded in between (H7). */
const returned = (issued: IssuedInvoice, refund: Refund, said: Said, returnedOn: string): InvoiceEvent => {
  const { amount, outcome } = refund;
  const { currency } = amount;
  const { stripeRefundId, ...about } = atStripe(issued, refund, said);
  const before = { ...issued, refunded: minus(issued.refunded, amount) };
  const off = discountThatStands(issued, refund);
  const adjustment = issued.toZero ? zero(currency) : off; // at zero all is taken off, with it or without
  return {
    type: 'InvoiceRefundReturned',
    data: {
      ...{ ...about, stripeRefundId: stripeRefundId ?? refund.stripeRefundId ?? 'unknown', outcome, returnedOn },
      ...{ ...taxOf(before, amount), adjustment, toZero: issued.toZero && minus(issued.toZero.adjustment, off) },
      ...moneyAfter(issued, { refunded: before.refunded, adjustments: sum(currency, [issued.adjustments, adjustment]) }),
    },
  };
};

/** What is still taken off because of it: made anew, an invoice begins without. Above zero. */
const discountThatStands = ({ adjustments, discounts, toZero }: IssuedInvoice, refund: Refund): Money => {
  const byRefunds = minus(adjustments, sum(adjustments.currency, [discounts, ...(toZero ? [toZero.adjustment] : [])]));
  return { ...adjustments, amount: Math.min(0 - refund.adjustment.amount, Math.max(0, 0 - byRefunds.amount)) };
};

/** Once per status; what is lost is money gone. A dispute never opens again, and none that is lost is won. */
export const noteDispute =
  ({ invoiceId, purchaseId, on, ...dispute }: OfPurchase & DisputeAtStripe): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    const { disputeId, amount, status, reason } = dispute;
    const known = issued.disputes.find((one) => one.disputeId === disputeId);
    if (known && RANK[known.status] >= RANK[status]) return [];
    const about = { ...pick(issued, 'invoiceId', 'clientId'), packageId: packageOf(issued), paymentId: paymentOf(issued, purchaseId) };
    const disputed: InvoiceEvent = {
      type: 'InvoiceDisputed',
      data: { ...about, disputeId, amount, status, because: reason, disputedOn: on, ...moneyAfter(issued, {}) },
    };
    if (status !== 'lost') return [disputed];
    return [disputed, madeThere(issued, { refundId: idFor(purchaseId, disputeId), amount, disputeId }, { purchaseId, on })];
  };

const RANK = { open: 0, won: 1, lost: 2 } as const;

/** The payment that a purchase became. Whoever asks has made sure of it. */
const paymentOf = ({ payments, invoiceId }: IssuedInvoice, purchaseId: string): string => {
  const payment = payments.find((known) => known.purchaseId === purchaseId);
  if (!payment) throw new Error(`Invoice ${invoiceId} has no payment of the purchase ${purchaseId}.`);
  return payment.paymentId;
};
