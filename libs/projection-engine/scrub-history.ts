import type { Pool } from 'pg';
import type { Recorded } from '../domain/kernel/event.js';
import type { AnyRow, Projection } from './define-projection.js';
import { conditionOf } from './fold.js';
import { historyName, quoted, sqlName, VALID_FROM } from './sql-names.js';
import { fromText } from './table.js';

/**
 * Changes the versions that are over as the projection's `scrub` changes the rows that are there: for whoever is forgotten, in every build of the
 * version. The rows that are there are changed by the fold, before.
 */
export async function scrubHistory(pool: Pool, projection: Projection, event: Recorded): Promise<void> {
  const steps = (projection.on.get(event.type) ?? []).flatMap(({ does }) => (does.verb === 'scrub' ? does : []));
  if (!projection.history || steps.length === 0) return;
  const { rows } = await pool.query<{ build: number }>('SELECT build FROM read_models.checkpoints WHERE projection = $1 AND version = $2', [
    projection.name,
    projection.version,
  ]);
  for (const { build } of rows)
    for (const { where, change } of steps) {
      const found = where(event);
      if (found)
        await scrubBuild(pool, projection, build, conditionOf(projection, found), event.metadata.business, (row) => change(row, event));
    }
}

async function scrubBuild(
  pool: Pool,
  projection: Projection,
  build: number,
  [column, value]: [string, unknown],
  business: string,
  change: (row: AnyRow) => AnyRow,
): Promise<void> {
  const { name, version, columns, key } = projection;
  const table = historyName({ name, version, build });
  const fields = Object.entries(columns);
  const names = fields.map(([field]) => quoted(field)).join(', ');
  const { rows } = await pool.query<(string | null)[]>({
    text: `SELECT ${VALID_FROM}, ${names} FROM ${table} WHERE business_id = $1 AND ${quoted(column)} = $2`,
    values: [business, value],
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text },
  });
  const sameKey = key.map((part) => `h.${quoted(part)} = r.${quoted(part)}`).join(' AND ');
  for (const [from, ...texts] of rows) {
    const row = Object.fromEntries(fields.map(([field, one], n) => [field, fromText(one, texts[n] ?? null)]));
    await pool.query(
      `UPDATE ${table} h SET (${names}) = (SELECT ${names} FROM json_populate_record(NULL::${table}, $1)) FROM json_populate_record(NULL::${table}, $1) r
        WHERE h.business_id = $2 AND h.${VALID_FROM} = $3 AND ${sameKey}`,
      [asJson(change(row)), business, from],
    );
  }
}

const asJson = (row: AnyRow): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(row).map(([field, value]) => [sqlName(field), typeof value === 'bigint' ? `${value}` : value])),
  );
