import type { ClientForgotten } from '../libs/domain/client/client.events.js';
import type { InvoiceEvent, RefundOutcome, RefundSource } from '../libs/domain/invoice/invoice.events.js';
import type { InvoiceNumbersEvent } from '../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { forgotten, type EventOf } from '../libs/domain/kernel/event.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { InvoiceContent, InvoiceLine, Money, PaymentMethod, TaxLine } from '../libs/domain/kernel/shapes.js';
import { column, defineProjection, insert, scrub, update, type RowOf } from '../libs/projection-engine/define-projection.js';

export interface ListedPayment {
  paymentId: string;
  amount: Money;
  method: PaymentMethod;
  reference: string | null;
  receivedOn: string;
  voided: boolean;
  reason: string | null; // why it was voided
}

export interface ListedRefund {
  refundId: string;
  amount: Money;
  status: 'pending' | 'succeeded' | 'failed';
  source: RefundSource;
  paymentId: string | null; // through Stripe
  stripeRefundId: string | null;
  failure: string | null;
  taxes: TaxLine[];
  tax: Money | null; // null: worked out when it succeeds
  outcome: RefundOutcome;
  method: PaymentMethod;
  reference: string | null;
  notes: string | null;
  requestedOn: string | null; // through Stripe, by staff
  refundedOn: string | null; // null: it never succeeded
}

export type ListedDispute = Pick<
  Extract<InvoiceEvent, { type: 'InvoiceDisputed' }>['data'],
  'disputeId' | 'paymentId' | 'amount' | 'status' | 'because' | 'disputedOn'
>;

export interface ListedAdjustment {
  adjustmentId: string;
  adjustment: Money;
  because: 'discount' | 'writtenOff' | 'reinstated';
  reason: string | null;
}

/** D2, D3, E9: one row per invoice. Amounts are minor units of its currency; total + adjustments − paid + refunded = balance. */
export const invoiceList = defineProjection({
  name: 'invoice_list',
  version: 5,
  key: 'invoiceId',
  columns: {
    invoiceId: column.uuid(),
    number: column.text().nullable().indexed(), // as it is shown; null until the projector has numbered it, moments after
    kind: column.text<InvoiceContent['kind']>(),
    clientId: column.uuid(),
    packageId: column.uuid().nullable().indexed(),
    appointmentId: column.uuid().nullable().indexed(),
    packageInvoiceId: column.uuid().nullable(),
    issuedOn: column.date().indexed(),
    currency: column.text(),
    lines: column.json<InvoiceLine[]>(),
    net: column.amount(),
    tax: column.amount(),
    total: column.amount(),
    adjustments: column.amount(), // below zero where they take off
    paid: column.amount(), // by payments that stand
    refunded: column.amount(),
    pending: column.amount(), // refunds that Stripe has not confirmed yet (H6): in no other figure
    payments: column.json<ListedPayment[]>(), // voided ones too
    refunds: column.json<ListedRefund[]>(),
    disputes: column.json<ListedDispute[]>(),
    disputed: column.boolean().indexed(), // one is open or lost
    overallAdjustments: column.json<ListedAdjustment[]>(),
    balance: column.amount(), // what is owing; below zero it is credit
    revision: column.bigint(),
  },
  indexes: [['clientId', 'issuedOn']],
}).on<InvoiceEvent | InvoiceNumbersEvent | EventOf<typeof ClientForgotten>>({
  InvoiceIssued: insert(({ data, revision }) => ({
    ...{ number: null, paid: 0, refunded: 0, pending: 0, payments: [], refunds: [], disputes: [], disputed: false, overallAdjustments: [] },
    ...{ ...contentOf(data), revision },
  })),
  InvoiceNumbered: update(
    ({ data }) => data.invoiceId,
    (row, { data }) => ({ ...row, number: data.shown }),
  ),
  InvoiceReissued: update(
    ({ data }) => data.invoiceId,
    // It keeps its number and so the day under which it is numbered; what was taken off went with the lines.
    (row, { data, revision }) => ({ ...row, ...contentOf(data), issuedOn: row.issuedOn, overallAdjustments: [], revision }),
  ),
  InvoiceAdjustedToZero: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({ ...row, ...after(data), revision }),
  ),
  InvoiceAdjustmentUndone: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({ ...row, ...after(data), revision }),
  ),
  PaymentReceived: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), revision },
      payments: [
        ...row.payments.filter(({ paymentId }) => paymentId !== data.paymentId),
        { ...pick(data, 'paymentId', 'amount', 'method', 'reference', 'receivedOn'), voided: false, reason: null },
      ],
    }),
  ),
  PaymentVoided: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), revision },
      payments: row.payments.map((payment) =>
        payment.paymentId === data.paymentId ? { ...payment, voided: true, reason: data.reason } : payment,
      ),
    }),
  ),
  InvoiceAdjusted: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), revision },
      overallAdjustments: [
        ...row.overallAdjustments.filter(({ adjustmentId }) => adjustmentId !== data.adjustmentId),
        pick(data, 'adjustmentId', 'adjustment', 'because', 'reason'),
      ],
    }),
  ),
  InvoiceRefunded: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), pending: data.pending.amount, revision },
      refunds: withRefund(row.refunds, data, {
        ...pick(data, 'refundId', 'amount', 'taxes', 'tax', 'outcome', 'method', 'reference', 'notes', 'refundedOn'),
        ...{ ...pick(data, 'source', 'paymentId', 'stripeRefundId'), status: 'succeeded', failure: null },
      }),
    }),
  ),
  InvoiceRefundRequested: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), pending: data.pending.amount, revision },
      refunds: withRefund(row.refunds, data, {
        ...pick(data, 'refundId', 'amount', 'outcome', 'reference', 'notes', 'paymentId', 'requestedOn'),
        ...{ method: 'stripe', source: 'staff', status: 'pending', stripeRefundId: null, failure: null },
        ...{ taxes: [], tax: null, refundedOn: null },
      }),
    }),
  ),
  InvoiceRefundFailed: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), pending: data.pending.amount, revision },
      refunds: withRefund(row.refunds, data, { ...pick(data, 'stripeRefundId', 'failure'), status: 'failed' }),
    }),
  ),
  InvoiceRefundReturned: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({
      ...{ ...row, ...moneyAfter(data), revision },
      refunds: withRefund(row.refunds, data, { ...pick(data, 'stripeRefundId', 'failure'), status: 'failed' }),
    }),
  ),
  InvoiceDisputed: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => {
      const disputes = [
        ...row.disputes.filter(({ disputeId }) => disputeId !== data.disputeId),
        pick(data, 'disputeId', 'paymentId', 'amount', 'status', 'because', 'disputedOn'),
      ];
      return { ...row, ...moneyAfter(data), disputes, disputed: disputes.some(({ status }) => status !== 'won'), revision };
    },
  ),
  ClientForgotten: scrub(
    ({ data }) => ({ clientId: data.clientId }),
    (row) => ({
      ...row,
      payments: row.payments.map((one) => ({ ...one, reference: forgotten(one.reference), reason: forgotten(one.reason) })),
      overallAdjustments: row.overallAdjustments.map((one) => ({ ...one, reason: forgotten(one.reason) })),
      refunds: row.refunds.map((one) => ({ ...one, reference: forgotten(one.reference), notes: forgotten(one.notes) })),
    }),
  ),
});

export type InvoiceRow = RowOf<typeof invoiceList>;

/** What is new of a refund, in the place in which it stood, or after the others. */
function withRefund(refunds: readonly ListedRefund[], { refundId }: { refundId: string }, now: Partial<ListedRefund>): ListedRefund[] {
  const known = refunds.some((refund) => refund.refundId === refundId);
  if (!known) return [...refunds, { requestedOn: null, ...now } as ListedRefund];
  return refunds.map((refund) => (refund.refundId === refundId ? { ...refund, ...now } : refund));
}

interface After {
  adjustments: Money;
  balance: Money;
}

function after({ adjustments, balance }: After) {
  return { adjustments: adjustments.amount, balance: balance.amount };
}

function moneyAfter(data: After & { paid: Money; refunded: Money }) {
  return { ...after(data), paid: data.paid.amount, refunded: data.refunded.amount };
}

function contentOf(data: InvoiceContent & After) {
  const { net, tax, total } = data.total;
  return {
    ...pick(data, 'invoiceId', 'kind', 'clientId', 'packageId', 'appointmentId', 'packageInvoiceId', 'issuedOn', 'lines'),
    ...{ currency: total.currency, net: net.amount, tax: tax.amount, total: total.amount, ...after(data) },
  };
}
