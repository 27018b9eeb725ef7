import { Batch, headKey, type ReadIds, type Write, type WriteOutcome } from './batch.js';
import type { RecentIds } from './recent-ids.js';
import type { StreamHeads } from './stream-heads.js';
import { ticksNow, type StoredEvent } from './stored-event.js';

/**
 * `timeout`: not known to be stored, and not known not to be. `notReady`: certainly not stored, the server has no
 * connection to its storage.
 */
export type Reply = WriteOutcome | { kind: 'timeout' } | { kind: 'notReady' };

interface QueuedWrite {
  write: Write;
  deadline: number; // ms since 1970
  bytes: number;
  settle: ((reply: Reply) => void) | undefined; // undefined once it is answered
}

/** Where the log stands and how to append to it; replaced whenever the connection to Postgres is. */
export interface LogSession {
  position: bigint; // where the log goes on
  created: bigint; // ticks of the last event: time never goes back in the log
  insert(events: readonly StoredEvent[]): Promise<void>;
  readIds(stream: string, from: bigint, to: bigint): Promise<ReadIds>;
}

export interface WriterLimits {
  batchWrites: number;
  batchBytes: number;
  /** Beyond this many bytes waiting, callers are asked to hold back (`isFull`). */
  queueBytes: number;
}

const sweepInterval = 50; // ms between looks at deadlines

/**
 * The one writer. Writes are decided in the order of their arrival; all that wait when a transaction has ended go
 * into the next one together (group commit). A write is answered after its transaction is on disk.
 */
export class Writer {
  private readonly queue: QueuedWrite[] = [];
  private queuedBytes = 0;
  private inFlight: QueuedWrite[] = [];
  private session: LogSession | undefined;
  private running: Promise<void> | undefined;
  private sweep: NodeJS.Timeout | undefined;
  private readonly drained: (() => void)[] = [];

  constructor(
    private readonly heads: StreamHeads,
    private readonly recentIds: RecentIds,
    private readonly limits: WriterLimits,
    private readonly onCommitted: (events: readonly StoredEvent[]) => void,
    private readonly onSessionLost: (error: unknown) => void,
  ) {}

  /** Goes on at the head of this session's log. */
  open(session: LogSession): void {
    this.session = session;
    this.start();
  }

  /** The session is gone: what is in flight may or may not have been stored, what waits has not been. */
  close(): void {
    this.session = undefined;
    this.heads.clear();
    this.recentIds.clear();
    for (const queued of this.inFlight.splice(0)) answer(queued, { kind: 'timeout' });
    for (const queued of this.queue.splice(0)) answer(queued, { kind: 'notReady' });
    this.queuedBytes = 0;
    this.releaseWaiting();
  }

  get isReady(): boolean {
    return this.session !== undefined;
  }

  get isFull(): boolean {
    return this.queuedBytes > this.limits.queueBytes;
  }

  /** Calls back once there is room in the queue again. */
  whenNotFull(callback: () => void): void {
    if (this.isFull) this.drained.push(callback);
    else callback();
  }

  /**
   * @param deadline ms since 1970, after which the answer is `timeout`
   * @param bytes what it counts for among the writes that wait
   */
  write(write: Write, deadline: number, bytes: number, settle: (reply: Reply) => void): void {
    if (!this.session) return settle({ kind: 'notReady' });
    this.queue.push({ write, deadline, bytes, settle });
    this.queuedBytes += bytes;
    this.heads.prefetch(headKey(write.stream)); // while the batch before is being written
    this.sweep ??= setInterval(() => this.answerOverdue(), sweepInterval);
    this.start();
  }

  /** Resolves when nothing is waiting or being written. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private start(): void {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.queue.length > 0 && this.session) this.start();
      else if (this.queue.length === 0) this.stopSweep();
    });
  }

  private async run(): Promise<void> {
    await Promise.resolve(); // let what arrives in this tick join the first batch
    while (this.queue.length > 0) {
      const { session } = this;
      if (!session) return;
      try {
        await this.writeBatch(session);
      } catch (error) {
        if (this.session !== session) continue; // already closed
        this.close();
        this.onSessionLost(error);
      }
    }
  }

  private async writeBatch(session: LogSession): Promise<void> {
    const taken = this.take();
    this.inFlight = taken;
    await this.heads.load(new Set(taken.map(({ write }) => headKey(write.stream))));
    if (this.session !== session) return;
    const now = ticksNow();
    const batch = new Batch(this.heads, this.recentIds, session.position, now > session.created ? now : session.created);
    const replies: [QueuedWrite, Reply][] = [];
    for (const queued of taken) {
      if (!queued.settle) continue; // overdue, answered with a timeout, and not stored
      const decided = batch.add(queued.write);
      const reply = decided.kind === 'readIds' ? await this.decideWithStoredIds(session, batch, queued.write, decided.from) : decided;
      replies.push([queued, reply]);
    }
    if (batch.events.length > 0) await session.insert(batch.events);
    if (this.session !== session) return;
    session.position = batch.nextPosition;
    session.created = batch.events.at(-1)?.created ?? session.created;
    batch.apply();
    this.inFlight = [];
    if (batch.events.length > 0) this.onCommitted(batch.events);
    for (const [queued, reply] of replies) answer(queued, reply);
  }

  /** The ids it is compared with are all committed: those of this batch are in the batch's memory. */
  private async decideWithStoredIds(session: LogSession, batch: Batch, write: Write, from: bigint): Promise<WriteOutcome> {
    const count = write.kind === 'append' ? write.events.length : 1;
    const decided = batch.add(write, await session.readIds(write.stream, from, from + BigInt(count) - 1n));
    if (decided.kind === 'readIds') throw new Error(`ids of ${write.stream} were asked for twice`);
    return decided;
  }

  private take(): QueuedWrite[] {
    let bytes = 0;
    let count = 0;
    while (count < this.queue.length && count < this.limits.batchWrites && bytes < this.limits.batchBytes)
      bytes += this.queue[count++]!.bytes;
    const taken = this.queue.splice(0, count);
    this.queuedBytes -= bytes;
    this.releaseWaiting();
    return taken.filter(({ settle }) => settle);
  }

  private releaseWaiting(): void {
    if (!this.isFull) for (const callback of this.drained.splice(0)) callback();
  }

  private answerOverdue(): void {
    const now = Date.now();
    for (const queued of [...this.inFlight, ...this.queue]) if (queued.deadline <= now) answer(queued, { kind: 'timeout' });
  }

  private stopSweep(): void {
    clearInterval(this.sweep);
    this.sweep = undefined;
  }
}

const answer = (queued: QueuedWrite, reply: Reply): void => {
  const { settle } = queued;
  queued.settle = undefined;
  settle?.(reply);
};
