import { OmitType } from '@nestjs/swagger';
import type { ExpiryRule, Limit } from '../../../libs/domain/kernel/shapes.js';
import { IsId, IsLimit, IsNested, IsText, IsVariant } from '../validation/fields.js';
import { EXPIRY } from './expiry.shapes.js';
import { Charge } from './money.shapes.js';
import { OwnService } from './own.shapes.js';
import { PageOf } from './paging.js';

class OnlineService extends OmitType(OwnService, ['price']) {
  @IsLimit()
  limit: Limit;
}

/** I4: what a client can buy online. */
export class OnlineOffering {
  @IsId()
  offeringId: string;

  @IsText({ max: 200 })
  name: string;

  @IsText({ max: 2000, min: 0, lines: true })
  description: string;

  @IsNested(OnlineService, { list: { max: 100 } })
  services: OnlineService[];

  @IsVariant('kind', EXPIRY)
  expiryRule: ExpiryRule;

  @IsNested(Charge, { description: 'with its taxes as they are now' })
  price: Charge;
}
export class OnlineOfferingPage extends PageOf(OnlineOffering) {}
