import type { Decide } from '../kernel/event.js';
import { inProportion, minus, negative, sum, zero } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { InvoiceContent, Money, PaymentMethod, TaxLine } from '../kernel/shapes.js';
import type { InvoiceEvent, RefundOutcome, Removal } from './invoice.events.js';
import { invoice, keptOf, refundIn, type InvoiceState, type IssuedInvoice } from './invoice.state.js';

type DecideInvoice = Decide<InvoiceState, InvoiceEvent>;

/** D3, E9: a sale's invoice, or an appointment's. D2: with what was paid at once. */
export const issueInvoice =
  (content: InvoiceContent, payment: ReceivePayment | null = null): DecideInvoice =>
  (state) => {
    if (state.status === 'issued') return [];
    const issued: InvoiceEvent = { type: 'InvoiceIssued', data: owingAll(content) };
    return payment ? [issued, ...receivePayment(payment)(invoice.evolve(state, issued))] : [issued];
  };

/**
 * E9: other lines, because a package was applied or removed; not while it is paid, nor with a session that was given up before it
 * came here (`applied`). If it was adjusted to zero in the meantime, so is what is issued anew.
 */
export const reissueInvoice =
  (content: InvoiceContent, applied: string | null = null): DecideInvoice =>
  (state) => {
    const issued = existing(state, content.invoiceId);
    if (applied !== null && issued.removed.includes(applied)) throw changedMeanwhile(content);
    assertNotPaid(issued);
    const reissued: InvoiceEvent = { type: 'InvoiceReissued', data: { ...owingAll(content), removes: null } };
    if (!issued.toZero) return [reissued];
    const { because, consumptionId } = issued.toZero;
    return [reissued, ...adjustToZero({ invoiceId: content.invoiceId, because, consumptionId })(invoice.evolve(state, reissued))];
  };

/**
 * E8, E9: the invoice alone knows whether it is paid, so it decides on the removal of a package, once per session; the
 * appointment and the package follow, and cannot refuse. One that comes late, after the appointment was cancelled, is told so:
 * booked again, it uses another session. So is one that was to move it too (E7), after another removal, which did not.
 */
export const reissueForRemoval =
  (content: InvoiceContent, removes: Removal): DecideInvoice =>
  (state) => {
    const issued = existing(state, content.invoiceId);
    if (issued.removed.includes(removes.consumptionId)) {
      if (removes.moveTo !== null) throw changedMeanwhile(content);
      return [];
    }
    if (issued.returned.includes(removes.consumptionId)) throw changedMeanwhile(content);
    assertNotPaid(issued);
    return [{ type: 'InvoiceReissued', data: { ...owingAll(content), removes } }];
  };

/** H4: the same because its package is cancelled; but what is paid, or did not take place with that session, stays as it is. */
export const reissueForCancellation =
  (content: InvoiceContent, removes: Removal): DecideInvoice =>
  (state) => {
    const issued = existing(state, content.invoiceId);
    const stays = issued.toZero || keptOf(issued) !== 0 || issued.returned.includes(removes.consumptionId);
    return stays ? [] : reissueForRemoval(content, removes)(state);
  };

/** E9: the appointment takes place after all, at the regular fee in place of a session: nothing is taken off any more. */
export const reissueToStand =
  (content: InvoiceContent): DecideInvoice =>
  (state) => {
    assertNotPaid(existing(state, content.invoiceId));
    return [{ type: 'InvoiceReissued', data: { ...owingAll(content), removes: null } }];
  };

export const assertNotPaid = (issued: IssuedInvoice): void => {
  if (keptOf(issued) !== 0)
    throw new Refusal('INVOICE_PAID', 'This invoice is paid: void or refund the payment first.', { invoiceId: issued.invoiceId });
};

const changedMeanwhile = ({ appointmentId }: InvoiceContent): Refusal =>
  new Refusal('APPOINTMENT_CHANGED', 'This appointment was changed at the same moment: look at it, and send it again.', { appointmentId });

export interface AdjustToZero {
  invoiceId: string;
  because: 'cancelled' | 'noShow';
  consumptionId: string | null; // of the session that is returned
}

/** E9: nothing of it is owing any more; what was paid becomes credit. */
export const adjustToZero =
  ({ invoiceId, because, consumptionId }: AdjustToZero): DecideInvoice =>
  (state) => {
    const { clientId, total, adjustments, toZero, balance } = existing(state, invoiceId);
    if (toZero) return [];
    const adjustment = negative(sum(total.currency, [total, adjustments]));
    return [
      {
        type: 'InvoiceAdjustedToZero',
        data: {
          ...{ invoiceId, clientId, because, consumptionId, adjustment },
          adjustments: sum(total.currency, [adjustments, adjustment]),
          balance: sum(total.currency, [balance, adjustment]),
        },
      },
    ];
  };

/** The opposite of adjusting to zero, when a no-show is undone. */
export const undoAdjustment =
  (invoiceId: string): DecideInvoice =>
  (state) => {
    const { clientId, adjustments, toZero, balance } = existing(state, invoiceId);
    if (!toZero) return [];
    const { adjustment } = toZero;
    const after = { adjustments: minus(adjustments, adjustment), balance: minus(balance, adjustment) };
    return [{ type: 'InvoiceAdjustmentUndone', data: { invoiceId, clientId, adjustment: negative(adjustment), ...after } }];
  };

export interface ReceivePayment {
  invoiceId: string;
  paymentId: string;
  amount: Money;
  method: PaymentMethod;
  reference: string | null;
  receivedOn: string; // local date of the business
  purchaseId?: string | null; // through Stripe
}

/** D2: all of what is owing or a part of it, never more. */
export const receivePayment =
  (payment: ReceivePayment): DecideInvoice =>
  (state) => {
    const { invoiceId, amount } = payment;
    const issued = existing(state, invoiceId);
    if (isReceived(issued, payment)) return [];
    const { balance } = issued;
    if (balance.amount <= 0)
      throw new Refusal('NOTHING_OWING', 'Nothing is owing on this invoice: there is nothing to pay.', { invoiceId, balance });
    if (amount.amount > balance.amount)
      throw new Refusal('OVERPAID', `Only ${balance.amount} (minor units) is owing on this invoice: pay that or less.`, {
        invoiceId,
        balance,
      });
    return [received(issued, payment)];
  };

/** D2: paid through Stripe is paid: what is beyond what was owing by then is credit. */
export const receiveByStripe =
  (payment: ReceivePayment & { method: 'stripe'; purchaseId: string }): DecideInvoice =>
  (state) => {
    const issued = existing(state, payment.invoiceId);
    return isReceived(issued, payment) ? [] : [received(issued, payment)];
  };

const isReceived = ({ payments }: IssuedInvoice, { paymentId }: ReceivePayment): boolean =>
  payments.some((known) => known.paymentId === paymentId);

const received = (issued: IssuedInvoice, { purchaseId = null, ...payment }: ReceivePayment): InvoiceEvent => ({
  type: 'PaymentReceived',
  data: {
    ...{ clientId: issued.clientId, ...payment, purchaseId },
    ...moneyAfter(issued, { paid: sum(issued.paid.currency, [issued.paid, payment.amount]) }),
  },
});

/** A payment that was noted by mistake is owing again; what was given back of it must have been there. */
export const voidPayment =
  ({ invoiceId, paymentId, reason }: { invoiceId: string; paymentId: string; reason: string | null }): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    const payment = issued.payments.find((known) => known.paymentId === paymentId);
    if (!payment) throw new NotFound('payment', paymentId);
    if (payment.voided) return [];
    const { amount } = payment;
    if (payment.method === 'stripe')
      throw new Refusal('PAID_BY_STRIPE', 'A payment through Stripe took place: refund it instead.', { paymentId });
    if (amount.amount > refundableOf(issued))
      throw new Refusal(
        'PAYMENT_REFUNDED',
        'This payment was refunded, wholly or in part, or is about to be: it can no longer be voided.',
        {
          paymentId,
        },
      );
    const after = moneyAfter(issued, { paid: minus(issued.paid, amount) });
    return [{ type: 'PaymentVoided', data: { invoiceId, clientId: issued.clientId, paymentId, amount, reason, ...after } }];
  };

export interface AdjustInvoice {
  invoiceId: string;
  adjustmentId: string;
  adjustment: Money; // below zero: takes off; above zero: takes back what staff took off before
  reason: string | null;
}

/** An overall adjustment: gross, a discount of at most the whole invoice, or the taking back of one. */
export const adjustInvoice =
  ({ invoiceId, adjustmentId, adjustment, reason }: AdjustInvoice): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    if (issued.adjusted.includes(adjustmentId)) return [];
    assertStands(issued);
    const { total, adjustments, discounts, balance, kind } = issued;
    if (total.amount + adjustments.amount + adjustment.amount < 0)
      throw new Refusal(
        'ADJUSTED_BELOW_ZERO',
        `At most ${total.amount + adjustments.amount} (minor units) can be taken off this invoice.`,
        {
          invoiceId,
          charged: sum(total.currency, [total, adjustments]),
        },
      );
    if (kind === 'package' && adjustment.amount < 0 && balance.amount + adjustment.amount < 0)
      throw new Refusal(
        'ABOVE_OWING',
        `At most ${Math.max(0, balance.amount)} (minor units) is owing and can be taken off: what is paid is given back by cancelling the package and refunding it.`,
        { invoiceId, balance },
      );
    if (discounts.amount + adjustment.amount > 0)
      throw new Refusal('NOT_TAKEN_OFF', `At most ${0 - discounts.amount} (minor units) was taken off and can be taken back.`, {
        invoiceId,
        discounts,
      });
    return [adjusted(issued, { adjustmentId, adjustment, because: 'discount', reason })];
  };

/** H4: what is still owing of a cancelled package's invoice is written off; never what is owing again because of a refund (H5). */
export const writeOff =
  ({ invoiceId, adjustmentId, reason }: { invoiceId: string; adjustmentId: string; reason: string | null }): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    const unpaid = minus(issued.balance, issued.owingByRefunds);
    if (issued.adjusted.includes(adjustmentId) || unpaid.amount <= 0) return [];
    return [adjusted(issued, { adjustmentId, adjustment: negative(unpaid), because: 'writtenOff', reason })];
  };

/** H4: the package is reinstated: what was written off is owing again, less what staff took back of it themselves. */
export const undoWriteOff =
  ({
    invoiceId,
    adjustmentId,
    undoneBy,
    reason,
  }: {
    invoiceId: string;
    adjustmentId: string;
    undoneBy: string;
    reason: string | null;
  }): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    const writtenOff = issued.writtenOff.find((known) => known.adjustmentId === adjustmentId);
    if (!writtenOff || issued.adjusted.includes(undoneBy)) return [];
    const left = writtenOff.discountsBefore.amount - issued.discounts.amount; // what staff took back, they took back of this first
    const amount = Math.min(0 - writtenOff.adjustment.amount, left);
    if (amount <= 0) return [];
    const adjustment = { ...writtenOff.adjustment, amount };
    return [adjusted(issued, { adjustmentId: undoneBy, adjustment, because: 'reinstated', reason })];
  };

export interface RefundInvoice {
  invoiceId: string;
  refundId: string;
  amount: Money;
  outcome: RefundOutcome;
  method: PaymentMethod;
  reference: string | null;
  notes: string | null;
  refundedOn: string; // local date of the business
}

/**
 * H5: never more than was paid and not yet refunded. With `noOutstandingBalance` the invoice is discounted by the same
 * amount, which it must be able to bear: credit of an appointment that did not take place is simply given back.
 */
export const refundInvoice =
  ({ invoiceId, refundId, ...refund }: RefundInvoice): DecideInvoice =>
  (state) => {
    const issued = existing(state, invoiceId);
    if (refundIn(issued, refundId)) return [];
    assertRefundable(issued, refund);
    const { amount, outcome } = refund;
    const adjustment = outcome === 'noOutstandingBalance' ? negative(amount) : zero(amount.currency);
    return [givenBack(issued, { ...refund, refundId, adjustment, ...AT_THE_DESK })];
  };

const AT_THE_DESK = { paymentId: null, source: 'staff', stripeRefundId: null, disputeId: null } as const;

/** What can still be given back by our rules: what Stripe has not confirmed yet is kept for that (H6). */
const refundableOf = (issued: IssuedInvoice): number => keptOf(issued) - issued.pending.amount;

/** H4, H5. What waits for Stripe takes off as well, once it succeeds. */
export const assertRefundable = (issued: IssuedInvoice, { amount, outcome }: Pick<RefundInvoice, 'amount' | 'outcome'>): void => {
  const { invoiceId, total, adjustments, refunds } = issued;
  const refundable = refundableOf(issued);
  if (amount.amount > refundable)
    throw new Refusal('REFUND_ABOVE_PAID', `At most ${refundable} (minor units) was paid and not yet refunded.`, {
      invoiceId,
      refundable: { ...amount, amount: refundable },
    });
  if (outcome !== 'noOutstandingBalance') return;
  const waiting = refunds.filter((refund) => refund.status === 'pending' && refund.outcome === outcome);
  const lowering = [amount, ...waiting.map((refund) => refund.amount)].map(negative);
  if (sum(total.currency, [total, adjustments, ...lowering]).amount < 0)
    throw new Refusal(
      'NOTHING_TO_DISCOUNT',
      'So much is no longer charged on this invoice: refund it with the outcome outstandingBalance.',
      {
        invoiceId,
        charged: sum(total.currency, [total, adjustments]),
      },
    );
};

type InvoiceRefunded = Extract<InvoiceEvent, { type: 'InvoiceRefunded' }>['data'];
type GivingBack = Omit<RefundInvoice, 'invoiceId'> &
  Pick<InvoiceRefunded, 'adjustment' | 'paymentId' | 'source' | 'stripeRefundId' | 'disputeId'>;

/** H5, H7: money was given back; its part of the taxes is worked out in the order in which that happens. */
export const givenBack = (issued: IssuedInvoice, { adjustment, ...refund }: GivingBack): InvoiceEvent => {
  const { invoiceId, clientId, refunded } = issued;
  const { currency } = refund.amount;
  const after = moneyAfter(issued, {
    refunded: sum(currency, [refunded, refund.amount]),
    adjustments: sum(currency, [issued.adjustments, adjustment]),
  });
  const about = { invoiceId, clientId, packageId: packageOf(issued), ...refund };
  return {
    type: 'InvoiceRefunded',
    data: { ...about, ...taxOf(issued, refund.amount), adjustment, pending: pendingAfter(issued, refund), ...after },
  };
};

/** H7: the part of it that is tax, and of which taxes. */
export const taxOf = (issued: IssuedInvoice, amount: Money): Pick<InvoiceRefunded, 'taxes' | 'tax'> => {
  const taxes = taxesOfRefund(issued, amount);
  return {
    taxes,
    tax: sum(
      amount.currency,
      taxes.map((line) => line.amount),
    ),
  };
};

/** Refunds that still wait for Stripe once this one does not any more. */
export const pendingAfter = (issued: IssuedInvoice, { refundId }: { refundId: string }): Money =>
  sum(
    issued.total.currency,
    issued.refunds.filter((refund) => refund.status === 'pending' && refund.refundId !== refundId).map(({ amount }) => amount),
  );

/** Of a package's own invoice: the package, which follows it; an appointment's may name the one whose session it uses. */
export const packageOf = ({ kind, packageId }: IssuedInvoice): string | null => (kind === 'package' ? packageId : null);

/** E9: credit of an appointment's invoice. What was paid for a package is refunded through the package (H4). */
export const ofAppointment =
  (id: string, refund: DecideInvoice): DecideInvoice =>
  (state) => {
    const { kind, invoiceId, packageId } = existing(state, id);
    if (kind === 'package')
      throw new Refusal('REFUND_THE_PACKAGE', 'This invoice is of a package: cancel the package, then refund it there.', {
        invoiceId,
        packageId,
      });
    return refund(state);
  };

/** H7: each tax's share of all refunds together, less what the refunds before it had: parts of a whole add up to it exactly. */
export const taxesOfRefund = (
  { total, taxes, refunded }: Pick<IssuedInvoice, 'total' | 'taxes' | 'refunded'>,
  amount: Money,
): TaxLine[] => {
  if (total.amount === 0) return [];
  const before = refunded.amount;
  return taxes.map((line) => ({
    ...line,
    amount: minus(inProportion(line.amount, before + amount.amount, total.amount), inProportion(line.amount, before, total.amount)),
  }));
};

type AdjustedBecause = Extract<InvoiceEvent, { type: 'InvoiceAdjusted' }>['data']['because'];

/** Adjusting to zero takes the whole off already. */
const assertStands = ({ invoiceId, toZero }: IssuedInvoice): void => {
  if (toZero)
    throw new Refusal('ADJUSTED_TO_ZERO', 'This invoice is adjusted to zero, because its appointment did not take place.', { invoiceId });
};

const adjusted = (
  issued: IssuedInvoice,
  { adjustment, ...about }: { adjustmentId: string; adjustment: Money; because: AdjustedBecause; reason: string | null },
): InvoiceEvent => {
  const after = (of: Money) => sum(adjustment.currency, [of, adjustment]);
  const money = { discounts: after(issued.discounts), ...moneyAfter(issued, { adjustments: after(issued.adjustments) }) };
  return { type: 'InvoiceAdjusted', data: { ...pick(issued, 'invoiceId', 'clientId'), ...about, adjustment, ...money } };
};

/** J2: total + adjustments − paid + refunded = what is owing. */
export const moneyAfter = (issued: IssuedInvoice, change: Partial<Pick<IssuedInvoice, 'adjustments' | 'paid' | 'refunded'>>) => {
  const { total, adjustments, paid, refunded } = { ...issued, ...change };
  return { adjustments, paid, refunded, balance: sum(total.currency, [total, adjustments, negative(paid), refunded]) };
};

export const existing = (state: InvoiceState, invoiceId: string): IssuedInvoice => {
  if (state.status === 'none') throw new NotFound('invoice', invoiceId);
  return state;
};

const owingAll = (content: InvoiceContent) => ({
  ...content,
  adjustments: zero(content.total.total.currency),
  balance: content.total.total,
});
