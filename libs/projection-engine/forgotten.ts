import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { ClientForgotten } from '../domain/client/client.events.js';
import type { Recorded } from '../domain/kernel/event.js';
import { type Checkpoint, checkpointOf } from './checkpoint.js';
import type { Projection } from './define-projection.js';
import { isScrubbed, scrubHistory, scrubStopped } from './scrub.js';
import { AFRESH } from './sql-names.js';

// Who is forgotten, as Postgres knows it from the events, and which builds of which read models have nothing of them any more: each by itself, so
// that none that lags, has stopped or was left lying holds up another.

/** Who hears of it: pinned, its checkpoint has this name. */
export const FORGETTING = { name: 'forgetting', version: 1 };

export const checkpointOfForgetting = (pool: Pool): Checkpoint => checkpointOf(pool, 'policies', FORGETTING.name, FORGETTING.version);

/** In the engine's schema: the projector writes the first as it hears of somebody (apps/projector/forgetter.ts). */
export const FORGOTTEN_TABLES = `
  CREATE SCHEMA IF NOT EXISTS policies;
  CREATE TABLE IF NOT EXISTS policies.forgotten (
    client_id uuid PRIMARY KEY,
    business_id uuid NOT NULL,
    stream text NOT NULL,        -- of the event that says so
    revision bigint NOT NULL,
    position bigint NOT NULL,
    heard_at timestamptz(3) NOT NULL DEFAULT now(),
    scrubbed_at timestamptz(3),  -- when no read model, and no history of one, had their texts any more
    settled boolean NOT NULL DEFAULT false -- nothing that was under way at the time can bring them back
  );
  CREATE INDEX IF NOT EXISTS forgotten_unsettled ON policies.forgotten (position) WHERE NOT settled;
  CREATE TABLE IF NOT EXISTS read_models.scrubbed (
    projection text NOT NULL,
    version integer NOT NULL,
    build integer NOT NULL,
    client_id uuid NOT NULL,
    holds boolean NOT NULL,      -- false: it has stopped before the event, and is scrubbed again when it holds it
    PRIMARY KEY (projection, version, build, client_id)
  );`;

interface Due {
  clientId: string;
  business: string;
  stream: string;
  revision: string;
  position: string;
  name: string;
  version: number;
  build: number;
  holds: boolean;
}

const AT_ONCE = 100;

/**
 * Takes whoever is forgotten out of the builds of these that hold the event, and of those that have stopped before it. What fails is logged, and
 * left for the next time.
 * @param ofVerify the builds that are compared, and not those that are read
 */
export async function scrubForgotten(
  pool: Pool,
  projections: readonly Projection[],
  log: Pick<Logger, 'warn'>,
  { ofVerify = false } = {},
): Promise<void> {
  const scrubbed = projections.filter(isScrubbed);
  if (!scrubbed.length) return;
  const which = [scrubbed.map(({ name }) => name), scrubbed.map(({ version }) => version), ofVerify];
  for (let after: unknown[] = ['-1', '', 0, 0]; ;) {
    const { rows } = await pool.query<Due>(DUE, [...which, ...after, AT_ONCE]);
    for (const due of rows) {
      const projection = scrubbed.find(({ name, version }) => name === due.name && version === due.version)!;
      await scrubOne(pool, projection, due).catch((error: unknown) =>
        log.warn({ err: error, ...due }, 'Who is forgotten could not be taken out of a read model; it is tried again.'),
      );
    }
    if (rows.length < AT_ONCE) return;
    const { position, name, version, build } = rows.at(-1)!;
    after = [position, name, version, build];
  }
}

async function scrubOne(pool: Pool, projection: Projection, { clientId, business, build, holds, ...due }: Due): Promise<void> {
  const about = { stream: due.stream, revision: BigInt(due.revision), position: BigInt(due.position), metadata: { business } };
  const event = { type: ClientForgotten.type, data: { clientId }, ...about } as unknown as Recorded;
  await (holds ? scrubHistory : scrubStopped)(pool, projection, build, event);
  await pool.query(SCRUBBED, [due.name, due.version, build, clientId, holds]);
}

/** Has stopped: nobody writes it until somebody takes it up again. */
const STOPPED = `(c.state = 'poisoned'
  OR NOT EXISTS (SELECT FROM read_models.live_builds l WHERE (l.projection, l.version, l.build) = (c.projection, c.version, c.build))
    AND EXISTS (SELECT FROM read_models.builders b WHERE (b.projection, b.version, b.build) = (c.projection, c.version, c.build)
      AND (b.holder IS NULL OR b.beat < now() - interval '1 minute')))`;

const DUE = `
  SELECT f.client_id AS "clientId", f.business_id AS business, f.stream, f.revision::text, f.position::text,
      c.projection AS name, c.version, c.build, coalesce(c.position >= f.position, false) AS holds
    FROM policies.forgotten f CROSS JOIN read_models.checkpoints c
      JOIN unnest($1::text[], $2::integer[]) AS mine (projection, version) USING (projection, version)
      LEFT JOIN read_models.scrubbed s ON (s.projection, s.version, s.build, s.client_id) = (c.projection, c.version, c.build, f.client_id)
    WHERE (c.build = ${AFRESH}) = $3 AND (f.position, c.projection, c.version, c.build) > ($4::bigint, $5, $6, $7)
      AND (c.position >= f.position AND s.holds IS NOT TRUE OR s.holds IS NULL AND ${STOPPED})
    ORDER BY f.position, c.projection, c.version, c.build LIMIT $8`;

const SCRUBBED = `
  INSERT INTO read_models.scrubbed (projection, version, build, client_id, holds)
    SELECT projection, version, build, $4, $5 FROM read_models.checkpoints WHERE (projection, version, build) = ($1, $2, $3)
    ON CONFLICT (projection, version, build, client_id) DO UPDATE SET holds = excluded.holds`;

/** SQL: whether the build of a row \`of\` of checkpoints names anybody whose being forgotten it holds. */
export const isUnscrubbed = (
  of: string,
): string => `EXISTS (SELECT FROM policies.forgotten f WHERE f.position <= ${of}.position AND NOT EXISTS (
  SELECT FROM read_models.scrubbed s
    WHERE (s.projection, s.version, s.build, s.client_id) = (${of}.projection, ${of}.version, ${of}.build, f.client_id) AND s.holds))`;

/** Who is not yet taken out of everything, and the read models for which that waits: for each client at most once. */
export async function unscrubbed(pool: Pool, projections: readonly Projection[]): Promise<Map<string, string[]>> {
  const scrubbed = projections.filter(isScrubbed);
  const { rows } = await pool.query<{ clientId: string; waitsFor: string[] }>(
    `SELECT client_id AS "clientId", ARRAY(${STILL_NAMED_IN}) AS "waitsFor" FROM policies.forgotten f WHERE scrubbed_at IS NULL`,
    [scrubbed.map(({ name }) => name), scrubbed.map(({ version }) => version)],
  );
  return new Map(rows.map(({ clientId, waitsFor }) => [clientId, waitsFor]));
}

/** SQL: live builds of the versions \`mine\` that still name the client of a row \`f\`. */
export const STILL_NAMED_IN = `
  SELECT mine.projection FROM unnest($1::text[], $2::integer[]) AS mine (projection, version) JOIN read_models.live_builds l USING (projection, version)
    WHERE NOT EXISTS (SELECT FROM read_models.scrubbed s
      WHERE (s.projection, s.version, s.build, s.client_id) = (l.projection, l.version, l.build, f.client_id))`;
