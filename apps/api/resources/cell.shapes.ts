import type { Type } from '@nestjs/common';
import { USAGE_FIGURES } from '../../../libs/domain/package/explanation.js';
import { SALES_FIGURES } from '../../../libs/domain/package/sale-explanation.js';
import { IsFlag, IsId, IsInteger, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { AsOfRead } from './answered.js';
import { EventRead } from './history.shapes.js';
import { IsCursor, IsNext, IsPageSize, MOST_ITEMS } from './paging.js';
import { SALES_GROUPS, SalesFilters } from './report.shapes.js';
import { USAGE_GROUPS, UsageFilters } from './usage.shapes.js';

const SAFE = Number.MAX_SAFE_INTEGER;
const LONGEST_KEY = 64;
const MOST_COLUMNS = 20;
/** Rows of a report that are looked at for a page, at most: many of them may add nothing to a figure. */
export const MOST_ROWS = 500;

/** Of what there are cells: sub-totals, and rows by themselves. */
const SALES_CELLS = [...SALES_GROUPS, 'package'] as const;
const USAGE_CELLS = [...USAGE_GROUPS, 'entry'] as const;
const BY = { optional: true, description: 'of which sub-total, or of which row, the figure is; without it, of the grand total' };
const KEY = { max: LONGEST_KEY, optional: true, description: 'the `key` of the sub-total, or the id of the row' };

interface CellQuery<Figure, By> {
  figure: Figure;
  by?: By;
  key?: string;
  limit?: number;
  cursor?: string;
}

/** Which cell of a report is asked for: of the rows that its filters leave. */
const CellQueryOf = <Filters extends object, Figure extends string, By extends string>(
  filters: Type<Filters>,
  figures: readonly Figure[],
  cells: readonly By[],
): Type<Filters & CellQuery<Figure, By>> => {
  class CellQueryShape extends (filters as Type<object>) {
    @IsOneOf(figures)
    figure: Figure;

    @IsOneOf(cells, BY)
    by?: By;

    @IsText(KEY)
    key?: string;

    @IsPageSize()
    limit?: number;

    @IsCursor()
    cursor?: string;
  }
  return CellQueryShape as Type<Filters & CellQuery<Figure, By>>;
};

export class SalesCellQuery extends CellQueryOf(SalesFilters, SALES_FIGURES, SALES_CELLS) {}

export class UsageCellQuery extends CellQueryOf(UsageFilters, USAGE_FIGURES, USAGE_CELLS) {}

/** An event's part in a figure of a report. */
class CellEvent extends EventRead {
  @IsText({ max: 100, description: 'in which it is' })
  stream: string;

  @IsId()
  packageId: string;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what it adds to the figure' })
  adds: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what the figure has come to with it, from the first page on' })
  sum: number;
}

class SalesCellEvent extends CellEvent {
  @IsId({ description: 'of the package' })
  invoiceId: string;
}

class UsageCellEvent extends CellEvent {
  @IsId({ description: 'of the row' })
  entryId: string;
}

/** A row that is not what its events say. */
class DifferingRow {
  @IsId()
  packageId: string;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what the row adds to the figure' })
  reported: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'what its events add up to' })
  explained: number;

  @IsText({
    list: { max: MOST_COLUMNS },
    max: LONGEST_KEY,
    description: 'which of its columns that decide in which cells it is are not as its events say',
  })
  columns: string[];
}

class DifferingSale extends DifferingRow {
  @IsId()
  invoiceId: string;
}

class DifferingUse extends DifferingRow {
  @IsId()
  entryId: string;
}

class CellExplanation {
  @IsText({ max: LONGEST_KEY, nullable: true })
  key: string | null;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'the figure as the report has it: a number, or minor units' })
  value: number;

  @IsText({ max: 3, nullable: true, description: 'of money; null: a number' })
  currency: string | null;

  @IsInteger({
    min: -SAFE,
    max: SAFE,
    description: 'what it has come to by the end of this page; on the last page the value, if every page holds',
  })
  sum: number;

  @IsFlag({
    description:
      'that the rows of this page are what their events say, and go on from those of the page before; false: `differing` names the rows, and `projector verify` says what is wrong with them',
  })
  holds: boolean;

  @IsText({ max: 20, nullable: true, description: 'the events up to this position are in it, on all pages; null: none is' })
  position: string | null;

  @IsNext()
  next: string | null;
}

const ITEMS = {
  list: { max: MOST_ITEMS },
  description: 'row by row in the order of the report, and of each row its events in their order',
};
const DIFFERING = { list: { max: MOST_ROWS }, description: 'rows of this page that are not what their events say: there should be none' };

interface Explained<Figure, By, Event, Differing> {
  figure: Figure;
  by: By | null;
  items: Event[];
  differing: Differing[];
}

const CellExplanationOf = <Figure extends string, By extends string, Event extends object, Differing extends object>(
  figures: readonly Figure[],
  cells: readonly By[],
  event: Type<Event>,
  differing: Type<Differing>,
): Type<CellExplanation & Explained<Figure, By, Event, Differing>> => {
  class CellExplanationShape extends CellExplanation {
    @IsOneOf(figures)
    figure: Figure;

    @IsOneOf(cells, { nullable: true })
    by: By | null;

    @IsNested(event, ITEMS)
    items: Event[];

    @IsNested(differing, DIFFERING)
    differing: Differing[];
  }
  return CellExplanationShape;
};

export class SalesCellExplanation extends CellExplanationOf(SALES_FIGURES, SALES_CELLS, SalesCellEvent, DifferingSale) {
  @IsNested(AsOfRead, { optional: true, description: 'which past was asked for' })
  asOf?: AsOfRead;
}

export class UsageCellExplanation extends CellExplanationOf(USAGE_FIGURES, USAGE_CELLS, UsageCellEvent, DifferingUse) {}
