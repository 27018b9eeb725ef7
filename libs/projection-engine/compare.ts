import type { PoolClient } from 'pg';
import type { Projection } from './define-projection.js';
import { historyName, quoted, tableName, type Build } from './sql-names.js';

/** Where a row is otherwise than the events say. */
export interface Difference {
  projection: string;
  of: 'rows' | 'history';
  business: string;
  /** Of the key's columns; of a version in the history also the position from which it was so. */
  key: Record<string, string>;
  is: 'missing' | 'tooMany' | 'different';
  /** Those that differ. */
  columns: { name: string; expected: string | null; found: string | null }[];
}

const AT_ONCE = 500; // differences that are fetched

/**
 * Every difference between the rows that are read and those that were folded afresh, and between their histories: found by Postgres, of
 * the snapshot of this transaction.
 */
export async function* differencesBetween(
  client: Pick<PoolClient, 'query'>,
  projection: Projection,
  live: Build,
  afresh: Build,
): AsyncGenerator<Difference> {
  const columns = Object.keys(projection.columns).filter((column) => !projection.key.includes(column));
  const rows = { expected: tableName(afresh), found: tableName(live), keys: [...projection.key] };
  yield* compared(client, projection.name, 'rows', { ...rows, columns: [...columns, ...(projection.history ? ['validFrom'] : [])] });
  if (!projection.history) return;
  const versions = { expected: historyName(afresh), found: historyName(live), keys: [...projection.key, 'validFrom'] };
  yield* compared(client, projection.name, 'history', { ...versions, columns: [...columns, 'validTo'] });
}

interface Compared {
  expected: string;
  found: string;
  keys: string[];
  columns: string[];
}

async function* compared(
  client: Pick<PoolClient, 'query'>,
  projection: string,
  of: Difference['of'],
  tables: Compared,
): AsyncGenerator<Difference> {
  const { keys, columns } = tables;
  await client.query(`DECLARE differences NO SCROLL CURSOR FOR ${differing(tables)}`);
  for (;;) {
    const { rows } = await client.query<(string | null)[]>({
      ...{ text: `FETCH ${AT_ONCE} FROM differences`, rowMode: 'array', types: { getTypeParser: () => (text: string) => text } },
    });
    for (const [business, is, ...values] of rows) {
      const ofColumn = (n: number) => values.slice(keys.length + 3 * n, keys.length + 3 * n + 3);
      yield {
        ...{ projection, of, business: business!, is: is as Difference['is'] },
        key: Object.fromEntries(keys.map((name, n) => [name, values[n]!])),
        columns:
          is === 'different'
            ? columns.flatMap((name, n) => {
                const [differs, expected, found] = ofColumn(n);
                return differs === 't' ? [{ name, expected: expected!, found: found! }] : [];
              })
            : [],
      };
    }
    if (rows.length < AT_ONCE) break;
  }
  await client.query('CLOSE differences');
}

function differing({ expected, found, keys, columns }: Compared): string {
  const [keyNames, names] = [['business_id', ...keys.map(quoted)], columns.map(quoted)];
  const row = (of: string) => `(${names.map((name) => `${of}.${name}`).join(', ')})`;
  const selected = [
    'coalesce(e.business_id, f.business_id)',
    `CASE WHEN f.business_id IS NULL THEN 'missing' WHEN e.business_id IS NULL THEN 'tooMany' ELSE 'different' END`,
    ...keys.map(quoted).map((name) => `coalesce(e.${name}, f.${name})`),
    ...names.map((name) => `e.${name} IS DISTINCT FROM f.${name}, e.${name}, f.${name}`),
  ];
  return `SELECT ${selected.join(', ')} FROM ${expected} e FULL JOIN ${found} f ON ${keyNames.map((name) => `e.${name} = f.${name}`).join(' AND ')}
    WHERE e.business_id IS NULL OR f.business_id IS NULL${names.length ? ` OR ${row('e')} IS DISTINCT FROM ${row('f')}` : ''}`;
}

/** What a difference says to somebody who may not see what it is about: ids, counts and dates, but no text. */
export function withoutTexts({ columns }: Pick<Projection, 'columns'>, difference: Difference): Difference {
  const hidden = (name: string, value: string | null): string | null =>
    value !== null && ['text', 'jsonb'].includes(columns[name]?.sql ?? '') ? `(${value.length} characters)` : value;
  return {
    ...difference,
    key: Object.fromEntries(Object.entries(difference.key).map(([name, value]) => [name, hidden(name, value)!])),
    columns: difference.columns.map(({ name, expected, found }) => ({
      ...{ name, expected: hidden(name, expected), found: hidden(name, found) },
    })),
  };
}
