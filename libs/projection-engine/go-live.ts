import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Projection } from './define-projection.js';
import { isUnscrubbed, scrubForgotten } from './forgotten.js';
import { isScrubbed } from './scrub.js';

/** A new version goes live once it is where the old one is, a new projection once it is where the others are; and it names nobody who is forgotten. */
export async function goLive(pool: Pool, projections: readonly Projection[], logger: Pick<Logger, 'info' | 'warn'>): Promise<void> {
  await scrubForgotten(pool, projections, logger);
  const { rows } = await pool.query<{ projection: string; version: number }>(GO_LIVE, [
    projections.map(({ name }) => name),
    projections.map(({ version }) => version),
    projections.filter(isScrubbed).map(({ name }) => name),
  ]);
  for (const { projection, version } of rows) logger.info({ projection, version }, 'A new version is live.');
}

// Said of one snapshot, so that whoever says it need not be the leader.
const GO_LIVE = `
  WITH mine AS (SELECT * FROM unnest($1::text[], $2::integer[]) AS mine (projection, version)),
    live AS (SELECT * FROM read_models.live_builds JOIN read_models.checkpoints USING (projection, version, build))
  INSERT INTO read_models.live_builds
    SELECT projection, version, build FROM mine JOIN read_models.checkpoints built USING (projection, version)
    WHERE state = 'running' AND NOT (projection = ANY ($3) AND ${isUnscrubbed('built')})
      AND NOT EXISTS (SELECT FROM live WHERE live.projection = built.projection AND live.version = built.version)
      AND coalesce(position, -1) >= coalesce(
        (SELECT max(coalesce(position, -1)) FROM live WHERE live.projection = built.projection),
        (SELECT min(coalesce(position, -1)) FROM live JOIN mine USING (projection, version) WHERE state = 'running'), -1)
    ON CONFLICT DO NOTHING RETURNING projection, version`;
