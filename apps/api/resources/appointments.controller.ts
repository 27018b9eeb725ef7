import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  BookAppointment,
  CancelAppointment,
  CompleteAppointment,
  MarkNoShow,
  UndoCompletion,
} from '../../../libs/command-handling/commands/appointment.commands.js';
import { ApplyPackage, RemovePackage } from '../../../libs/command-handling/commands/appointment-package.commands.js';
import { MoveAppointment } from '../../../libs/command-handling/commands/moving.commands.js';
import { RebookAppointment, UndoNoShow } from '../../../libs/command-handling/commands/standing-again.commands.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import { appointmentList } from '../../../projections/appointment-list.projection.js';
import { packageList } from '../../../projections/package-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import {
  AppointmentAnswer,
  AppointmentPage,
  AppointmentRead,
  AppointmentsQuery,
  ApplyBody,
  BookingBody,
  CancelBody,
  FollowingAppointmentAnswer,
  MoveBody,
  NoShowBody,
  StandAgainBody,
} from './appointment.shapes.js';
import { BusinessDays } from './business-days.js';
import { EmptyBody } from './empty-body.js';
import { Reading } from './reading.js';

/** E, H: appointments, with and without a package. */
@ApiTags('Appointments')
@Controller('appointments')
export class AppointmentsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
    private readonly days: BusinessDays,
  ) {}

  @Post()
  @Allow('appointments:write')
  @ApiCreatedResponse({ type: AppointmentAnswer })
  book(@Call() call: CallContext, @Body() body: BookingBody): Promise<AppointmentAnswer> {
    const { start, end, packageId = null, externalReference = null, ...booking } = body;
    const times = { start: asInstant(start), end: end === undefined ? null : asInstant(end) };
    return this.commands.execute(new BookAppointment(call, { ...booking, ...times, packageId, externalReference }));
  }

  @Post(':appointmentId/move')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: FollowingAppointmentAnswer })
  move(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() body: MoveBody,
  ): Promise<FollowingAppointmentAnswer> {
    const { start, end, providerId = null, onInvalid = 'refuse' } = body;
    const times = { start: asInstant(start), end: end === undefined ? null : asInstant(end) };
    return this.commands.execute(new MoveAppointment(call, { appointmentId, ...times, providerId, onInvalid }));
  }

  @Post(':appointmentId/package')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: FollowingAppointmentAnswer })
  applyPackage(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { packageId }: ApplyBody,
  ): Promise<FollowingAppointmentAnswer> {
    return this.commands.execute(new ApplyPackage(call, { appointmentId, packageId }));
  }

  @Delete(':appointmentId/package')
  @Allow('appointments:write')
  @ApiOkResponse({ type: FollowingAppointmentAnswer })
  removePackage(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() _: EmptyBody,
  ): Promise<FollowingAppointmentAnswer> {
    return this.commands.execute(new RemovePackage(call, { appointmentId }));
  }

  @Post(':appointmentId/complete')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: AppointmentAnswer })
  complete(@Call() call: CallContext, @PathId('appointmentId') appointmentId: string, @Body() _: EmptyBody): Promise<AppointmentAnswer> {
    return this.commands.execute(new CompleteAppointment(call, { appointmentId }));
  }

  @Post(':appointmentId/complete/undo')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: AppointmentAnswer })
  undoCompletion(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() _: EmptyBody,
  ): Promise<AppointmentAnswer> {
    return this.commands.execute(new UndoCompletion(call, { appointmentId }));
  }

  @Post(':appointmentId/cancel')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: AppointmentAnswer })
  cancel(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { session = null, reason = null, requestedBy = 'business' }: CancelBody,
  ): Promise<AppointmentAnswer> {
    return this.commands.execute(new CancelAppointment(call, { appointmentId, session, reason, requestedBy }));
  }

  @Post(':appointmentId/rebook')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: FollowingAppointmentAnswer })
  rebook(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { regularFee = false }: StandAgainBody,
  ): Promise<FollowingAppointmentAnswer> {
    return this.commands.execute(new RebookAppointment(call, { appointmentId, regularFee }));
  }

  @Post(':appointmentId/no-show')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: AppointmentAnswer })
  markNoShow(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { session = null, reason = null }: NoShowBody,
  ): Promise<AppointmentAnswer> {
    return this.commands.execute(new MarkNoShow(call, { appointmentId, session, reason }));
  }

  @Post(':appointmentId/no-show/undo')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: FollowingAppointmentAnswer })
  undoNoShow(
    @Call() call: CallContext,
    @PathId('appointmentId') appointmentId: string,
    @Body() { regularFee = false }: StandAgainBody,
  ): Promise<FollowingAppointmentAnswer> {
    return this.commands.execute(new UndoNoShow(call, { appointmentId, regularFee }));
  }

  @Get()
  @Allow('appointments:read')
  @ApiOkResponse({ type: AppointmentPage })
  async list(@Call() call: CallContext, @Query() query: AppointmentsQuery): Promise<AppointmentPage> {
    const { clientId, providerId, serviceId, packageId, offeringId, seriesId, status, descending = false } = query;
    const { from, before } = await this.days.within(call, query);
    if (offeringId !== undefined) await this.reading.fresh(packageList, call);
    return this.reading.page(appointmentList, call, query, {
      also: (rows, rowsOf) => {
        if (offeringId !== undefined)
          rows.whereRaw('package_id IN (SELECT package_id FROM ? AND offering_id = ?)', [rowsOf(packageList), offeringId]);
      },
      by: 'start',
      descending,
      where: { clientId, providerId, serviceId, packageId, seriesId, status },
      from: { start: from },
      before: { start: before },
    });
  }

  @Get(':appointmentId')
  @Allow('appointments:read')
  @ApiOkResponse({ type: AppointmentRead })
  read(@Call() call: CallContext, @PathId('appointmentId') appointmentId: string): Promise<AppointmentRead> {
    return this.reading.one(appointmentList, call, 'appointment', appointmentId);
  }
}
