import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Pool, type PoolClient } from 'pg';
import type { Logger } from 'pino';
import { beat, claim, type Claim, finish, holds } from './builders.js';
import { checkpointOf, type Checkpoint } from './checkpoint.js';
import { type Difference, differencesBetween } from './compare.js';
import type { Consumer } from './consumer.js';
import type { Projection } from './define-projection.js';
import type { Feed } from './feed.js';
import { heldClient } from './held-client.js';
import { isUnscrubbed, scrubForgotten } from './forgotten.js';
import { Lane } from './lane.js';
import { consumerOf, keptByEach } from './projection-consumer.js';
import { isScrubbed } from './scrub.js';
import { createBuild, underMigrationLock } from './schema.js';
import { AFRESH, historyName, tableName, type Build } from './sql-names.js';
import { noteVerified, type Verified } from './verified.js';
import { LeadershipLost, Worker } from './worker.js';

// J5, K3: the events folded afresh, into tables of their own beside the live ones, up to where these stand; then both are held against each
// other in one snapshot, while they are read and written.

const CONNECTIONS = 6;
const BEAT = 1_000; // ms between two signs of life
const HOLD = 1_000; // ms that the leader's write may be held up
const MOST_TRIES = 20; // to stand where the live table stands
const LOOK = 500; // ms between two looks at whether those who are being forgotten are
const PATIENCE = 30_000; // ms, until they are

export interface VerifyOptions {
  databaseUrl: string;
  feed: Feed;
  /** Those to verify: all of them from one read of `$all`. */
  projections: readonly Projection[];
  /** Told each difference as it is found. */
  onDifference?: (difference: Difference, projection: Projection) => void;
  logger: Pick<Logger, 'warn' | 'error'>;
  maxBatch?: number;
  /** Milliseconds that those who are being forgotten are waited for. */
  patience?: number;
}

/** K4: what was read with a key that is deleted by now differs from what is read without: nobody can tell whether that is all. */
class BeingForgotten extends Error {
  override name = 'BeingForgotten';
}

/** It is being verified already, or is not live. */
export class NotVerifiable extends Error {
  override name = 'NotVerifiable';
}

interface Afresh extends Claim {
  projection: Projection;
  consumer: Consumer;
  checkpoint: Checkpoint;
}

/**
 * Folds the events afresh and compares every row, and every version of a row, with those that are read. What came of it is kept, for the
 * status. Told to stop, it says nothing of those that it has not compared.
 */
export async function verify(options: VerifyOptions, signal: AbortSignal): Promise<Verified[]> {
  const name = `verify-${process.pid}-${randomUUID().slice(0, 8)}`;
  const pool = new pg.Pool({
    ...{ connectionString: options.databaseUrl, application_name: name, max: CONNECTIONS, keepAlive: true },
    options: '-c TimeZone=UTC -c synchronous_commit=off',
  });
  pool.on('error', (error) => options.logger.warn({ err: error }, 'An idle connection broke.'));
  try {
    return await new Verification(options, pool, name).run(signal);
  } finally {
    await pool.end();
  }
}

class Verification {
  constructor(
    private readonly options: VerifyOptions,
    private readonly pool: Pool,
    private readonly name: string,
  ) {}

  async run(signal: AbortSignal): Promise<Verified[]> {
    const all: Afresh[] = [];
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const beating = this.keepBeating(all, over, stop);
    try {
      for (const projection of this.options.projections) all.push(await this.begin(projection));
      await this.advance(all, await this.earliestLive(all), stop);
      const verified: Verified[] = [];
      for (const one of all) {
        const result = stop.aborted ? undefined : await this.held(one, stop);
        if (!result) continue;
        await noteVerified(this.pool, result);
        verified.push(result);
      }
      if (over.signal.aborted) throw over.signal.reason;
      return verified;
    } finally {
      over.abort();
      await beating;
      await this.clear(all);
    }
  }

  /** Whatever one that died has left is of no use: it is folded afresh. */
  private async begin(projection: Projection): Promise<Afresh> {
    const { name, version } = projection;
    const build = { name, version, build: AFRESH };
    if ((await this.live(projection)) === undefined)
      throw new NotVerifiable(`${name}, version ${version}, is not live yet: the projector builds it.`);
    const claimed = await claim(this.pool, build, this.name);
    if (!claimed) throw new NotVerifiable(`${name} is being verified by another.`);
    await underMigrationLock(this.pool, async (client) => {
      await drop(client, build);
      await createBuild(client, projection, AFRESH);
    });
    const checkpoint = checkpointOf(this.pool, 'read_models', name, version, AFRESH, 'builder');
    return {
      ...claimed,
      projection,
      checkpoint,
      consumer: consumerOf(projection, this.pool, { build: AFRESH, inBulk: true, keeping: keptByEach(this.options.projections.length) }),
    };
  }

  /** One read of `$all`, up to a position and not beyond. Poison stops its own alone. */
  private async advance(all: readonly Afresh[], until: bigint | undefined, signal: AbortSignal): Promise<void> {
    if (until === undefined) return;
    const positions = await Promise.all(all.map(async ({ checkpoint }) => (await checkpoint.read()).last?.position ?? -1n));
    const first = positions.reduce((a, b) => (a < b ? a : b));
    if (first >= until) return;
    const { feed, logger, maxBatch } = this.options;
    const workers = all.map((one) => new Worker({ ...one, leads: () => holds(this.pool, one), logger, maxBatch }));
    try {
      await new Lane(workers, { feed: upTo(feed, until), after: first < 0n ? undefined : first, signal, enough: signal }).run();
    } catch (error) {
      if (!(error instanceof LeadershipLost) && !signal.aborted) throw error;
    }
  }

  /** Undefined: it was told to stop. */
  private async held(one: Afresh, signal: AbortSignal): Promise<Verified | undefined> {
    const { name, version } = one.projection;
    const about = { name, version, position: null, rows: 0, differences: 0 };
    const end = performance.now() + (this.options.patience ?? PATIENCE);
    try {
      for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries += 1) {
        await this.advance([one], await this.live(one.projection).then((live) => live?.position ?? undefined), signal);
        const { poison } = await one.checkpoint.read();
        if (poison)
          return { ...about, problem: `Folded afresh, it stops at ${poison.type} ${poison.stream}@${poison.revision}: ${poison.error}` };
        await scrubForgotten(this.pool, [one.projection], this.options.logger, { ofVerify: true });
        const result = await this.compare(one, signal).catch(async (error: unknown) => {
          if (!(error instanceof BeingForgotten) || performance.now() > end) throw error;
          await sleep(LOOK, undefined, { signal }).catch(() => undefined);
          tries -= 1;
        });
        if (result) return { ...about, ...result, problem: null };
        await sleep(HOLD, undefined, { signal }).catch(() => undefined); // the leader goes on
      }
      if (signal.aborted) return undefined;
      return { ...about, problem: `It was never at one position with its fold: more is written than can be folded in ${HOLD} ms.` };
    } catch (error) {
      if (signal.aborted) return undefined;
      this.options.logger.error({ projection: name, err: error }, 'A read model could not be verified.');
      return { ...about, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Undefined: the two could not be brought to one position while the leader waited. */
  private async compare(one: Afresh, signal: AbortSignal): Promise<Pick<Verified, 'position' | 'rows' | 'differences'> | undefined> {
    const { client, giveBack } = await heldClient(this.pool);
    let broken = false;
    try {
      const live = await this.sameMoment(one, client, signal);
      if (!live) return undefined;
      let differences = 0;
      for await (const difference of differencesBetween(client, one.projection, live, one.build)) {
        differences += 1;
        this.options.onDifference?.(difference, one.projection);
        if (signal.aborted) return undefined;
      }
      const { rows } = await client.query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${tableName(live)}`);
      return { position: live.position === null ? null : String(live.position), rows: rows[0]!.rows, differences };
    } finally {
      await client.query('ROLLBACK').catch(() => (broken = true));
      giveBack(broken);
    }
  }

  /** Begins the snapshot in which both stand at one position: the leader's next write waits until it is taken. */
  private async sameMoment(one: Afresh, client: PoolClient, signal: AbortSignal): Promise<Live | undefined> {
    const { client: holding, giveBack } = await heldClient(this.pool);
    let broken = false;
    try {
      await holding.query('BEGIN');
      const live = await this.live(one.projection, holding, 'FOR UPDATE OF checkpoints');
      if (!live) throw new NotVerifiable(`${one.projection.name} is no longer live.`);
      await this.advance([one], live.position ?? undefined, AbortSignal.any([signal, AbortSignal.timeout(HOLD)]));
      if (((await one.checkpoint.read()).last?.position ?? null) !== live.position) return undefined;
      if (await isBeingForgotten(holding, one, live))
        throw new BeingForgotten(
          'Undecided: clients are being forgotten, and the read model does not have all of that yet. Verify it again later.',
        );
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const tables = [live, one.build].flatMap((build) => [tableName(build), ...(one.projection.history ? [historyName(build)] : [])]);
      for (const table of tables) await client.query(`SELECT FROM ${table} LIMIT 0`); // from now on nobody drops it
      return live;
    } finally {
      await holding.query('ROLLBACK').catch(() => (broken = true));
      giveBack(broken);
    }
  }

  private async live({ name, version }: Projection, client: Pick<Pool, 'query'> = this.pool, lock = ''): Promise<Live | undefined> {
    const { rows } = await client.query<Required<Build> & { position: string | null }>(
      `SELECT projection AS name, version, build, position::text FROM read_models.checkpoints JOIN read_models.live_builds
        USING (projection, version, build) WHERE projection = $1 AND version = $2 ${lock}`,
      [name, version],
    );
    return rows[0] && { ...rows[0], position: rows[0].position === null ? null : BigInt(rows[0].position) };
  }

  private async earliestLive(all: readonly Afresh[]): Promise<bigint | undefined> {
    const positions = await Promise.all(all.map(async ({ projection }) => (await this.live(projection))?.position ?? null));
    return positions.reduce<bigint | undefined>(
      (first, position) => (position === null || (first !== undefined && first < position) ? first : position),
      undefined,
    );
  }

  private async keepBeating(all: readonly Afresh[], over: AbortController, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(BEAT, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const isOurs = await beat(this.pool, [...all], 0, 'verifying').catch((error: unknown) =>
        this.options.logger.warn({ err: error }, 'The verification could not say that it lives.'),
      );
      if (isOurs === false) over.abort(new NotVerifiable('The verification was taken over by another.'));
    }
  }

  private async clear(all: readonly Afresh[]): Promise<void> {
    for (const one of all)
      await underMigrationLock(this.pool, async (client) => {
        if (await finish(client, [one])) await drop(client, one.build); // nobody else reads it
      });
  }
}

/** Whether somebody is not taken out of both yet, or is forgotten by an event that neither holds: their key may be gone already. */
async function isBeingForgotten(client: PoolClient, { projection, build }: Afresh, live: Live): Promise<boolean> {
  if (!isScrubbed(projection)) return false;
  const { rows } = await client.query<{ isSo: boolean; hasKeys: boolean }>(
    `SELECT to_regclass('personal_keys.keys') IS NOT NULL AS "hasKeys",
      EXISTS (SELECT FROM policies.forgotten WHERE position > coalesce($4, -1)) OR EXISTS (SELECT FROM read_models.checkpoints c
        WHERE projection = $1 AND version = $2 AND build = ANY ($3) AND ${isUnscrubbed('c')}) AS "isSo"`,
    [live.name, live.version, [live.build, build.build], live.position],
  );
  if (rows[0]!.isSo || !rows[0]!.hasKeys) return rows[0]!.isSo;
  const { rowCount } = await client.query(UNHEARD);
  return rowCount !== 0;
}

/** Later the projector has heard of them, or there is nothing of them. */
const UNHEARD = `SELECT FROM personal_keys.keys WHERE forgotten_at > now() - interval '10 minutes'
  AND NOT EXISTS (SELECT FROM policies.forgotten WHERE client_id::text = person_id) LIMIT 1`;

/** Those of a verification that died without a word: nobody goes on with them. */
export async function dropAbandoned(pool: Pool): Promise<void> {
  const { rowCount } = await pool.query(`SELECT ${ABANDONED}`);
  if (!rowCount) return;
  await underMigrationLock(pool, async (client) => {
    const { rows } = await client.query<Required<Build>>(`DELETE ${ABANDONED} RETURNING projection AS name, version, build`);
    for (const build of rows) await drop(client, build);
  });
}

const ABANDONED = `FROM read_models.builders WHERE build = ${AFRESH} AND beat < now() - interval '1 minute'`;

async function drop(client: PoolClient, build: Required<Build>): Promise<void> {
  await client.query(`SET LOCAL client_min_messages TO warning; DROP TABLE IF EXISTS ${tableName(build)}, ${historyName(build)}`);
  await client.query('DELETE FROM read_models.checkpoints WHERE projection = $1 AND version = $2 AND build = $3', [
    ...[build.name, build.version, build.build],
  ]);
}

interface Live extends Required<Build> {
  position: bigint | null;
}

/** The same events up to a position, and then no more. */
const upTo = (feed: Feed, until: bigint): Feed => ({
  ...feed,
  read: async function* (options) {
    for await (const batch of feed.read(options)) {
      const events = batch.at(-1)!.position > until ? batch.filter(({ position }) => position <= until) : batch;
      if (events.length) yield events;
      if (batch.at(-1)!.position >= until) return;
    }
  },
});
