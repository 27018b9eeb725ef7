import { hash } from 'node:crypto';
import pg from 'pg';
import { BadCursor, cursorOf, placeOf, type Place } from '../projection-engine/paging.js';
import { ask, type Sources, type TextRow } from '../projection-engine/sources.js';
import { instantFromText } from '../projection-engine/table.js';
import type { Here, Report, ReportColumn, Sql } from './define-report.js';
import { Places } from './places.js';
import { cellSql, fileSql, pageSql, partsOf, totalsSql, type Asked, type Cell, type Order, type SourceOf } from './report-sql.js';

const MOST_PREPARED = 100; // statements, in each session
const MOST_TOTALS = 4; // of a business at once: they read all rows, and others want some of the connections

/** It was given up: Postgres would have taken longer than the caller waits. */
export class TooMuchToReport extends Error {
  override name = 'TooMuchToReport';

  constructor(otherwise = ', or for the file (.csv), which may take as long as it takes') {
    super(`The report takes too long. Ask for fewer days or fewer rows by its filters${otherwise}.`);
  }
}
const NO_FILE = ''; // there is none of it

/** What a caller wants to know of a report. */
export interface Wanted<Query> {
  here: Here;
  query: Query;
}
export interface Paged {
  descending?: boolean;
  limit: number;
  cursor?: string;
}

type Value = string | number | null;
type Figures = Record<string, number>;

export interface ReportPage {
  items: Record<string, Value>[];
  next: string | null; // the cursor of the next page; null: this is the last
}

export interface SubTotals {
  groups: ({ key: string; name: string } & Figures)[];
  total: Figures; // of all groups, also those on other pages
  next: string | null;
}

/** Some of the rows that make up a figure. */
export interface CellRows {
  value: number; // the figure, of all rows
  rows: CellRow[];
  more: boolean;
}
export interface CellRow {
  place: Place;
  adds: number;
  sum: number; // of the rows up to this one, all pages
  columns: Record<string, Value>;
}

type AnyReport<Query> = Report<Query>;

/** ms that something may take at most. */
interface Times {
  turn?: number; // sub-totals and cells: until it is theirs
  cell?: number; // with what is made of its rows
}

/** How reports are asked: rows in pages, sub-totals with the total, and the statement of all rows. Each is from one moment. */
export class Reports {
  private readonly names = new Map<string, string>();
  private readonly totalling: Places;

  /**
   * @param pool whose sessions have the TimeZone UTC, and a statement_timeout that is less than callers wait
   * @param times without them nothing is given up
   */
  constructor(
    private readonly pool: pg.Pool,
    private readonly sources: Sources,
    private readonly times: Times = {},
  ) {
    this.totalling = new Places({ ofABusiness: MOST_TOTALS, patience: times.turn });
  }

  /**
   * In a stable order: by what it is sorted, then by key; rows without a value come last.
   * @throws BadCursor
   */
  async page<Query>(
    report: AnyReport<Query>,
    { here, query }: Wanted<Query>,
    { sort, descending = false, limit, cursor }: Paged & { sort: string },
  ): Promise<ReportPage> {
    const order = { sort, descending };
    const prefix = prefixOf(report.name, order, here);
    const after = placeIn(prefix, cursor, placeOf);
    return this.sources.use(async (sourceOf) => {
      const rows: TextRow[] = [];
      for (const part of partsOf(report.sortings[sort]!, after)) {
        rows.push(...(await this.ask(pageSql({ report, here, query, sourceOf }, order, part, after, limit + 1), here)));
        if (rows.length > limit) break;
      }
      const last = rows.length > limit ? rows[limit - 1]! : undefined;
      return { items: rows.slice(0, limit).map((row) => valuesOf(report, row)), next: last ? prefix + cursorOf(last[1], last[0]) : null };
    });
  }

  /** @throws BadCursor, TooManyAtOnce */
  async totals<Query>(
    report: AnyReport<Query>,
    { here, query }: Wanted<Query>,
    { by, descending = false, limit, cursor }: Paged & { by: string },
  ): Promise<SubTotals> {
    const prefix = prefixOf(`totals of ${report.name}`, { sort: by, descending }, here);
    const after = placeIn(prefix, cursor, groupOf);
    const leave = await this.totalling.turn(here.business);
    const totals = this.sources.use(async (sourceOf) => {
      const [all, ...groups] = await this.ask(totalsSql({ report, here, query, sourceOf }, { by, descending }, after, limit + 1), here);
      const last = groups.length > limit ? groups[limit - 1]! : undefined;
      return {
        groups: groups
          .slice(0, limit)
          .map((row) => ({ key: row[0]!, name: row[1]!, ...sumsOf(report, row) }) as SubTotals['groups'][number]),
        total: sumsOf(report, all!),
        next: last ? prefix + cursorOf(last[1], last[0]) : null,
      };
    });
    return totals.finally(leave);
  }

  /**
   * What makes up a figure, row by row, in the order of the report, for what is made of it: until that is done, the business has one turn less.
   * @param make is to come to an end when its time is over
   * @throws TooManyAtOnce
   */
  async cell<Query, Made>(
    report: AnyReport<Query>,
    wanted: Wanted<Query>,
    cell: Cell,
    from: { after: Place | undefined; limit: number },
    make: (cell: CellRows, isOver: () => boolean) => Promise<Made>,
  ): Promise<Made> {
    const end = performance.now() + (this.times.cell ?? Infinity);
    const leave = await this.totalling.turn(wanted.here.business);
    try {
      return await make(await this.rowsOf(report, wanted, cell, from), () => performance.now() > end);
    } finally {
      leave();
    }
  }

  private rowsOf<Query>(
    report: AnyReport<Query>,
    { here, query }: Wanted<Query>,
    cell: Cell,
    { after, limit }: { after: Place | undefined; limit: number },
  ): Promise<CellRows> {
    return this.sources.use(async (sourceOf) => {
      const statement = cellSql({ report, here, query, sourceOf }, cell, after, limit + 1);
      const [all, ...rows] = await this.ask(statement, { ...here, asOf: cell.until }, NO_FILE);
      return {
        value: whole(all![3]!),
        rows: rows.slice(0, limit).map(([id, value, adds, sum, ...columns]) => ({
          place: { value: value!, id: id! },
          ...{ adds: whole(adds!), sum: whole(sum!) },
          columns: Object.fromEntries(cell.columns.map((name, n) => [name, valueOf(report.columns[name]!.is, columns[n] ?? null)])),
        })),
        more: rows.length > limit,
      };
    });
  }

  /** The statement of all rows, in one piece: what gives its answer takes no values. */
  allRows<Query>(report: AnyReport<Query>, wanted: Wanted<Query>, order: Order): (sourceOf: SourceOf) => string {
    return (sourceOf) => fileSql({ report, sourceOf, ...wanted } satisfies Asked<Query>, order).toQuery();
  }

  private ask(statement: Sql, { asOf }: Here, otherwise?: string): Promise<TextRow[]> {
    const { sql: text, bindings } = statement.toSQL().toNative();
    return inTime(ask(this.pool, { name: asOf === undefined ? this.nameOf(text) : undefined, text, values: [...bindings] }), otherwise);
  }

  /** Those that are asked first are prepared; the rest of all combinations of filters, which anybody could walk through, are not. */
  private nameOf(text: string): string | undefined {
    if (!this.names.has(text) && this.names.size < MOST_PREPARED) this.names.set(text, `report ${this.names.size}`);
    return this.names.get(text);
  }
}

const QUERY_CANCELED = '57014'; // SQLSTATE

const inTime = <T>(answer: Promise<T>, otherwise?: string): Promise<T> =>
  answer.catch((error: unknown) => {
    throw error instanceof pg.DatabaseError && error.code === QUERY_CANCELED ? new TooMuchToReport(otherwise) : error;
  });

/** A place in one order is none in another: each cursor begins with the report, the order and the time that gave it, shortened. */
const prefixOf = (name: string, { sort, descending }: Order, { asOf = 'now' }: { asOf?: bigint | 'now' }): string =>
  hash('sha256', `${name} ${sort} ${descending} ${asOf}`, 'hex').slice(0, 8);

function placeIn(prefix: string, cursor: string | undefined, read: (cursor: string) => Place): Place | undefined {
  if (cursor === undefined) return undefined;
  if (!cursor.startsWith(prefix)) throw new BadCursor('The cursor is not one that this report gave in this order.');
  return read(cursor.slice(prefix.length));
}

/** Groups have keys of all kinds. */
const groupOf = (cursor: string): Place => placeOf(cursor, (id) => id.length <= 200 && !id.includes('\0'));

const valuesOf = ({ columns }: { columns: Record<string, ReportColumn> }, [, , ...values]: TextRow): Record<string, Value> =>
  Object.fromEntries(Object.entries(columns).map(([name, { is }], n) => [name, valueOf(is, values[n] ?? null)]));

function valueOf(is: ReportColumn['is'], text: string | null): Value {
  if (text === null) return null;
  if (is === 'amount' || is === 'count') return whole(text);
  return is === 'instant' ? instantFromText(text) : text;
}

const sumsOf = ({ figures }: { figures: Record<string, unknown> }, [, , ...sums]: TextRow): Figures =>
  Object.fromEntries(Object.keys(figures).map((figure, n) => [figure, whole(sums[n]!)]));

/** @throws RangeError: JSON has no such number that every reader reads alike */
function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the safe integers`);
  return value;
}
