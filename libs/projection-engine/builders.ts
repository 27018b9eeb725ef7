import type { Pool, PoolClient } from 'pg';
import { inTransaction } from './held-client.js';
import { underMigrationLock } from './schema.js';
import { historyName, tableName, type Build } from './sql-names.js';

// Who folds a build that the leader does not. Like a leader it has an epoch, so that one which was paused and wakes does not write; unlike a
// leader it is of one build, and what it has done stays when it dies: whoever comes next goes on.

/** A build and the right to write it. */
export interface Claim {
  build: Required<Build>;
  epoch: bigint;
}

/** A builder that was silent for so long is taken for paused or cut off: another may take over what it builds. */
const SILENCE = '10 seconds';

/**
 * Takes over a build, if nobody else is at it.
 * @param holder the application_name of the connections: a builder without any is gone
 */
export async function claim(pool: Pool, build: Required<Build>, holder: string, silence = SILENCE): Promise<Claim | undefined> {
  await endSilent(pool, build, silence);
  const { rows } = await pool.query<{ epoch: string }>(
    `INSERT INTO read_models.builders AS b (projection, version, build, epoch, holder, beat) VALUES ($1, $2, $3, 1, $4, clock_timestamp())
      ON CONFLICT (projection, version, build) DO UPDATE SET epoch = b.epoch + 1, holder = $4, beat = clock_timestamp(), rate = 0
      WHERE b.holder IS NULL OR b.holder = $4 OR b.beat < clock_timestamp() - $5::interval
        OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = b.holder AND datname = current_database())
      RETURNING epoch::text`,
    [build.name, build.version, build.build, holder, silence],
  );
  return rows[0] && { build, epoch: BigInt(rows[0].epoch) };
}

/**
 * Ends the connections of builders that are silent: one that was paused in the middle of a COPY holds its locks until it wakes, and neither a
 * timeout nor a cancelled query ends that.
 */
export async function endSilent(pool: Pool, { name, version }: Pick<Build, 'name' | 'version'>, silence = SILENCE): Promise<void> {
  await pool.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN read_models.builders b ON a.application_name = b.holder
      WHERE b.projection = $1 AND b.version = $2 AND b.beat < clock_timestamp() - $3::interval
        AND a.datname = current_database() AND a.pid <> pg_backend_pid()`,
    [name, version, silence],
  );
}

/** Whether nobody has taken it over. */
export async function holds(pool: Pool, { build, epoch }: Claim): Promise<boolean> {
  const { rowCount } = await pool.query(
    'SELECT FROM read_models.builders WHERE projection = $1 AND version = $2 AND build = $3 AND epoch = $4',
    [build.name, build.version, build.build, epoch],
  );
  return rowCount === 1;
}

/** Says that all of these are still being built, and how. False: one is no longer this builder's. */
export async function beat(pool: Pool, claims: readonly Claim[], rate: number, step: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE read_models.builders b SET beat = clock_timestamp(), rate = $5, step = $6 FROM ${CLAIMS}
      WHERE (b.projection, b.version, b.build, b.epoch) = (c.projection, c.version, c.build, c.epoch)`,
    [...arraysOf(claims), Math.round(rate), step],
  );
  return rowCount === claims.length;
}

/** Nobody is at it now; what is done stays. */
export async function release(pool: Pool, claims: readonly Claim[]): Promise<void> {
  await pool.query(
    `UPDATE read_models.builders b SET holder = NULL, rate = 0 FROM ${CLAIMS}
      WHERE (b.projection, b.version, b.build, b.epoch) = (c.projection, c.version, c.build, c.epoch)`,
    arraysOf(claims),
  );
}

/** They are built: false, and nothing is done, if one of them is no longer this builder's. */
export async function finish(client: Pick<PoolClient, 'query'>, claims: readonly Claim[]): Promise<boolean> {
  const { rowCount } = await client.query(
    `DELETE FROM read_models.builders b USING ${CLAIMS}
      WHERE (b.projection, b.version, b.build, b.epoch) = (c.projection, c.version, c.build, c.epoch)`,
    arraysOf(claims),
  );
  return rowCount === claims.length;
}

const CLAIMS = 'unnest($1::text[], $2::integer[], $3::integer[], $4::bigint[]) AS c (projection, version, build, epoch)';

const arraysOf = (claims: readonly Claim[]) => [
  claims.map(({ build: { name } }) => name),
  claims.map(({ build: { version } }) => version),
  claims.map(({ build: { build } }) => build),
  claims.map(({ epoch }) => epoch),
];

/** The build is no longer read, nor written. Its tables are dropped once nobody reads them any more. */
export async function retire(client: Pick<PoolClient, 'query'>, build: Build): Promise<void> {
  await client.query('DELETE FROM read_models.checkpoints WHERE projection = $1 AND version = $2 AND build = $3', [
    ...[build.name, build.version, build.build ?? 0],
  ]);
  await client.query('INSERT INTO read_models.retired (table_name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [
    [tableName(build), historyName(build)],
  ]);
}

/** A version that was superseded, and that nobody has fed for so long, has no readers: whoever reads it runs beside a projector that feeds it. */
const UNFED = '1 day';

/** Retires versions that nobody feeds any more. Gives their names. */
export async function retireUnfed(pool: Pool, unfed = UNFED): Promise<Build[]> {
  const { rows: some } = await pool.query(SUPERSEDED, [unfed]);
  if (!some.length) return [];
  return underMigrationLock(pool, async (client) => {
    const { rows } = await client.query<Required<Build>>(SUPERSEDED, [unfed]);
    for (const build of rows) {
      const own = [build.name, build.version];
      await client.query('DELETE FROM read_models.builders WHERE projection = $1 AND version = $2', own);
      await client.query('DELETE FROM read_models.live_builds WHERE projection = $1 AND version = $2', own);
      await retire(client, build);
    }
    return rows;
  });
}

const SUPERSEDED = `
  SELECT l.projection AS name, l.version, l.build FROM read_models.live_builds l JOIN read_models.checkpoints c USING (projection, version, build)
    WHERE c.changed_at < now() - $1::interval
      AND EXISTS (SELECT FROM read_models.live_builds newer WHERE newer.projection = l.projection AND newer.version > l.version)
      AND NOT EXISTS (SELECT FROM read_models.leader WHERE concat_ws(' ', l.projection, l.version) = ANY (feeds))
      AND NOT EXISTS (SELECT FROM read_models.builders b WHERE b.projection = l.projection AND b.version = l.version
        AND b.holder IS NOT NULL AND b.beat > now() - $1::interval)`;

const PATIENCE = '100ms'; // that a table's readers are waited for, and whoever comes after them with us

/** Drops what is retired and not being read; the rest is for another time. */
export async function dropRetired(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ table_name: string }>('SELECT table_name FROM read_models.retired ORDER BY since');
  for (const { table_name: table } of rows)
    await inTransaction(pool, async (client) => {
      await client.query(`SET LOCAL lock_timeout = '${PATIENCE}'`);
      // Whoever else has dropped it meanwhile: a table of that name would be a new one.
      const { rowCount } = await client.query('DELETE FROM read_models.retired WHERE table_name = $1', [table]);
      if (rowCount) await client.query(`DROP TABLE IF EXISTS ${table}`);
    }).catch((error: unknown) => {
      if (!isLockTimeout(error)) throw error;
    });
}

const isLockTimeout = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '55P03';
