import type { Limit } from '../../../libs/domain/kernel/shapes.js';
import { IsId, IsInteger, IsLimit, IsMoney, IsNested, IsOneOf, IsText, MoneyBody } from '../validation/fields.js';

const MOST = 1_000_000;

class ServiceValue {
  @IsId()
  serviceId: string;

  @IsText({ max: 200 })
  name: string;

  @IsLimit()
  limit: Limit;

  @IsMoney({ description: 'at the sale' })
  price: MoneyBody;

  @IsInteger({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    nullable: true,
    description: "of one session in the package's value: its price at the sale, 1 if all prices are 0; null: a service is unlimited",
  })
  weight: number | null;

  @IsInteger({ min: 0, max: MOST, description: 'started, or forfeited' })
  used: number;

  @IsInteger({ min: 0, max: MOST, description: 'of those used' })
  forfeited: number;

  @IsInteger({ min: 0, max: MOST, description: 'yet to come: shown apart, not taken off' })
  booked: number;

  @IsInteger({ min: 0, max: MOST, description: 'of those used, without the ones that were added by adjustment' })
  counted: number;

  @IsMoney({ nullable: true, description: 'total × weight ÷ weights, rounded for reading; null: a service is unlimited' })
  sessionValue: MoneyBody | null;

  @IsMoney({ nullable: true, description: 'of those counted, rounded for reading' })
  valueUsed: MoneyBody | null;
}

/** H4: with its working. */
export class SuggestedRefundRead {
  @IsId()
  packageId: string;

  @IsMoney({ description: 'of the package itself with its taxes' })
  total: MoneyBody;

  @IsMoney()
  paid: MoneyBody;

  @IsMoney()
  refunded: MoneyBody;

  @IsMoney({ description: 'refunds that Stripe has not confirmed yet: taken off as well' })
  pending: MoneyBody;

  @IsNested(ServiceValue, { list: { max: 100 } })
  services: ServiceValue[];

  @IsText({ max: 40, nullable: true, description: 'the sum of weight × limit, by which the total is divided' })
  weights: string | null;

  @IsMoney({ nullable: true, description: 'of all sessions counted: summed exactly, rounded once' })
  valueUsed: MoneyBody | null;

  @IsMoney({ nullable: true, description: 'of the sessions yet to come' })
  valueBooked: MoneyBody | null;

  @IsMoney({ nullable: true, description: 'paid − refunded − pending − value used, 0 at least; null: there is no suggestion' })
  suggested: MoneyBody | null;

  @IsOneOf(['unlimited'], { nullable: true, description: 'why there is no suggestion' })
  because: 'unlimited' | null;
}
