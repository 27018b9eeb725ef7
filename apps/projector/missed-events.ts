import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { Knocks } from '../../libs/command-handling/card-payments/knocks.js';
import { cardsOf, type Parts } from '../../libs/command-handling/operation.js';
import { StripeRefused } from '../../libs/payments/card-payments.js';
import { rowsOfAll } from '../../libs/projection-engine/all-rows.js';
import { stripeAccounts } from '../../projections/stripe-accounts.projection.js';

const OVERLAP = 600_000; // ms: clocks differ, and an event may be listed a while after its time
const REMEMBERED = 50_000; // events that were heard

/**
 * What has happened on the connected accounts, read from Stripe itself: a webhook that never came is heard all the same, also of what was done in
 * Stripe's own dashboard. How far each account was read is kept; Stripe has its events for 30 days.
 */
export class MissedEvents {
  private readonly heard = new LRUCache<string, true>({ max: REMEMBERED });
  private next = 0; // when they are read again, in ms of performance.now()
  private ready: Promise<unknown> | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly pool: Pool,
    private readonly knocks: Knocks,
    private readonly everyMs: number,
  ) {}

  /** Gives how many events were heard. */
  async look(): Promise<number> {
    if (performance.now() < this.next) return 0;
    await (this.ready ??= this.pool.query(TABLE));
    let heard = 0;
    const failures: unknown[] = [];
    for await (const { account, since } of rowsOfAll(this.pool, stripeAccounts))
      heard += await this.lookAt(account, since).catch((error: unknown) => failures.push(error) && 0); // one account holds up no other
    if (failures.length > 0) throw failures[0];
    this.next = performance.now() + this.everyMs;
    return heard;
  }

  private async lookAt(account: string, connected: string): Promise<number> {
    const now = this.parts.clock();
    const { rows } = await this.pool.query<{ until: Date }>('SELECT until FROM policies.stripe_events_read WHERE account = $1', [account]);
    const since = new Date((rows[0]?.until.getTime() ?? Date.parse(connected)) - OVERLAP).toISOString();
    const events = await this.eventsSince(account, since);
    const news = events.filter(({ eventId }) => !this.heard.has(eventId)).reverse(); // the oldest first
    for (const event of news) {
      await this.knocks.hear(event);
      this.heard.set(event.eventId, true);
    }
    await this.pool.query(READ, [account, now]);
    return news.length;
  }

  /** An account that was disconnected, or belongs to other keys, tells us nothing. */
  private async eventsSince(account: string, since: string) {
    try {
      return await cardsOf(this.parts).eventsSince(account, since);
    } catch (error) {
      if (error instanceof StripeRefused) return [];
      throw error;
    }
  }
}

const TABLE = `CREATE TABLE IF NOT EXISTS policies.stripe_events_read (account text PRIMARY KEY, until timestamptz(3) NOT NULL)`;
const READ = `INSERT INTO policies.stripe_events_read VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET until = excluded.until`;
