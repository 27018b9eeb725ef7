import knexBuilder, { type Knex } from 'knex';
import type { Readable } from '../projection-engine/sources.js';

// A report is a read model as a table for people: columns, filters, sortings and sub-totals, each said once, from which follow its pages, its
// totals and its file. A third report is one more definition.

/** Of which business, as of when; values depend on it that are in no row. */
export interface Here {
  business: string;
  today: string; // the local date of the business
  timeZone: string;
  currency: string;
  asOf?: bigint; // a position: things as they were once its event had happened; undefined: as they are now
}

/** A piece of SQL with its values. */
export type Sql = Knex.Raw;
const builder = knexBuilder({ client: 'pg' });
export const sql = (text: string, values: readonly Knex.Value[] = []): Sql => builder.raw(text, values);

/** SQL over the rows, `r`, and what is joined to them, by its name. */
type Expression = string | ((here: Here) => Sql);

/** What a value is, so what it is in JSON and in a file. */
type ValueKind = 'id' | 'text' | 'date' | 'instant' | 'amount' | 'count';

export interface ReportColumn {
  is: ValueKind;
  from: Expression;
}

export interface Sorting<Query = unknown> {
  by: Expression;
  type: 'text' | 'date' | 'timestamptz' | 'bigint';
  nullable?: boolean; // rows without a value come last
  kinds?: readonly Kind<Query>[]; // of rows, where no index has the value of all: each row is of one kind
}

/** Rows that have their value from one column: a page of each is found by its index, and the page of all is among them. */
export interface Kind<Query> {
  which: string; // a condition
  by: string;
  /** What a query says of the value: an index is walked from there to there. */
  within(query: Query, here: Here): (Sql | undefined)[];
}

export interface Grouping {
  key: Expression; // a text, never null
  of?: string; // column of `r` from which alone the key follows: rows are added up by it first, and keys made of what is left
  isKey(text: string): boolean; // whether it could be the key of a group
  name?: string; // an aggregate: what people call the group; null: as its key
}

export interface Report<
  Query,
  Name extends string = string,
  Sort extends string = string,
  By extends string = string,
  Figure extends string = string,
> {
  name: string;
  rows: Readable;
  until?(position: bigint): Sql; // of rows without history, which never change: those that were there then
  key: string; // column that is unique within the business: a UUID
  row: string; // what a row by itself is called, as a group of one
  joins: Record<string, { to: Readable; on: string }>; // rows of the same business, one at most
  columns: Record<Name, ReportColumn>;
  /** What rows a query asks for; what is undefined asks nothing. */
  where(query: Query, here: Here): (Sql | undefined)[];
  /** Where no index finds the rows that a query asks for: a SELECT of the keys of some more, by indexes. `from` gives the rows, or what is joined. */
  among?(query: Query, here: Here, from: (name: string) => string): Sql | undefined;
  sortings: Record<Sort, Sorting<Query>>;
  sortedBy: NoInfer<Sort>; // unless told
  groups: Record<By, Grouping>;
  /** What is added up in sub-totals. */
  figures: Record<Figure, Expression>;
}

/** Says a report; the compiler finds out the rest. */
export const defineReport =
  <Query>() =>
  <Name extends string, Sort extends string, By extends string, Figure extends string>(report: Report<Query, Name, Sort, By, Figure>) =>
    report;

export const asSql = (expression: Expression, here: Here): Sql => (typeof expression === 'string' ? sql(expression) : expression(here));

/** `r.client_id = …`, if there is something to compare with. */
export const is = (what: string, type: 'uuid' | 'text', value: string | undefined): Sql | undefined =>
  value === undefined ? undefined : sql(`${what} = ?::${type}`, [value]);

export const atLeast = (what: string, type: 'date' | 'timestamptz', value: string | undefined): Sql | undefined =>
  value === undefined ? undefined : sql(`${what} >= ?::${type}`, [value]);

export const atMost = (what: string, type: 'date' | 'integer', value: string | number | undefined): Sql | undefined =>
  value === undefined ? undefined : sql(`${what} <= ?::${type}`, [value]);

export const before = (what: string, type: 'timestamptz', value: string | undefined): Sql | undefined =>
  value === undefined ? undefined : sql(`${what} < ?::${type}`, [value]);

/** Keys of groups that are no more than these. */
export const isOneOf =
  (keys: readonly string[]) =>
  (key: string): boolean =>
    keys.includes(key);
