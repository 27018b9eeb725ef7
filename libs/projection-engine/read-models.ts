import knexBuilder, { type Knex } from 'knex';
import type { Pool } from 'pg';
import type { AnyRow, Column, Projection } from './define-projection.js';
import { freshnessOf, type Freshness } from './freshness.js';
import { cursorOf, placeOf, type Place } from './paging.js';
import { ask, openSources, type Question, type Readable, type Source, type Sources, type TextRow } from './sources.js';
import { quoted } from './sql-names.js';
import { fromText } from './table.js';

/** What is asked of a list; a value that is undefined asks nothing. */
export interface ListQuery<Row> {
  where?: Values<Row>; // equal
  isNull?: { [Name in keyof Row]?: boolean | undefined };
  among?: { [Name in keyof Row]?: readonly Row[Name][] }; // equal to one of these
  from?: Values<Row>; // that or more
  before?: Values<Row>; // less
  atMost?: Values<Row>; // that or less
  beginning?: Values<Row>; // of a searched text, in any case
  containing?: { [Name in keyof Row]?: string | undefined }; // anywhere in a column of text in lower case, in any case: reads all rows
  /** Whatever else: `(query, rowsOf) => query.whereRaw('client_id IN (SELECT id FROM ? AND name = ?)', [rowsOf(directory), 'Anna'])`. */
  also?: (query: Knex.QueryBuilder, rowsOf: RowsOf) => void;
  by: keyof Row & string;
  descending?: boolean;
  /** Few rows are so: all of them are found by an index and put in order, in one statement, also where the order has nulls. */
  few?: boolean;
  limit: number;
  cursor?: string;
}
/** The rows of another projection, of the same business and time, up to a condition: `… WHERE …`. */
type RowsOf = (projection: Readable) => Knex.Raw;
type Values<Row> = { [Name in keyof Row]?: Row[Name] | undefined };

export interface List<Row> {
  rows: Row[];
  next: string | null; // the cursor of the next page; null: this is the last
}

/**
 * How queries read what the projections wrote: always of one business, from the live table. `asOf`: as it was once the event at that
 * position had been folded (product K2), for projections with history.
 */
export interface ReadModels extends Freshness {
  /** For queries that are none of those below. */
  sources: Sources;
  /** One row by its key: the hot path, one prepared statement. Undefined: there is none. */
  row<Row>(projection: Projection<Row>, business: string, key: string, asOf?: bigint): Promise<Row | undefined>;
  /** Those that are there, by their keys. */
  rows<Row>(projection: Projection<Row>, business: string, keys: readonly string[], asOf?: bigint): Promise<Map<string, Row>>;
  /** Up to so many of those that have one of these values in a column, in the order of their keys: one prepared statement for each column. */
  rowsWith<Row>(
    projection: Projection<Row>,
    business: string,
    { column, values, limit }: { column: keyof Row & string; values: readonly string[]; limit: number },
    asOf?: bigint,
  ): Promise<Row[]>;
  /**
   * A page in a stable order: by a column, then by key; nulls come last.
   * @throws BadCursor
   */
  list<Row>(projection: Projection<Row>, business: string, query: ListQuery<Row>, asOf?: bigint): Promise<List<Row>>;
  close(): Promise<void>;
}

const builder = knexBuilder({ client: 'pg' });

const MOST_PREPARED = 200; // pages, in each session

/** @param pool whose sessions have the TimeZone UTC */
export const openReadModels = async (pool: Pool, projections: readonly Projection[]): Promise<ReadModels> => {
  const freshness = await freshnessOf(pool, projections);
  const sources = openSources(pool, projections);
  const shapes = new WeakMap<object, Shape>();
  const shapeOf = (projection: Table): Shape => {
    const known = shapes.get(projection);
    if (known) return known;
    const shape = newShape(projection);
    shapes.set(projection, shape);
    return shape;
  };
  const names = new Map<string, string>();
  /** Those that are asked first are prepared; the rest of all combinations of filters, which anybody could walk through, are not. */
  const nameOf = (text: string): string | undefined => {
    if (!names.has(text) && names.size < MOST_PREPARED) names.set(text, `list ${names.size}`);
    return names.get(text);
  };
  const read = async (shape: Shape, asOf: bigint | undefined, questionOf: (source: Source) => Question): Promise<AnyRow[]> =>
    (await sources.read(shape.projection, asOf, questionOf)).map((values) => rowOf(shape, values));

  return {
    ...freshness,
    sources,
    row: async <Row>(projection: Projection<Row>, business: string, key: string, asOf?: bigint) => {
      const shape = shapeOf(projection);
      const [row] = await read(shape, asOf, (source) => ({ ...shape.rowOf(source), values: [business, key] }));
      return row as Row | undefined;
    },
    rows: async <Row>(projection: Projection<Row>, business: string, keys: readonly string[], asOf?: bigint) => {
      const shape = shapeOf(projection);
      const rows = await read(shape, asOf, (source) => ({ ...shape.rowsOf(source), values: [business, keys] }));
      return new Map(rows.map((row) => [row[shape.key] as string, row as Row]));
    },
    rowsWith: async <Row>(
      projection: Projection<Row>,
      business: string,
      { column, values, limit }: { column: keyof Row & string; values: readonly string[]; limit: number },
      asOf?: bigint,
    ) => {
      const shape = shapeOf(projection);
      const rows = await read(shape, asOf, (source) => ({
        name: source.prepared(`rows by ${column}`),
        text: `${ofBusiness(shape, source)} ${among(projection, column)} ORDER BY ${quoted(shape.key)} LIMIT $3`,
        values: [business, values, limit],
      }));
      return rows as Row[];
    },
    list: async <Row>(projection: Projection<Row>, business: string, query: ListQuery<Row>, asOf?: bigint) => {
      const shape = shapeOf(projection);
      const rows: AnyRow[] = [];
      for (const nulls of partsOf(projection, query)) {
        const part = await sources.use((sourceOf) => {
          const rowsOf = (other: Readable) => ofTheSame(business, sourceOf(other, asOf));
          const asked = partOf(projection, shape, { source: sourceOf(shape.projection, asOf), rowsOf }, business, query, nulls);
          const { sql, bindings } = asked.toSQL().toNative();
          return ask(pool, { name: asOf === undefined ? nameOf(sql) : undefined, text: sql, values: [...bindings] });
        });
        rows.push(...part.map((values) => rowOf(shape, values)));
        if (rows.length > query.limit) break;
      }
      const page = rows.slice(0, query.limit);
      const last = rows.length > query.limit ? page.at(-1)! : undefined;
      return { rows: page as Row[], next: last ? cursorOf(last[query.by], last[shape.key]) : null };
    },
  };
};

/** As much of a projection as reading it takes. */
type Table = Pick<Projection, 'name' | 'version' | 'key' | 'columns' | 'history'>;

interface Shape {
  projection: Table;
  fields: [string, Column][];
  key: string;
  selected: string;
  rowOf: (source: Source) => Pick<Question, 'name' | 'text'>;
  rowsOf: (source: Source) => Pick<Question, 'name' | 'text'>;
}

function newShape(projection: Table): Shape {
  const { name, key: keys, columns } = projection;
  const [key, ...more] = keys;
  if (key === undefined || more.length > 0) throw new Error(`${name}: rows are read by a key of one column`);
  const fields = Object.entries(columns);
  const selected = fields.map(([field]) => quoted(field)).join(', ');
  return {
    ...{ projection, fields, key, selected },
    rowOf: perSource((source) => ({
      name: source.prepared('row'),
      text: `${ofBusiness({ selected }, source)} AND ${quoted(key)} = $2`,
    })),
    rowsOf: perSource((source) => ({
      name: source.prepared('rows'),
      text: `${ofBusiness({ selected }, source)} ${among({ columns }, key)}`,
    })),
  };
}

/** The rows of $1. */
const ofBusiness = ({ selected }: Pick<Shape, 'selected'>, { from, condition }: Source): string =>
  `SELECT ${selected} FROM ${from} WHERE ${condition} AND business_id = $1`;

/** Worked out once for each source: these are the hot paths. */
function perSource<T>(work: (source: Source) => T): (source: Source) => T {
  let last: { source: Source; made: T } | undefined;
  return (source) => (last?.source === source ? last : (last = { source, made: work(source) })).made;
}

const among = ({ columns }: Pick<Table, 'columns'>, column: string): string => `AND ${quoted(column)} = ANY($2::${columns[column]!.sql}[])`;

const rowOf = ({ fields }: Shape, values: TextRow): AnyRow => {
  const row: AnyRow = {};
  for (let i = 0; i < fields.length; i += 1) row[fields[i]![0]] = fromText(fields[i]![1], values[i] ?? null);
  return row;
};

type Part = 'without nulls' | 'nulls' | 'both';

/**
 * A page is read in up to two parts, the rows with a value and then those without: so each part is one walk along an index,
 * in either direction, and a deep page costs what the first does.
 */
function partsOf({ columns }: Table, { by, few = false, cursor }: Pick<ListQuery<AnyRow>, 'by' | 'few' | 'cursor'>): Part[] {
  if (!columns[by]!.isNullable) return ['without nulls'];
  if (few) return ['both'];
  return cursor !== undefined && placeOf(cursor).value === null ? ['nulls'] : ['without nulls', 'nulls'];
}

const ofTheSame = (business: string, { from, condition }: Source): Knex.Raw =>
  builder.raw(`${from} WHERE ${condition} AND business_id = ?::uuid`, [business]);

function partOf(
  projection: Table,
  shape: Shape,
  { source: { from, condition }, rowsOf }: { source: Source; rowsOf: RowsOf },
  business: string,
  query: ListQuery<AnyRow>,
  part: Part,
): Knex.QueryBuilder {
  const { by, descending = false, limit, cursor } = query;
  const direction = descending ? 'DESC' : 'ASC';
  const [sorted, key] = [quoted(by), quoted(shape.key)];
  const rows = builder.queryBuilder().select(builder.raw(shape.selected)).from(builder.raw(from));
  rows.whereRaw(condition).andWhere('business_id', business);
  narrow(rows, projection, query, rowsOf);
  const after = cursor === undefined ? undefined : placeOf(cursor);
  const { isNullable, sql } = projection.columns[by]!;
  if (isNullable && part !== 'both') rows.whereRaw(`${sorted} IS ${part === 'nulls' ? '' : 'NOT '}NULL`);
  if (after) goOn(rows, after, { sorted, key, sql, beyond: descending ? '<' : '>' }, part);
  const last = part === 'both' ? ' NULLS LAST' : '';
  rows.orderByRaw(part === 'nulls' ? `${key} ${direction}` : `${sorted} ${direction}${last}, ${key} ${direction}`);
  return rows.limit(limit + 1, { skipBinding: true }); // in the text, so that a plan for all pages knows how short they are
}

function narrow(rows: Knex.QueryBuilder, { columns }: Table, query: ListQuery<AnyRow>, rowsOf: RowsOf): void {
  const compare = (values: Values<AnyRow> | undefined, operator: string) => {
    for (const [name, value] of Object.entries(values ?? {}))
      if (value !== undefined) rows.whereRaw(`${quoted(name)} ${operator} ?::${columns[name]!.sql}`, [value as Knex.Value]);
  };
  compare(query.where, '=');
  for (const [name, values] of Object.entries(query.among ?? {}))
    if (values !== undefined) rows.whereRaw(`${quoted(name)} = ANY (?::${columns[name]!.sql}[])`, [values as Knex.Value]);
  compare(query.from, '>=');
  compare(query.before, '<');
  compare(query.atMost, '<=');
  for (const [name, is] of Object.entries(query.isNull ?? {}))
    if (is !== undefined) rows.whereRaw(`${quoted(name)} IS ${is ? '' : 'NOT '}NULL`);
  for (const [name, text] of Object.entries(query.beginning ?? {}))
    if (typeof text === 'string') rows.whereRaw(`lower(${quoted(name)}) LIKE ?`, [`${escaped(text.toLowerCase())}%`]);
  for (const [name, text] of Object.entries(query.containing ?? {}))
    if (text !== undefined) rows.whereRaw(`strpos(${quoted(name)}, ?) > 0`, [text.toLowerCase()]);
  query.also?.(rows, rowsOf);
}

/** What comes after a place. */
function goOn(
  rows: Knex.QueryBuilder,
  { value, id }: Place,
  { sorted, key, sql, beyond }: { sorted: string; key: string; sql: string; beyond: '<' | '>' },
  part: Part,
): void {
  if (value === null && part === 'both') rows.whereRaw(`${sorted} IS NULL`);
  if (value === null && part !== 'without nulls') rows.whereRaw(`${key} ${beyond} ?::uuid`, [id]);
  else if (part === 'without nulls') rows.whereRaw(`(${sorted}, ${key}) ${beyond} (?::${sql}, ?::uuid)`, [value, id]);
  else if (part === 'both') rows.whereRaw(`((${sorted}, ${key}) ${beyond} (?::${sql}, ?::uuid) OR ${sorted} IS NULL)`, [value, id]);
}

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
