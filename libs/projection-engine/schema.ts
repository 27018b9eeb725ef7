import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Consumer } from './consumer.js';
import type { Projection } from './define-projection.js';
import { inTransaction } from './held-client.js';
import { EVENT_FEED_TABLES } from './event-feed.js';
import { FORGOTTEN_TABLES } from './forgotten.js';
import { TODO, TODO_VERSION } from './todo.js';
import { type Build, buildName, historyName, quoted, sqlName, tableName, VALID_FROM, VALID_TO } from './sql-names.js';
import { VERIFIED } from './verified.js';

/** Half of each page is left free at first, so that a changed row finds room beside its old version and its indexes stay as they are. */
const FILL_FACTOR = 60;
/** Raised by `read_models.require_live` when another build has gone live: ask again, of that one. */
export const NOT_LIVE = 'PC001';
/** Any two processes that start at once migrate one after the other. */
const MIGRATION_LOCK = 7_205_610_001n;

const CHECKPOINT_COLUMNS = `
  store text,                  -- where the events came from
  position bigint,             -- of the last event that is in the rows; null: none yet
  events bigint NOT NULL DEFAULT 0, -- that were passed since the first: how much of a rebuild is done, and of how much
  event_id uuid,               -- that event, and where it stands: a restored store may not have it
  stream text,
  revision bigint,
  time timestamptz(3),         -- when it was recorded
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'poisoned')),
  poison jsonb,                -- which event stopped it and why
  changed_at timestamptz(3) NOT NULL DEFAULT now()`;

const ENGINE = `
  CREATE SCHEMA IF NOT EXISTS read_models;
  CREATE TABLE IF NOT EXISTS read_models.leader (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL,
    holder text NOT NULL,
    since timestamptz(3) NOT NULL,
    beat timestamptz(3) NOT NULL,
    rates jsonb NOT NULL,         -- events per second of each projection
    feeds text[] NOT NULL DEFAULT '{}' -- the versions that its code has: \`package_list 3\`
  );
  CREATE TABLE IF NOT EXISTS read_models.checkpoints (
    projection text NOT NULL,
    version integer NOT NULL,
    build integer NOT NULL DEFAULT 0, -- a rebuild folds into another table beside the live one
    shape text NOT NULL,         -- of the columns: a changed one needs a new version
    ${CHECKPOINT_COLUMNS},
    PRIMARY KEY (projection, version, build)
  );
  CREATE TABLE IF NOT EXISTS read_models.live_builds (
    projection text NOT NULL,
    version integer NOT NULL,
    build integer NOT NULL,
    PRIMARY KEY (projection, version) -- old and new code read their own versions side by side
  );
  CREATE TABLE IF NOT EXISTS read_models.builders ( -- who folds what the leader does not: a rebuild, or a version that the leader does not know
    projection text NOT NULL,
    version integer NOT NULL,
    build integer NOT NULL,
    epoch bigint NOT NULL,       -- whoever takes it over has a higher one
    holder text,                 -- null: nobody now
    beat timestamptz(3) NOT NULL DEFAULT now(),
    rate integer NOT NULL DEFAULT 0, -- events per second
    step text NOT NULL DEFAULT 'folding',
    started_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, version, build)
  );
  CREATE TABLE IF NOT EXISTS read_models.retired (table_name text PRIMARY KEY, since timestamptz(3) NOT NULL DEFAULT now()); -- to be dropped
  CREATE TABLE IF NOT EXISTS read_models.skipped ( -- poison events that somebody decided to pass over, for one version of one projection
    projection text NOT NULL,
    version integer NOT NULL,
    event_id uuid NOT NULL,
    poison jsonb NOT NULL,
    reason text NOT NULL,
    skipped_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, version, event_id)
  );
  CREATE OR REPLACE FUNCTION read_models.require_live(of text, its integer, this integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
  BEGIN
    IF EXISTS (SELECT FROM read_models.live_builds l WHERE l.projection = of AND l.version = its AND l.build = this) THEN RETURN true; END IF;
    RAISE EXCEPTION '% version % build % is not live', of, its, this USING ERRCODE = '${NOT_LIVE}';
  END $$;
  DO $$ -- data from before there were builds
  BEGIN
    IF to_regclass('read_models.live_versions') IS NOT NULL THEN
      ALTER TABLE read_models.checkpoints ADD build integer NOT NULL DEFAULT 0;
      ALTER TABLE read_models.checkpoints DROP CONSTRAINT checkpoints_pkey, ADD PRIMARY KEY (projection, version, build);
      INSERT INTO read_models.live_builds SELECT projection, version, 0 FROM read_models.live_versions;
      DROP TABLE read_models.live_versions;
      DROP FUNCTION read_models.require_live(text, integer);
    END IF;
  END $$;
${VERIFIED}
  CREATE SCHEMA IF NOT EXISTS policies;
  CREATE TABLE IF NOT EXISTS policies.checkpoints (
    projection text NOT NULL,
    version integer NOT NULL,
    ${CHECKPOINT_COLUMNS},
    PRIMARY KEY (projection, version)
  );
  INSERT INTO policies.checkpoints (projection, version) VALUES ('${TODO}', ${TODO_VERSION}) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS policies.started (policy text PRIMARY KEY, position bigint); -- events after it concern the policy; null: all do
  CREATE TABLE IF NOT EXISTS policies.todo (
    command_id uuid PRIMARY KEY,
    policy text NOT NULL,
    ordinal integer NOT NULL,
    business_id uuid NOT NULL,
    position bigint NOT NULL,    -- of the event that asks for it
    event_id uuid NOT NULL,
    stream text NOT NULL,
    revision bigint NOT NULL,
    due timestamptz(3) NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    failure text,                -- of the last attempt
    parked text,                 -- why nobody tries any more
    parked_at timestamptz(3)
  );
  CREATE INDEX IF NOT EXISTS todo_due ON policies.todo (due, position) WHERE parked IS NULL;
  CREATE INDEX IF NOT EXISTS todo_of_stream ON policies.todo (stream, position) WHERE parked IS NULL;
  ${EVENT_FEED_TABLES(CHECKPOINT_COLUMNS)}
  ${FORGOTTEN_TABLES}
  DO $$ -- data from before there were rebuilds
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'policies.checkpoints'::regclass AND attname = 'events') THEN
      ALTER TABLE policies.checkpoints ADD IF NOT EXISTS events bigint NOT NULL DEFAULT 0;
      ALTER TABLE read_models.checkpoints ADD IF NOT EXISTS events bigint NOT NULL DEFAULT 0;
      ALTER TABLE event_feed.checkpoints ADD IF NOT EXISTS events bigint NOT NULL DEFAULT 0;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'read_models.leader'::regclass AND attname = 'feeds') THEN
      ALTER TABLE read_models.leader ADD feeds text[] NOT NULL DEFAULT '{}';
    END IF;
  END $$;`;

/**
 * Makes whatever is not there yet: the engine's own tables, and each projection's table with its checkpoint. Several processes may
 * start at once, API and projector alike.
 * @throws Error if a projection's columns changed but not its version
 */
export async function migrate(
  pool: Pool,
  projections: readonly Projection[],
  effects: readonly Pick<Consumer, 'name' | 'version'>[] = [],
): Promise<void> {
  // The engine's own tables first, and by themselves: whoever writes checkpoints waits for them, and must not wait for indexes.
  await underMigrationLock(pool, (client) => client.query(`SET LOCAL client_min_messages TO warning; ${ENGINE}`));
  await underMigrationLock(pool, async (client) => {
    await client.query('SET LOCAL client_min_messages TO warning');
    for (const projection of projections) await createTable(client, projection);
    for (const { name, version } of effects)
      await client.query('INSERT INTO policies.checkpoints (projection, version) VALUES ($1, $2) ON CONFLICT DO NOTHING', [name, version]);
  });
}

/** What makes or looks for tables, one after the other, in whatever process. */
export const underMigrationLock = <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> =>
  inTransaction(pool, async (client) => {
    await client.query('SET LOCAL statement_timeout = 0'); // the one before may make indexes of large tables
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    return work(client);
  });

async function createTable(client: PoolClient, projection: Projection): Promise<void> {
  const { name, version } = projection;
  const shape = shapeOf(projection);
  const { rows: builds } = await client.query<{ build: number; shape: string; isRebuild: boolean }>(
    `SELECT build, shape, EXISTS (SELECT FROM read_models.builders b WHERE b.projection = $1 AND b.version = $2 AND b.build = c.build) AS "isRebuild"
      FROM read_models.checkpoints c WHERE projection = $1 AND version = $2`,
    [name, version],
  );
  if (builds.some((build) => build.shape !== shape))
    throw new Error(`The columns of ${name} have changed: give it version ${version + 1}, which is then built beside version ${version}.`);
  if (!builds.length) {
    await dropLeftOver(client, { name, version });
    await createBuild(client, projection, 0);
  }
  for (const { build, isRebuild } of builds.length ? builds : [{ build: 0, isRebuild: false }])
    if (!isRebuild) for (const index of indexesOf({ ...projection, build })) await client.query(index);
  if (!builds.length)
    await client.query(
      `INSERT INTO read_models.live_builds SELECT $1, $2, 0 WHERE NOT EXISTS (SELECT FROM read_models.checkpoints WHERE position IS NOT NULL)`,
      [name, version],
    );
}

/** Code that is old by now is started again: what is left of its tables, to be dropped when nobody reads it, must not be taken for new. */
async function dropLeftOver(client: PoolClient, build: Build): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    'DELETE FROM read_models.retired WHERE table_name = ANY ($1) RETURNING table_name AS table',
    [[tableName(build), historyName(build)]],
  );
  for (const { table } of rows) await client.query(`DROP TABLE IF EXISTS ${table}`);
}

const shapeOf = (projection: Projection): string => createHash('sha256').update(columnsOf(projection)).digest('hex').slice(0, 16);

type BuildOf = Projection & Build;

/** With the indexes by which the fold finds rows; the others are built faster when the rows are there. */
function tableOfBuild(projection: BuildOf): string {
  const table = `CREATE TABLE IF NOT EXISTS ${tableName(projection)} (${columnsOf(projection)}) WITH (fillfactor = ${FILL_FACTOR})`;
  return [table, ...(projection.history ? [historyTable(projection)] : []), ...(findsRows(projection) ? indexesOf(projection) : [])].join(
    ';',
  );
}

const findsRows = ({ on }: Projection): boolean =>
  [...on.values()].flat().some(({ does: { verb } }) => verb === 'updateMany' || verb === 'removeMany');

/** The table and the checkpoint of a build beside the live one. */
export async function createBuild(client: PoolClient, projection: Projection, build: number): Promise<void> {
  await client.query(tableOfBuild({ ...projection, build }));
  await client.query('DELETE FROM read_models.scrubbed WHERE projection = $1 AND version = $2 AND build = $3', [
    ...[projection.name, projection.version, build],
  ]);
  await client.query('INSERT INTO read_models.checkpoints (projection, version, build, shape) VALUES ($1, $2, $3, $4)', [
    ...[projection.name, projection.version, build],
    shapeOf(projection),
  ]);
}

/** The indexes that queries need. */
export async function indexBuild(pool: Pick<Pool, 'query'>, projection: Projection, build: number): Promise<void> {
  for (const index of indexesOf({ ...projection, build })) await pool.query(index);
}

function columnsOf(projection: Projection): string {
  const since = projection.history ? [`${VALID_FROM} bigint NOT NULL`] : [];
  return [...ownColumns(projection), ...since, `PRIMARY KEY (${keyColumns(projection)})`].join(', ');
}

const ownColumns = ({ columns }: Projection): string[] => [
  'business_id uuid NOT NULL',
  ...Object.entries(columns).map(([name, { sql, isNullable }]) => `${quoted(name)} ${sql}${isNullable ? '' : ' NOT NULL'}`),
];

const keyColumns = ({ key }: Projection): string => ['business_id', ...key.map(quoted)].join(', ');

/** Only ever added to. The index makes what was so shortly ago cost what has changed since. */
function historyTable(projection: BuildOf): string {
  const own = [...ownColumns(projection), `${VALID_FROM} bigint NOT NULL`, `${VALID_TO} bigint NOT NULL`].join(', ');
  const table = historyName(projection);
  return `CREATE TABLE IF NOT EXISTS ${table} (${own}, PRIMARY KEY (${keyColumns(projection)}, ${VALID_FROM}));
    CREATE INDEX IF NOT EXISTS ${indexName(`${buildName(projection)}_history_ended`)} ON ${table} (business_id, ${VALID_TO})`;
}

/** Every index starts with the business and ends with the key, so that it also gives a stable order to page in. */
function indexesOf(projection: BuildOf): string[] {
  const { key, columns, indexes } = projection;
  const single = Object.keys(columns).filter((column) => columns[column]!.isIndexed);
  const plain = [...single.map((column) => [column]), ...indexes].map((sorted) => ({
    label: sorted.map(sqlName).join('_'),
    on: [...new Set(['business_id', ...[...sorted, ...key].map(quoted)])].join(', '),
  }));
  const searched = Object.keys(columns)
    .filter((column) => columns[column]!.isSearched)
    .map((column) => ({ label: `${sqlName(column)}_search`, on: `business_id, lower(${quoted(column)}) text_pattern_ops` }));
  return [...plain, ...searched].map(
    ({ label, on }) => `CREATE INDEX IF NOT EXISTS ${indexName(`${buildName(projection)}_${label}`)} ON ${tableName(projection)} (${on})`,
  );
}

/** Postgres cuts names at 63 bytes: two long ones must not become one. */
const indexName = (name: string): string =>
  name.length <= 63 ? name : `${name.slice(0, 54)}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
