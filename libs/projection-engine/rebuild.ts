import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Pool, type PoolClient } from 'pg';
import type { Logger } from 'pino';
import { beat, claim, type Claim, dropRetired, endSilent, finish, holds, release, retire } from './builders.js';
import { type Checkpoint, checkpointOf, type Poison } from './checkpoint.js';
import type { Consumer } from './consumer.js';
import type { Projection } from './define-projection.js';
import type { Feed } from './feed.js';
import { inTransaction } from './held-client.js';
import { isUnscrubbed, scrubForgotten } from './forgotten.js';
import { Lane } from './lane.js';
import { consumerOf, keptByEach } from './projection-consumer.js';
import { isScrubbed } from './scrub.js';
import { createBuild, indexBuild, underMigrationLock } from './schema.js';
import { AFRESH, type Build, historyName, tableName } from './sql-names.js';
import { requireSameStore } from './store-check.js';
import { LeadershipLost, Worker } from './worker.js';

const MAX_CONNECTIONS = 12;
const LOOK = 200; // ms between two looks at how far it is
const BEAT = 1_000; // ms between two signs of life
const HOLD = 1_000; // ms that the leader's write may be held up by the switch
const MOST_HELD = '3s'; // by one that was paused in the middle of it
const READ_AGAIN = 1_000; // ms after the feed failed

export interface RebuildOptions {
  databaseUrl: string;
  feed: Feed;
  /** Those to rebuild: all of them from one read of `$all`. */
  projections: readonly Projection[];
  logger: Pick<Logger, 'warn' | 'error'>;
  progress?: (progress: RebuildProgress) => void;
  maxBatch?: number;
  silence?: string;
  /** Called at places where a test kills the process. */
  at?: (place: 'folding' | 'indexing' | 'switching' | 'switched') => void;
}

export interface RebuildProgress {
  step: 'folding' | 'indexing' | 'catching up';
  events: number; // that are in the rows, of the projection that has the fewest
  total: number; // that there are
  rate: number; // events per second, lately
  secondsLeft: number | null; // null: nobody can tell
}

export interface Rebuilt {
  name: string;
  version: number;
  build: number;
  /** What stopped it: then the live table stays as it was. Undefined: it is live. */
  poison: Poison | undefined;
}

/** What is to be rebuilt is being built already, by another that lives, or for the first time. */
export class BuildUnderWay extends Error {
  override name = 'BuildUnderWay';
}

/** Somebody called the rebuild off, or has taken it over. */
export class RebuildLost extends Error {
  override name = 'RebuildLost';
}

interface Building extends Claim {
  projection: Projection;
  consumer: Consumer;
  checkpoint: Checkpoint;
  worker?: Worker;
}

/**
 * Builds read models beside those that are live, and switches when they have caught up. What a rebuild that died, or was told to stop, had
 * done is gone on with.
 * @throws BuildUnderWay, RebuildLost, StoreMismatch
 */
export async function rebuild(options: RebuildOptions, signal: AbortSignal): Promise<Rebuilt[]> {
  const name = `rebuild-${process.pid}-${randomUUID().slice(0, 8)}`;
  const pool = new pg.Pool({
    ...{ connectionString: options.databaseUrl, application_name: name, max: MAX_CONNECTIONS, keepAlive: true },
    options: '-c TimeZone=UTC -c synchronous_commit=off -c idle_in_transaction_session_timeout=30s',
  });
  pool.on('error', (error) => options.logger.warn({ err: error }, 'An idle connection broke.'));
  try {
    return await new Rebuild(options, pool, name).run(signal);
  } finally {
    await pool.end();
  }
}

/** Calls a rebuild off: what it has built goes. False: there was none. */
export async function cancelRebuild(pool: Pool, { name, version }: Pick<Projection, 'name' | 'version'>): Promise<boolean> {
  await endSilent(pool, { name, version });
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<Required<Build>>(`${REBUILDS} AND projection = $1 AND version = $2 FOR UPDATE OF b`, [
      name,
      version,
    ]);
    for (const build of rows) {
      await client.query('DELETE FROM read_models.builders WHERE projection = $1 AND version = $2 AND build = $3', [
        name,
        version,
        build.build,
      ]);
      await retire(client, build);
    }
    return rows.length > 0;
  }).then(async (found) => {
    if (found) await dropRetired(pool);
    return found;
  });
}

async function isTaken(client: PoolClient, build: Build): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT coalesce(to_regclass($1), to_regclass($2)) IS NOT NULL AS taken', [
    ...[tableName(build), historyName(build)],
  ]);
  return rows[0]!.taken;
}

/** Of versions that have a live build, those beside it. */
const REBUILDS = `SELECT projection AS name, version, build FROM read_models.builders b
  WHERE b.build <> ${AFRESH}
    AND EXISTS (SELECT FROM read_models.live_builds l WHERE l.projection = b.projection AND l.version = b.version AND l.build <> b.build)`;

class Rebuild {
  private step: RebuildProgress['step'] = 'folding';
  private target: bigint | undefined;
  private seen = { at: performance.now(), events: 0 };
  private rate = 0;

  constructor(
    private readonly options: RebuildOptions,
    private readonly pool: Pool,
    private readonly name: string,
  ) {}

  async run(signal: AbortSignal): Promise<Rebuilt[]> {
    const building = await this.begin();
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const beating = this.keepBeating(building, over, stop);
    try {
      for (const { checkpoint } of building) await requireSameStore(this.options.feed, checkpoint, stop, this.options.logger);
      this.target = await this.livePosition(building);
      while (!stop.aborted) {
        if (await this.pass(building, stop)) return building.map(resultOf);
      }
      if (!signal.aborted) throw over.signal.reason;
      return [];
    } finally {
      over.abort();
      await beating;
      await release(this.pool, building).catch(() => undefined); // what is not live waits for the next; without a word it is taken for dead
      await dropRetired(this.pool).catch((error: unknown) => this.options.logger.warn({ err: error }, 'Old tables could not be dropped.'));
    }
  }

  /** Goes on with what is there, or begins anew; all or nothing. */
  private async begin(): Promise<Building[]> {
    const { projections, silence } = this.options;
    const building: Building[] = [];
    try {
      for (const projection of projections) {
        const build = await underMigrationLock(this.pool, (client) => this.buildOf(client, projection));
        const claimed = await claim(this.pool, build, this.name, silence);
        if (!claimed)
          throw new BuildUnderWay(`${projection.name} is being rebuilt by another; \`status\` shows by whom and how far it is.`);
        building.push({
          ...claimed,
          projection,
          consumer: consumerOf(projection, this.pool, { build: build.build, inBulk: true, keeping: keptByEach(projections.length) }),
          checkpoint: checkpointOf(this.pool, 'read_models', projection.name, projection.version, build.build, 'builder'),
        });
      }
      return building;
    } catch (error) {
      await release(this.pool, building);
      throw error;
    }
  }

  private async buildOf(client: PoolClient, projection: Projection): Promise<Required<Build>> {
    const { name, version } = projection;
    const { rows: live } = await client.query('SELECT FROM read_models.live_builds WHERE projection = $1 AND version = $2', [
      name,
      version,
    ]);
    if (!live.length)
      throw new BuildUnderWay(`${name}, version ${version}, is not live yet: the projector builds it. A rebuild is for one that is.`);
    const { rows: begun } = await client.query<Required<Build>>(`${REBUILDS} AND projection = $1 AND version = $2`, [name, version]);
    if (begun[0]) return begun[0];
    const { rows } = await client.query<{ next: number }>(
      `SELECT max(build) + 1 AS next FROM read_models.checkpoints WHERE projection = $1 AND version = $2`,
      [name, version],
    );
    let build = rows[0]!.next;
    while (await isTaken(client, { name, version, build })) build += 1; // what was retired may still be read, and is dropped later
    await createBuild(client, projection, build);
    await client.query('INSERT INTO read_models.builders (projection, version, build, epoch) VALUES ($1, $2, $3, 0)', [
      name,
      version,
      build,
    ]);
    return { name, version, build };
  }

  /** One read of `$all`, until it has switched (true), or failed. */
  private async pass(building: Building[], signal: AbortSignal): Promise<boolean> {
    const { feed, logger, maxBatch } = this.options;
    const progress = await Promise.all(building.map(({ checkpoint }) => checkpoint.read()));
    const enough = new AbortController();
    for (const one of building) one.worker = new Worker({ ...one, leads: () => holds(this.pool, one), logger, maxBatch });
    const positions = progress.map(({ last }) => last?.position ?? -1n);
    const first = positions.reduce((a, b) => (a < b ? a : b));
    const lane = new Lane(
      building.map(({ worker }) => worker!),
      { feed, after: first < 0n ? undefined : first, signal, enough: enough.signal },
    );
    const reading = lane.run();
    const following = this.follow(building, AbortSignal.any([signal, enough.signal]));
    await Promise.race([reading, following]).catch(() => undefined); // told below
    enough.abort();
    const [read, followed] = await Promise.allSettled([reading, following]);
    if (followed.status === 'fulfilled' && followed.value) return true; // also if it was told to stop meanwhile
    if (signal.aborted) return false;
    const failure: unknown = [followed, read].find((settled) => settled.status === 'rejected')?.reason;
    if (failure === undefined) return building.every(({ worker }) => worker!.poison);
    if (failure instanceof LeadershipLost || failure instanceof RebuildLost) {
      if (await this.areLive(building)) return true; // it was switched, and the word of it was lost
      throw lost();
    }
    logger.warn({ err: failure }, 'The rebuild was interrupted; it goes on from its checkpoints.');
    await sleep(READ_AGAIN, undefined, { signal }).catch(() => undefined);
    return false;
  }

  private async areLive(building: readonly Building[]): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      `SELECT FROM read_models.live_builds WHERE (projection, version, build) IN (SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[]))`,
      [building.map(({ build }) => build.name), building.map(({ build }) => build.version), building.map(({ build }) => build.build)],
    );
    return rowCount === building.length;
  }

  /** Looks how far it is, until it has switched. */
  private async follow(building: readonly Building[], signal: AbortSignal): Promise<boolean> {
    const indexed = new Set<Building>(); // in this pass: one that had stopped may have come up since the one before
    while (!signal.aborted) {
      await this.tell(building);
      if (building.some(({ worker }) => worker!.events > 0)) this.options.at?.('folding');
      const healthy = building.filter(({ worker }) => !worker!.poison);
      const isThere = healthy.length > 0 && healthy.every(({ worker }) => (worker!.written ?? -1n) >= (this.target ?? -1n));
      const bare = isThere ? healthy.filter((one) => !indexed.has(one)) : [];
      if (bare.length) {
        this.step = 'indexing';
        this.options.at?.('indexing');
        for (const { projection, build } of bare) await indexBuild(this.pool, projection, build.build);
        for (const one of bare) indexed.add(one);
        this.step = 'catching up';
        await this.tell(building);
      }
      if (isThere && !signal.aborted && (await this.trySwitch(healthy, signal))) return true;
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
    }
    return false;
  }

  /** All at once, in one transaction, while the leader's next write waits: so that the new rows are never behind the old. */
  private async trySwitch(building: readonly Building[], signal: AbortSignal): Promise<boolean> {
    const projections = building.map(({ projection }) => projection);
    await scrubForgotten(this.pool, projections, this.options.logger);
    const switched = await inTransaction(this.pool, async (client) => {
      await client.query(`SET LOCAL idle_in_transaction_session_timeout = '${MOST_HELD}'`);
      const { rows } = await client.query<Required<Build> & { position: string | null }>(
        `SELECT projection AS name, version, build, position::text FROM read_models.checkpoints c JOIN read_models.live_builds l
            USING (projection, version, build) WHERE projection = ANY ($1) ORDER BY projection, version FOR UPDATE OF c`,
        [building.map(({ build: { name } }) => name)],
      );
      const end = performance.now() + HOLD;
      for (const { build, worker } of building) {
        const old = rows.find(({ name, version }) => name === build.name && version === build.version);
        while ((worker!.written ?? -1n) < BigInt(old?.position ?? -1)) {
          if (performance.now() > end || signal.aborted || worker!.poison) return false;
          await sleep(5);
        }
      }
      if (await namesForgotten(client, building)) return false;
      if (!(await finish(client, building))) throw lost();
      for (const { build } of building) {
        const old = rows.find(({ name, version }) => name === build.name && version === build.version);
        await client.query('UPDATE read_models.live_builds SET build = $3 WHERE projection = $1 AND version = $2', [
          ...[build.name, build.version, build.build],
        ]);
        if (old) await retire(client, old);
      }
      this.options.at?.('switching');
      return true;
    });
    if (switched) this.options.at?.('switched');
    return switched;
  }

  private async keepBeating(building: readonly Building[], over: AbortController, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const holds = await beat(this.pool, building, this.rate, this.step).catch((error: unknown) =>
        this.options.logger.warn({ err: error }, 'The rebuild could not say that it lives.'),
      );
      if (holds === false && !signal.aborted) over.abort(lost());
      await sleep(BEAT, undefined, { signal }).catch(() => undefined);
    }
  }

  private async livePosition(building: readonly Building[]): Promise<bigint | undefined> {
    const { rows } = await this.pool.query<{ position: string | null }>(
      `SELECT max(position)::text AS position FROM read_models.checkpoints JOIN read_models.live_builds USING (projection, version, build)
        WHERE projection = ANY ($1)`,
      [building.map(({ build: { name } }) => name)],
    );
    return rows[0]?.position ? BigInt(rows[0].position) : undefined;
  }

  private async tell(building: readonly Building[]): Promise<void> {
    const { events, total } = await countEvents(this.pool, building);
    const now = performance.now();
    if (now - this.seen.at >= BEAT) {
      this.rate = Math.max(0, (events - this.seen.events) / ((now - this.seen.at) / 1_000));
      this.seen = { at: now, events };
    }
    const secondsLeft = this.rate > 0 ? Math.max(0, total - events) / this.rate : null;
    this.options.progress?.({ step: this.step, events, total, rate: Math.round(this.rate), secondsLeft });
  }
}

/** K4: somebody was forgotten meanwhile, and is not yet taken out of what was folded before. */
async function namesForgotten(client: PoolClient, building: readonly Building[]): Promise<boolean> {
  const builds = building.filter(({ projection }) => isScrubbed(projection)).map(({ build }) => build);
  const { rowCount } = await client.query(
    `SELECT FROM read_models.checkpoints c JOIN unnest($1::text[], $2::integer[], $3::integer[]) AS mine (projection, version, build)
        USING (projection, version, build) WHERE ${isUnscrubbed('c')} LIMIT 1`,
    [builds.map(({ name }) => name), builds.map(({ version }) => version), builds.map(({ build }) => build)],
  );
  return rowCount !== 0;
}

const resultOf = ({ build, worker }: Building): Rebuilt => ({ ...build, poison: worker?.poison });

const lost = () => new RebuildLost('The rebuild was called off, or is done by another.');

async function countEvents(pool: Pool, building: readonly Building[]): Promise<{ events: number; total: number }> {
  const { rows } = await pool.query<{ events: string; total: string }>(
    `SELECT coalesce(min(events) FILTER (WHERE mine AND state = 'running'), 0)::text AS events, coalesce(max(events), 0)::text AS total
      FROM (SELECT events, state, (projection, version, build) IN (SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[])) AS mine
          FROM read_models.checkpoints
        UNION ALL SELECT events, state, false FROM event_feed.checkpoints) all_of_them`,
    [building.map(({ build }) => build.name), building.map(({ build }) => build.version), building.map(({ build }) => build.build)],
  );
  return { events: Number(rows[0]!.events), total: Number(rows[0]!.total) };
}
