import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApplyPackage, RemovePackage } from '../../../libs/command-handling/commands/appointment-package.commands.js';
import { BookAppointment, CancelAppointment } from '../../../libs/command-handling/commands/appointment.commands.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import { invoiceList } from '../../../projections/invoice-list.projection.js';
import { providerList } from '../../../projections/provider-list.projection.js';
import { serviceList } from '../../../projections/service-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { ApplyBody, ClientAppointmentsQuery } from './appointment.shapes.js';
import { BookableQuery, BookableServices } from './bookable.shapes.js';
import { EmptyBody } from './empty-body.js';
import { InvoicePage, InvoiceRead } from './invoice.shapes.js';
import { ownId, ownInvoice, OwnThings } from './own-things.js';
import {
  OwnAppointment,
  OwnAppointmentAnswer,
  OwnAppointmentPage,
  OwnAvailablePackagePage,
  OwnAvailableQuery,
  OwnBookingBody,
  OwnCancelBody,
  OwnFollowingAppointmentAnswer,
  OwnPackage,
  OwnPackagePage,
  OwnProviderPage,
  OwnServicePage,
  OwnSessionPage,
} from './own.shapes.js';
import { SessionsQuery } from './package-sessions.shapes.js';
import { ClientPackagesQuery } from './package.shapes.js';
import { NamedQuery, PageQuery } from './paging.js';
import { Reading } from './reading.js';

/** Section I: the client's side. Whose data it is stands in the token; what is not theirs is 404. */
@ApiTags('The client’s side')
@Controller('me')
export class OwnController {
  constructor(
    private readonly commands: CommandBus,
    private readonly own: OwnThings,
    private readonly reading: Reading,
  ) {}

  @Get('packages')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnPackagePage })
  packages(@Call() call: CallContext, @Query() query: ClientPackagesQuery): Promise<OwnPackagePage> {
    return this.own.packages(call, query);
  }

  @Get('packages/available')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnAvailablePackagePage })
  available(@Call() call: CallContext, @Query() query: OwnAvailableQuery): Promise<OwnAvailablePackagePage> {
    return this.own.available(call, query);
  }

  @Get('packages/:packageId')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnPackage })
  package(@Call() call: CallContext, @PathId('packageId') packageId: string): Promise<OwnPackage> {
    return this.own.package(call, packageId);
  }

  @Get('packages/:packageId/sessions')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnSessionPage })
  sessions(@Call() call: CallContext, @PathId('packageId') packageId: string, @Query() query: SessionsQuery): Promise<OwnSessionPage> {
    return this.own.sessionsOf(call, packageId, query);
  }

  @Get('packages/:packageId/bookable-services')
  @Allow('own:read')
  @ApiOkResponse({ type: BookableServices })
  bookableServices(
    @Call() call: CallContext,
    @PathId('packageId') packageId: string,
    @Query() { start }: BookableQuery,
  ): Promise<BookableServices> {
    return this.own.bookableServices(call, packageId, start);
  }

  /** B2: those that are active and displayed. */
  @Get('services')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnServicePage })
  async services(@Call() call: CallContext, @Query() { name, ...page }: NamedQuery): Promise<OwnServicePage> {
    const shown = { by: 'name', where: { active: true, publiclyDisplayed: true }, beginning: { name } } as const;
    const { items, next } = await this.reading.page(serviceList, call, page, shown);
    const seen = items.map(({ serviceId, name, description, durationMinutes, price }) => ({
      ...{ serviceId, name, description, durationMinutes, price },
    }));
    return { items: seen, next };
  }

  @Get('providers')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnProviderPage })
  async providers(@Call() call: CallContext, @Query() { name, ...page }: NamedQuery): Promise<OwnProviderPage> {
    const { items, next } = await this.reading.page(providerList, call, page, { by: 'name', where: { active: true }, beginning: { name } });
    return { items: items.map(({ providerId, name, serviceIds }) => ({ providerId, name, serviceIds })), next };
  }

  @Post('appointments')
  @Allow('own:book')
  @ApiCreatedResponse({ type: OwnAppointmentAnswer })
  async book(@Call() call: CallContext, @Body() body: OwnBookingBody): Promise<OwnAppointmentAnswer> {
    const { clientId = ownId(call), start, packageId = null, ...booking } = body;
    const input = { ...booking, clientId, packageId, start: asInstant(start), end: null, externalReference: null };
    return this.own.answered(call, await this.commands.execute(new BookAppointment(call, input)));
  }

  @Post('appointments/:appointmentId/cancel')
  @Allow('own:book')
  @HttpCode(200)
  @ApiOkResponse({ type: OwnAppointmentAnswer })
  async cancel(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { reason = null }: OwnCancelBody,
  ): Promise<OwnAppointmentAnswer> {
    const ending = { appointmentId, session: null, reason, requestedBy: 'client' as const };
    return this.own.answered(call, await this.commands.execute(new CancelAppointment(call, ending)));
  }

  @Post('appointments/:appointmentId/package')
  @Allow('own:book')
  @HttpCode(200)
  @ApiOkResponse({ type: OwnFollowingAppointmentAnswer })
  async applyPackage(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { packageId }: ApplyBody,
  ): Promise<OwnFollowingAppointmentAnswer> {
    return this.own.answered(call, await this.commands.execute(new ApplyPackage(call, { appointmentId, packageId })));
  }

  @Delete('appointments/:appointmentId/package')
  @Allow('own:book')
  @ApiOkResponse({ type: OwnFollowingAppointmentAnswer })
  async removePackage(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() _: EmptyBody,
  ): Promise<OwnFollowingAppointmentAnswer> {
    return this.own.answered(call, await this.commands.execute(new RemovePackage(call, { appointmentId })));
  }

  @Get('appointments')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnAppointmentPage })
  appointments(@Call() call: CallContext, @Query() query: ClientAppointmentsQuery): Promise<OwnAppointmentPage> {
    return this.own.appointments(call, query);
  }

  @Get('appointments/:appointmentId')
  @Allow('own:read')
  @ApiOkResponse({ type: OwnAppointment })
  appointment(@Call() call: CallContext, @PathId('appointmentId') appointmentId: string): Promise<OwnAppointment> {
    return this.own.appointment(call, appointmentId);
  }

  @Get('invoices')
  @Allow('own:read')
  @ApiOkResponse({ type: InvoicePage })
  async invoices(@Call() call: CallContext, @Query() page: PageQuery): Promise<InvoicePage> {
    await this.own.assertShowsInvoices(call);
    const own = { by: 'issuedOn', descending: true, where: { clientId: ownId(call) } } as const;
    const { items, next } = await this.reading.page(invoiceList, call, page, own);
    return { items: items.map(ownInvoice), next };
  }

  @Get('invoices/:invoiceId')
  @Allow('own:read')
  @ApiOkResponse({ type: InvoiceRead })
  async invoice(@Call() call: CallContext, @PathId('invoiceId') invoiceId: string): Promise<InvoiceRead> {
    return ownInvoice(await this.own.invoice(call, invoiceId));
  }
}
