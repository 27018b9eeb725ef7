import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Recorded } from '../domain/kernel/event.js';
import { type Checkpoint, Fenced, type Poison } from './checkpoint.js';
import { type Consumer, PoisonEvent } from './consumer.js';
import type { Fed } from './feed.js';
import { Inbox } from './inbox.js';

const MAX_BATCH = 2_500; // events folded and written at once: more cost more memory and garbage collection than they save
const BACK_OFF = { first: 50, most: 5_000 }; // ms, doubling

/** Who leads has changed: whatever this process still wants to write, it may not. */
export class LeadershipLost extends Error {
  override name = 'LeadershipLost';
}

/** Postgres has crashed and lost the commits that it had not put on the disk yet: their events must be read again. */
export class CommitsLost extends Error {
  override name = 'CommitsLost';
}

export interface WorkerOptions {
  consumer: Consumer;
  checkpoint: Checkpoint;
  epoch: bigint;
  /** Whether the epoch is still that of the leader. */
  leads: () => Promise<boolean>;
  logger: Pick<Logger, 'warn' | 'error'>;
  maxBatch?: number;
}

/**
 * Brings one consumer forward: takes what has arrived, folds it while the batch before is being written, writes it. What fails
 * for want of a connection is done again from the checkpoint; an event that can't be folded stops this consumer alone.
 */
export class Worker {
  /** Position of the last event whose effect is committed. */
  written: bigint | undefined;
  /** Events whose effect was committed by this worker. */
  events = 0;
  poison: Poison | undefined;
  readonly inbox: Inbox;
  private readonly maxBatch: number;
  private folded: bigint | undefined;
  private skipped: ReadonlySet<string> = new Set();
  private again: (readonly Fed[])[] = []; // batches to do before the inbox: they failed, some cut smaller
  private inFlight: readonly Fed[] = [];
  private writing: Promise<void> = Promise.resolve();
  private failures = 0;

  constructor(private readonly options: WorkerOptions) {
    this.maxBatch = options.maxBatch ?? MAX_BATCH;
    this.inbox = new Inbox(2 * this.maxBatch);
  }

  get consumer(): Consumer {
    return this.options.consumer;
  }

  /**
   * Works until the inbox is closed and empty, the signal says stop, or an event is poison.
   * @throws LeadershipLost, CommitsLost
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.inbox.discard();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    await this.recover(signal);
    while (!this.poison && !signal.aborted) {
      const batch = this.again.shift() ?? (await this.nextBatch());
      try {
        if (batch.length) await this.advance(batch);
        else await this.writing;
        if (!batch.length && this.inbox.isOver) break;
      } catch (error) {
        await this.afterFailure(error, batch, signal);
      }
    }
    await this.writing.catch(() => undefined); // told to stop: it is committed or not, and the checkpoint knows
    this.inbox.discard();
    this.consumer.reset(); // nothing of its rows is needed any more
    signal.removeEventListener('abort', stop);
  }

  /** With nothing to fold meanwhile, waits for what is being written: none then, so that a failure is seen at once. */
  private async nextBatch(): Promise<readonly Fed[]> {
    return this.inFlight.length && this.inbox.isEmpty ? [] : this.inbox.take(this.maxBatch, this.consumer.linger);
  }

  /** Folds a batch, and starts writing it once the one before is written. */
  private async advance(batch: readonly Fed[]): Promise<void> {
    const events = unseen(batch, this.folded);
    const last = events.at(-1);
    if (!last) return;
    const write = await this.consumer.fold(this.readable(events));
    await this.writing;
    const from = this.folded;
    this.folded = last.position;
    this.inFlight = events;
    this.writing = this.options.checkpoint.move(from, last, this.options.epoch, write, events.length).then(() => {
      this.written = last.position;
      this.events += events.length;
      this.inFlight = [];
      this.failures = 0;
    });
    this.writing.catch(() => undefined); // seen when the next batch waits for it
    if (this.again.length) await this.writing; // looking for the event that fails: one batch after the other
  }

  /** Without what is passed over. @throws PoisonEvent */
  private readable(all: readonly Fed[]): readonly Recorded[] {
    const events = this.skipped.size ? all.filter(({ id }) => !this.skipped.has(id)) : all;
    if (this.consumer.takesUnreadable) return events;
    const unreadable = events.find((event) => 'unreadable' in event && this.consumer.concerns(event.type));
    if (unreadable && 'unreadable' in unreadable) throw new PoisonEvent(unreadable, unreadable.unreadable);
    return events.filter((event) => !('unreadable' in event));
  }

  private async afterFailure(error: unknown, batch: readonly Fed[], signal: AbortSignal): Promise<void> {
    const failure = await this.writing.then(
      () => error,
      (earlier: unknown) => earlier, // the batch before failed first, and this one was folded on it
    );
    const failed = this.inFlight.length ? this.inFlight : batch;
    const after = this.inFlight.length && batch.length && batch !== this.inFlight ? [batch] : [];
    const smaller = isEventsFault(failure) ? cut(failed, failure) : [failed];
    if (failed.length === 1 && isEventsFault(failure)) return this.stopAt(failed[0]!, failure, signal);
    this.again = [...smaller, ...after, ...this.again];
    if (!isEventsFault(failure)) await this.pause(failure, signal);
    await this.recover(signal);
  }

  /** Back to what is committed. */
  private async recover(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { last, skipped } = await this.options.checkpoint.read();
        if (!(await this.options.leads())) throw new LeadershipLost(`${this.consumer.name}: epoch ${this.options.epoch} is over`);
        if ((last?.position ?? -1n) < (this.written ?? -1n)) throw new CommitsLost(`${this.consumer.name} is behind what it had written`);
        this.consumer.reset();
        this.skipped = skipped;
        this.inFlight = [];
        this.writing = Promise.resolve();
        this.folded = this.written = last?.position;
        return;
      } catch (error) {
        if (error instanceof LeadershipLost || error instanceof CommitsLost) throw error;
        await this.pause(error, signal);
      }
    }
  }

  private async pause(error: unknown, signal: AbortSignal): Promise<void> {
    if (!(error instanceof Fenced))
      this.options.logger.warn({ err: error, projection: this.consumer.name }, 'A batch was not written; it is tried again.');
    await sleep(Math.min(BACK_OFF.first * 2 ** this.failures, BACK_OFF.most), undefined, { signal }).catch(() => undefined);
    this.failures += 1;
  }

  /** All events before it are written; it and those after it are not. Nothing is skipped. */
  private async stopAt(event: Fed, failure: unknown, signal: AbortSignal): Promise<void> {
    const cause = failure instanceof PoisonEvent ? failure.cause : failure;
    const poison = poisonOf(event, cause);
    const { logger, checkpoint, epoch } = this.options;
    const { stack } = cause instanceof Error ? cause : {}; // not the whole error: Postgres quotes the row
    logger.error({ projection: this.consumer.name, poison, stack }, 'An event is poison: this projection has stopped, the others go on.');
    this.poison = poison;
    this.inbox.discard();
    while (!signal.aborted) {
      try {
        return await checkpoint.stop(poison, epoch);
      } catch (error) {
        await this.pause(error, signal);
        await this.recover(signal);
      }
    }
  }
}

const poisonOf = ({ position, id, type, stream, revision }: Fed, cause: unknown): Poison => ({
  position: String(position),
  eventId: id,
  type,
  stream,
  revision: String(revision),
  error: cause instanceof Error ? cause.message : String(cause),
});

/** Seen is what is not after the checkpoint: delivered again, it has no effect. */
function unseen(batch: readonly Fed[], seen: bigint | undefined): readonly Fed[] {
  const events: Fed[] = [];
  let last = seen;
  for (const event of batch) {
    if (last !== undefined && event.position <= last) continue;
    events.push(event);
    last = event.position;
  }
  return events.length === batch.length ? batch : events;
}

/** Around the event that is known to fail, else in halves. */
function cut(batch: readonly Fed[], failure: unknown): (readonly Fed[])[] {
  const at = failure instanceof PoisonEvent ? batch.indexOf(failure.event) : -1;
  const half = Math.ceil(batch.length / 2);
  const parts = at < 0 ? [batch.slice(0, half), batch.slice(half)] : [batch.slice(0, at), [batch[at]!], batch.slice(at + 1)];
  return parts.filter((part) => part.length > 0);
}

/** SQLSTATE classes that say that the values are wrong, whenever and by whomever they are written. */
const WRONG_VALUES = ['22', '23', '54'];

function isEventsFault(error: unknown): boolean {
  if (error instanceof PoisonEvent || error instanceof TypeError || error instanceof RangeError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.length === 5 && WRONG_VALUES.includes(code.slice(0, 2));
}
