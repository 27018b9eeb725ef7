import { Body, Controller, Delete, Get, Patch, Put, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ChangeLink, LinkClients, UnlinkClients } from '../../../libs/command-handling/commands/client-link.commands.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { ClientAppointmentsQuery, ManagedAppointmentPage } from './appointment.shapes.js';
import { EmptyBody } from './empty-body.js';
import { BusinessDays } from './business-days.js';
import { History } from './history.js';
import { LinkHistory } from './history.shapes.js';
import { ChangeLinkBody, LinkAnswer, LinkBody, LinkedContactPage, LinkPage, LinkRead, UnlinkAnswer } from './link.shapes.js';
import { Links } from './links.js';
import { ManagedAppointments } from './managed-appointments.js';
import { ClientPackagesQuery, PackagePage, selected } from './package.shapes.js';
import { PageQuery } from './paging.js';
import { SharedPackages } from './shared-packages.js';

/** G: clients who are linked, and what one lets the other do. */
@ApiTags('Linked clients')
@Controller('clients/:clientId')
export class ClientLinksController {
  constructor(
    private readonly commands: CommandBus,
    private readonly links: Links,
    private readonly shared: SharedPackages,
    private readonly managed: ManagedAppointments,
    private readonly history: History,
    private readonly days: BusinessDays,
  ) {}

  @Put('links/:otherClientId')
  @Allow('clients:write')
  @ApiOkResponse({ type: LinkAnswer })
  link(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @PathId('otherClientId') otherClientId: string,
    @Body() body: LinkBody,
  ): Promise<LinkAnswer> {
    return this.commands.execute(new LinkClients(call, { clientId, otherClientId, ...body }));
  }

  @Patch('links/:otherClientId')
  @Allow('clients:write')
  @ApiOkResponse({ type: LinkAnswer })
  change(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @PathId('otherClientId') otherClientId: string,
    @Body() body: ChangeLinkBody,
  ): Promise<LinkAnswer> {
    return this.commands.execute(new ChangeLink(call, { clientId, otherClientId, ...body }));
  }

  @Delete('links/:otherClientId')
  @Allow('clients:write')
  @ApiOkResponse({ type: UnlinkAnswer })
  unlink(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @PathId('otherClientId') otherClientId: string,
    @Body() _: EmptyBody,
  ): Promise<UnlinkAnswer> {
    return this.commands.execute(new UnlinkClients(call, { clientId, otherClientId }));
  }

  @Get('links')
  @Allow('clients:read')
  @ApiOkResponse({ type: LinkPage })
  list(@Call() call: CallContext, @PathId('clientId') clientId: string, @Query() page: PageQuery): Promise<LinkPage> {
    return this.links.of(call, clientId, page);
  }

  @Get('links/:otherClientId')
  @Allow('clients:read')
  @ApiOkResponse({ type: LinkRead })
  read(@Call() call: CallContext, @PathId('clientId') clientId: string, @PathId('otherClientId') otherClientId: string): Promise<LinkRead> {
    return this.links.between(call, clientId, otherClientId);
  }

  @Get('links/:otherClientId/history')
  @Allow('history:read')
  @ApiOkResponse({ type: LinkHistory })
  readHistory(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @PathId('otherClientId') otherClientId: string,
  ): Promise<LinkHistory> {
    return this.history.ofLink(call, clientId, otherClientId);
  }

  /** The client's own packages, and those that others let the client use. */
  @Get('packages')
  @Allow('packages:read')
  @ApiOkResponse({ type: PackagePage })
  async packages(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() query: ClientPackagesQuery,
  ): Promise<PackagePage> {
    return this.shared.usableBy(call, clientId, query, await selected(query, () => this.days.dateAt(call)));
  }

  /** The client's own appointments, and those of others who let the client manage them. */
  @Get('appointments')
  @Allow('appointments:read')
  @ApiOkResponse({ type: ManagedAppointmentPage })
  appointments(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() query: ClientAppointmentsQuery,
  ): Promise<ManagedAppointmentPage> {
    return this.managed.of(call, clientId, query);
  }

  /** Who receives copies of this client's notifications. */
  @Get('notification-recipients')
  @Allow('clients:read')
  @ApiOkResponse({ type: LinkedContactPage })
  notificationRecipients(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() page: PageQuery,
  ): Promise<LinkedContactPage> {
    return this.links.contacts(call, clientId, page, { side: 'gives', permission: 'receiveNotificationCopies' });
  }

  /** Who may complete this client's intake forms, besides the client. */
  @Get('intake-form-completers')
  @Allow('clients:read')
  @ApiOkResponse({ type: LinkedContactPage })
  intakeFormCompleters(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() page: PageQuery,
  ): Promise<LinkedContactPage> {
    return this.links.contacts(call, clientId, page, { side: 'gives', permission: 'completeIntakeForms' });
  }

  /** Whose intake forms this client may complete, and so sees as outstanding, besides their own. */
  @Get('intake-forms-of-others')
  @Allow('clients:read')
  @ApiOkResponse({ type: LinkedContactPage })
  intakeFormsOfOthers(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() page: PageQuery,
  ): Promise<LinkedContactPage> {
    return this.links.contacts(call, clientId, page, { side: 'gets', permission: 'completeIntakeForms' });
  }
}
