import { IsInteger, IsLocalDate, IsOneOf } from '../validation/fields.js';

class NoExpiry {
  @IsOneOf(['none'])
  kind: 'none';
}

class ExpiryOnDate {
  @IsOneOf(['onDate'])
  kind: 'onDate';

  @IsLocalDate()
  date: string;
}

class ExpiryAfter {
  @IsOneOf(['after'])
  kind: 'after';

  @IsOneOf(['purchase', 'firstUse'])
  from: 'purchase' | 'firstUse';

  @IsInteger({ min: 1, max: 3650 })
  amount: number;

  @IsOneOf(['days', 'weeks', 'months'])
  unit: 'days' | 'weeks' | 'months';
}

/** C2: the time in which sessions must be used, by `kind`. */
export const EXPIRY = { none: NoExpiry, onDate: ExpiryOnDate, after: ExpiryAfter };
