import type { Pool } from 'pg';
import type { AnyRow, Column, Projection } from './define-projection.js';
import { quoted, tableName } from './sql-names.js';

/** What is written with a checkpoint: named statements, so that Postgres plans them once. `$1` on are the values. */
export interface Statement {
  name: string;
  text: string;
  values: unknown[];
}

/** The SQL of one projection's table. */
export interface Table {
  /** The rows with these keys, by business and key text: one query. */
  load(pool: Pool, keys: readonly BusinessAnd<string>[]): Promise<BusinessAnd<AnyRow>[]>;
  /** The rows with these values in a column: one query. */
  loadWhere(pool: Pool, column: string, values: readonly BusinessAnd<unknown>[]): Promise<BusinessAnd<AnyRow>[]>;
  /** CTEs `written` and `removed` that run if `moved` has a row; their values count from `first`. */
  write(
    first: number,
    rows: readonly BusinessAnd<AnyRow>[],
    removed: readonly BusinessAnd<string>[],
  ): { ctes: string[]; values: string[]; kind: string };
}

export type BusinessAnd<T> = readonly [business: string, value: T];

export function tableOf(projection: Projection): Table {
  const { name, version, key, columns } = projection;
  const table = tableName(projection);
  const fields = Object.entries(columns);
  const types = ['uuid', ...fields.map(([, { sql }]) => sql)];
  const keyTypes = ['uuid', ...key.map((column) => columns[column]!.sql)];
  const names = ['business_id', ...fields.map(([field]) => quoted(field))];
  const keyNames = ['business_id', ...key.map(quoted)];
  const selected = names.map((column) => `t.${column}`).join(', ');
  const changed = fields.filter(([field]) => !key.includes(field)).map(([field]) => `${quoted(field)} = excluded.${quoted(field)}`);
  const onConflict = changed.length ? `UPDATE SET ${changed.join(', ')}` : 'NOTHING';

  const select = async (pool: Pool, statement: Statement): Promise<BusinessAnd<AnyRow>[]> => {
    const { rows } = await pool.query<string[]>({ ...statement, rowMode: 'array', types: { getTypeParser: () => asText } });
    return rows.map((values) => [
      values[0]!,
      Object.fromEntries(fields.map(([field, column], i) => [field, fromText(column, values[i + 1] ?? null)])),
    ]);
  };

  return {
    load: (pool, keys) =>
      select(pool, {
        name: `load ${name}_v${version}`,
        text: `SELECT ${selected} FROM ${unnest(1, keyTypes)} AS k (${keyNames.join(', ')}) JOIN ${table} t USING (${keyNames.join(', ')})`,
        values: keyArrays(keys, key.length),
      }),
    loadWhere: (pool, column, values) =>
      select(pool, {
        name: `load ${name}_v${version}:${Object.keys(columns).indexOf(column)}`,
        text: `SELECT ${selected} FROM ${unnest(1, ['uuid', columns[column]!.sql])} AS k (business_id, value)
          JOIN ${table} t ON t.business_id = k.business_id AND t.${quoted(column)} = k.value`,
        values: [arrayText(values.map(([business]) => business)), arrayText(values.map(([, value]) => toText(columns[column]!, value)))],
      }),
    write: (first, rows, removed) => {
      const ctes: string[] = [];
      const values: string[] = [];
      if (rows.length) {
        values.push(arrayText(rows.map(([business]) => business)));
        for (const [field, column] of fields)
          values.push(arrayText(rows.map(([, row]) => toText(column, present(projection, row, field)))));
        ctes.push(`written AS (INSERT INTO ${table} (${names.join(', ')}) SELECT * FROM ${unnest(first, types)}
          WHERE EXISTS (SELECT FROM moved) ON CONFLICT (${keyNames.join(', ')}) DO ${onConflict})`);
      }
      if (removed.length) {
        ctes.push(`removed AS (DELETE FROM ${table} t USING ${unnest(first + values.length, keyTypes)} AS k (${keyNames.join(', ')})
          WHERE EXISTS (SELECT FROM moved) AND ${keyNames.map((column) => `t.${column} = k.${column}`).join(' AND ')})`);
        values.push(...keyArrays(removed, key.length));
      }
      return { ctes, values, kind: `${rows.length ? ' written' : ''}${removed.length ? ' removed' : ''}` };
    },
  };
}

const asText = (text: string): string => text;

const unnest = (first: number, types: readonly string[]): string =>
  `unnest(${types.map((type, i) => `$${first + i}::${type}[]`).join(', ')})`;

/** The business's array, then one for each column of the key. */
function keyArrays(keys: readonly BusinessAnd<string>[], parts: number): string[] {
  const texts = keys.map(([, key]) => (parts === 1 ? [key] : key.split('\0')));
  return [
    arrayText(keys.map(([business]) => business)),
    ...Array.from({ length: parts }, (_, i) => arrayText(texts.map((text) => text[i] ?? null))),
  ];
}

function present({ name }: Projection, row: AnyRow, field: string): unknown {
  if (row[field] === undefined) throw new TypeError(`${name}: a row without ${field}`);
  return row[field];
}

/** Postgres's array literal. Everything is quoted, so that no value can end its element. */
function arrayText(values: readonly (string | null)[]): string {
  let text = '{';
  for (const value of values) {
    if (text.length > 1) text += ',';
    text += value === null ? 'NULL' : `"${SPECIAL.test(value) ? value.replace(SPECIALS, '\\$&') : value}"`;
  }
  return `${text}}`;
}
const SPECIAL = /["\\]/;
const SPECIALS = /["\\]/g;

function toText({ readAs, sql }: Column, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (readAs === 'json') return JSON.stringify(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return value.toString();
  throw new TypeError(`A column of type ${sql} takes no ${typeof value}`);
}

/** A value as Postgres writes it (TimeZone UTC), as the projection's type has it. */
export function fromText({ readAs }: Column, text: string | null): unknown {
  if (text === null) return null;
  switch (readAs) {
    case 'text':
      return text;
    case 'number':
      return Number(text);
    case 'bigint':
      return BigInt(text);
    case 'boolean':
      return text === 't';
    case 'instant':
      return instantFromText(text);
    case 'json':
      return JSON.parse(text) as unknown;
    default:
      return readAs satisfies never;
  }
}

/** `2027-01-31 09:30:00.5+00` is `2027-01-31T09:30:00.500Z`. */
export function instantFromText(text: string): string {
  if (!text.endsWith('+00')) throw new Error(`A connection without TimeZone UTC: ${text}`);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0')}Z`;
}
