import pg, { type Client, type Pool } from 'pg';
import { CHANNEL } from './checkpoint.js';
import type { Projection } from './define-projection.js';

/** How far the live projections are: told by the projector with every checkpoint, asked for while somebody waits. */
export interface Freshness {
  /** Whether the projections (all, if none is named) hold the events up to a position, waiting for it so many ms at most (product L3). */
  waitFor(position: bigint, timeout: number, names?: readonly string[]): Promise<boolean>;
  /** Position of the last event that the live version of a projection holds; undefined: none. */
  position(name: string): Promise<bigint | undefined>;
  close(): Promise<void>;
}

const POLL = 250; // ms, while somebody waits: a notice can be lost with its connection
const RECONNECT = 1_000; // ms

export const freshnessOf = async (pool: Pool, projections: readonly Pick<Projection, 'name'>[]): Promise<Freshness> => {
  const heard = new Positions(pool);
  const all = projections.map(({ name }) => name);
  const listener = new Listener(pool, heard);
  await listener.start();
  return {
    waitFor: (position, timeout, names = all) => heard.reached(position, timeout, names),
    position: async (name) => {
      await heard.ask();
      return heard.of(name);
    },
    close: async () => {
      heard.close();
      await listener.close();
    },
  };
};

/** The positions as last heard. */
class Positions {
  private readonly heard = new Map<string, bigint>(); // by projection and version
  private live = new Map<string, number>();
  private waiting = new Set<() => void>();
  private waiters = 0;
  private asking: Promise<void> | undefined;
  private polling: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly pool: Pool) {}

  of = (name: string): bigint | undefined => this.heard.get(`${name} ${this.live.get(name)}`);

  set(name: string, version: string, position: bigint): void {
    this.heard.set(`${name} ${version}`, position);
    this.wake();
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
    const end = performance.now() + timeout;
    const patience = setTimeout(() => this.wake(), timeout);
    this.waiters += 1;
    this.polling ??= setInterval(() => void this.ask(), POLL);
    try {
      await this.ask();
      while (!isFresh() && performance.now() < end && !this.closed) await this.change();
      return isFresh();
    } finally {
      clearTimeout(patience);
      this.waiters -= 1;
      if (!this.waiters) this.stopPolling();
    }
  }

  /** At most one question at a time, whoever wants to know. That it fails is left to those who wait: it is asked again. */
  ask(): Promise<void> {
    this.asking ??= this.read()
      .catch(() => undefined)
      .finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async read(): Promise<void> {
    const { rows } = await this.pool.query<{ projection: string; version: number; position: string | null }>(
      `SELECT projection, version, position::text FROM read_models.checkpoints JOIN read_models.live_versions USING (projection, version)
        UNION ALL SELECT projection, version, position::text FROM event_feed.checkpoints`,
    );
    this.live = new Map(rows.map(({ projection, version }) => [projection, version]));
    for (const { projection, version, position } of rows)
      if (position !== null) this.heard.set(`${projection} ${version}`, BigInt(position));
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
      const [name, version, position] = payload.split(' ');
      if (name && version && position) this.heard.set(name, version, BigInt(position));
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
