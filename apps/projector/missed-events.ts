import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Knocks } from '../../libs/command-handling/card-payments/knocks.js';
import { fewAtOnce } from '../../libs/command-handling/few-at-once.js';
import { cardsOf, type Parts } from '../../libs/command-handling/operation.js';
import { rowsOfAll } from '../../libs/projection-engine/all-rows.js';
import { stripeAccounts } from '../../projections/stripe-accounts.projection.js';
import { backOff } from './back-off.js';

const OVERLAP = 600_000; // ms: clocks differ, and an event may be listed a while after its time
const STRETCH = 24 * 3_600_000; // ms that are read at once
const KEPT = 29 * 24 * 3_600_000; // ms: Stripe keeps its events for 30 days
const REMEMBERED = 50_000; // events that were heard
const AT_ONCE = 2; // accounts
const LISTED = 5_000; // ms between two looks at which accounts there are, at most

interface Seen {
  next: number; // when it is read again, in ms of performance.now()
  failures: number; // in a row
}

/**
 * What has happened on the connected accounts, read from Stripe itself: a webhook that never came is heard all the same, also of what was done in
 * Stripe's own dashboard. How far each account was read is kept, and moves only past what was heard; one account holds up no other.
 */
export class MissedEvents {
  private readonly heard = new LRUCache<string, true>({ max: REMEMBERED });
  private readonly seen = new Map<string, Seen>();
  private isReady = false; // its table is there
  private next = 0; // when the accounts are listed again, in ms of performance.now()

  constructor(
    private readonly parts: Parts,
    private readonly pool: Pool,
    private readonly knocks: Knocks,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
    private readonly everyMs: number,
  ) {}

  /** Reads the accounts whose turn it is; gives how many could not be read. */
  async look(signal: AbortSignal): Promise<number> {
    if (performance.now() < this.next) return 0;
    this.next = performance.now() + Math.min(this.everyMs, LISTED);
    if (!this.isReady) await this.pool.query(TABLE);
    this.isReady = true;
    const due: { account: string; since: string }[] = [];
    for await (const row of rowsOfAll(this.pool, stripeAccounts))
      if (performance.now() >= (this.seen.get(row.account)?.next ?? 0)) due.push(row);
    const failed = await fewAtOnce(due, AT_ONCE, ({ account, since }) => this.tryAt(account, since, signal));
    return failed.filter(Boolean).length;
  }

  private async tryAt(account: string, connected: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    try {
      await this.lookAt(account, connected);
      this.seen.set(account, { next: performance.now() + this.everyMs, failures: 0 });
      return false;
    } catch (error) {
      const failures = (this.seen.get(account)?.failures ?? 0) + 1;
      this.seen.set(account, { next: performance.now() + Math.max(this.everyMs, backOff(failures)), failures });
      const about = { err: error, account, failures };
      if (failures === 1) this.log.warn(about, 'The events of a Stripe account cannot be read now; they are read later.');
      else this.log.info(about, 'The events of a Stripe account still cannot be read.');
      return true;
    }
  }

  private async lookAt(account: string, connected: string): Promise<void> {
    const { rows } = await this.pool.query<{ until: Date }>('SELECT until FROM policies.stripe_events_read WHERE account = $1', [account]);
    const now = Date.parse(this.parts.clock());
    const read = rows[0]?.until.getTime() ?? Date.parse(connected);
    for (let from = Math.max(read - OVERLAP, now - KEPT); from < now; from += STRETCH) {
      const until = Math.min(from + STRETCH, now);
      await this.hearAll(account, new Date(from).toISOString(), new Date(until).toISOString());
      await this.pool.query(READ, [account, new Date(until).toISOString()]);
    }
  }

  private async hearAll(account: string, from: string, until: string): Promise<void> {
    const events = await cardsOf(this.parts).eventsBetween(account, from, until);
    for (const event of events.filter(({ eventId }) => !this.heard.has(eventId)).reverse()) {
      await this.knocks.hear(event); // the oldest first
      this.heard.set(event.eventId, true);
    }
  }
}

const TABLE = `CREATE TABLE IF NOT EXISTS policies.stripe_events_read (account text PRIMARY KEY, until timestamptz(3) NOT NULL)`;
const READ = `INSERT INTO policies.stripe_events_read VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET until = excluded.until`;
