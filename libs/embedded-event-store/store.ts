import pg from 'pg';
import { insertEvents, positionAfter, readIds, readLastEvent } from './event-log.js';
import { Feed } from './feed.js';
import { firstEvents } from './first-events.js';
import { RecentIds } from './recent-ids.js';
import { schemaSql, writerLock } from './schema.js';
import { StreamHeads } from './stream-heads.js';
import { Writer, type Reply, type WriterLimits } from './writer.js';

export interface StoreOptions {
  databaseUrl: string;
  /** Whether a new store begins with the accounts of a secured one. */
  hasAccounts: boolean;
  /** ms to wait at the start for another server of this database to end. */
  lockTimeout: number;
  readConnections: number;
  limits: WriterLimits;
  log: { info(message: string): void; error(details: unknown, message: string): void };
}

/** The first position is not 0, which the protocol reads as "from the start". */
const firstPosition = 64n;
const retryInterval = 100; // ms

/**
 * The log and what is kept in memory about it, over one Postgres session that holds the writer lock. When the
 * session is lost, everything in memory about the head is forgotten, and a new session takes the lock and reloads it.
 */
export class Store {
  readonly feed = new Feed();
  readonly heads: StreamHeads;
  readonly writer: Writer;
  readonly pool: pg.Pool;
  private session: pg.Client | undefined;
  private stopped = false;
  private reconnecting: Promise<void> | undefined;

  constructor(private readonly options: StoreOptions) {
    this.pool = new pg.Pool({ connectionString: options.databaseUrl, max: options.readConnections, application_name: 'event-store reads' });
    this.pool.on('error', () => undefined); // an idle connection was lost: the next read makes a new one
    this.heads = new StreamHeads(this.pool);
    this.writer = new Writer(
      this.heads,
      new RecentIds(),
      options.limits,
      (events) => this.feed.publish(events),
      (error) => this.lost(error),
    );
  }

  /** Creates the tables if they are missing, becomes the writer and loads the head. */
  async start(): Promise<void> {
    await this.connect(Date.now() + this.options.lockTimeout);
    if (this.feed.position === 0n) await this.writeFirstEvents();
  }

  /** All in one transaction, since they are put in the queue at once. */
  private async writeFirstEvents(): Promise<void> {
    const deadline = Date.now() + this.options.lockTimeout;
    const replies = firstEvents(this.options.hasAccounts).map(
      (write) => new Promise<Reply>((resolve) => this.writer.write(write, deadline, 0, resolve)),
    );
    const failed = (await Promise.all(replies)).find(({ kind }) => kind !== 'stored');
    if (failed) throw new Error(`The first events could not be stored: ${failed.kind}`);
  }

  /** Finishes what waits, then lets go of the lock and all connections. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.writer.idle();
    this.writer.close();
    await this.reconnecting;
    await this.session?.end().catch(() => undefined);
    await this.pool.end();
  }

  private async connect(lockDeadline: number): Promise<void> {
    const session = new pg.Client({
      connectionString: this.options.databaseUrl,
      application_name: 'event-store writer',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    session.on('error', (error) => this.session === session && this.lost(error));
    try {
      await session.connect();
      await takeLock(session, lockDeadline);
      // Whatever the server's default is: what is acknowledged is on disk.
      await session.query('SET synchronous_commit = on');
      await compressWal(session);
      await session.query(schemaSql);
      const last = await readLastEvent(session);
      this.session = session;
      this.feed.advanceTo(last?.position ?? 0n);
      this.writer.open({
        position: last ? positionAfter(last) : firstPosition,
        created: last?.created ?? 0n,
        insert: (events) => insertEvents(session, events),
        readIds: (stream, from, to) => readIds(this.pool, stream, from, to),
      });
    } catch (error) {
      await session.end().catch(() => undefined);
      throw error;
    }
  }

  private lost(error: unknown): void {
    const { session } = this;
    if (!session) return;
    this.session = undefined;
    this.writer.close();
    session.end().catch(() => undefined);
    if (this.stopped) return;
    this.options.log.error(error, 'lost the connection to Postgres; reconnecting');
    this.reconnecting = this.reconnect().finally(() => (this.reconnecting = undefined));
  }

  private async reconnect(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.connect(Date.now() + this.options.lockTimeout);
        return this.options.log.info('connected to Postgres again');
      } catch (error) {
        this.options.log.error(error, 'Postgres does not answer yet');
        await new Promise((resolve) => setTimeout(resolve, retryInterval));
      }
    }
  }
}

/**
 * Appends to many streams touch many index pages, each of which Postgres logs whole once per checkpoint; compressed,
 * they are a third. Only a superuser may ask for it, and not every build has it: it goes without as well.
 */
const compressWal = (session: pg.Client): Promise<unknown> => session.query('SET wal_compression = lz4').catch(() => undefined);

/** One writer per database. A server that was killed holds the lock until Postgres has noticed, hence the wait. */
const takeLock = async (session: pg.Client, deadline: number): Promise<void> => {
  for (;;) {
    const { rows } = await session.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [writerLock]);
    if (rows[0]?.taken) return;
    if (Date.now() > deadline) throw new Error('Another event store serves this database. Stop it, or use another database.');
    await new Promise((resolve) => setTimeout(resolve, retryInterval));
  }
};
