import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AdjustInvoice, ReceivePayment, RefundInvoice, VoidPayment } from '../../../libs/command-handling/commands/invoice.commands.js';
import { invoiceList, type InvoiceRow } from '../../../projections/invoice-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { InvoiceExplanation, InvoiceFigureQuery } from './explanation.shapes.js';
import { Explanations } from './explanations.js';
import { History } from './history.js';
import { InvoiceHistory } from './history.shapes.js';
import {
  OverallAdjustmentBody,
  InvoiceAnswer,
  InvoicePage,
  InvoiceRead,
  InvoicesQuery,
  RefundBody,
  refundOf,
  VoidPaymentBody,
} from './invoice.shapes.js';
import { MailTo } from './link.shapes.js';
import { Links } from './links.js';
import { PaymentBody, paymentOf } from './payment.shapes.js';
import { Reading } from './reading.js';

/** D2, D3, E9: invoices of packages and of appointments, and what is paid on them. */
@ApiTags('Invoices')
@Controller('invoices')
export class InvoicesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
    private readonly history: History,
    private readonly links: Links,
    private readonly explanations: Explanations,
  ) {}

  @Post(':invoiceId/payments')
  @Allow('payments:take')
  @ApiCreatedResponse({ type: InvoiceAnswer })
  pay(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string, @Body() body: PaymentBody): Promise<InvoiceAnswer> {
    return this.commands.execute(new ReceivePayment(call, { invoiceId, ...paymentOf(body) }));
  }

  @Post(':invoiceId/payments/:paymentId/void')
  @Allow('payments:void')
  @HttpCode(200)
  @ApiOkResponse({ type: InvoiceAnswer })
  voidPayment(
    @Call() call: CallContext,
    @PathId('invoiceId') invoiceId: string,
    @PathId('paymentId') paymentId: string,
    @Body() { reason = null }: VoidPaymentBody,
  ): Promise<InvoiceAnswer> {
    return this.commands.execute(new VoidPayment(call, { invoiceId, paymentId, reason }));
  }

  @Post(':invoiceId/adjustments')
  @Allow('invoices:adjust')
  @ApiCreatedResponse({ type: InvoiceAnswer })
  adjust(
    @Call() call: CallContext,
    @PathId('invoiceId') invoiceId: string,
    @Body() { adjustment, reason = null }: OverallAdjustmentBody,
  ): Promise<InvoiceAnswer> {
    return this.commands.execute(new AdjustInvoice(call, { invoiceId, adjustment, reason }));
  }

  @Post(':invoiceId/refunds')
  @Allow('packages:refund')
  @ApiCreatedResponse({ type: InvoiceAnswer })
  refund(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string, @Body() body: RefundBody): Promise<InvoiceAnswer> {
    return this.commands.execute(new RefundInvoice(call, { invoiceId, ...refundOf(body) }));
  }

  @Get()
  @Allow('invoices:read')
  @ApiOkResponse({ type: InvoicePage })
  async list(@Call() call: CallContext, @Query() query: InvoicesQuery): Promise<InvoicePage> {
    const { clientId, packageId, appointmentId, number, kind, from, before, owing, disputed, descending = false } = query;
    const { items, next } = await this.reading.page(invoiceList, call, query, {
      by: 'issuedOn',
      descending,
      where: { clientId, packageId, appointmentId, number, kind, disputed },
      from: { issuedOn: from },
      before: { issuedOn: before },
      also: (rows) => {
        if (owing !== undefined) rows.whereRaw(owing ? 'balance > 0' : 'balance <= 0');
      },
    });
    return { items: items.map(withStatus), next };
  }

  @Get(':invoiceId')
  @Allow('invoices:read')
  @ApiOkResponse({ type: InvoiceRead })
  async read(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string): Promise<InvoiceRead> {
    return withStatus(await this.reading.one(invoiceList, call, 'invoice', invoiceId));
  }

  @Get(':invoiceId/history')
  @Allow('history:read')
  @ApiOkResponse({ type: InvoiceHistory })
  readHistory(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string): Promise<InvoiceHistory> {
    return this.history.ofInvoice(call, invoiceId);
  }

  @Get(':invoiceId/explanation')
  @Allow('history:read')
  @ApiOkResponse({ type: InvoiceExplanation })
  explain(
    @Call() call: CallContext,
    @PathId('invoiceId') invoiceId: string,
    @Query() query: InvoiceFigureQuery,
  ): Promise<InvoiceExplanation> {
    return this.explanations.ofInvoice(call, invoiceId, query);
  }

  /** G5: which addresses to pre-fill when this invoice is mailed. */
  @Get(':invoiceId/mail-to')
  @Allow('invoices:read')
  @ApiOkResponse({ type: MailTo })
  async mailTo(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string): Promise<MailTo> {
    const { clientId } = await this.reading.one(invoiceList, call, 'invoice', invoiceId);
    return this.links.mailTo(call, clientId);
  }
}

export const withStatus = <Row extends Pick<InvoiceRow, 'paid' | 'refunded' | 'balance'>>(row: Row) => ({ ...row, status: statusOf(row) });

const statusOf = ({ paid, refunded, balance }: Pick<InvoiceRow, 'paid' | 'refunded' | 'balance'>): InvoiceRead['status'] => {
  const kept = paid - refunded;
  if (balance < 0) return 'credit';
  if (balance === 0) return kept > 0 ? 'paid' : 'nothingOwing';
  return kept > 0 ? 'partlyPaid' : 'unpaid';
};
