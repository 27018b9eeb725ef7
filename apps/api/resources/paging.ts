import type { Type } from '@nestjs/common';
import { IsInteger, IsNested, IsText } from '../validation/fields.js';

const MOST = 200;
const LONGEST_CURSOR = 2_000; // one holds a name of 200 characters in base64url

/** What every list can be asked (L5). */
export class PageQuery {
  @IsInteger({ min: 1, max: MOST, optional: true, description: 'items on the page; 50 unless told' })
  limit?: number;

  @IsText({ max: LONGEST_CURSOR, optional: true, description: 'the `next` of the page before' })
  cursor?: string;
}

export class NamedQuery extends PageQuery {
  @IsText({ max: 200, optional: true, description: 'the beginning of the name' })
  name?: string;
}

export interface Page<Item> {
  items: Item[];
  next: string | null; // the cursor of the next page; null: this is the last
}

/** A page as the OpenAPI document shows it. */
export const PageOf = <Item extends object>(item: Type<Item>): Type<Page<Item>> => {
  class PageShape {
    @IsNested(item, { list: { max: MOST } })
    items: Item[];

    @IsText({ max: LONGEST_CURSOR, nullable: true, description: 'the cursor of the next page; null: this is the last' })
    next: string | null;
  }
  return PageShape;
};
