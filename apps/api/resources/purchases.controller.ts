import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CallOffPurchase, StartCheckout } from '../../../libs/command-handling/commands/purchase.commands.js';
import { purchaseList } from '../../../projections/purchase-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { EmptyBody } from './empty-body.js';
import { AllPurchasesQuery, CheckoutBody, PurchaseAnswer, PurchasePage, PurchaseRead } from './purchase.shapes.js';
import { Reading } from './reading.js';

/** D2, I4: what is paid by card, at a page of Stripe. */
@ApiTags('Card payments')
@Controller()
export class PurchasesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post('invoices/:invoiceId/checkouts')
  @Allow('payments:take')
  @ApiCreatedResponse({ type: PurchaseAnswer })
  startCheckout(
    @Call() call: CallContext,
    @PathId('invoiceId') invoiceId: string,
    @Body() { amount = null, ...urls }: CheckoutBody,
  ): Promise<PurchaseAnswer> {
    return this.commands.execute(new StartCheckout(call, { invoiceId, amount, ...urls }));
  }

  @Post('purchases/:purchaseId/cancel')
  @Allow('payments:take')
  @HttpCode(200)
  @ApiOkResponse({ type: PurchaseAnswer })
  callOff(@Call() call: CallContext, @PathId('purchaseId') purchaseId: string, @Body() _: EmptyBody): Promise<PurchaseAnswer> {
    return this.commands.execute(new CallOffPurchase(call, { purchaseId }));
  }

  @Get('purchases')
  @Allow('invoices:read')
  @ApiOkResponse({ type: PurchasePage })
  list(@Call() call: CallContext, @Query() { clientId, invoiceId, status, ...page }: AllPurchasesQuery): Promise<PurchasePage> {
    const which = { by: 'startedAt', descending: true, where: { clientId, invoiceId, status } } as const;
    return this.reading.page(purchaseList, call, page, which);
  }

  @Get('purchases/:purchaseId')
  @Allow('invoices:read')
  @ApiOkResponse({ type: PurchaseRead })
  read(@Call() call: CallContext, @PathId('purchaseId') purchaseId: string): Promise<PurchaseRead> {
    return this.reading.one(purchaseList, call, 'purchase', purchaseId);
  }
}
