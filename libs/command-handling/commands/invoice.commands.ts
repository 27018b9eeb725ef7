import { adjustInvoice, receivePayment, refundAppointment, voidPayment } from '../../domain/invoice/invoice.decisions.js';
import type { RefundOutcome } from '../../domain/invoice/invoice.events.js';
import { invoice, type InvoiceState, type IssuedInvoice } from '../../domain/invoice/invoice.state.js';
import { wrongCurrency } from '../../domain/kernel/money.js';
import { assertNone, type FieldError } from '../../domain/kernel/refusal.js';
import type { Money, PaymentMethod } from '../../domain/kernel/shapes.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';

/** D2: `reference` says which, where the method does not. */
export interface PaymentInput {
  amount: Money;
  method: PaymentMethod;
  reference: string | null;
}

type Of<Input> = Input & { invoiceId: string };
type Refunding = PaymentInput & { outcome: RefundOutcome; notes: string | null };

/** What is owing on an invoice, and why; minor units of its currency. */
export interface InvoiceAnswer {
  invoiceId: string;
  currency: string;
  total: number;
  adjustments: number;
  paid: number;
  refunded: number;
  balance: number;
  paymentId?: string; // of what was paid now
  adjustmentId?: string;
  refundId?: string;
}

export class ReceivePayment extends CommandOf<Of<PaymentInput>, InvoiceAnswer> {}
export class VoidPayment extends CommandOf<Of<{ paymentId: string; reason: string | null }>, InvoiceAnswer> {}
export class AdjustInvoice extends CommandOf<Of<{ adjustment: Money; reason: string | null }>, InvoiceAnswer> {}
export class RefundInvoice extends CommandOf<Of<Refunding>, InvoiceAnswer> {}

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

  handlerOf(RefundInvoice, async (operation, input) => {
    const { today, currency } = await operation.business();
    assertNone(wrongInPayment(input, currency));
    const refundId = operation.id('refund');
    const refund = refundAppointment({ refundId, ...input, refundedOn: today });
    return { ...(await operation.change(invoice, input.invoiceId, refund, answerOf)), refundId };
  }),
];

/** D2: the currency is that of the business, and `other` says what it was. */
export const wrongInPayment = ({ amount, method, reference }: PaymentInput, currency: string, at = ''): FieldError[] => [
  ...wrongCurrency(`${at}/amount`, amount, currency),
  ...(method === 'other' && reference === null
    ? [{ field: `${at}/reference`, code: 'REQUIRED', message: 'Of another method, the reference says what it was.' }]
    : []),
];

const zeroAdjustment = ({ adjustment: { amount } }: { adjustment: Money }): FieldError[] =>
  amount === 0
    ? [{ field: '/adjustment/amount', code: 'ZERO', message: 'Below zero it takes off, above zero it takes back what was taken off.' }]
    : [];

const answerOf = (state: InvoiceState): InvoiceAnswer => {
  const { invoiceId, total, adjustments, paid, refunded, balance } = state as IssuedInvoice;
  return {
    ...{ invoiceId, currency: total.currency, total: total.amount, adjustments: adjustments.amount },
    ...{ paid: paid.amount, refunded: refunded.amount, balance: balance.amount },
  };
};
