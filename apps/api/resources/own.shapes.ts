import { IntersectionType, OmitType, PickType } from '@nestjs/swagger';
import { IsId, IsInstant, IsInteger, IsNested, IsText, MoneyBody, IsPrice } from '../validation/fields.js';
import { Versioned } from './answered.js';
import { AppointmentAnswer, AppointmentRead, FollowingAppointmentAnswer, Whose } from './appointment.shapes.js';
import { AvailableService, START } from './bookable.shapes.js';
import { Sharing } from './link.shapes.js';
import { ListedPackage } from './package.shapes.js';
import { PackageSession } from './package-sessions.shapes.js';
import { PageOf, PageQuery } from './paging.js';

// What clients are shown of things, and what they say of them: less than staff.

class OwnInvoiceId {
  @IsId({ nullable: true, description: 'null: it is that of another client, or this business does not show invoices to its clients' })
  invoiceId: string | null;
}

export const SHOWN_OF_PACKAGE = [
  ...(['packageId', 'offeringId', 'clientId', 'name', 'description', 'status', 'paymentMethod'] as const),
  ...(['currency', 'soldOn', 'expiryRule', 'expiresOn', 'services', 'remaining'] as const),
] as const;

class OwnPackageCore extends PickType(ListedPackage, SHOWN_OF_PACKAGE) {}
export class OwnPackage extends IntersectionType(OwnPackageCore, OwnInvoiceId, Sharing, Versioned) {}
export class OwnPackagePage extends PageOf(OwnPackage) {}

class OwnAvailablePackage extends OwnPackage {
  @IsNested(AvailableService, { list: { max: 100 } })
  declare services: AvailableService[];
}
export class OwnAvailablePackagePage extends PageOf(OwnAvailablePackage) {}

export class OwnAvailableQuery extends PageQuery {
  @IsId({ optional: true, description: 'for whom: a client who lets the caller book for them; the caller unless told' })
  clientId?: string;

  @IsId({ optional: true, description: 'those with a session of this service left' })
  serviceId?: string;

  @IsInstant(START)
  start?: string;
}

export class OwnSession extends IntersectionType(OmitType(PackageSession, ['invoiceId']), OwnInvoiceId) {}
export class OwnSessionPage extends PageOf(OwnSession) {}

class OwnAppointmentCore extends OmitType(AppointmentRead, ['invoiceId', 'externalReference', 'soldPackageIds']) {}
export class OwnAppointment extends IntersectionType(OwnAppointmentCore, OwnInvoiceId, Whose) {}
export class OwnAppointmentPage extends PageOf(OwnAppointment) {}
export class OwnAppointmentAnswer extends IntersectionType(OmitType(AppointmentAnswer, ['invoiceId', 'externalReference']), OwnInvoiceId) {}
export class OwnFollowingAppointmentAnswer extends IntersectionType(
  OmitType(FollowingAppointmentAnswer, ['invoiceId', 'externalReference']),
  OwnInvoiceId,
) {}

export class OwnBookingBody {
  @IsId({ optional: true, description: 'for whom: a client who lets the caller book for them; the caller unless told' })
  clientId?: string;

  @IsId()
  serviceId: string;

  @IsId()
  providerId: string;

  @IsInstant({ description: 'to come; it takes as long as the service does' })
  start: string;

  @IsId({ optional: true, description: 'take a session of this package; without it the regular fee is charged' })
  packageId?: string;
}

export class OwnCancelBody {
  @IsText({ max: 500, lines: true, optional: true, nullable: true })
  reason?: string | null;
}

/** B2: what clients can book. */
export class OwnService {
  @IsId()
  serviceId: string;

  @IsText({ max: 200 })
  name: string;

  @IsText({ max: 2000, min: 0, lines: true })
  description: string;

  @IsInteger({ min: 1, max: 24 * 60 })
  durationMinutes: number;

  @IsPrice()
  price: MoneyBody;
}
export class OwnServicePage extends PageOf(OwnService) {}

export class OwnProvider {
  @IsId()
  providerId: string;

  @IsText({ max: 200 })
  name: string;

  @IsId({ list: { max: 500, unique: true } })
  serviceIds: string[];
}
export class OwnProviderPage extends PageOf(OwnProvider) {}
