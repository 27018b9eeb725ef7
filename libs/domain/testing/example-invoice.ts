import { invoiceOver } from '../invoice/invoice-content.js';
import type { InvoiceEvent, Removal } from '../invoice/invoice.events.js';
import { withTaxes, type Tax } from '../kernel/money.js';
import type { InvoiceContent, Money } from '../kernel/shapes.js';
import { anna, cad, idOf, massage } from './example.js';

type Line = { description: string; serviceId: string | null; net: Money; taxes?: readonly Tax[] };

/** An invoice over lines given as net amounts; of an appointment without a package if nothing else is said. */
export const invoiceContent = ({
  lines = [],
  ...over
}: Partial<Omit<InvoiceContent, 'lines' | 'total'>> & { lines?: Line[] } = {}): InvoiceContent =>
  invoiceOver('CAD', {
    ...{ invoiceId: idOf('i1'), kind: 'appointment', clientId: anna, packageId: null, appointmentId: idOf('a1'), packageInvoiceId: null },
    ...{ issuedOn: '2027-01-31', ...over },
    lines: lines.map(({ net, taxes = [], ...line }) => ({ ...line, ...withTaxes(net, taxes) })),
  });

/** A massage at its regular fee of $100, with these taxes. */
export const regularFee = (taxes: readonly Tax[] = [], over: Partial<Omit<InvoiceContent, 'lines' | 'total'>> = {}): InvoiceContent =>
  invoiceContent({ ...over, lines: [{ description: 'Massage', serviceId: massage, net: cad(100_00), taxes }] });

export const issued = (content: InvoiceContent, balance: Money = content.total.total): InvoiceEvent => ({
  type: 'InvoiceIssued',
  data: { ...content, adjustments: cad(0), balance },
});

export const reissued = (
  content: InvoiceContent,
  { balance = content.total.total, removes = null }: { balance?: Money; removes?: Removal | null } = {},
): InvoiceEvent => ({
  type: 'InvoiceReissued',
  data: { ...content, adjustments: cad(0), balance, removes },
});

type BecauseOf = { because?: 'cancelled' | 'noShow'; consumptionId?: string | null; balance?: number };
const i1 = { invoiceId: idOf('i1'), clientId: anna };

/** So much is taken off, minor units; its first session comes back, and nothing is owing after it, if nothing else is said. */
export const adjustedToZero = (
  off: number,
  { because = 'cancelled', consumptionId = idOf('c1'), balance = 0 }: BecauseOf = {},
): InvoiceEvent => ({
  type: 'InvoiceAdjustedToZero',
  data: { ...i1, because, consumptionId, adjustment: cad(0 - off), adjustments: cad(0 - off), balance: cad(balance) },
});
/** So much is put on again, minor units; that much is owing after it if nothing else is said. */
export const adjustmentUndone = (on: number, balance = on): InvoiceEvent => ({
  type: 'InvoiceAdjustmentUndone',
  data: { ...i1, adjustment: cad(on), adjustments: cad(0), balance: cad(balance) },
});

type Of<Type extends InvoiceEvent['type']> = Extract<InvoiceEvent, { type: Type }>['data'];
type Money3 = { paid?: number; refunded?: number; adjustments?: number; balance: number };

/** What is paid, refunded, adjusted and owing after an event; minor units. */
const after = ({ paid = 0, refunded = 0, adjustments = 0, balance }: Money3) => ({
  ...{ paid: cad(paid), refunded: cad(refunded), adjustments: cad(adjustments), balance: cad(balance) },
});

/** The nth payment, in cash if nothing else is said. */
export const received = (n: number, amount: number, money: Money3, over: Partial<Of<'PaymentReceived'>> = {}): InvoiceEvent => ({
  type: 'PaymentReceived',
  data: {
    ...{ ...i1, paymentId: idOf(`pay${n}`), amount: cad(amount), method: 'cash', reference: null, receivedOn: '2027-01-31' },
    ...{ purchaseId: null, ...after(money), ...over },
  },
});
export const voided = (n: number, amount: number, money: Money3, reason: string | null = null): InvoiceEvent => ({
  type: 'PaymentVoided',
  data: { ...i1, paymentId: idOf(`pay${n}`), amount: cad(amount), reason, ...after(money) },
});
/** The nth overall adjustment: below zero it takes off. */
export const adjustedBy = (n: number, adjustment: number, money: Money3, over: Partial<Of<'InvoiceAdjusted'>> = {}): InvoiceEvent => ({
  type: 'InvoiceAdjusted',
  data: {
    ...{ ...i1, adjustmentId: idOf(`adj${n}`), adjustment: cad(adjustment), because: 'discount', reason: null },
    ...{ discounts: cad(adjustment), ...after(money), ...over },
  },
});
const atStripe = (n: number, amount: number) => ({
  ...{ ...i1, refundId: idOf(`refund${n}`), paymentId: idOf('pay1'), packageId: null, amount: cad(amount) },
});
/** H6: the nth refund, of the first payment, through Stripe; owing again if nothing else is said. `pending`: all together. */
export const refundRequested = (
  n: number,
  amount: number,
  money: Money3 & { pending: number },
  over: Partial<Of<'InvoiceRefundRequested'>> = {},
): InvoiceEvent => ({
  type: 'InvoiceRefundRequested',
  data: {
    ...{ ...atStripe(n, amount), purchaseId: idOf('purchase1'), outcome: 'outstandingBalance', reference: null, notes: null },
    ...{ requestedOn: '2027-01-31', pending: cad(money.pending), ...after(money), ...over },
  },
});
/** It succeeded at Stripe. */
export const refundConfirmed = (n: number, amount: number, money: Money3, over: Partial<Of<'InvoiceRefunded'>> = {}): InvoiceEvent =>
  refunded(n, amount, money, { paymentId: idOf('pay1'), method: 'stripe', stripeRefundId: `re_${n}`, ...over });
export const refundFailed = (n: number, amount: number, money: Money3, over: Partial<Of<'InvoiceRefundFailed'>> = {}): InvoiceEvent => ({
  type: 'InvoiceRefundFailed',
  data: { ...atStripe(n, amount), stripeRefundId: `re_${n}`, failure: 'declined', pending: cad(0), ...after(money), ...over },
});
export const refundReturned = (
  n: number,
  amount: number,
  money: Money3,
  over: Partial<Of<'InvoiceRefundReturned'>> = {},
): InvoiceEvent => ({
  type: 'InvoiceRefundReturned',
  data: {
    ...{ ...atStripe(n, amount), stripeRefundId: `re_${n}`, failure: 'declined', outcome: 'outstandingBalance', taxes: [], tax: cad(0) },
    ...{ adjustment: cad(0), toZero: null, returnedOn: '2027-02-10', ...after(money), ...over },
  },
});
/** The first payment is disputed. */
export const disputed = (amount: number, status: Of<'InvoiceDisputed'>['status'], money: Money3): InvoiceEvent => ({
  type: 'InvoiceDisputed',
  data: {
    ...{ ...i1, disputeId: 'dp_1', paymentId: idOf('pay1'), packageId: null, amount: cad(amount), status, because: 'fraudulent' },
    ...{ disputedOn: '2027-02-10', ...after(money) },
  },
});
/** The nth refund, in cash and owing again if nothing else is said. */
export const refunded = (n: number, amount: number, money: Money3, over: Partial<Of<'InvoiceRefunded'>> = {}): InvoiceEvent => ({
  type: 'InvoiceRefunded',
  data: {
    ...{ ...i1, refundId: idOf(`refund${n}`), amount: cad(amount), taxes: [], tax: cad(0), outcome: 'outstandingBalance' },
    ...{ adjustment: cad(0), method: 'cash', reference: null, notes: null, refundedOn: '2027-01-31', pending: cad(0) },
    ...{ paymentId: null, packageId: null, source: 'staff', stripeRefundId: null, disputeId: null },
    ...{ ...after(money), ...over },
  },
});
