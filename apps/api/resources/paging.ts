import type { Type } from '@nestjs/common';
import { IsInteger, IsNested, IsText } from '../validation/fields.js';

export const MOST_ITEMS = 200;
const LONGEST_CURSOR = 2_000; // one holds a name of 200 characters in base64url

export const PAGE = 50;
export const IsPageSize = (): PropertyDecorator =>
  IsInteger({ min: 1, max: MOST_ITEMS, optional: true, description: `items on the page; ${PAGE} unless told` });
export const IsCursor = (): PropertyDecorator =>
  IsText({ max: LONGEST_CURSOR, optional: true, description: 'the `next` of the page before' });
/** The cursor of an answer. */
export const IsNext = (): PropertyDecorator =>
  IsText({ max: LONGEST_CURSOR, nullable: true, description: 'the cursor of the next page; null: this is the last' });

/** What every list can be asked (L5). */
export class PageQuery {
  @IsPageSize()
  limit?: number;

  @IsCursor()
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
    @IsNested(item, { list: { max: MOST_ITEMS } })
    items: Item[];

    @IsNext()
    next: string | null;
  }
  return PageShape;
};
