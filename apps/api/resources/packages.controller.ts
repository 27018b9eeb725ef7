import { Body, Controller, Get, HttpCode, Post, Put, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AdjustExpiry, AdjustRemaining, RestoreExpiry, SellPackage } from '../../../libs/command-handling/commands/package.commands.js';
import { CancelPackage, RefundPackage, ReinstatePackage } from '../../../libs/command-handling/commands/package-ending.commands.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { auditTags } from '../../../projections/audit-tags.projection.js';
import { directory } from '../../../projections/directory.projection.js';
import { packageList } from '../../../projections/package-list.projection.js';
import { Allow, assertMay } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { Bookable } from './bookable.js';
import { BusinessDays } from './business-days.js';
import { AvailablePackagePage, AvailableQuery, BookableQuery, BookableServices } from './bookable.shapes.js';
import { ExpiryExplanation, ExpiryExplanationQuery, PackageExplanation, PackageFigureQuery } from './explanation.shapes.js';
import { Explanations } from './explanations.js';
import { History } from './history.js';
import { PackageHistory, PackageAsOf, AsOfQuery } from './history.shapes.js';
import {
  AuditTagPage,
  CancelPackageBody,
  ExpiryBody,
  PackageAnswer,
  PackagePage,
  PackageRead,
  PackagesQuery,
  ReasonBody,
  RemainingBody,
  paidWith,
  SaleAnswer,
  SaleBody,
  selected,
} from './package.shapes.js';
import { RefundBody, refundOf } from './invoice.shapes.js';
import { PackageSessions } from './package-sessions.js';
import { PackageSessionPage, SessionsQuery } from './package-sessions.shapes.js';
import { PageQuery } from './paging.js';
import { Past } from './past.js';
import { Reading } from './reading.js';
import { SharedPackages } from './shared-packages.js';
import { Suggestions } from './suggested-refund.js';
import { SuggestedRefundRead } from './suggested-refund.shapes.js';

/** D, E1, F: packages sold, what is left of them, and what happened to them. */
@ApiTags('Packages')
@Controller('packages')
export class PackagesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
    private readonly history: History,
    private readonly shared: SharedPackages,
    private readonly bookable: Bookable,
    private readonly sessions: PackageSessions,
    private readonly suggestions: Suggestions,
    private readonly past: Past,
    private readonly explanations: Explanations,
    private readonly days: BusinessDays,
  ) {}

  @Post()
  @Allow('packages:sell')
  @ApiCreatedResponse({ type: SaleAnswer })
  sell(@Call() call: CallContext, @Body() body: SaleBody): Promise<SaleAnswer> {
    const { clientId, offeringId, appointmentId = null, applyToAppointment = false, externalReference = null } = body;
    const sale = { clientId, offeringId, appointmentId, applyToAppointment, externalReference, ...paidWith(body) };
    return this.commands.execute(new SellPackage(call, sale));
  }

  @Put(':packageId/services/:serviceId/remaining')
  @Allow('packages:adjust')
  @ApiOkResponse({ type: PackageAnswer })
  adjustRemaining(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @PathId('serviceId') serviceId: string,
    @Body() { remaining, seen, force = false, reason = null }: RemainingBody,
  ): Promise<PackageAnswer> {
    return this.commands.execute(new AdjustRemaining(call, { packageId, serviceId, to: remaining, seen, force, reason }));
  }

  @Put(':packageId/expiry')
  @Allow('packages:adjust')
  @ApiOkResponse({ type: PackageAnswer })
  adjustExpiry(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Body() { expiresOn, seen, force = false, reason = null }: ExpiryBody,
  ): Promise<PackageAnswer> {
    return this.commands.execute(new AdjustExpiry(call, { packageId, to: expiresOn, seen, force, reason }));
  }

  @Post(':packageId/expiry/restore')
  @Allow('packages:adjust')
  @HttpCode(200)
  @ApiOkResponse({ type: PackageAnswer })
  restoreExpiry(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Body() { reason = null }: ReasonBody,
  ): Promise<PackageAnswer> {
    return this.commands.execute(new RestoreExpiry(call, { packageId, reason }));
  }

  @Post(':packageId/cancel')
  @Allow('packages:cancel')
  @HttpCode(200)
  @ApiOkResponse({ type: PackageAnswer })
  cancel(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Body() { appointments = 'stay', unpaid = 'owing', reason = null }: CancelPackageBody,
  ): Promise<PackageAnswer> {
    if (unpaid === 'writeOff') assertMay(call, 'invoices:adjust'); // A2: it is an overall adjustment
    const said = { appointments, unpaid: unpaid === 'writeOff' ? ('writtenOff' as const) : unpaid };
    return this.commands.execute(new CancelPackage(call, { packageId, ...said, reason }));
  }

  @Post(':packageId/reinstate')
  @Allow('packages:cancel')
  @HttpCode(200)
  @ApiOkResponse({ type: PackageAnswer })
  reinstate(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Body() { reason = null }: ReasonBody,
  ): Promise<PackageAnswer> {
    return this.commands.execute(new ReinstatePackage(call, { packageId, reason }));
  }

  @Post(':packageId/refunds')
  @Allow('packages:refund')
  @ApiCreatedResponse({ type: PackageAnswer })
  refund(@Call() call: CallContext, @PathId('packageId') packageId: string, @Body() body: RefundBody): Promise<PackageAnswer> {
    return this.commands.execute(new RefundPackage(call, { packageId, ...refundOf(body) }));
  }

  @Get()
  @Allow('packages:read')
  @ApiOkResponse({ type: PackagePage })
  async list(@Call() call: CallContext, @Query() query: PackagesQuery): Promise<PackagePage> {
    const then = await this.past.of(call, query.asOf);
    if (query.text !== undefined) await this.reading.fresh(directory, then.call);
    const { items, next } = await this.reading.page(
      packageList,
      then.call,
      query,
      await selected(query, () => this.days.dateAt(then.call)),
    );
    return { items: await this.shared.ownersView(then.call, items), next, ...pick(then, 'asOf') };
  }

  @Get('available')
  @Allow('packages:read')
  @ApiOkResponse({ type: AvailablePackagePage })
  available(@Call() call: CallContext, @Query() query: AvailableQuery): Promise<AvailablePackagePage> {
    return this.shared.available(call, query);
  }

  @Get(':packageId')
  @Allow('packages:read')
  @ApiOkResponse({ type: PackageRead })
  async read(@Call() call: CallContext, @PathId('packageId') packageId: string): Promise<PackageRead> {
    const [read] = await this.shared.ownersView(call, [await this.reading.one(packageList, call, 'package', packageId)]);
    return read!;
  }

  @Get(':packageId/bookable-services')
  @Allow('packages:read')
  @ApiOkResponse({ type: BookableServices })
  bookableServices(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Query() { start }: BookableQuery,
  ): Promise<BookableServices> {
    return this.bookable.servicesOf(call, packageId, start);
  }

  @Get(':packageId/sessions')
  @Allow('packages:read')
  @ApiOkResponse({ type: PackageSessionPage })
  listSessions(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Query() query: SessionsQuery,
  ): Promise<PackageSessionPage> {
    return this.sessions.of(call, packageId, query);
  }

  @Get(':packageId/suggested-refund')
  @Allow('packages:read')
  @ApiOkResponse({ type: SuggestedRefundRead })
  suggestedRefund(@Call() call: CallContext, @PathId('packageId') packageId: string): Promise<SuggestedRefundRead> {
    return this.suggestions.refundOf(call, packageId);
  }

  @Get(':packageId/audit-tags')
  @Allow('packages:read')
  @ApiOkResponse({ type: AuditTagPage })
  async auditTags(@Call() call: CallContext, @PathId('packageId') packageId: string, @Query() page: PageQuery): Promise<AuditTagPage> {
    await this.reading.one(packageList, call, 'package', packageId); // A3: one of another business is 404, not a package without tags
    const { items, next } = await this.reading.page(auditTags, call, page, { by: 'revision', where: { packageId } });
    return { items: items.map(({ ownerId: _, ...tag }) => tag), next };
  }

  @Get(':packageId/history')
  @Allow('history:read')
  @ApiOkResponse({ type: PackageHistory })
  readHistory(@Call() call: CallContext, @PathId('packageId') packageId: string): Promise<PackageHistory> {
    return this.history.ofPackage(call, packageId);
  }

  @Get(':packageId/as-of')
  @Allow('history:read')
  @ApiOkResponse({ type: PackageAsOf })
  readAsOf(@Call() call: CallContext, @PathId('packageId') packageId: string, @Query() then: AsOfQuery): Promise<PackageAsOf> {
    return this.history.asOf(call, packageId, then);
  }

  @Get(':packageId/explanation')
  @Allow('history:read')
  @ApiOkResponse({ type: PackageExplanation })
  explain(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Query() query: PackageFigureQuery,
  ): Promise<PackageExplanation> {
    return this.explanations.ofPackage(call, packageId, query);
  }

  @Get(':packageId/expiry/explanation')
  @Allow('history:read')
  @ApiOkResponse({ type: ExpiryExplanation })
  explainExpiry(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Query() query: ExpiryExplanationQuery,
  ): Promise<ExpiryExplanation> {
    return this.explanations.ofExpiry(call, packageId, query);
  }
}
