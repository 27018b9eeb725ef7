import { IsId, IsInstant, IsLocalDate, IsNested, IsText } from '../validation/fields.js';
import { Charge } from './money.shapes.js';
import { PackageRead, ServiceLeft } from './package.shapes.js';
import { PageOf, PageQuery } from './paging.js';

export const START = { optional: true, description: 'when the appointment would start; now unless told' } as const;

export class AvailableQuery extends PageQuery {
  @IsId({ description: 'who would use it' })
  clientId: string;

  @IsId({ optional: true, description: 'those with a session of this service left' })
  serviceId?: string;

  @IsInstant(START)
  start?: string;
}

export class BookableQuery {
  @IsInstant(START)
  start?: string;
}

/** E1: what an appointment costs when it is booked from the package. */
class FeeNote {
  @IsText({ max: 100, description: 'for people', example: '60.00 CAD plus taxes' })
  text: string;

  @IsNested(Charge, { description: 'zero when the package was paid upfront; else the fee of the sale, with the taxes as they are now' })
  charge: Charge;
}

export class AvailableService extends ServiceLeft {
  @IsNested(FeeNote)
  feeNote: FeeNote;
}

class AvailablePackage extends PackageRead {
  @IsNested(AvailableService, { list: { max: 100 } })
  declare services: AvailableService[];
}

export class AvailablePackagePage extends PageOf(AvailablePackage) {}

/** E1: of a package, none once it is used up, expired or cancelled. */
export class BookableServices {
  @IsId()
  packageId: string;

  @IsLocalDate({ nullable: true, description: 'the last day on which sessions can be used; null: none' })
  expiresOn: string | null;

  @IsNested(AvailableService, { list: { max: 100 } })
  items: AvailableService[];
}
