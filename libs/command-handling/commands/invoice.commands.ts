import { requestRefund } from '../../domain/invoice/card-refunds.decisions.js';
import { adjustInvoice, ofAppointment, receivePayment, refundInvoice, voidPayment } from '../../domain/invoice/invoice.decisions.js';
import type { RefundOutcome } from '../../domain/invoice/invoice.events.js';
import { invoice, type InvoiceState, type IssuedInvoice } from '../../domain/invoice/invoice.state.js';
import { wrongCurrency } from '../../domain/kernel/money.js';
import { assertNone, type FieldError } from '../../domain/kernel/refusal.js';
import type { Money, PaymentMethod } from '../../domain/kernel/shapes.js';
import { ChangeOf } from '../command.js';
import { handlerOf } from '../handler.js';

/** D2: `reference` says which, where the method does not. */
export interface PaymentInput {
  amount: Money;
  method: PaymentMethod;
  reference: string | null;
}

type Of<Input> = Input & { invoiceId: string };

/** H5. `paymentId`: of which payment through Stripe, null: the only one (H6). */
export interface RefundInput extends PaymentInput {
  outcome: RefundOutcome;
  notes: string | null;
  paymentId: string | null;
}

/** What is owing on an invoice, and why; minor units of its currency. */
export interface InvoiceAnswer {
  invoiceId: string;
  currency: string;
  total: number;
  adjustments: number;
  paid: number;
  refunded: number;
  pending: number; // refunds that Stripe has not confirmed yet (H6)
  balance: number;
  paymentId?: string; // of what was paid now
  adjustmentId?: string;
  refundId?: string;
}

export class ReceivePayment extends ChangeOf<Of<PaymentInput>, InvoiceAnswer> {}
export class VoidPayment extends ChangeOf<Of<{ paymentId: string; reason: string | null }>, InvoiceAnswer> {}
export class AdjustInvoice extends ChangeOf<Of<{ adjustment: Money; reason: string | null }>, InvoiceAnswer> {}
export class RefundInvoice extends ChangeOf<Of<RefundInput>, InvoiceAnswer> {}

export const invoiceHandlers = [
  handlerOf(ReceivePayment, async (operation, { invoiceId, ...payment }) => {
    const { today, currency } = await operation.business();
    assertNone(wrongInPayment(payment, currency));
    const paymentId = operation.id('payment');
    const receive = receivePayment({ invoiceId, paymentId, ...payment, receivedOn: today });
    return { ...(await operation.change(invoice, invoiceId, receive, answerOf)), paymentId };
  }),

  handlerOf(VoidPayment, (operation, input) => operation.change(invoice, input.invoiceId, voidPayment(input), answerOf)),

  handlerOf(AdjustInvoice, async (operation, input) => {
    const { currency } = await operation.business();
    assertNone([...wrongCurrency('/adjustment', input.adjustment, currency), ...zeroAdjustment(input)]);
    const adjustmentId = operation.id('adjustment');
    return { ...(await operation.change(invoice, input.invoiceId, adjustInvoice({ adjustmentId, ...input }), answerOf)), adjustmentId };
  }),

  handlerOf(RefundInvoice, async (operation, { invoiceId, ...input }) => {
    const { today, currency } = await operation.business();
    assertNone(wrongInRefund(input, currency));
    if (input.method === 'stripe') operation.assertTakesCards();
    const refundId = operation.id('refund');
    const { paymentId, ...given } = input;
    const { method, ...wanted } = input;
    const refund =
      method === 'stripe'
        ? requestRefund({ invoiceId, refundId, ...wanted, requestedOn: today })
        : refundInvoice({ invoiceId, refundId, ...given, refundedOn: today });
    return { ...(await operation.change(invoice, invoiceId, ofAppointment(invoiceId, refund), answerOf)), refundId };
  }),
];

/** D2: the currency is that of the business, and `other` says what it was. */
export const wrongInPayment = ({ amount, method, reference }: PaymentInput, currency: string, at = ''): FieldError[] => [
  ...wrongCurrency(`${at}/amount`, amount, currency),
  ...(method === 'other' && reference === null
    ? [{ field: `${at}/reference`, code: 'REQUIRED', message: 'Of another method, the reference says what it was.' }]
    : []),
];

/** H6: which payment it was matters to Stripe alone. */
export const wrongInRefund = (refund: Omit<RefundInput, 'outcome' | 'notes'>, currency: string): FieldError[] => [
  ...wrongInPayment(refund, currency),
  ...(refund.paymentId !== null && refund.method !== 'stripe'
    ? [{ field: '/paymentId', code: 'ONLY_THROUGH_STRIPE', message: 'Only a refund through Stripe is one of a certain payment.' }]
    : []),
];

const zeroAdjustment = ({ adjustment: { amount } }: { adjustment: Money }): FieldError[] =>
  amount === 0
    ? [{ field: '/adjustment/amount', code: 'ZERO', message: 'Below zero it takes off, above zero it takes back what was taken off.' }]
    : [];

const answerOf = (state: InvoiceState): InvoiceAnswer => {
  const { invoiceId, total, adjustments, paid, refunded, pending, balance } = state as IssuedInvoice;
  return {
    ...{ invoiceId, currency: total.currency, total: total.amount, adjustments: adjustments.amount },
    ...{ paid: paid.amount, refunded: refunded.amount, pending: pending.amount, balance: balance.amount },
  };
};
