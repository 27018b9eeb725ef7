import type { Aggregate } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import type { InvoiceContent, Money, PaymentMethod, TaxLine } from '../kernel/shapes.js';
import { minus, sum, zero } from '../kernel/money.js';
import { invoiceEvents, type InvoiceEvent } from './invoice.events.js';

export type InvoiceState = { status: 'none' } | IssuedInvoice;

export interface IssuedInvoice {
  status: 'issued';
  invoiceId: string;
  kind: InvoiceContent['kind'];
  clientId: string;
  packageId: string | null;
  total: Money;
  taxes: TaxLine[]; // of all lines
  adjustments: Money; // all together; below zero: they take off
  discounts: Money; // those of them that staff made by themselves
  toZero: { adjustment: Money; because: 'cancelled' | 'noShow'; consumptionId: string | null } | null; // the one of them that E9 made
  payments: Payment[]; // voided ones too, for ever: a late repeat finds its own
  adjusted: string[]; // ids of the overall adjustments
  writtenOff: WrittenOff[]; // those of them that wrote off what was owing (H4)
  refunds: Refund[]; // those too of which nothing came, for ever
  disputes: Dispute[];
  paid: Money; // by payments that stand
  refunded: Money;
  pending: Money; // refunds that Stripe has not confirmed yet, all together: kept for them (H6)
  owingByRefunds: Money; // what is owing again because it was given back (H5)
  balance: Money; // what is owing; below zero: credit
  removed: string[]; // E8: sessions that its appointment gave up
  returned: string[]; // E9: sessions that came back because it did not take place; if it stands again, it is with another
}

interface WrittenOff {
  adjustmentId: string;
  adjustment: Money;
  discountsBefore: Money;
}

export interface Payment {
  paymentId: string;
  amount: Money;
  method: PaymentMethod;
  purchaseId: string | null; // through Stripe: the purchase that knows the payment there
  voided: boolean;
}

/** H5, H6. Only through Stripe is one ever pending, or fails. */
export interface Refund extends Pick<
  InvoiceRefunded,
  'refundId' | 'paymentId' | 'amount' | 'outcome' | 'adjustment' | 'source' | 'stripeRefundId' | 'disputeId' | 'reference' | 'notes'
> {
  status: 'pending' | 'succeeded' | 'failed';
}

type InvoiceRefunded = Extract<InvoiceEvent, { type: 'InvoiceRefunded' }>['data'];
type Dispute = Pick<Extract<InvoiceEvent, { type: 'InvoiceDisputed' }>['data'], 'disputeId' | 'amount' | 'status'>;

export const invoice: Aggregate<InvoiceState, InvoiceEvent> = {
  category: 'invoice',
  events: invoiceEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'InvoiceIssued') {
      const none = zero(data.balance.currency);
      const kept = {
        payments: [],
        adjusted: [],
        writtenOff: [],
        refunds: [],
        disputes: [],
        removed: [],
        returned: [],
        paid: none,
        refunded: none,
        pending: none,
        owingByRefunds: none,
      };
      return { ...kept, ...contentOf(data) };
    }
    if (state.status === 'none') return state;
    switch (type) {
      case 'InvoiceReissued':
        return {
          ...state,
          ...contentOf(data),
          removed: data.removes ? including(state.removed, data.removes.consumptionId) : state.removed,
        };
      case 'InvoiceAdjustedToZero': {
        const { consumptionId, adjustments, balance } = data;
        const returned = consumptionId === null ? state.returned : including(state.returned, consumptionId);
        return { ...state, toZero: pick(data, 'adjustment', 'because', 'consumptionId'), returned, adjustments, balance };
      }
      case 'InvoiceAdjustmentUndone':
        return { ...state, toZero: null, adjustments: data.adjustments, balance: data.balance };
      case 'PaymentReceived':
        return {
          ...{ ...state, ...moneyOf(data) },
          payments: [...others(state, data.paymentId), { ...pick(data, 'paymentId', 'amount', 'method', 'purchaseId'), voided: false }],
        };
      case 'PaymentVoided':
        return {
          ...{ ...state, ...moneyOf(data) },
          payments: state.payments.map((payment) => (payment.paymentId === data.paymentId ? { ...payment, voided: true } : payment)),
        };
      case 'InvoiceAdjusted':
        return {
          ...{ ...state, ...moneyOf(data), discounts: data.discounts },
          adjusted: [...new Set([...state.adjusted, data.adjustmentId])],
          writtenOff:
            data.because === 'writtenOff'
              ? [
                  ...otherWriteOffs(state, data),
                  { ...pick(data, 'adjustmentId', 'adjustment'), discountsBefore: minus(data.discounts, data.adjustment) },
                ]
              : state.writtenOff,
        };
      case 'InvoiceRefunded':
        return withRefund(state, data, {
          ...pick(data, 'refundId', 'paymentId', 'amount', 'outcome', 'adjustment', 'source', 'stripeRefundId', 'disputeId'),
          ...{ ...pick(data, 'reference', 'notes'), status: 'succeeded' },
        });
      case 'InvoiceRefundRequested':
        return withRefund(state, data, {
          ...pick(data, 'refundId', 'paymentId', 'amount', 'outcome', 'reference', 'notes'),
          ...{ adjustment: zero(data.amount.currency), source: 'staff', stripeRefundId: null, disputeId: null, status: 'pending' },
        });
      case 'InvoiceRefundFailed': {
        const refund = refundIn(state, data.refundId);
        return refund ? withRefund(state, data, { ...refund, ...pick(data, 'stripeRefundId'), status: 'failed' }) : state;
      }
      case 'InvoiceRefundReturned': {
        const refund = refundIn(state, data.refundId);
        if (!refund) return state;
        const toZero = state.toZero && { ...state.toZero, adjustment: data.toZero ?? state.toZero.adjustment };
        return withRefund({ ...state, toZero }, data, { ...refund, ...pick(data, 'stripeRefundId'), status: 'failed' });
      }
      case 'InvoiceDisputed':
        return {
          ...state,
          disputes: [
            ...state.disputes.filter(({ disputeId }) => disputeId !== data.disputeId),
            pick(data, 'disputeId', 'amount', 'status'),
          ],
        };
      default:
        return type satisfies never;
    }
  },
};

/** What was paid and not refunded; minor units. */
export const keptOf = ({ paid, refunded }: IssuedInvoice): number => paid.amount - refunded.amount;

export const refundIn = ({ refunds }: Pick<IssuedInvoice, 'refunds'>, refundId: string): Refund | undefined =>
  refunds.find((refund) => refund.refundId === refundId);

/** A refund as it is now, and what follows from all of them. */
const withRefund = (state: IssuedInvoice, data: Parameters<typeof moneyOf>[0], refund: Refund): IssuedInvoice => {
  const refunds = [...state.refunds.filter(({ refundId }) => refundId !== refund.refundId), refund];
  const { currency } = state.total;
  const all = (such: (one: Refund) => boolean) =>
    sum(
      currency,
      refunds.filter(such).map(({ amount }) => amount),
    );
  return {
    ...{ ...state, ...moneyOf(data), refunds },
    pending: all(({ status }) => status === 'pending'),
    owingByRefunds: all(({ status, outcome }) => status === 'succeeded' && outcome === 'outstandingBalance'),
  };
};

const others = ({ payments }: IssuedInvoice, paymentId: string): Payment[] => payments.filter((payment) => payment.paymentId !== paymentId);

const otherWriteOffs = ({ writtenOff }: IssuedInvoice, { adjustmentId }: { adjustmentId: string }): IssuedInvoice['writtenOff'] =>
  writtenOff.filter((known) => known.adjustmentId !== adjustmentId);

const moneyOf = (data: Pick<IssuedInvoice, 'adjustments' | 'paid' | 'refunded' | 'balance'>) =>
  pick(data, 'adjustments', 'paid', 'refunded', 'balance');

/** What the content of an invoice says; made anew, it has no adjustments of its own yet. */
const contentOf = (data: InvoiceContent & { adjustments: Money; balance: Money }) => ({
  status: 'issued' as const,
  ...pick(data, 'invoiceId', 'kind', 'clientId', 'packageId', 'adjustments', 'balance'),
  ...{ total: data.total.total, taxes: data.lines.flatMap(({ taxes }) => taxes), discounts: zero(data.balance.currency), toZero: null },
});

const including = (ids: readonly string[], id: string): string[] => (ids.includes(id) ? [...ids] : [...ids, id]);
