import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Pool } from 'pg';
import type { Logger } from 'pino';
import { checkpointOf, type Checkpoint, type Poison, type Progress } from './checkpoint.js';
import type { Consumer } from './consumer.js';
import { EVENT_FEED, eventFeed, EVENT_FEED_VERSION } from './event-feed.js';
import type { Projection } from './define-projection.js';
import type { Feed } from './feed.js';
import { Lane } from './lane.js';
import { lead } from './leadership.js';
import { consumerOf } from './projection-consumer.js';
import { migrate } from './schema.js';
import { type Todo, todoOf, type TodoOptions } from './todo.js';
import { LeadershipLost, Worker } from './worker.js';

const MAX_CONNECTIONS = 16;
const READ_AGAIN = 1_000; // ms after the feed failed
const FLIP = 1_000; // ms between two looks at whether a new version has caught up
const FAR_BEHIND = 60_000; // ms: what is so much older than the newest gets a read of its own until it is there

export interface ProjectorOptions {
  databaseUrl: string;
  feed: Feed;
  projections: readonly Projection[];
  /** Also keep the feed of all events. */
  publish?: boolean;
  /** Without: this process runs no policies. */
  todo?: TodoOptions;
  /** Whatever else follows the events, and has its effect before its checkpoint moves. */
  effects?: readonly Consumer[];
  /** Whatever else is done by the one that leads, until the signal says stop. */
  beside?: readonly ((signal: AbortSignal) => Promise<void>)[];
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  maxBatch?: number;
  /** Postgres interval of silence after which another leader is deposed. */
  silence?: string;
}

/** The store does not have the event up to which the read models were built. */
export class StoreMismatch extends Error {
  override name = 'StoreMismatch';
}

export interface ConsumerProgress {
  name: string;
  version: number;
  position: bigint | undefined;
  /** Written since this process leads. */
  events: number;
  poison: Poison | undefined;
}

interface Followed {
  consumer: Consumer;
  checkpoint: Checkpoint;
  worker?: Worker;
}

/** Keeps the read models as new as the events. Any number may run: one leads, the others stand by. */
export class Projector {
  readonly name = `projector-${process.pid}-${randomUUID().slice(0, 8)}`;
  leading = false;
  private readonly pool: Pool;
  private readonly followed: Followed[];
  private readonly todo: Todo | undefined;
  private lastRates = { at: performance.now(), events: new Map<string, number>() };

  constructor(private readonly options: ProjectorOptions) {
    const { databaseUrl, projections, publish, todo, effects = [], logger } = options;
    this.pool = projectorPool(databaseUrl, this.name);
    this.pool.on('error', (error) => logger.warn({ err: error }, 'An idle connection broke.'));
    this.todo = todo && todoOf(todo, this.pool, logger);
    this.followed = projections.map((projection) => ({
      consumer: consumerOf(projection, this.pool),
      checkpoint: checkpointOf(this.pool, 'read_models', projection.name, projection.version),
    }));
    if (publish)
      this.followed.push({ consumer: eventFeed(), checkpoint: checkpointOf(this.pool, 'event_feed', EVENT_FEED, EVENT_FEED_VERSION) });
    for (const consumer of [...(this.todo ? [this.todo.consumer] : []), ...effects])
      this.followed.push({ consumer, checkpoint: checkpointOf(this.pool, 'policies', consumer.name, consumer.version) });
  }

  /**
   * Until the signal says stop.
   * @throws StoreMismatch, or what makes the tables impossible
   */
  async run(signal: AbortSignal): Promise<void> {
    const { databaseUrl, projections, effects, logger, silence } = this.options;
    try {
      await migrate(this.pool, projections, effects);
      await lead({ databaseUrl, name: this.name, logger, rates: () => this.rates(), silence }, signal, async (epoch, leading) => {
        this.leading = true;
        await this.work(epoch, leading).finally(() => (this.leading = false));
      });
    } finally {
      await this.pool.end();
    }
  }

  progress(): ConsumerProgress[] {
    return this.followed.map(({ consumer: { name, version }, worker }) => ({
      name,
      version,
      position: worker?.written,
      events: worker?.events ?? 0,
      poison: worker?.poison,
    }));
  }

  private async work(epoch: bigint, leading: AbortSignal): Promise<void> {
    await this.checkStore(leading);
    if (leading.aborted) return;
    await this.todo?.start();
    for (const followed of this.followed) delete followed.worker;
    const over = new AbortController();
    const signal = AbortSignal.any([leading, over.signal]);
    const others = (this.options.beside ?? []).map((work) => work(signal));
    const beside = [this.todo ? this.todo.run(signal) : Promise.resolve(), this.flipVersions(epoch, signal), ...others];
    try {
      while (!signal.aborted) await this.pass(epoch, signal);
    } finally {
      over.abort();
      await Promise.all(beside);
    }
  }

  /** From the checkpoints to where a consumer that was far behind has come up with the others. */
  private async pass(epoch: bigint, signal: AbortSignal): Promise<void> {
    const { feed, logger } = this.options;
    const followed = this.followed.filter(({ worker }) => !worker?.poison);
    if (!followed.length) return void (await stopped(signal));
    const progress = await Promise.all(followed.map(({ checkpoint }) => checkpoint.read()));
    const { near, far } = byDistance(followed.map((one, i) => ({ ...one, progress: progress[i]! })));
    const enough = new AbortController();
    const lane = (members: Following[], until?: (position: bigint) => boolean) =>
      new Lane(
        members.map((member) => this.workerFor(member, epoch)),
        { feed, after: earliest(members), signal, enough: enough.signal, until },
      );
    const main = lane(near);
    const catchingUp = far.length ? lane(far, (position) => position >= main.position) : undefined;
    const joined = async () => {
      await catchingUp?.run();
      if (catchingUp?.workers.some(({ poison }) => !poison)) enough.abort();
    };
    const lanes = [main.run(), joined()];
    try {
      await Promise.all(lanes);
    } catch (error) {
      if (error instanceof LeadershipLost || signal.aborted) throw error;
      logger.warn({ err: error }, 'The events could not be read; they are read again from the checkpoints.');
      enough.abort();
      await sleep(READ_AGAIN, undefined, { signal }).catch(() => undefined);
    } finally {
      enough.abort();
      await Promise.allSettled(lanes);
    }
  }

  private workerFor({ consumer, checkpoint }: Following, epoch: bigint): Worker {
    const { logger, maxBatch } = this.options;
    const leads = async () => {
      const { rows } = await this.pool.query<{ leads: boolean }>('SELECT epoch = $1 AS leads FROM read_models.leader', [epoch]);
      return rows[0]?.leads ?? false;
    };
    const worker = new Worker({ consumer, checkpoint, epoch, leads, logger, maxBatch });
    this.followed.find((followed) => followed.consumer === consumer)!.worker = worker;
    return worker;
  }

  /** A restored store or a changed address: the read models would hold events that never happened. */
  private async checkStore(signal: AbortSignal): Promise<void> {
    const { feed, logger } = this.options;
    for (const { checkpoint } of this.followed) {
      const { last } = await checkpoint.read();
      while (last && !signal.aborted) {
        const has = await feed
          .has(last)
          .catch((error: unknown) => logger.warn({ err: error }, 'The event store could not be asked; it is asked again.'));
        if (has) break;
        if (has === false) throw mismatch(checkpoint, last, feed.store);
        await sleep(READ_AGAIN, undefined, { signal }).catch(() => undefined);
      }
      await checkpoint.nameStore(feed.store);
    }
  }

  /** A new version goes live once it is where the old one is, a new projection once it is where the others are. */
  private async flipVersions(epoch: bigint, signal: AbortSignal): Promise<void> {
    const { projections, logger } = this.options;
    while (!signal.aborted) {
      const flipped = await this.pool
        .query<{ projection: string; version: number }>(GO_LIVE, [
          projections.map(({ name }) => name),
          projections.map(({ version }) => version),
          epoch,
        ])
        .catch((error: unknown) => logger.warn({ err: error }, 'Whether new versions have caught up could not be seen.'));
      for (const { projection, version } of flipped?.rows ?? []) logger.info({ projection, version }, 'A new version is live.');
      await sleep(FLIP, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Events per second of each consumer since it was asked last. */
  private rates(): Record<string, number> {
    const now = performance.now();
    const events = new Map(this.followed.map(({ consumer, worker }) => [consumer.name, worker?.events ?? 0]));
    const seconds = (now - this.lastRates.at) / 1000;
    const rateOf = (name: string, count: number) => Math.max(0, Math.round((count - (this.lastRates.events.get(name) ?? 0)) / seconds));
    const rates = Object.fromEntries([...events].map(([name, count]): [string, number] => [name, rateOf(name, count)]));
    this.lastRates = { at: now, events };
    return rates;
  }
}

/**
 * Rows and checkpoint are one transaction, so that losing the last of them in a crash of Postgres only means folding those events
 * again: their commits need not wait for the disk.
 */
const projectorPool = (databaseUrl: string, name: string): Pool =>
  new pg.Pool({
    connectionString: databaseUrl,
    application_name: name,
    max: MAX_CONNECTIONS,
    keepAlive: true,
    options: '-c TimeZone=UTC -c synchronous_commit=off -c statement_timeout=60s -c idle_in_transaction_session_timeout=30s',
  });

const GO_LIVE = `
  WITH mine AS (SELECT * FROM unnest($1::text[], $2::integer[]) AS mine (projection, version)),
    live AS (SELECT * FROM read_models.live_builds JOIN read_models.checkpoints USING (projection, version, build))
  INSERT INTO read_models.live_builds
    SELECT projection, version, build FROM mine JOIN read_models.checkpoints built USING (projection, version)
    WHERE state = 'running' AND EXISTS (SELECT FROM read_models.leader WHERE epoch = $3)
      AND NOT EXISTS (SELECT FROM live WHERE live.projection = built.projection AND live.version = built.version)
      AND coalesce(position, -1) >= coalesce(
        (SELECT max(coalesce(position, -1)) FROM live WHERE live.projection = built.projection),
        (SELECT min(coalesce(position, -1)) FROM live JOIN mine USING (projection, version) WHERE state = 'running'), -1)
    ON CONFLICT DO NOTHING RETURNING projection, version`;

const mismatch = ({ name, version }: Checkpoint, last: NonNullable<Progress['last']>, store: string) =>
  new StoreMismatch(
    `${name} version ${version} was built up to event ${last.id} (${last.stream}@${last.revision}, position ${last.position}), ` +
      `which the event store ${store} does not have. Was it restored from an older backup, or EVENTSTORE_URL changed? ` +
      'Connect to the store that has the event, restore the matching Postgres backup, or drop the schemas read_models, event_feed and policies to build them anew.',
  );

interface Following extends Followed {
  progress: Progress;
}

/** A consumer that is new, or was stopped for long, must not hold up the others. */
function byDistance(all: Following[]): { near: Following[]; far: Following[] } {
  const timeOf = ({ progress: { last } }: Following) => (last ? Date.parse(last.time) : -Infinity);
  const newest = Math.max(...all.map(timeOf));
  const isNear = (one: Following) => newest === -Infinity || timeOf(one) > newest - FAR_BEHIND;
  return { near: all.filter(isNear), far: all.filter((one) => !isNear(one)) };
}

function earliest(members: Following[]): bigint | undefined {
  const positions = members.map(({ progress: { last } }) => last?.position ?? -1n);
  const first = positions.reduce((a, b) => (a < b ? a : b));
  return first === -1n ? undefined : first;
}

const stopped = (signal: AbortSignal) =>
  new Promise((resolve) => (signal.aborted ? resolve(undefined) : signal.addEventListener('abort', resolve)));
