import { IntersectionType } from '@nestjs/swagger';
import type { SessionOutcome } from '../../../libs/domain/kernel/shapes.js';
import { IsFlag, IsId, IsInstant, IsInteger, IsLocalDate, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { Answered, Changed, FollowingVersion, Versioned } from './answered.js';
import { LinkedClient } from './link.shapes.js';
import { Charge } from './money.shapes.js';
import { PageOf, PageQuery } from './paging.js';

const OUTCOMES: SessionOutcome[] = ['returned', 'forfeited'];
export const STATUSES = ['booked', 'completed', 'cancelled', 'noShow'];

export class BookingBody {
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

export class NoShowBody {
  @IsOneOf(OUTCOMES, { optional: true, nullable: true, description: 'what becomes of the session; as the business has set it unless told' })
  session?: SessionOutcome | null;

  @IsText({ max: 500, lines: true, optional: true, nullable: true })
  reason?: string | null;
}

export class CancelBody extends NoShowBody {
  @IsOneOf(['business', 'client'], { optional: true, description: 'whose wish it is; business unless told' })
  requestedBy?: 'business' | 'client';
}

export class MoveBody {
  @IsInstant()
  start: string;

  @IsInstant({ optional: true, description: 'it takes as long as before unless told' })
  end?: string;

  @IsId({ optional: true, description: 'the same unless told' })
  providerId?: string;

  @IsOneOf(['refuse', 'regularFee'], {
    optional: true,
    description: 'when its package is not valid then: refuse (unless told), or return the session and charge the regular fee',
  })
  onInvalid?: 'refuse' | 'regularFee';
}

export class ApplyBody {
  @IsId({ description: 'take a session of this package in place of the regular fee' })
  packageId: string;
}

/** Of what is booked again, and of a no-show that is undone. */
export class StandAgainBody {
  @IsFlag({ optional: true, description: 'at the regular fee, although it had a package' })
  regularFee?: boolean;
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

export class SessionUse {
  @IsInteger({ min: 0, max: 1_000_000, nullable: true, description: 'left after it; null: unlimited' })
  remaining: number | null;

  @IsLocalDate({ nullable: true })
  expiresOn: string | null;

  @IsText({ max: 50, nullable: true, example: 'Session 2 of 5' })
  place: string | null;
}

class Decided {
  @IsNested(Charge, { optional: true, description: 'when that was decided: what the appointment costs' })
  charge?: Charge;

  @IsNested(SessionUse, { optional: true, description: 'when a session was taken or moved' })
  session?: SessionUse;
}

class SoldFrom {
  @IsId({ list: { max: 1_000 }, description: 'the packages that were sold from it' })
  soldPackageIds: string[];
}

export class AppointmentAnswer extends IntersectionType(Appointment, Decided, Changed) {}
export class FollowingAppointmentAnswer extends IntersectionType(Appointment, Decided, Answered, FollowingVersion) {}
export class AppointmentRead extends IntersectionType(Appointment, SoldFrom, Versioned) {}
export class AppointmentPage extends PageOf(AppointmentRead) {}

export class Whose {
  @IsNested(LinkedClient, { nullable: true, description: 'whose it is, when it is that of another client' })
  linkedClient: LinkedClient | null;
}

class ManagedAppointment extends IntersectionType(AppointmentRead, Whose) {}
export class ManagedAppointmentPage extends PageOf(ManagedAppointment) {}

export class ClientAppointmentsQuery extends PageQuery {
  @IsOneOf(STATUSES, { optional: true })
  status?: 'booked' | 'completed' | 'cancelled' | 'noShow';

  @IsInstant({ optional: true, description: 'starting then or later' })
  from?: string;

  @IsInstant({ optional: true, description: 'starting before then' })
  before?: string;

  @IsLocalDate({ optional: true, description: 'starting on this day of the business or later' })
  onFrom?: string;

  @IsLocalDate({ optional: true, description: 'starting on this day of the business or earlier' })
  onUntil?: string;

  @IsFlag({ optional: true })
  descending?: boolean;
}

export class AppointmentsQuery extends ClientAppointmentsQuery {
  @IsId({ optional: true })
  clientId?: string;

  @IsId({ optional: true })
  providerId?: string;

  @IsId({ optional: true })
  serviceId?: string;

  @IsId({ optional: true })
  packageId?: string;

  @IsId({ optional: true, description: 'those that use a package of this offering' })
  offeringId?: string;

  @IsId({ optional: true, description: 'those of a repeating series' })
  seriesId?: string;
}
