import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import {
  BookAppointment,
  CancelAppointment,
  CompleteAppointment,
  MarkNoShow,
  UndoNoShow,
} from '../../../libs/command-handling/commands/appointment.commands.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import type { SessionOutcome } from '../../../libs/domain/kernel/shapes.js';
import { appointmentList } from '../../../projections/appointment-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsFlag, IsId, IsInstant, IsInteger, IsLocalDate, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Answered, Versioned } from './answered.js';
import { EmptyBody } from './empty-body.js';
import { Charge } from './money.shapes.js';
import { PageOf, PageQuery } from './paging.js';
import { Reading } from './reading.js';

const OUTCOMES: SessionOutcome[] = ['returned', 'forfeited'];
const STATUSES = ['booked', 'completed', 'cancelled', 'noShow'];

class BookingBody {
  @IsId()
  clientId: string;

  @IsId()
  serviceId: string;

  @IsId()
  providerId: string;

  @IsInstant()
  start: string;

  @IsInstant({ optional: true, description: "after the service's duration unless told" })
  end?: string;

  @IsId({ optional: true, description: 'take a session of this package; without it the regular fee is charged' })
  packageId?: string;

  @IsText({ max: 200, optional: true, nullable: true })
  externalReference?: string | null;
}

class NoShowBody {
  @IsOneOf(OUTCOMES, { optional: true, nullable: true, description: 'what becomes of the session; as the business has set it unless told' })
  session?: SessionOutcome | null;

  @IsText({ max: 500, lines: true, optional: true, nullable: true })
  reason?: string | null;
}

class CancelBody extends NoShowBody {
  @IsOneOf(['business', 'client'], { optional: true, description: 'whose wish it is; business unless told' })
  requestedBy?: 'business' | 'client';
}

class Appointment {
  @IsId()
  appointmentId: string;

  @IsId()
  clientId: string;

  @IsId()
  serviceId: string;

  @IsText({ max: 200 })
  serviceName: string;

  @IsId()
  providerId: string;

  @IsInstant()
  start: string;

  @IsInstant()
  end: string;

  @IsText({ max: 64 })
  timeZone: string;

  @IsLocalDate({ description: 'local date of the start' })
  on: string;

  @IsOneOf(STATUSES)
  status: 'booked' | 'completed' | 'cancelled' | 'noShow';

  @IsOneOf(OUTCOMES, { nullable: true, description: 'what became of the session, or of the fee, when it did not take place' })
  outcome: SessionOutcome | null;

  @IsId({ nullable: true })
  packageId: string | null;

  @IsId({ nullable: true })
  consumptionId: string | null;

  @IsId({ nullable: true, description: 'the repeating series that it belongs to' })
  seriesId: string | null;

  @IsId()
  invoiceId: string;

  @IsText({ max: 200, nullable: true })
  externalReference: string | null;
}

class SessionUse {
  @IsInteger({ min: 0, max: 1_000_000, nullable: true, description: 'left after it; null: unlimited' })
  remaining: number | null;

  @IsLocalDate({ nullable: true })
  expiresOn: string | null;

  @IsText({ max: 50, nullable: true, example: 'Session 2 of 5' })
  place: string | null;
}

class Booked {
  @IsNested(Charge, { optional: true, description: 'at booking: what the appointment costs' })
  charge?: Charge;

  @IsNested(SessionUse, { optional: true, description: 'at booking from a package' })
  session?: SessionUse;
}

class SoldFrom {
  @IsId({ nullable: true, description: 'the package that was sold from it' })
  soldPackageId: string | null;
}

class AppointmentAnswer extends IntersectionType(Appointment, Booked, Answered) {}
class AppointmentRead extends IntersectionType(Appointment, SoldFrom, Versioned) {}
class AppointmentPage extends PageOf(AppointmentRead) {}

class AppointmentsQuery extends PageQuery {
  @IsId({ optional: true })
  clientId?: string;

  @IsId({ optional: true })
  providerId?: string;

  @IsId({ optional: true })
  serviceId?: string;

  @IsId({ optional: true })
  packageId?: string;

  @IsOneOf(STATUSES, { optional: true })
  status?: 'booked' | 'completed' | 'cancelled' | 'noShow';

  @IsInstant({ optional: true, description: 'starting then or later' })
  from?: string;

  @IsInstant({ optional: true, description: 'starting before then' })
  before?: string;

  @IsFlag({ optional: true })
  descending?: boolean;
}

/** E, H: appointments, with and without a package. */
@ApiTags('Appointments')
@Controller('appointments')
export class AppointmentsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post()
  @Allow('appointments:write')
  @ApiCreatedResponse({ type: AppointmentAnswer })
  book(@Call() call: CallContext, @Body() body: BookingBody): Promise<AppointmentAnswer> {
    const { start, end, packageId = null, externalReference = null, ...booking } = body;
    const times = { start: asInstant(start), end: end === undefined ? null : asInstant(end) };
    return this.commands.execute(new BookAppointment(call, { ...booking, ...times, packageId, externalReference }));
  }

  @Post(':appointmentId/complete')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: AppointmentAnswer })
  complete(@Call() call: CallContext, @PathId('appointmentId') appointmentId: string, @Body() _: EmptyBody): Promise<AppointmentAnswer> {
    return this.commands.execute(new CompleteAppointment(call, { appointmentId }));
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
  @ApiOkResponse({ type: AppointmentAnswer })
  undoNoShow(@Call() call: CallContext, @PathId('appointmentId') appointmentId: string, @Body() _: EmptyBody): Promise<AppointmentAnswer> {
    return this.commands.execute(new UndoNoShow(call, { appointmentId }));
  }

  @Get()
  @Allow('appointments:read')
  @ApiOkResponse({ type: AppointmentPage })
  list(@Call() call: CallContext, @Query() query: AppointmentsQuery): Promise<AppointmentPage> {
    const { clientId, providerId, serviceId, packageId, status, from, before, descending = false } = query;
    return this.reading.page(appointmentList, call, query, {
      by: 'start',
      descending,
      where: { clientId, providerId, serviceId, packageId, status },
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
