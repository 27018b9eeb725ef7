import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CallOffPurchase, StartCheckout, StartPurchase } from '../../../libs/command-handling/commands/purchase.commands.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import { purchaseList } from '../../../projections/purchase-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { EmptyBody } from './empty-body.js';
import { OnlineOfferingPage } from './online-offering.shapes.js';
import { OnlineOfferings } from './online-offerings.js';
import { ownId, OwnThings } from './own-things.js';
import { PageQuery } from './paging.js';
import { ReturnBody } from './payment.shapes.js';
import { PurchaseAnswer, PurchaseBody, PurchasePage, PurchaseRead, PurchasesQuery } from './purchase.shapes.js';
import { Reading } from './reading.js';

/** I4: what clients buy by themselves, and pay by card. */
@ApiTags('The client’s side')
@Controller('me')
export class OwnPurchasesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
    private readonly own: OwnThings,
    private readonly offerings: OnlineOfferings,
  ) {}

  @Get('offerings')
  @Allow('own:buy')
  @ApiOkResponse({ type: OnlineOfferingPage })
  listOfferings(@Call() call: CallContext, @Query() page: PageQuery): Promise<OnlineOfferingPage> {
    return this.offerings.page(call, page);
  }

  @Post('purchases')
  @Allow('own:buy')
  @ApiCreatedResponse({ type: PurchaseAnswer })
  async buy(@Call() call: CallContext, @Body() body: PurchaseBody): Promise<PurchaseAnswer> {
    return this.own.purchase(call, await this.commands.execute(new StartPurchase(call, body)));
  }

  @Post('invoices/:invoiceId/checkouts')
  @Allow('own:buy')
  @ApiCreatedResponse({ type: PurchaseAnswer })
  startCheckout(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string, @Body() urls: ReturnBody): Promise<PurchaseAnswer> {
    return this.commands.execute(new StartCheckout(call, { invoiceId, amount: null, ...urls }));
  }

  @Post('purchases/:purchaseId/cancel')
  @Allow('own:buy')
  @HttpCode(200)
  @ApiOkResponse({ type: PurchaseAnswer })
  async callOff(@Call() call: CallContext, @PathId('purchaseId') purchaseId: string, @Body() _: EmptyBody): Promise<PurchaseAnswer> {
    return this.own.purchase(call, await this.commands.execute(new CallOffPurchase(call, { purchaseId })));
  }

  @Get('purchases')
  @Allow('own:buy')
  @ApiOkResponse({ type: PurchasePage })
  async list(@Call() call: CallContext, @Query() { status, ...page }: PurchasesQuery): Promise<PurchasePage> {
    const own = { by: 'startedAt', descending: true, where: { clientId: ownId(call), status } } as const;
    const { items, next } = await this.reading.page(purchaseList, call, page, own);
    return { items: await Promise.all(items.map((item) => this.own.purchase(call, item))), next };
  }

  @Get('purchases/:purchaseId')
  @Allow('own:buy')
  @ApiOkResponse({ type: PurchaseRead })
  async read(@Call() call: CallContext, @PathId('purchaseId') purchaseId: string): Promise<PurchaseRead> {
    const row = await this.reading.one(purchaseList, call, 'purchase', purchaseId);
    if (row.clientId !== ownId(call)) throw new NotFound('purchase', purchaseId);
    return this.own.purchase(call, row);
  }
}
