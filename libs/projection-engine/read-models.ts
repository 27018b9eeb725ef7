import knexBuilder, { type Knex } from 'knex';
import type { Pool } from 'pg';
import type { AnyRow, Column, Projection } from './define-projection.js';
import { freshnessOf, type Freshness } from './freshness.js';
import { cursorOf, placeOf, type Place } from './paging.js';
import { quoted, tableName } from './sql-names.js';
import { fromText } from './table.js';

/** What is asked of a list; a value that is undefined asks nothing. */
export interface ListQuery<Row> {
  where?: Values<Row>; // equal
  from?: Values<Row>; // that or more
  before?: Values<Row>; // less
  atMost?: Values<Row>; // that or less
  beginning?: Values<Row>; // of a searched text, in any case
  /** Whatever else: `(query) => query.whereRaw('…')`. */
  also?: (query: Knex.QueryBuilder) => void;
  by: keyof Row & string;
  descending?: boolean;
  limit: number;
  cursor?: string;
}
type Values<Row> = { [Name in keyof Row]?: Row[Name] | undefined };

export interface List<Row> {
  rows: Row[];
  next: string | null; // the cursor of the next page; null: this is the last
}

/** How queries read what the projections wrote: always of one business, from the live version's table. */
export interface ReadModels extends Freshness {
  /** One row by its key: the hot path, one prepared statement. Undefined: there is none. */
  row<Row>(projection: Projection<Row>, business: string, key: string): Promise<Row | undefined>;
  /**
   * A page in a stable order: by a column, then by key; nulls come last.
   * @throws BadCursor
   */
  list<Row>(projection: Projection<Row>, business: string, query: ListQuery<Row>): Promise<List<Row>>;
  close(): Promise<void>;
}

const builder = knexBuilder({ client: 'pg' });

/** @param pool whose sessions have the TimeZone UTC */
export const openReadModels = async (pool: Pool, projections: readonly Projection[]): Promise<ReadModels> => {
  const freshness = await freshnessOf(pool, projections);
  const shapes = new WeakMap<object, Shape>();
  const shapeOf = (projection: Table): Shape => {
    const known = shapes.get(projection);
    if (known) return known;
    const shape = newShape(projection);
    shapes.set(projection, shape);
    return shape;
  };
  const read = async (shape: Shape, statement: { name?: string; text: string; values: unknown[] }): Promise<AnyRow[]> => {
    const { rows } = await pool.query<string[]>({ ...statement, rowMode: 'array', types: AS_TEXT });
    return rows.map((values) => rowOf(shape, values));
  };

  return {
    ...freshness,
    row: async <Row>(projection: Projection<Row>, business: string, key: string) => {
      const shape = shapeOf(projection);
      const [row] = await read(shape, { name: shape.rowName, text: shape.rowText, values: [business, key] });
      return row as Row | undefined;
    },
    list: async <Row>(projection: Projection<Row>, business: string, query: ListQuery<Row>) => {
      const shape = shapeOf(projection);
      const { sql, bindings } = listed(projection, shape, business, query).toSQL().toNative();
      const rows = await read(shape, { text: sql, values: [...bindings] });
      const page = rows.slice(0, query.limit);
      const last = rows.length > query.limit ? page.at(-1)! : undefined;
      return { rows: page as Row[], next: last ? cursorOf(last[query.by], last[shape.key]) : null };
    },
  };
};

/** As much of a projection as reading it takes. */
type Table = Pick<Projection, 'name' | 'version' | 'key' | 'columns'>;

interface Shape {
  fields: [string, Column][];
  key: string;
  selected: string;
  live: string;
  rowName: string;
  rowText: string;
}

function newShape({ name, version, key: [key, ...more], columns }: Table): Shape {
  if (key === undefined || more.length > 0) throw new Error(`${name}: rows are read by a key of one column`);
  const fields = Object.entries(columns);
  const selected = fields.map(([field]) => quoted(field)).join(', ');
  const live = `read_models.require_live('${name}', ${version})`;
  const table = tableName({ name, version });
  const rowText = `SELECT ${selected} FROM ${table} WHERE ${live} AND business_id = $1 AND ${quoted(key)} = $2`;
  return { fields, key, selected, live, rowName: `row ${name}_v${version}`, rowText };
}

const AS_TEXT = { getTypeParser: () => (text: string) => text };

const rowOf = ({ fields }: Shape, values: readonly (string | null)[]): AnyRow => {
  const row: AnyRow = {};
  for (let i = 0; i < fields.length; i += 1) row[fields[i]![0]] = fromText(fields[i]![1], values[i] ?? null);
  return row;
};

function listed(projection: Table, shape: Shape, business: string, query: ListQuery<AnyRow>): Knex.QueryBuilder {
  const { by, descending = false, limit, cursor } = query;
  const direction = descending ? 'DESC' : 'ASC';
  const rows = builder
    .queryBuilder()
    .select(builder.raw(shape.selected))
    .from(builder.raw(tableName(projection)));
  rows.whereRaw(shape.live).andWhere('business_id', business);
  const compare = (values: Values<AnyRow> | undefined, operator: string) => {
    for (const [name, value] of Object.entries(values ?? {}))
      if (value !== undefined) rows.whereRaw(`${quoted(name)} ${operator} ?::${projection.columns[name]!.sql}`, [value as Knex.Value]);
  };
  compare(query.where, '=');
  compare(query.from, '>=');
  compare(query.before, '<');
  compare(query.atMost, '<=');
  for (const [name, text] of Object.entries(query.beginning ?? {}))
    if (typeof text === 'string') rows.whereRaw(`lower(${quoted(name)}) LIKE ?`, [`${escaped(text.toLowerCase())}%`]);
  query.also?.(rows);
  if (cursor !== undefined) goOn(rows, projection.columns[by]!, quoted(by), quoted(shape.key), descending, placeOf(cursor));
  return rows.orderByRaw(`${quoted(by)} ${direction} NULLS LAST, ${quoted(shape.key)} ${direction}`).limit(limit + 1);
}

/** What comes after a place. */
function goOn(
  rows: Knex.QueryBuilder,
  { sql, isNullable }: Column,
  by: string,
  key: string,
  descending: boolean,
  { value, id }: Place,
): void {
  const beyond = descending ? '<' : '>';
  if (value === null) rows.whereRaw(`${by} IS NULL AND ${key} ${beyond} ?::uuid`, [id]);
  else {
    const after = `(${by}, ${key}) ${beyond} (?::${sql}, ?::uuid)`;
    rows.whereRaw(isNullable ? `(${after} OR ${by} IS NULL)` : after, [value, id]);
  }
}

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
