import type { Pool } from 'pg';
import type { Projection } from './define-projection.js';
import { openSources, type TextRow } from './sources.js';
import { quoted } from './sql-names.js';
import { fromText } from './table.js';

const PAGE = 1_000;

/**
 * The rows of all businesses, page by page, in the order of their keys: for what the service does by itself. Queries of callers go through
 * the read models, which give the rows of one business.
 * @param pool whose sessions have the TimeZone UTC
 */
export async function* rowsOfAll<Row extends object>(pool: Pool, projection: Projection<Row>): AsyncGenerator<Row & { business: string }> {
  const { name, columns } = projection;
  const [key, ...more] = projection.key;
  if (key === undefined || more.length > 0) throw new Error(`${name}: rows are read by a key of one column`);
  const fields = Object.entries(columns);
  const place = `(business_id, ${quoted(key)})`;
  const selected = fields.map(([field]) => quoted(field)).join(', ');
  const sources = openSources(pool, [projection]);
  for (let after: TextRow = [null, null]; ;) {
    const values = after;
    const rows = await sources.read(projection, undefined, ({ from, condition }) => ({
      text: `SELECT business_id, ${selected} FROM ${from}
        WHERE ${condition} AND ($1::uuid IS NULL OR ${place} > ($1::uuid, $2::${columns[key]!.sql}))
        ORDER BY business_id, ${quoted(key)} LIMIT ${PAGE}`,
      values,
    }));
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
