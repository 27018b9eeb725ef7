import { hash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Write } from './checkpoint.js';
import type { AnyRow, Column, Projection } from './define-projection.js';
import { keyOfRow } from './fold.js';
import { buildName, historyName, quoted, tableName, VALID_FROM, VALID_TO } from './sql-names.js';

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
  /** CTEs that run if `moved` has a row; their values count from `first`. */
  write(first: number, changes: Changes): Write;
  /** The same for the first fold of many events: rows that are new are copied into the table. */
  writeInBulk(first: number, changes: Changes, isNew: (business: string, key: string) => boolean): Write;
}

export type BusinessAnd<T> = readonly [business: string, value: T];

/** What a batch does to the table; with history, also to the versions of its rows. */
export interface Changes {
  put: Written[]; // whether they are there or not
  updated: Written[]; // those that are there: all columns but these are as the table has them
  columns: ReadonlySet<string>; // in which those that are updated changed
  removed: BusinessAnd<string>[];
  versions?: Versions;
}

/** With history: the position since which it is so. */
export type Written = readonly [business: string, row: AnyRow, since?: bigint];

/** Positions: each version holds from that of the event which made it, until before that of the event which ended it. */
export interface Versions {
  ended: Ended[]; // until when what the table holds was so: of all keys that changed
  passed: Passed[]; // versions that began and ended within the batch
}
export type Ended = readonly [business: string, key: string, to: bigint];
export type Passed = readonly [business: string, row: AnyRow, from: bigint, to: bigint];

export function tableOf(projection: Projection, build = 0): Table {
  const { name, version, key, columns } = projection;
  const table = tableName({ name, version, build });
  const label = buildName({ name, version, build });
  const history = historyName({ name, version, build });
  const fields = Object.entries(columns);
  const types = ['uuid', ...fields.map(([, { sql }]) => sql)];
  const keyTypes = ['uuid', ...key.map((column) => columns[column]!.sql)];
  const names = ['business_id', ...fields.map(([field]) => quoted(field))];
  const keyNames = ['business_id', ...key.map(quoted)];
  const selected = names.map((column) => `t.${column}`).join(', ');
  const [own, ownTypes] = projection.history ? [[VALID_FROM], ['bigint']] : [[], []];
  const changed = [...fields.filter(([field]) => !key.includes(field)).map(([field]) => quoted(field)), ...own];
  const onConflict = changed.length ? `UPDATE SET ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}` : 'NOTHING';
  const sameKey = keyNames.map((column) => `t.${column} = k.${column}`).join(' AND ');
  const arrayOf = (rows: readonly Written[], field: string): string =>
    arrayText(rows.map(([, row]) => toText(columns[field]!, present(projection, row, field))));
  const rowArrays = (rows: readonly Written[], of: readonly string[] = Object.keys(columns)): string[] => [
    arrayText(rows.map(([business]) => business)),
    ...of.map((field) => arrayOf(rows, field)),
  ];
  const sinceArrays = (rows: readonly Written[]): string[] =>
    projection.history ? [arrayText(rows.map(([, , since]) => String(since)))] : [];
  const all = Object.keys(columns).filter((field) => !key.includes(field));
  const updates = new Map<string, string[]>(); // the columns that statements set, by what tells them apart

  /** The columns that an update sets, and what tells its statement from the others: one of those that there are, if there are many already. */
  const updateOf = (changed: ReadonlySet<string>): [label: string, set: string[]] => {
    const some = all.filter((field) => changed.has(field));
    const label = hash('sha256', some.join(), 'hex').slice(0, 8);
    if (updates.size < MOST_UPDATES) updates.set(label, some);
    if (updates.has(label)) return [label, some];
    const enough = [...updates].filter(([, set]) => some.every((field) => set.includes(field)));
    return enough.sort(([, one], [, other]) => one.length - other.length)[0] ?? ['all', all];
  };

  const select = async (pool: Pool, statement: Statement): Promise<BusinessAnd<AnyRow>[]> => {
    const { rows } = await pool.query<string[]>({ ...statement, rowMode: 'array', types: { getTypeParser: () => asText } });
    return rows.map((values) => {
      const row: Record<string, unknown> = {};
      for (const [i, [field, column]] of fields.entries()) row[field] = fromText(column, values[i + 1] ?? null);
      return [values[0]!, row];
    });
  };

  const self: Table = {
    load: (pool, keys) =>
      select(pool, {
        name: `load ${label}`,
        text: `SELECT ${selected} FROM ${unnest(1, keyTypes)} AS k (${keyNames.join(', ')}) JOIN ${table} t USING (${keyNames.join(', ')})`,
        values: keyArrays(keys, key.length),
      }),
    loadWhere: (pool, column, values) =>
      select(pool, {
        name: `load ${label}:${Object.keys(columns).indexOf(column)}`,
        text: `SELECT ${selected} FROM ${unnest(1, ['uuid', columns[column]!.sql])} AS k (business_id, value)
          JOIN ${table} t ON t.business_id = k.business_id AND t.${quoted(column)} = k.value`,
        values: [arrayText(values.map(([business]) => business)), arrayText(values.map(([, value]) => toText(columns[column]!, value)))],
      }),
    write: (first, changes) => {
      const { put, removed, versions } = changes;
      const ctes: string[] = [];
      const values: string[] = [];
      let kind = '';
      const add = (...arrays: string[]): number => first + values.push(...arrays) - arrays.length;
      const does = (cte: string, which = cte[0]!) => {
        kind += ` ${which}`;
        ctes.push(cte);
      };
      if (put.length) {
        const from = add(...rowArrays(put), ...sinceArrays(put));
        does(`put AS (INSERT INTO ${table} (${[...names, ...own].join(', ')}) SELECT * FROM ${unnest(from, [...types, ...ownTypes])}
          WHERE EXISTS (SELECT FROM moved) ON CONFLICT (${keyNames.join(', ')}) DO ${onConflict})`);
      }
      if (changes.updated.length) {
        const { updated } = changes;
        const [which, set] = updateOf(changes.columns);
        const from = add(...rowArrays(updated, [...key, ...set]), ...sinceArrays(updated));
        const given = [...keyNames, ...set.map(quoted), ...own];
        const givenTypes = [...keyTypes, ...set.map((field) => columns[field]!.sql), ...ownTypes];
        const assigned = [...set.map(quoted), ...own].map((column) => `${column} = k.${column}`);
        does(
          `updated AS (UPDATE ${table} t SET ${assigned.join(', ')} FROM ${unnest(from, givenTypes)} AS k (${given.join(', ')})
          WHERE EXISTS (SELECT FROM moved) AND ${sameKey})`,
          `u${which}`,
        );
      }
      if (removed.length) {
        const from = add(...keyArrays(removed, key.length));
        does(`removed AS (DELETE FROM ${table} t USING ${unnest(from, keyTypes)} AS k (${keyNames.join(', ')})
          WHERE EXISTS (SELECT FROM moved) AND ${sameKey})`);
      }
      if (versions?.ended.length) {
        const { ended } = versions;
        const keys = ended.map(([business, key]): BusinessAnd<string> => [business, key]);
        const from = add(...keyArrays(keys, key.length), arrayText(ended.map(([, , to]) => String(to))));
        // The statement sees the table as it was before it.
        does(`ended AS (INSERT INTO ${history} (${[...names, VALID_FROM, VALID_TO].join(', ')})
          SELECT ${selected}, t.${VALID_FROM}, k.${VALID_TO} FROM ${unnest(from, [...keyTypes, 'bigint'])} AS k (${keyNames.join(', ')}, ${VALID_TO})
          JOIN ${table} t ON ${sameKey} WHERE EXISTS (SELECT FROM moved))`);
      }
      if (versions?.passed.length) {
        const { passed } = versions;
        const from = add(
          ...rowArrays(passed.map(([business, row]) => [business, row])),
          ...[arrayText(passed.map(([, , from]) => String(from))), arrayText(passed.map(([, , , to]) => String(to)))],
        );
        does(`was AS (INSERT INTO ${history} (${[...names, VALID_FROM, VALID_TO].join(', ')})
          SELECT * FROM ${unnest(from, [...types, 'bigint', 'bigint'])} WHERE EXISTS (SELECT FROM moved))`);
      }
      return { ctes, values, kind };
    },
    writeInBulk: (first, changes, isNew) => {
      const [copied, put]: [Written[], Written[]] = [[], []];
      for (const one of changes.put) (isNew(one[0], keyOfRow(projection, one[1])) ? copied : put).push(one);
      if (copied.length < LEAST_COPIED) return self.write(first, changes);
      const text = copied.map(([business, row, since]) => {
        const values = fields.map(([field, column]) => toText(column, present(projection, row, field)));
        return copyLine([business, ...values, ...(since === undefined ? [] : [String(since)])]);
      });
      const into = `${table} (${[...names, ...own].join(', ')})`;
      const otherwise = () => self.write(first, changes);
      return { ...self.write(first, { ...changes, put }), copy: { into, text: text.join(''), otherwise } };
    },
  };
  return self;
}

const MOST_UPDATES = 8; // statements that set other columns: each session keeps what it has prepared
const LEAST_COPIED = 100; // rows: fewer are not worth the statements that it takes

/** A row as COPY reads it. */
const copyLine = (values: readonly (string | null)[]): string =>
  `${values.map((value) => (value === null ? '\\N' : COPY_SPECIAL.test(value) ? value.replace(COPY_SPECIALS, copied) : value)).join('\t')}\n`;

const COPY_SPECIAL = /[\\\t\n\r]/;
const COPY_SPECIALS = /[\\\t\n\r]/g;
const COPIED: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const copied = (special: string): string => COPIED[special] ?? '\\\\';

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
