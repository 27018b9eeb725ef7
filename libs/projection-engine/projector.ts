import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Pool } from 'pg';
import type { Logger } from 'pino';
import { checkpointOf, type Checkpoint, type Poison, type Progress } from './checkpoint.js';
import { dropRetired, retireUnfed } from './builders.js';
import { feedBeside, versionName } from './beside.js';
import { goLive } from './go-live.js';
import { requireSameStore } from './store-check.js';
import type { Consumer } from './consumer.js';
import { EVENT_FEED, eventFeed, EVENT_FEED_VERSION } from './event-feed.js';
import type { Projection } from './define-projection.js';
import type { Feed } from './feed.js';
import { Lane } from './lane.js';
import { lead } from './leadership.js';
import { followLive } from './live-projection.js';
import { migrate } from './schema.js';
import { type Todo, todoOf, type TodoOptions } from './todo.js';
import { dropAbandoned } from './verify.js';
import { LeadershipLost, Worker } from './worker.js';

const MAX_CONNECTIONS = 16;
const READ_AGAIN = 1_000; // ms after the feed failed
const TIDY = 1_000; // ms between two looks at what else there is to do
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
  private enough = new AbortController(); // ends a read of the events, for another to begin
  private lastRates = { at: performance.now(), events: new Map<string, number>() };

  constructor(private readonly options: ProjectorOptions) {
    const { databaseUrl, projections, publish, todo, effects = [], logger } = options;
    this.pool = projectorPool(databaseUrl, this.name);
    this.pool.on('error', (error) => logger.warn({ err: error }, 'An idle connection broke.'));
    this.todo = todo && todoOf(todo, this.pool, logger);
    this.followed = projections.map((projection) => followLive(projection, this.pool, projections.length));
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
      const over = new AbortController();
      const beside = feedBeside(
        { ...this.options, name: this.name, isLeading: () => this.leading },
        this.pool,
        AbortSignal.any([signal, over.signal]),
      );
      const options = { databaseUrl, name: this.name, feeds: projections.map(versionName), logger, rates: () => this.rates(), silence };
      const leading = lead(options, signal, async (epoch, whileLeading) => {
        this.leading = true;
        await this.work(epoch, whileLeading).finally(() => (this.leading = false));
      });
      await leading.finally(() => over.abort()).finally(() => beside);
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
    const beside = [this.todo ? this.todo.run(signal) : Promise.resolve(), this.tidy(signal), ...others];
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
    const enough = (this.enough = new AbortController());
    if (!followed.length) return void (await stopped(AbortSignal.any([signal, enough.signal])));
    const progress = await Promise.all(followed.map(({ checkpoint }) => checkpoint.read()));
    const { near, far } = byDistance(followed.map((one, i) => ({ ...one, progress: progress[i]! })));
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

  private async checkStore(signal: AbortSignal): Promise<void> {
    const { feed, logger } = this.options;
    for (const { checkpoint } of this.followed) await requireSameStore(feed, checkpoint, signal, logger);
  }

  /** What the leader looks after beside the events: new versions that have caught up, what goes on after a poison event, old tables. */
  private async tidy(signal: AbortSignal): Promise<void> {
    const { projections, logger } = this.options;
    const tried = (what: Promise<void>) =>
      what.catch((error: unknown) => logger.warn({ err: error }, 'The read models could not be looked after.'));
    while (!signal.aborted) {
      await tried(goLive(this.pool, projections, logger));
      await tried(this.revive());
      await tried(this.retire());
      await tried(dropRetired(this.pool));
      await tried(dropAbandoned(this.pool));
      await sleep(TIDY, undefined, { signal }).catch(() => undefined);
    }
  }

  private async retire(): Promise<void> {
    for (const { name, version } of await retireUnfed(this.pool))
      this.options.logger.info({ projection: name, version }, 'Nobody feeds this version any more: its tables go.');
  }

  /** A poison event was passed over, or a rebuild has found none: what has stopped goes on, from a new read of the events. */
  private async revive(): Promise<void> {
    for (const followed of this.followed) {
      if (!followed.worker?.poison || (await followed.checkpoint.read()).state === 'poisoned') continue;
      delete followed.worker;
      this.enough.abort();
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
