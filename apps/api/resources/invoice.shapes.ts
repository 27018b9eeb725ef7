import { IntersectionType } from '@nestjs/swagger';
import {
  IsFlag,
  IsId,
  IsInteger,
  IsInvoiceNumber,
  IsLocalDate,
  IsMoney,
  IsNested,
  IsOneOf,
  IsPositivePrice,
  IsSignedMoney,
  IsText,
  MoneyBody,
  SignedMoneyBody,
} from '../validation/fields.js';
import { Changed, Versioned } from './answered.js';
import { InvoiceLine, TaxLine } from './money.shapes.js';
import { PageOf, PageQuery } from './paging.js';
import { AT_THE_DESK, paymentOf } from './payment.shapes.js';

const SAFE = Number.MAX_SAFE_INTEGER;

const METHODS = ['cash', 'cardTerminal', 'bankTransfer', 'other', 'stripe'];
export const STATUSES_OF_REFUNDS = ['pending', 'succeeded', 'failed'] as const;
export const SOURCES_OF_REFUNDS = ['staff', 'stripe'] as const;
export const OUTCOMES_OF_REFUNDS = ['outstandingBalance', 'noOutstandingBalance'] as const;

class InvoicePayment {
  @IsId()
  paymentId: string;

  @IsMoney()
  amount: MoneyBody;

  @IsOneOf(METHODS)
  method: string;

  @IsText({ max: 200, nullable: true })
  reference: string | null;

  @IsLocalDate()
  receivedOn: string;

  @IsFlag({ description: 'it was noted by mistake, and counts no more' })
  voided: boolean;

  @IsText({ max: 500, nullable: true, description: 'why it was voided' })
  reason: string | null;
}

class InvoiceRefund {
  @IsId()
  refundId: string;

  @IsMoney()
  amount: MoneyBody;

  @IsOneOf(STATUSES_OF_REFUNDS, { description: 'pending: Stripe has not confirmed it yet, and the money figures are as before' })
  status: string;

  @IsOneOf(SOURCES_OF_REFUNDS, { description: 'stripe: it was made there, in its dashboard, or because a dispute was lost' })
  source: string;

  @IsId({ nullable: true, description: 'the payment through Stripe that it is of' })
  paymentId: string | null;

  @IsText({ max: 255, nullable: true, description: 'what it is called at Stripe' })
  stripeRefundId: string | null;

  @IsText({ max: 200, nullable: true, description: 'why it failed, in the word of Stripe' })
  failure: string | null;

  @IsNested(TaxLine, { list: { max: 1_000 }, description: 'its share of each tax of each line; none until it succeeds' })
  taxes: TaxLine[];

  @IsMoney({ nullable: true, description: 'of that, tax; null: worked out when it succeeds' })
  tax: MoneyBody | null;

  @IsOneOf(OUTCOMES_OF_REFUNDS, { description: 'that much more is owing, or the invoice is discounted by the same' })
  outcome: string;

  @IsOneOf(METHODS)
  method: string;

  @IsText({ max: 200, nullable: true })
  reference: string | null;

  @IsText({ max: 500, nullable: true })
  notes: string | null;

  @IsLocalDate({ nullable: true, description: 'of one through Stripe: when staff asked for it' })
  requestedOn: string | null;

  @IsLocalDate({ nullable: true, description: 'null: it never succeeded' })
  refundedOn: string | null;
}

/** H6: whoever paid by card disputes that with their bank. */
export class DisputeOfCard {
  @IsText({ max: 255, description: 'what it is called at Stripe' })
  disputeId: string;

  @IsMoney()
  amount: MoneyBody;

  @IsOneOf(['open', 'won', 'lost'], { description: 'lost: the money is gone, and stands among the refunds' })
  status: 'open' | 'won' | 'lost';

  @IsText({ max: 200, description: 'why, in the word of Stripe' })
  because: string;
}

class InvoiceDispute extends DisputeOfCard {
  @IsId()
  paymentId: string;

  @IsLocalDate({ description: 'when it came to this status' })
  disputedOn: string;
}

const PENDING = { min: 0, max: SAFE, description: 'refunds that Stripe has not confirmed yet: kept for them, and in no other figure' };

class OverallAdjustment {
  @IsId()
  adjustmentId: string;

  @IsSignedMoney({ description: 'below zero it takes off' })
  adjustment: SignedMoneyBody;

  @IsOneOf(['discount', 'writtenOff', 'reinstated'])
  because: string;

  @IsText({ max: 500, nullable: true })
  reason: string | null;
}

class Invoice {
  @IsId()
  invoiceId: string;

  @IsInvoiceNumber({ nullable: true, description: 'null in the moments before it has one' })
  number: string | null;

  @IsOneOf(['package', 'appointment'])
  kind: 'package' | 'appointment';

  @IsId()
  clientId: string;

  @IsId({ nullable: true })
  packageId: string | null;

  @IsId({ nullable: true })
  appointmentId: string | null;

  @IsId({ nullable: true, description: 'the invoice of the package that the appointment uses' })
  packageInvoiceId: string | null;

  @IsLocalDate()
  issuedOn: string;

  @IsText({ max: 3 })
  currency: string;

  @IsNested(InvoiceLine, { list: { max: 100 } })
  lines: InvoiceLine[];

  @IsInteger({ min: 0, max: SAFE, description: 'minor units, like all amounts here' })
  net: number;

  @IsInteger({ min: 0, max: SAFE })
  tax: number;

  @IsInteger({ min: 0, max: SAFE })
  total: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'below zero where they take off: total + adjustments is what is charged' })
  adjustments: number;

  @IsInteger({ min: 0, max: SAFE, description: 'by payments that stand' })
  paid: number;

  @IsInteger({ min: 0, max: SAFE })
  refunded: number;

  @IsInteger(PENDING)
  pending: number;

  @IsNested(InvoicePayment, { list: { max: 1_000 } })
  payments: InvoicePayment[];

  @IsNested(InvoiceRefund, { list: { max: 1_000 } })
  refunds: InvoiceRefund[];

  @IsNested(InvoiceDispute, { list: { max: 1_000 }, description: 'of payments by card, with the bank of whoever paid' })
  disputes: InvoiceDispute[];

  @IsFlag({ description: 'one of them is open, or was lost' })
  disputed: boolean;

  @IsNested(OverallAdjustment, { list: { max: 1_000 } })
  overallAdjustments: OverallAdjustment[];

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what is owing; below zero it is credit' })
  balance: number;
}

class Standing {
  @IsOneOf(['nothingOwing', 'unpaid', 'partlyPaid', 'paid', 'credit'])
  status: 'nothingOwing' | 'unpaid' | 'partlyPaid' | 'paid' | 'credit';
}

export class InvoiceRead extends IntersectionType(Invoice, Standing, Versioned) {}
export class InvoicePage extends PageOf(InvoiceRead) {}

export class InvoicesQuery extends PageQuery {
  @IsId({ optional: true })
  clientId?: string;

  @IsId({ optional: true })
  packageId?: string;

  @IsId({ optional: true })
  appointmentId?: string;

  @IsInvoiceNumber({ optional: true, example: '2027-000123' })
  number?: string;

  @IsOneOf(['package', 'appointment'], { optional: true })
  kind?: 'package' | 'appointment';

  @IsLocalDate({ optional: true, description: 'issued on that day or later' })
  from?: string;

  @IsLocalDate({ optional: true, description: 'issued before that day' })
  before?: string;

  @IsFlag({ optional: true, description: 'those on which something is owing' })
  owing?: boolean;

  @IsFlag({ optional: true, description: 'those of which a payment is disputed, or was lost so' })
  disputed?: boolean;

  @IsFlag({ optional: true })
  descending?: boolean;
}

export class VoidPaymentBody {
  @IsText({ max: 500, lines: true, optional: true, nullable: true, description: 'kept in the history of the invoice' })
  reason?: string | null;
}

export class OverallAdjustmentBody extends VoidPaymentBody {
  @IsSignedMoney({ description: 'below zero takes off; above zero takes back what was taken off before' })
  adjustment: SignedMoneyBody;
}

/** H5: of an appointment's credit, or of a package. */
export class RefundBody {
  @IsPositivePrice()
  amount: MoneyBody;

  @IsOneOf([...AT_THE_DESK, 'stripe'], { description: 'stripe: what was paid there; it is pending until Stripe confirms it' })
  method: (typeof AT_THE_DESK)[number] | 'stripe';

  @IsId({ optional: true, nullable: true, description: 'through Stripe: of which payment, where there are several' })
  paymentId?: string | null;

  @IsText({ max: 200, optional: true, nullable: true, description: 'which one it is; of `other` it says what it was' })
  reference?: string | null;

  @IsOneOf(OUTCOMES_OF_REFUNDS, { description: 'that much more is owing, or the invoice is discounted by the same' })
  outcome: (typeof OUTCOMES_OF_REFUNDS)[number];

  @IsText({ max: 500, lines: true, optional: true, nullable: true })
  notes?: string | null;
}

export const refundOf = ({ method, outcome, paymentId = null, notes = null, ...body }: RefundBody) => ({
  ...paymentOf({ ...body, method }),
  ...{ outcome, paymentId, notes },
});

class OwingNow {
  @IsId()
  invoiceId: string;

  @IsText({ max: 3 })
  currency: string;

  @IsInteger({ min: 0, max: SAFE, description: 'minor units, like all amounts here' })
  total: number;

  @IsInteger({ min: -SAFE, max: SAFE })
  adjustments: number;

  @IsInteger({ min: 0, max: SAFE })
  paid: number;

  @IsInteger({ min: 0, max: SAFE })
  refunded: number;

  @IsInteger(PENDING)
  pending: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what is owing; below zero it is credit' })
  balance: number;

  @IsId({ optional: true, description: 'of what was paid now' })
  paymentId?: string;

  @IsId({ optional: true, description: 'of what was adjusted now' })
  adjustmentId?: string;

  @IsId({ optional: true, description: 'of what was refunded now' })
  refundId?: string;
}

export class InvoiceAnswer extends IntersectionType(OwingNow, Changed) {}
