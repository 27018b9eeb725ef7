import type { Pool } from 'pg';
import type { Projection } from './define-projection.js';
import { quoted, tableName } from './sql-names.js';
import { fromText } from './table.js';

const PAGE = 1_000;

/**
 * The rows of all businesses, page by page, in the order of their keys: for what the service does by itself. Queries of callers go through
 * the read models, which give the rows of one business.
 * @param pool whose sessions have the TimeZone UTC
 */
export async function* rowsOfAll<Row extends object>(pool: Pool, projection: Projection<Row>): AsyncGenerator<Row & { business: string }> {
  const { name, version, columns } = projection;
  const [key, ...more] = projection.key;
  if (key === undefined || more.length > 0) throw new Error(`${name}: rows are read by a key of one column`);
  const fields = Object.entries(columns);
  const place = `(business_id, ${quoted(key)})`;
  const text = `SELECT business_id, ${fields.map(([field]) => quoted(field)).join(', ')} FROM ${tableName(projection)}
    WHERE read_models.require_live('${name}', ${version}) AND ($1::uuid IS NULL OR ${place} > ($1::uuid, $2::${columns[key]!.sql}))
    ORDER BY business_id, ${quoted(key)} LIMIT ${PAGE}`;
  for (let after: (string | null)[] = [null, null]; ;) {
    const { rows } = await pool.query<string[]>({ text, values: after, rowMode: 'array', types: { getTypeParser: () => asText } });
    for (const [business, ...values] of rows)
      yield Object.fromEntries([
        ['business', business],
        ...fields.map(([field, column], n) => [field, fromText(column, values[n] ?? null)]),
      ]) as Row & { business: string };
    if (rows.length < PAGE) return;
    const last = rows.at(-1)!;
    after = [last[0]!, last[1 + fields.findIndex(([field]) => field === key)]!];
  }
}

const asText = (text: string): string => text;
