import type { AnyEvent, Recorded } from '../domain/kernel/event.js';

type SqlType = 'uuid' | 'text' | 'date' | 'timestamptz(3)' | 'integer' | 'bigint' | 'boolean' | 'jsonb';

/** A column of a read model: its SQL type, and (only in the compiler) the TypeScript type of its values. */
export class Column<T = unknown> {
  declare readonly value: T;
  private constructor(
    readonly sql: SqlType,
    readonly readAs: 'text' | 'number' | 'bigint' | 'boolean' | 'instant' | 'json',
    readonly isNullable = false,
    readonly isIndexed = false,
    readonly isSearched = false,
  ) {}
  static of = <T>(sql: SqlType, readAs: Column['readAs'] = 'text') => new Column<T>(sql, readAs);
  nullable = () => new Column<T | null>(this.sql, this.readAs, true, this.isIndexed, this.isSearched);
  /** Found and sorted by this column, within one business. `updateMany` and `removeMany` need it. */
  indexed = () => new Column<T>(this.sql, this.readAs, this.isNullable, true, this.isSearched);
  /** Text found by the beginning of its lower-case form, within one business: `lower(name) like 'ann%'`. */
  searched = () => new Column<T>(this.sql, this.readAs, this.isNullable, this.isIndexed, true);
}

export const column = {
  uuid: () => Column.of<string>('uuid'),
  text: <T extends string = string>() => Column.of<T>('text'),
  /** A local date, `2027-01-31`. */
  date: () => Column.of<string>('date'),
  /** A UTC instant with milliseconds, `2027-01-31T09:30:00.000Z`. */
  instant: () => Column.of<string>('timestamptz(3)', 'instant'),
  /** A count: 32 bits. */
  integer: () => Column.of<number>('integer', 'number'),
  /** Minor units of money: a safe integer, 64 bits in the table. */
  amount: () => Column.of<number>('bigint', 'number'),
  /** A position or a revision. */
  bigint: () => Column.of<bigint>('bigint', 'bigint'),
  boolean: () => Column.of<boolean>('boolean', 'boolean'),
  json: <T>() => Column.of<T>('jsonb', 'json'),
};

export type Columns = Record<string, Column>;
type RowWith<C extends Columns> = { [Name in keyof C]: C[Name]['value'] };
export type AnyRow = Record<string, unknown>;

/** The value of the key column, or of each when the key has several, in their order. */
export type Key = string | number | readonly (string | number)[];
/** One indexed column and the value that the rows have there: `{ clientId: 'anna' }`. */
export type Where<Row = AnyRow> = Partial<Row>;
/** `null` or `undefined`: the event concerns no row. */
type Maybe<T> = T | null | undefined;

/** What an event says of one row among several. */
interface Keyed {
  key: Key;
}

/** What an event does to the rows of the table. Pure: the engine loads and stores the rows, in batches. */
export interface Step<Row = AnyRow, Event = Recorded> {
  readonly does: Verb<Row, Event>;
}

// Methods, so that the engine can hold projections of different rows in one list.
type Verb<Row, Event> =
  | { verb: 'insert'; rows(event: Event): Row | readonly Row[] }
  | { verb: 'update'; key(event: Event): Maybe<Key>; change(row: Row, event: Event): Row }
  | { verb: 'upsert'; key(event: Event): Maybe<Key>; change(row: Row | undefined, event: Event): Row }
  | { verb: 'remove'; key(event: Event): Maybe<Key> }
  | { verb: 'updateEach'; items(event: Event): readonly Keyed[]; change(row: Row, item: Keyed): Row }
  | { verb: 'updateMany'; where(event: Event): Maybe<Where<Row>>; change(row: Row, event: Event): Row }
  | { verb: 'removeMany'; where(event: Event): Maybe<Where<Row>> }
  | { verb: 'scrub'; where(event: Event): Maybe<Where<Row>>; change(row: Row, event: Event): Row };

/** New rows: one, several or none. A row that is there already is replaced. */
export const insert = <Row, Event>(rows: (event: Event) => NoInfer<Row> | readonly NoInfer<Row>[]): Step<Row, Event> => ({
  does: { verb: 'insert', rows },
});

/** A changed row. That it is not there means that history and read model disagree: the event is poison. */
export const update = <Row, Event>(
  key: (event: Event) => Maybe<Key>,
  change: (row: NoInfer<Row>, event: NoInfer<Event>) => NoInfer<Row>,
): Step<Row, Event> => ({ does: { verb: 'update', key, change } });

/** Several changed rows, each in its own way; one that is given back as it was is not written. All are there, as with `update`. */
export const updateEach = <Row, Event, Item extends Keyed>(
  items: (event: Event) => readonly Item[],
  change: (row: NoInfer<Row>, item: NoInfer<Item>) => NoInfer<Row>,
): Step<Row, Event> => ({ does: { verb: 'updateEach', items, change } });

/** A row touched from several streams, by whichever comes first. */
export const upsert = <Row, Event>(
  key: (event: Event) => Maybe<Key>,
  change: (row: NoInfer<Row> | undefined, event: NoInfer<Event>) => NoInfer<Row>,
): Step<Row, Event> => ({ does: { verb: 'upsert', key, change } });

/** A row that goes, if it is there. */
export const remove = <Row, Event>(key: (event: Event) => Maybe<Key>): Step<Row, Event> => ({ does: { verb: 'remove', key } });

/** All rows of the business with a value in an indexed column: none is fine. The key can't be changed. */
export const updateMany = <Row, Event>(
  where: (event: Event) => Maybe<Where<NoInfer<Row>>>,
  change: (row: NoInfer<Row>, event: NoInfer<Event>) => NoInfer<Row>,
): Step<Row, Event> => ({ does: { verb: 'updateMany', where, change } });

export const removeMany = <Row, Event>(where: (event: Event) => Maybe<Where<NoInfer<Row>>>): Step<Row, Event> => ({
  does: { verb: 'removeMany', where },
});

/**
 * Takes what is about a person out of all rows of the business with a value in an indexed column: as they would be, were the person's texts read as
 * forgotten from the first event on. Their earlier versions are changed alike, by `scrubForgotten`.
 */
export const scrub = <Row, Event>(
  where: (event: Event) => Maybe<Where<NoInfer<Row>>>,
  change: (row: NoInfer<Row>, event: NoInfer<Event>) => NoInfer<Row>,
): Step<Row, Event> => ({ does: { verb: 'scrub', where, change } });

/** A read model as the engine sees it. */
export interface Projection<Row = AnyRow> {
  name: string;
  version: number; // a new version is built beside the old one and switched to when it has caught up
  key: readonly string[];
  columns: Columns;
  indexes: readonly (readonly string[])[];
  history: boolean; // every version of a row is kept, so that it can be asked as of a position
  on: ReadonlyMap<string, readonly Step<Row>[]>;
}

export type RowOf<P> = P extends Projection<infer Row> ? Row : never;

interface Table<C extends Columns> {
  name: string;
  version: number;
  key: (keyof C & string) | readonly (keyof C & string)[];
  columns: C;
  /** Indexes over several columns, each within one business. */
  indexes?: readonly (readonly (keyof C & string)[])[];
  /** K2: keep every version of every row, by the positions of the events that made and ended it. */
  history?: boolean;
}

/** Per type of event one step, or several that run in their order. */
type On<Row, Event extends AnyEvent> = {
  [Type in Event['type']]?: OneOrMore<Step<Row, Recorded<Extract<Event, { type: Type }>>>>;
};
type OneOrMore<T> = T | readonly T[];

/**
 * `defineProjection(table).on<Event>(steps)` says which table, which rows an event belongs to, and how a row changes.
 * The engine adds the business to every key and query.
 * @throws Error if the definition can't be a table
 */
export const defineProjection = <C extends Columns>({ name, version, key, columns, indexes = [], history = false }: Table<C>) => {
  const keys: readonly string[] = [key].flat();
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(name)) throw new Error(`${name}: a projection is named in snake_case, 32 letters at most`);
  if (!Number.isInteger(version) || version < 1) throw new Error(`${name}: versions count from 1`);
  for (const own of history ? ['businessId', 'validFrom', 'validTo'] : ['businessId'])
    if (own in columns) throw new Error(`${name}: the engine adds ${own} by itself`);
  for (const column of Object.keys(columns))
    if (!/^[a-z][A-Za-z0-9]*$/.test(column)) throw new Error(`${name}: ${column} is no column name`);
  for (const column of [...keys, ...indexes.flat()]) if (!columns[column]) throw new Error(`${name}: there is no column ${column}`);
  for (const column of keys) if (columns[column]?.isNullable) throw new Error(`${name}: the key ${column} is never null`);
  return {
    on: <Event extends AnyEvent>(steps: On<RowWith<C>, Event>): Projection<RowWith<C>> => {
      const entries = Object.entries<OneOrMore<Step<RowWith<C>>> | undefined>(steps);
      const on = new Map(entries.map(([type, step]) => [type, step ? [step].flat() : []]));
      return { name, version, key: keys, columns, indexes, history, on };
    },
  };
};
