import type { Type } from '@nestjs/common';
import { IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { IsNext, MOST_ITEMS } from './paging.js';

export interface Totals<By, SubTotal, Total> {
  by: By;
  currency: string;
  groups: SubTotal[];
  total: Total;
  next: string | null;
}

/** A page of sub-totals of a report, and the grand total, as the OpenAPI document shows them. */
export const TotalsOf = <By extends string, SubTotal extends object, Total extends object>(
  groups: readonly By[],
  subTotal: Type<SubTotal>,
  total: Type<Total>,
): Type<Totals<By, SubTotal, Total>> => {
  class TotalsShape {
    @IsOneOf(groups)
    by: By;

    @IsText({ max: 3 })
    currency: string;

    @IsNested(subTotal, { list: { max: MOST_ITEMS }, description: 'in the order of their names' })
    groups: SubTotal[];

    @IsNested(total, { description: 'of all groups, also those on other pages' })
    total: Total;

    @IsNext()
    next: string | null;
  }
  return TotalsShape;
};
