import type { Pool, PoolClient } from 'pg';
import type { Recorded } from '../domain/kernel/event.js';
import type { AnyRow, Projection } from './define-projection.js';
import { conditionOf } from './fold.js';
import { inTransaction } from './held-client.js';
import { type Build, historyName, quoted, sqlName, tableName, VALID_FROM } from './sql-names.js';
import { fromText } from './table.js';

/** Whether there is anything in it to take out, when somebody is forgotten. */
export const isScrubbed = ({ on }: Projection): boolean => [...on.values()].flat().some(({ does: { verb } }) => verb === 'scrub');

/**
 * Changes the versions that are over as the projection's `scrub` changes the rows that are there: for whoever is forgotten, in a build that holds
 * the event. Its rows were changed by the fold, before.
 */
export async function scrubHistory(pool: Pool, projection: Projection, build: number, event: Recorded): Promise<void> {
  if (projection.history) await scrubTable(pool, projection, historyName({ ...projection, build }), [VALID_FROM], event);
}

/**
 * The same in a build that has stopped before the event: also the rows that are there. Its checkpoint is held meanwhile, so that whoever goes on
 * with it does not write.
 */
export async function scrubStopped(pool: Pool, projection: Projection, build: number, event: Recorded): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('SELECT FROM read_models.checkpoints WHERE projection = $1 AND version = $2 AND build = $3 FOR UPDATE', [
      ...[projection.name, projection.version, build],
    ]);
    const of: Build = { ...projection, build };
    await scrubTable(client, projection, tableName(of), [], event);
    if (projection.history) await scrubTable(client, projection, historyName(of), [VALID_FROM], event);
    return true;
  });
}

async function scrubTable(
  client: Pick<PoolClient, 'query'>,
  projection: Projection,
  table: string,
  alsoKey: readonly string[],
  event: Recorded,
): Promise<void> {
  const { columns, key } = projection;
  const fields = Object.entries(columns);
  const names = fields.map(([field]) => quoted(field)).join(', ');
  const sameRow = [
    ...key.map((part) => `h.${quoted(part)} = r.${quoted(part)}`),
    ...alsoKey.map((column, n) => `h.${column} = $${3 + n}`),
  ].join(' AND ');
  for (const { does } of projection.on.get(event.type) ?? []) {
    const found = does.verb === 'scrub' && does.where(event);
    if (!found || does.verb !== 'scrub') continue;
    const [column, value] = conditionOf(projection, found);
    const { business } = event.metadata;
    const { rows } = await client.query<(string | null)[]>({
      text: `SELECT ${[names, ...alsoKey].join(', ')} FROM ${table} WHERE business_id = $1 AND ${quoted(column)} = $2`,
      values: [business, value],
      rowMode: 'array',
      types: { getTypeParser: () => (text: string) => text },
    });
    for (const texts of rows) {
      const row = Object.fromEntries(fields.map(([field, one], n) => [field, fromText(one, texts[n] ?? null)]));
      await client.query(
        `UPDATE ${table} h SET (${names}) = (SELECT ${names} FROM json_populate_record(NULL::${table}, $1)) FROM json_populate_record(NULL::${table}, $1) r
          WHERE h.business_id = $2 AND ${sameRow}`,
        [asJson(does.change(row, event)), business, ...texts.slice(fields.length)],
      );
    }
  }
}

const asJson = (row: AnyRow): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(row).map(([field, value]) => [sqlName(field), typeof value === 'bigint' ? `${value}` : value])),
  );
