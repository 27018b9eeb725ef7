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
  IsSignedMoney,
  IsText,
  MoneyBody,
  SignedMoneyBody,
} from '../validation/fields.js';
import { Answered, Versioned } from './answered.js';
import { InvoiceLine, TaxLine } from './money.shapes.js';
import { PageOf, PageQuery } from './paging.js';
import { PaymentBody } from './payment.shapes.js';

const SAFE = Number.MAX_SAFE_INTEGER;

const METHODS = ['cash', 'cardTerminal', 'bankTransfer', 'other', 'stripe'];
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

  @IsNested(TaxLine, { list: { max: 1_000 }, description: 'its share of each tax of each line' })
  taxes: TaxLine[];

  @IsMoney({ description: 'of that, tax' })
  tax: MoneyBody;

  @IsOneOf(OUTCOMES_OF_REFUNDS, { description: 'that much more is owing, or the invoice is discounted by the same' })
  outcome: string;

  @IsOneOf(METHODS)
  method: string;

  @IsText({ max: 200, nullable: true })
  reference: string | null;

  @IsText({ max: 500, nullable: true })
  notes: string | null;

  @IsLocalDate()
  refundedOn: string;
}

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

  @IsNested(InvoicePayment, { list: { max: 1_000 } })
  payments: InvoicePayment[];

  @IsNested(InvoiceRefund, { list: { max: 1_000 } })
  refunds: InvoiceRefund[];

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
export class RefundBody extends PaymentBody {
  @IsOneOf(OUTCOMES_OF_REFUNDS, { description: 'that much more is owing, or the invoice is discounted by the same' })
  outcome: (typeof OUTCOMES_OF_REFUNDS)[number];

  @IsText({ max: 500, lines: true, optional: true, nullable: true })
  notes?: string | null;
}

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

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what is owing; below zero it is credit' })
  balance: number;

  @IsId({ optional: true, description: 'of what was paid now' })
  paymentId?: string;

  @IsId({ optional: true, description: 'of what was adjusted now' })
  adjustmentId?: string;

  @IsId({ optional: true, description: 'of what was refunded now' })
  refundId?: string;
}

export class InvoiceAnswer extends IntersectionType(OwingNow, Answered) {}
