import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { invoiceList } from '../../../projections/invoice-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import {
  IsFlag,
  IsId,
  IsInteger,
  IsLocalDate,
  IsMoney,
  IsNested,
  IsOneOf,
  IsSignedMoney,
  IsText,
  MoneyBody,
} from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Versioned } from './answered.js';
import { InvoiceLine, TaxLine } from './money.shapes.js';
import { PageOf, PageQuery } from './paging.js';
import { Reading } from './reading.js';

const SAFE = Number.MAX_SAFE_INTEGER;

const METHODS = ['cash', 'cardTerminal', 'bankTransfer', 'other', 'stripe'];
const OUTCOMES = ['outstandingBalance', 'noOutstandingBalance'];

class Payment {
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

class Refund {
  @IsId()
  refundId: string;

  @IsMoney()
  amount: MoneyBody;

  @IsNested(TaxLine, { list: { max: 1_000 }, description: 'its share of each tax of each line' })
  taxes: TaxLine[];

  @IsMoney({ description: 'of that, tax' })
  tax: MoneyBody;

  @IsOneOf(OUTCOMES, { description: 'that much more is owing, or the invoice is discounted by the same' })
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
  adjustment: MoneyBody;

  @IsOneOf(['discount', 'writtenOff', 'reinstated'])
  because: string;

  @IsText({ max: 500, nullable: true })
  reason: string | null;
}

class Invoice {
  @IsId()
  invoiceId: string;

  @IsText({ max: 20, nullable: true, description: 'such as 2027-000123; null in the moments before it has one' })
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

  @IsNested(Payment, { list: { max: 1_000 } })
  payments: Payment[];

  @IsNested(Refund, { list: { max: 1_000 } })
  refunds: Refund[];

  @IsNested(OverallAdjustment, { list: { max: 1_000 } })
  overallAdjustments: OverallAdjustment[];

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what is owing; below zero it is credit' })
  balance: number;
}

class InvoiceRead extends IntersectionType(Invoice, Versioned) {}
class InvoicePage extends PageOf(InvoiceRead) {}

class InvoicesQuery extends PageQuery {
  @IsId({ optional: true })
  clientId?: string;

  @IsId({ optional: true })
  packageId?: string;

  @IsId({ optional: true })
  appointmentId?: string;

  @IsOneOf(['package', 'appointment'], { optional: true })
  kind?: 'package' | 'appointment';

  @IsLocalDate({ optional: true, description: 'issued on that day or later' })
  from?: string;

  @IsLocalDate({ optional: true, description: 'issued before that day' })
  before?: string;

  @IsFlag({ optional: true })
  descending?: boolean;
}

/** D3, E9: invoices of packages and of appointments. */
@ApiTags('Invoices')
@Controller('invoices')
export class InvoicesController {
  constructor(private readonly reading: Reading) {}

  @Get()
  @Allow('invoices:read')
  @ApiOkResponse({ type: InvoicePage })
  list(@Call() call: CallContext, @Query() query: InvoicesQuery): Promise<InvoicePage> {
    const { clientId, packageId, appointmentId, kind, from, before, descending = false } = query;
    return this.reading.page(invoiceList, call, query, {
      by: 'issuedOn',
      descending,
      where: { clientId, packageId, appointmentId, kind },
      from: { issuedOn: from },
      before: { issuedOn: before },
    });
  }

  @Get(':invoiceId')
  @Allow('invoices:read')
  @ApiOkResponse({ type: InvoiceRead })
  read(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string): Promise<InvoiceRead> {
    return this.reading.one(invoiceList, call, 'invoice', invoiceId);
  }
}
