import pg, { type Client, type Pool } from 'pg';
import type { Logger } from 'pino';
import { CHANNEL } from './checkpoint.js';

const POLL = 250; // ms, while somebody waits: a notice can be lost with its connection
const RECONNECT = 1_000; // ms

/** How far the live projections are: told by the projector with every checkpoint, asked for while somebody waits. */
export class Freshness {
  /** Position by projection and version, as last heard. */
  private heard = new Map<string, bigint>();
  private live = new Map<string, number>();
  private waiting = new Set<() => void>();
  private asking: Promise<void> | undefined;
  private polling: NodeJS.Timeout | undefined;
  private listener: Client | undefined;
  private reconnecting: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly pool: Pool,
    private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  async waitFor(position: bigint, names: readonly string[], timeout: number): Promise<boolean> {
    this.listen();
    const isFresh = () => names.every((name) => (this.positionHeard(name) ?? -1n) >= position);
    if (isFresh()) return true;
    const end = performance.now() + timeout;
    const patience = setTimeout(() => this.wake(), timeout);
    this.polling ??= setInterval(() => void this.ask(), POLL);
    try {
      await this.ask();
      while (!isFresh() && performance.now() < end && !this.closed) await this.change();
      return isFresh();
    } finally {
      clearTimeout(patience);
      if (!this.waiting.size) this.stopPolling();
    }
  }

  async position(name: string): Promise<bigint | undefined> {
    await this.ask();
    return this.positionHeard(name);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.reconnecting);
    this.stopPolling();
    this.wake();
    await this.listener?.end().catch(() => undefined); // it may be broken already
  }

  private positionHeard = (name: string) => this.heard.get(`${name} ${this.live.get(name)}`);

  private change = () =>
    new Promise<void>((resolve) => {
      this.waiting.add(resolve);
    });

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  private stopPolling(): void {
    clearInterval(this.polling);
    this.polling = undefined;
  }

  /** At most one question at a time, whoever wants to know. */
  private ask(): Promise<void> {
    this.asking ??= this.pool
      .query<{ projection: string; version: number; position: string | null }>(POSITIONS)
      .then(({ rows }) => {
        this.live = new Map(rows.map(({ projection, version }) => [projection, version]));
        this.heard = new Map(rows.map(({ projection, version, position }) => [`${projection} ${version}`, BigInt(position ?? -1)]));
        this.wake();
      })
      .catch((error: unknown) => this.logger.warn({ err: error }, 'How far the read models are could not be asked.'))
      .finally(() => {
        this.asking = undefined;
      });
    return this.asking;
  }

  private listen(): void {
    if (this.listener || this.closed) return;
    const listener = new pg.Client({ connectionString: this.databaseUrl, keepAlive: true });
    this.listener = listener;
    let failed = false;
    const again = (error?: Error) => {
      if (failed || this.closed) return;
      failed = true;
      this.logger.warn({ err: error }, 'Notices of the read models are not heard; connecting again.');
      this.heard.clear(); // Postgres may have crashed, and lost the last checkpoints
      this.reconnecting = setTimeout(() => {
        this.listener = undefined;
        this.listen();
      }, RECONNECT).unref();
    };
    listener.on('error', again);
    listener.on('end', () => again());
    listener.on('notification', ({ payload = '' }) => {
      const [name, version, position] = payload.split(' ');
      this.heard.set(`${name} ${version}`, BigInt(position ?? -1));
      this.wake();
    });
    listener
      .connect()
      .then(() => listener.query(`LISTEN ${CHANNEL}`))
      .catch(again);
  }
}

const POSITIONS = `SELECT projection, version, position::text FROM read_models.checkpoints JOIN read_models.live_versions USING (projection, version)`;
