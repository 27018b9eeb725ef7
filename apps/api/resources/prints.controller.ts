import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Permission } from '../../../libs/auth/roles.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { htmlOf, policyFor } from '../../../libs/printing/html.js';
import { invoicePage, receiptPage, type PrintedInvoice, type PrintedPage } from '../../../libs/printing/printed-page.js';
import { PAPERS, type Paper } from '../../../libs/printing/style.js';
import { appointmentList } from '../../../projections/appointment-list.projection.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { clientList } from '../../../projections/client-list.projection.js';
import { invoiceList, type InvoiceRow } from '../../../projections/invoice-list.projection.js';
import { packageList } from '../../../projections/package-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsOneOf } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { OwnThings } from './own-things.js';
import { Reading, type Shown } from './reading.js';

class HtmlQuery {
  @IsOneOf([...PAPERS], { optional: true, description: "the paper that it is printed on; the printer's unless told" })
  paper?: Paper;
}

class PdfQuery {
  @IsOneOf([...PAPERS], { optional: true, description: 'A4 unless told' })
  paper?: Paper;
}

export const Html = ApiOkResponse({
  description: 'A page of its own, without scripts, to look at and to print.',
  content: { 'text/html': { schema: { type: 'string' } } },
});
export const Pdf = ApiOkResponse({
  description: 'The same as a PDF, with its fonts in it.',
  content: { 'application/pdf': { schema: { type: 'string', format: 'binary' } } },
});
const NothingPaid = ApiConflictResponse({
  description: 'Nothing is paid on it (`NOTHING_PAID`).',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** D2, D3, E9: an invoice on paper, and the receipt for what was paid on it: the same pages for all who may see it. */
const PrintsFor = (permission: Permission) => {
  abstract class Prints {
    constructor(private readonly reading: Reading) {}

    /** @throws NotFound when there is none that the caller may see */
    protected abstract invoiceOf(call: CallContext, invoiceId: string): Promise<Shown<InvoiceRow>>;

    @Get('invoice.html')
    @Allow(permission)
    @Html
    async invoiceHtml(
      @Call() call: CallContext,
      @PathId('invoiceId') id: string,
      @Query() { paper }: HtmlQuery,
      @Res({ passthrough: true }) reply: FastifyReply,
    ) {
      return asHtml(reply, invoicePage(await this.toPrint(call, id)), paper);
    }

    @Get('invoice.pdf')
    @Allow(permission)
    @Pdf
    async invoicePdf(
      @Call() call: CallContext,
      @PathId('invoiceId') id: string,
      @Query() { paper }: PdfQuery,
      @Res({ passthrough: true }) reply: FastifyReply,
    ) {
      return asPdf(reply, invoicePage(await this.toPrint(call, id)), paper);
    }

    @Get('receipt.html')
    @Allow(permission)
    @Html
    @NothingPaid
    async receiptHtml(
      @Call() call: CallContext,
      @PathId('invoiceId') id: string,
      @Query() { paper }: HtmlQuery,
      @Res({ passthrough: true }) reply: FastifyReply,
    ) {
      return asHtml(reply, receiptPage(await this.toPrint(call, id)), paper);
    }

    @Get('receipt.pdf')
    @Allow(permission)
    @Pdf
    @NothingPaid
    async receiptPdf(
      @Call() call: CallContext,
      @PathId('invoiceId') id: string,
      @Query() { paper }: PdfQuery,
      @Res({ passthrough: true }) reply: FastifyReply,
    ) {
      return asPdf(reply, receiptPage(await this.toPrint(call, id)), paper);
    }

    private async toPrint(call: CallContext, invoiceId: string): Promise<PrintedInvoice> {
      const row = await this.invoiceOf(call, invoiceId);
      const [business, client, sold, packageInvoice, appointment] = await Promise.all([
        this.reading.one(businessSettings, call, 'business', call.business),
        this.reading.one(clientList, call, 'client', row.clientId),
        row.packageId === null ? undefined : this.reading.oneOrNone(packageList, call, row.packageId),
        row.packageInvoiceId === null ? undefined : this.reading.oneOrNone(invoiceList, call, row.packageInvoiceId),
        row.kind === 'package' || row.appointmentId === null ? undefined : this.reading.oneOrNone(appointmentList, call, row.appointmentId),
      ]);
      return {
        ...moneyOf(row),
        ...{ business: business.name, client: client.name },
        package:
          row.packageId === null
            ? null
            : { name: sold?.name ?? null, invoiceId: row.packageInvoiceId, invoiceNumber: packageInvoice?.number ?? null },
        appointment: appointment ? { start: appointment.start, timeZone: appointment.timeZone } : null,
      };
    }
  }
  return Prints;
};

@ApiTags('Invoices')
@Controller('invoices/:invoiceId')
export class PrintsController extends PrintsFor('invoices:read') {
  constructor(private readonly invoices: Reading) {
    super(invoices);
  }

  protected invoiceOf(call: CallContext, invoiceId: string): Promise<Shown<InvoiceRow>> {
    return this.invoices.one(invoiceList, call, 'invoice', invoiceId);
  }
}

/** I1: a client's own. */
@ApiTags('The client’s side')
@Controller('me/invoices/:invoiceId')
export class OwnPrintsController extends PrintsFor('own:read') {
  constructor(
    reading: Reading,
    private readonly own: OwnThings,
  ) {
    super(reading);
  }

  protected invoiceOf(call: CallContext, invoiceId: string): Promise<Shown<InvoiceRow>> {
    return this.own.invoice(call, invoiceId);
  }
}

const moneyOf = (row: Shown<InvoiceRow>) => ({
  ...pick(row, 'invoiceId', 'number', 'kind', 'issuedOn', 'currency', 'lines', 'net', 'total', 'adjustments', 'balance'),
  payments: row.payments.map(({ receivedOn, amount, ...payment }) => ({
    ...pick(payment, 'method', 'reference', 'voided'),
    ...{ on: receivedOn, amount: amount.amount },
  })),
  refunds: row.refunds.map(({ refundedOn, requestedOn, amount, ...refund }) => ({
    ...pick(refund, 'method', 'reference', 'status'),
    ...{ on: refundedOn ?? requestedOn ?? row.issuedOn, amount: amount.amount },
  })),
});

/** It names people: no cache keeps it. */
const PRIVATE = 'private, no-store';

export const asHtml = (reply: FastifyReply, page: PrintedPage, paper: Paper | undefined): string => {
  void reply.headers({ 'cache-control': PRIVATE, 'content-security-policy': policyFor(paper) }).type('text/html; charset=utf-8');
  return htmlOf(page, paper);
};

export const asPdf = async (reply: FastifyReply, page: PrintedPage, paper: Paper | undefined): Promise<Buffer> => {
  const { pdfOf } = await import('../../../libs/printing/pdf.js'); // with its fonts: loaded by the first who prints, not by every start
  const pdf = await pdfOf(page, paper);
  const disposition = `inline; filename="${page.file}.pdf"`;
  void reply.headers({ 'cache-control': PRIVATE, 'content-disposition': disposition }).type('application/pdf');
  return pdf;
};
