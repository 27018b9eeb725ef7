import type { InvoiceEvent, RefundOutcome } from '../libs/domain/invoice/invoice.events.js';
import type { InvoiceNumbersEvent } from '../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { InvoiceContent, InvoiceLine, Money, PaymentMethod, TaxLine } from '../libs/domain/kernel/shapes.js';
import { column, defineProjection, insert, update, type RowOf } from '../libs/projection-engine/define-projection.js';

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
  taxes: TaxLine[];
  tax: Money;
  outcome: RefundOutcome;
  method: PaymentMethod;
  reference: string | null;
  notes: string | null;
  refundedOn: string;
}

export interface ListedAdjustment {
  adjustmentId: string;
  adjustment: Money;
  because: 'discount' | 'writtenOff' | 'reinstated';
  reason: string | null;
}

/** D2, D3, E9: one row per invoice. Amounts are minor units of its currency; total + adjustments − paid + refunded = balance. */
export const invoiceList = defineProjection({
  name: 'invoice_list',
  version: 4,
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
    payments: column.json<ListedPayment[]>(), // voided ones too
    refunds: column.json<ListedRefund[]>(),
    overallAdjustments: column.json<ListedAdjustment[]>(),
    balance: column.amount(), // what is owing; below zero it is credit
    revision: column.bigint(),
  },
  indexes: [['clientId', 'issuedOn']],
}).on<InvoiceEvent | InvoiceNumbersEvent>({
  InvoiceIssued: insert(({ data, revision }) => ({
    ...{ number: null, paid: 0, refunded: 0, payments: [], refunds: [], overallAdjustments: [] },
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
      ...{ ...row, ...moneyAfter(data), revision },
      refunds: [
        ...row.refunds.filter(({ refundId }) => refundId !== data.refundId),
        pick(data, 'refundId', 'amount', 'taxes', 'tax', 'outcome', 'method', 'reference', 'notes', 'refundedOn'),
      ],
    }),
  ),
});

export type InvoiceRow = RowOf<typeof invoiceList>;

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
