import type { Pool } from 'pg';
import type { CheckpointSchema, Poison } from './checkpoint.js';
import { underMigrationLock } from './schema.js';

/** A poison event that one version of a projection passes over, as somebody decided; a rebuild of that version does too. */
export interface Skipped extends Poison {
  reason: string;
  skippedAt: string;
}

/** What has stopped: a version of a projection, or of another consumer. */
export interface Stopped {
  name: string;
  version: number;
  schema?: CheckpointSchema;
}

/** It has not stopped at that event. */
export class NotStoppedThere extends Error {
  override name = 'NotStoppedThere';
}

/**
 * Passes over the event at which a consumer has stopped. The others are not concerned, and neither is a later version of this one.
 * @throws NotStoppedThere
 */
export async function skipPoison(
  pool: Pool,
  { name, version, schema = 'read_models' }: Stopped,
  eventId: string,
  reason: string,
): Promise<Poison> {
  const table = `${schema}.checkpoints`;
  const keyOf = (row: string) =>
    ['projection', 'version', ...(schema === 'read_models' ? ['build'] : [])].map((part) => `${row}.${part}`).join();
  return underMigrationLock(pool, async (client) => {
    const { rows } = await client.query<{ poison: Poison }>(
      `UPDATE ${table} c SET state = 'running', poison = NULL, changed_at = now()
        FROM (SELECT * FROM ${table} WHERE projection = $1 AND version = $2 FOR UPDATE) old
        WHERE (${keyOf('c')}) = (${keyOf('old')}) AND old.poison->>'eventId' = $3
        RETURNING old.poison`,
      [name, version, eventId],
    );
    if (!rows[0])
      throw new NotStoppedThere(
        `${name}, version ${version}, has not stopped at event ${eventId}; \`status\` shows where it has, if anywhere.`,
      );
    // A rebuild that began before may stop there again.
    await client.query(
      'INSERT INTO read_models.skipped (projection, version, event_id, poison, reason) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
      [name, version, eventId, rows[0].poison, reason],
    );
    return rows[0].poison;
  });
}

/** All that are passed over, in their order. */
export async function allSkipped(pool: Pool): Promise<(Skipped & { name: string; version: number })[]> {
  const { rows } = await pool.query<{ name: string; version: number; poison: Poison; reason: string; skippedAt: string }>(
    `SELECT projection AS name, version, poison, reason, to_char(skipped_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "skippedAt"
      FROM read_models.skipped ORDER BY name, version, (poison->>'position')::bigint`,
  );
  return rows.map(({ poison, ...skipped }) => ({ ...skipped, ...poison }));
}
