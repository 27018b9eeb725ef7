import pg, { type Client, type Pool } from 'pg';
import { CHANNEL } from './checkpoint.js';
import type { Projection } from './define-projection.js';

/** How far the live projections are: told by the projector with every checkpoint, asked for while somebody waits. */
export interface Freshness {
  /** Whether the projections (all, if none is named) hold the events up to a position, waiting for it so many ms at most (product L3). */
  waitFor(position: bigint, timeout: number, names?: readonly string[]): Promise<boolean>;
  /** Position of the last event that the live build of a projection holds; undefined: none. Throws when Postgres cannot be asked. */
  position(name: string): Promise<bigint | undefined>;
  /** Tells whenever a projection is heard to have moved, until what it gives is called. A notice can be lost with its connection. */
  onMove(name: string, tell: () => void): () => void;
  close(): Promise<void>;
}

const POLL = 250; // ms, while somebody waits: a notice can be lost with its connection
const RECONNECT = 1_000; // ms

export const freshnessOf = async (pool: Pool, projections: readonly Pick<Projection, 'name' | 'version'>[]): Promise<Freshness> => {
  const heard = new Positions(pool, projections);
  const all = projections.map(({ name }) => name);
  const listener = new Listener(pool, heard);
  await listener.start();
  return {
    waitFor: (position, timeout, names = all) => heard.reached(position, timeout, names),
    position: async (name) => {
      await heard.ask();
      return heard.of(name);
    },
    onMove: (name, tell) => heard.onMove(name, tell),
    close: async () => {
      heard.close();
      await listener.close();
    },
  };
};

/** The positions as last heard. */
class Positions {
  private readonly heard = new Map<string, bigint>(); // by projection, version and build
  private live = new Map<string, string>(); // which of them is the live build of the version that this code has
  private waiting = new Set<() => void>();
  private readonly listeners = new Set<{ name: string; tell: () => void }>();
  private waiters = 0;
  private asking: Promise<void> | undefined;
  private polling: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly pool: Pool,
    private readonly projections: readonly Pick<Projection, 'name' | 'version'>[],
  ) {}

  of = (name: string): bigint | undefined => this.heard.get(this.live.get(name) ?? '');

  set(build: string, position: bigint): void {
    this.heard.set(build, position);
    this.wake();
    for (const listener of this.listeners) if (build.startsWith(`${listener.name} `)) listener.tell();
  }

  onMove(name: string, tell: () => void): () => void {
    const listener = { name, tell };
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Postgres may have crashed, and lost the last checkpoints: what was heard no longer counts. */
  clear(): void {
    this.heard.clear();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.polling);
    this.wake();
  }

  async reached(position: bigint, timeout: number, names: readonly string[]): Promise<boolean> {
    const isFresh = () => names.every((name) => (this.of(name) ?? -1n) >= position);
    if (isFresh()) return true;
    let isOver = false; // told by the timer itself: by another clock it may come too early, and it comes once
    const patience = setTimeout(() => {
      isOver = true;
      this.wake();
    }, timeout);
    this.waiters += 1;
    this.polling ??= setInterval(() => void this.tryToAsk(), POLL);
    try {
      await this.tryToAsk();
      while (!isFresh() && !isOver && !this.closed) await this.change();
      return isFresh();
    } finally {
      clearTimeout(patience);
      this.waiters -= 1;
      if (!this.waiters) this.stopPolling();
    }
  }

  /** At most one question at a time, whoever wants to know. */
  ask(): Promise<void> {
    this.asking ??= this.read().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** For those who wait: it is asked again. */
  private readonly tryToAsk = (): Promise<void> => this.ask().catch(() => undefined);

  private async read(): Promise<void> {
    const { rows } = await this.pool.query<{ name: string; build: string; position: string | null }>(
      `SELECT projection AS name, concat_ws(' ', projection, version, build) AS build, position::text
        FROM unnest($1::text[], $2::integer[]) AS mine (projection, version)
        JOIN read_models.live_builds USING (projection, version) JOIN read_models.checkpoints USING (projection, version, build)
        UNION ALL SELECT projection, concat_ws(' ', projection, version, 0), position::text FROM event_feed.checkpoints`,
      [this.projections.map(({ name }) => name), this.projections.map(({ version }) => version)],
    );
    this.live = new Map(rows.map(({ name, build }) => [name, build]));
    for (const { build, position } of rows) if (position !== null) this.heard.set(build, BigInt(position));
    this.wake();
  }

  private readonly change = () => new Promise<void>((resolve) => this.waiting.add(resolve));

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  private stopPolling(): void {
    clearInterval(this.polling);
    this.polling = undefined;
  }
}

/** Hears every checkpoint, on a connection of its own that is made again when it breaks. */
class Listener {
  private client: Client | undefined;
  private reconnecting: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly pool: Pool,
    private readonly heard: Positions,
  ) {}

  async start(): Promise<void> {
    const client = new pg.Client({ ...this.pool.options, keepAlive: true });
    this.client = client;
    client.on('error', () => this.again(client));
    client.on('end', () => this.again(client));
    client.on('notification', ({ payload = '' }) => {
      const at = payload.lastIndexOf(' ');
      if (at > 0) this.heard.set(payload.slice(0, at), BigInt(payload.slice(at + 1)));
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch {
      this.again(client);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.reconnecting);
    await this.client?.end().catch(() => undefined); // it may be broken already
  }

  /** Until it hears again, those who wait ask. */
  private again(broken: Client): void {
    if (this.closed || this.client !== broken) return;
    this.client = undefined;
    this.heard.clear();
    this.reconnecting = setTimeout(() => void this.start(), RECONNECT).unref();
  }
}
