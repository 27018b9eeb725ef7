import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { beat, claim, type Claim, finish, holds } from './builders.js';
import { checkpointOf } from './checkpoint.js';
import type { Projection } from './define-projection.js';
import type { Feed } from './feed.js';
import { goLive } from './go-live.js';
import { Lane } from './lane.js';
import { consumerOf, keptByEach } from './projection-consumer.js';
import type { Build } from './sql-names.js';
import { Worker } from './worker.js';

// Old and new code side by side, as in a deploy: what the leader's code does not have, one that stands by feeds. So a new version is built
// while the old code still leads, and an old one stays fresh for as long as somebody runs who knows it.

const LOOK = 1_000; // ms between two looks at what the leader feeds

interface BesideOptions {
  name: string;
  feed: Feed;
  projections: readonly Projection[];
  isLeading: () => boolean;
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  maxBatch?: number;
  silence?: string;
}

export const versionName = ({ name, version }: Pick<Projection, 'name' | 'version'>): string => `${name} ${version}`;

/** Feeds what the leader does not, until the signal says stop. */
export async function feedBeside(options: BesideOptions, pool: Pool, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const unfed = options.isLeading() ? [] : await unfedOf(pool, options.projections);
      if (unfed.length) await feedThose(options, pool, unfed, signal);
    } catch (error) {
      if (!signal.aborted) options.logger.warn({ err: error }, 'What the leader does not know could not be fed; it is tried again.');
    }
    await sleep(LOOK, undefined, { signal }).catch(() => undefined);
  }
}

/** The builds of our versions that the leader's code does not have, and that have not stopped; none while nobody has led. */
async function unfedOf(pool: Pool, projections: readonly Projection[]): Promise<Required<Build>[]> {
  const { rows } = await pool.query<Required<Build>>(
    `SELECT mine.projection AS name, mine.version, coalesce(build, 0) AS build FROM unnest($1::text[], $2::integer[]) AS mine (projection, version)
      LEFT JOIN read_models.live_builds USING (projection, version)
      WHERE EXISTS (SELECT FROM read_models.leader WHERE cardinality(feeds) > 0 AND concat_ws(' ', mine.projection, mine.version) <> ALL (feeds))
        AND NOT EXISTS (SELECT FROM read_models.checkpoints c WHERE c.state = 'poisoned'
          AND (c.projection, c.version, c.build) = (mine.projection, mine.version, coalesce(live_builds.build, 0)))`,
    [projections.map(({ name }) => name), projections.map(({ version }) => version)],
  );
  return rows;
}

async function feedThose(options: BesideOptions, pool: Pool, builds: readonly Required<Build>[], signal: AbortSignal): Promise<void> {
  const claims: Claim[] = [];
  for (const build of builds) {
    const claimed = await claim(pool, build, options.name, options.silence);
    if (claimed) claims.push(claimed);
  }
  if (!claims.length) return; // another that stands by feeds them
  options.logger.info(
    { feeds: claims.map(({ build }) => versionName(build)) },
    'The leader does not know these versions; they are fed from here.',
  );
  const enough = new AbortController();
  const lane = await laneOf(options, pool, claims, AbortSignal.any([signal, enough.signal]));
  const wanted = JSON.stringify(builds);
  const watching = (async () => {
    while (!signal.aborted && !enough.signal.aborted) {
      await sleep(LOOK, undefined, { signal: AbortSignal.any([signal, enough.signal]) }).catch(() => undefined);
      if (options.isLeading() || JSON.stringify(await unfedOf(pool, options.projections)) !== wanted) break;
      if (!(await beat(pool, claims, 0, 'beside the leader'))) break;
      await goLive(pool, options.projections, options.logger);
    }
  })().finally(() => enough.abort());
  try {
    await lane.run();
  } finally {
    enough.abort();
    await watching.catch((error: unknown) => options.logger.warn({ err: error }, 'What the leader feeds could not be seen.'));
    await finish(pool, claims);
  }
}

async function laneOf({ feed, projections, logger, maxBatch }: BesideOptions, pool: Pool, claims: readonly Claim[], signal: AbortSignal) {
  let after: bigint | undefined;
  const workers: Worker[] = [];
  for (const claimed of claims) {
    const { build, epoch } = claimed;
    const checkpoint = checkpointOf(pool, 'read_models', build.name, build.version, build.build, 'builder');
    const { last } = await checkpoint.read();
    if (!workers.length || (after !== undefined && (last?.position ?? -1n) < after)) after = last?.position;
    const projection = projections.find(({ name, version }) => name === build.name && version === build.version)!;
    workers.push(
      new Worker({
        consumer: consumerOf(projection, pool, { build: build.build, keeping: keptByEach(claims.length) }),
        checkpoint,
        epoch,
        leads: () => holds(pool, claimed),
        logger,
        maxBatch,
      }),
    );
  }
  return new Lane(workers, { feed, after, signal, enough: signal });
}
