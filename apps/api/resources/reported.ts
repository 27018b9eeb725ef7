import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { BadCursor } from '../../../libs/projection-engine/paging.js';
import type { Here, Report } from '../../../libs/reporting/define-report.js';
import type { Exports } from '../../../libs/reporting/exports.js';
import type { CellRows, Reports } from '../../../libs/reporting/reports.js';
import type { CallContext } from '../http/call.js';
import type { RequestError } from '../http/problems.js';
import type { AsOfRead } from './answered.js';
import { isId } from '../validation/formats.js';
import { BusinessDays } from './business-days.js';
import { cellPlaceOf, type CellPlace } from './cell-place.js';
import { MOST_ROWS } from './cell.shapes.js';
import { PAGE, type Page, type PageQuery } from './paging.js';
import { Past } from './past.js';
import { isDataException, notACursor, Reading } from './reading.js';

/** The tokens under which they are provided. */
export const REPORTS = Symbol('reports');
export const EXPORTS = Symbol('exports');

interface OfThePast {
  asOf?: string;
}
interface Ordered extends OfThePast {
  descending?: boolean;
}
interface Sorted extends Ordered {
  sort?: string;
}

/** Which figure: of a group, of one row, or of all. */
export interface CellQuery extends OfThePast, PageQuery {
  figure: string;
  by?: string;
  key?: string;
}

/** Some rows of a cell, from where the page before has ended. */
export interface CellRead {
  cell: CellRows;
  isOver(): boolean; // there is no time for more of it
  place: CellPlace;
  prefix: string; // of the cursors of this cell
  currency: string;
  asOf?: AsOfRead;
}

/** J2, J3: what all reports have in common: the caller's business, now or then, freshness, pages, files. */
@Injectable()
export class Reported {
  constructor(
    @Inject(REPORTS) private readonly reports: Reports,
    @Inject(EXPORTS) private readonly exports: Exports,
    private readonly reading: Reading,
    private readonly days: BusinessDays,
    private readonly past: Past,
  ) {}

  /** Items are what the report's columns say; tests hold them against the document. */
  async page<Filters, Item>(report: Report<Filters>, call: CallContext, query: Filters & Sorted & PageQuery): Promise<Page<Item>> {
    const { here, ...then } = await this.of(report, call, query);
    const { sort = report.sortedBy, descending, limit = PAGE, cursor } = query;
    const page = await orNotACursor(cursor, this.reports.page(report, { here, query }, { sort, descending, limit, cursor }));
    return { ...page, ...then } as Page<Item>;
  }

  async totals<Filters, Totals>(
    report: Report<Filters>,
    call: CallContext,
    query: Filters & Ordered & PageQuery & { by: string },
  ): Promise<Totals> {
    const { here, ...then } = await this.of(report, call, query);
    const { by, limit = PAGE, cursor, descending } = query;
    const totals = await orNotACursor(cursor, this.reports.totals(report, { here, query }, { by, descending, limit, cursor }));
    return { by, currency: here.currency, ...totals, ...then } as Totals;
  }

  /** All rows as CSV. */
  async file<Filters>(report: Report<Filters>, call: CallContext, query: Filters & Sorted & { bom?: boolean }): Promise<Readable> {
    const { here } = await this.of(report, call, query);
    const { sort = report.sortedBy, descending = false, bom = false } = query;
    const statementOf = this.reports.allRows(report, { here, query }, { sort, descending });
    return this.exports.csv(statementOf, { business: call.business, columns: Object.keys(report.columns), bom });
  }

  /**
   * The rows that make up a figure. All pages are of one moment: of the position that the first of them found, of its day and clocks.
   * @param columns that are wanted of each row
   * @param make what is answered
   */
  async cell<Filters, Made>(
    report: Report<Filters>,
    call: CallContext,
    query: Filters & CellQuery,
    columns: readonly string[],
    make: (read: CellRead) => Promise<Made>,
  ): Promise<Made> {
    const { figure, cursor } = query;
    const group = groupOf(report, query);
    const { here, ...then } = await this.of(report, call, query);
    const prefix = prefixOf(report, query, here.asOf);
    const place = cursor === undefined ? await this.begin(report, call, here) : placeIn(prefix, cursor);
    const { until, today, timeZone, after } = place;
    const wanted = { here: { ...here, today, timeZone }, query };
    const read = { place, prefix, currency: here.currency, ...then };
    const asked = { figure, group, until, columns };
    const made = this.reports.cell(report, wanted, asked, { after, limit: MOST_ROWS }, (cell, isOver) => make({ cell, isOver, ...read }));
    return orNotACursor(cursor, made);
  }

  private async begin<Filters>({ rows }: Report<Filters>, call: CallContext, { asOf, today, timeZone }: Here): Promise<CellPlace> {
    const until = asOf ?? (await this.reading.reached(rows, call));
    return { until, today, timeZone, after: undefined, given: 0, sum: 0, off: 0 };
  }

  /** Where and when, once all that is read is as fresh as the caller wants it. */
  private async of<Filters>({ rows, joins }: Report<Filters>, call: CallContext, { asOf }: OfThePast) {
    const then = await this.past.of(call, asOf);
    for (const read of [rows, ...Object.values(joins).map(({ to }) => to)]) await this.reading.fresh(read, then.call);
    return { here: await this.days.here(then.call), ...pick(then, 'asOf') };
  }
}

/** A cursor that somebody made up can bring a value that is none of its column's. */
const orNotACursor = async <T>(cursor: string | undefined, answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (error) {
    if (cursor !== undefined && (error instanceof BadCursor || isDataException(error))) throw notACursor();
    throw error;
  }
};

/** @throws InvalidInput that names each of `by` and `key` that is missing or is none */
function groupOf<Filters>({ groups, row }: Report<Filters>, { by, key }: CellQuery): { by: string; key: string } | undefined {
  if (by === undefined && key === undefined) return undefined;
  if (by === undefined) throw wrong('/by', 'REQUIRED', 'Say of which sub-totals this is a key.');
  if (key === undefined) throw wrong('/key', 'REQUIRED', `Say of which ${by} it is: sub-totals and rows have their keys.`);
  const isKey = by === row ? isId : groups[by]!.isKey;
  if (!isKey(key)) throw wrong('/key', 'NOT_A_GROUP', `key must be one that there can be by ${by}.`);
  return { by, key };
}

const wrong = (field: string, code: string, message: string): InvalidInput => {
  const error: RequestError = { field, in: 'query', code, message };
  return new InvalidInput([error]);
};

/** A place in one cell is none in another: each cursor begins with what was asked, shortened. */
function prefixOf<Filters>({ name }: Report<Filters>, { limit: _, cursor: __, ...asked }: CellQuery, asOf: bigint | undefined): string {
  const said = Object.entries({ ...asked, asOf: asOf?.toString() })
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([name, said]), 'hex').slice(0, 16);
}

function placeIn(prefix: string, cursor: string): CellPlace {
  try {
    if (cursor.startsWith(prefix)) return cellPlaceOf(cursor.slice(prefix.length));
  } catch (error) {
    if (!(error instanceof BadCursor)) throw error;
  }
  throw notACursor();
}
