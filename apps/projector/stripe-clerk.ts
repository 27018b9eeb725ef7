import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { lookAtPurchase, type Outcome } from '../../libs/command-handling/card-payments/checkouts.js';
import { Knocks } from '../../libs/command-handling/card-payments/knocks.js';
import { carryOutRefund } from '../../libs/command-handling/card-payments/refunds.js';
import { fewAtOnce } from '../../libs/command-handling/few-at-once.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { StripeUnavailable } from '../../libs/payments/card-payments.js';
import { rowsOfAll } from '../../libs/projection-engine/all-rows.js';
import { cardWork, type CardWorkRow } from '../../projections/card-work.projection.js';
import { MissedEvents } from './missed-events.js';

const LOOK = 500; // ms between two looks at the list
const AT_ONCE = 4;
const LEFT_ALONE = 4_000; // ms in which the API opens the checkout of a purchase itself
const PAUSE = { least: 2_000, most: 600_000 }; // ms between two looks at one thing
const BACK_OFF = { first: 1_000, most: 300_000 }; // ms, doubling

type Work = CardWorkRow & { business: string };

interface Seen {
  changed: bigint;
  next: number; // when it is looked at again, in ms of performance.now()
  failures: number;
}

/**
 * Carries on at Stripe what is under way there: what nobody has heard of is asked, what was not done is done, and never given up. Only the
 * projector that leads has one; two of them at once would do no harm, because Stripe's idempotency keys and our decisions let each thing
 * happen once.
 */
export class StripeClerk {
  underWay = 0; // things on the list
  failures = 0; // looks that failed, since the process has started
  found = 0; // events of which no webhook had told
  private readonly seen = new Map<string, Seen>();
  private readonly missed: MissedEvents;
  private awake = 0; // when Stripe is asked again, in ms of performance.now()
  private troubles = 0; // times in a row that it did not answer

  constructor(
    private readonly parts: Parts,
    private readonly pool: Pool,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
    lookMs: number,
  ) {
    this.missed = new MissedEvents(parts, pool, new Knocks(parts, log), lookMs);
  }

  /** Until the signal says stop. */
  async run(signal: AbortSignal): Promise<void> {
    this.seen.clear();
    while (!signal.aborted) {
      if (performance.now() >= this.awake) await this.round(signal).catch((error: unknown) => this.trouble(error));
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
    }
  }

  private async round(signal: AbortSignal): Promise<void> {
    const due: Work[] = [];
    const listed = new Set<string>();
    for await (const row of rowsOfAll(this.pool, cardWork)) {
      listed.add(row.id);
      if (this.isDue(row)) due.push(row);
    }
    for (const id of this.seen.keys()) if (!listed.has(id)) this.seen.delete(id);
    this.underWay = listed.size;
    await fewAtOnce(due, AT_ONCE, (row) => this.lookAt(row, signal));
    this.found += await this.missed.look();
    this.troubles = 0;
  }

  private isDue({ id, changed }: Work): boolean {
    const seen = this.seen.get(id);
    return !seen || performance.now() >= seen.next || (seen.changed !== changed && seen.failures === 0);
  }

  /** @throws StripeUnavailable: then nothing else will do better right now */
  private async lookAt(row: Work, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const age = Date.parse(this.parts.clock()) - Date.parse(row.since);
    if (row.kind === 'purchase' && age < LEFT_ALONE) return this.lookAgain(row, LEFT_ALONE - age, 0);
    try {
      const outcome = await this.carryOn(row);
      if (outcome === 'amiss') this.log.error({ purchaseId: row.id }, 'What Stripe says is not of this purchase: nothing is booked.');
      this.lookAgain(row, Math.min(Math.max(age / 4, PAUSE.least), PAUSE.most), 0);
    } catch (error) {
      if (error instanceof StripeUnavailable) throw error;
      this.failures += 1;
      const failures = (this.seen.get(row.id)?.failures ?? 0) + 1;
      this.log.warn({ err: error, id: row.id, kind: row.kind, failures }, 'The clerk could not carry on at Stripe; it is tried again.');
      this.lookAgain(row, backOff(failures), failures);
    }
  }

  private carryOn({ business, id, kind, invoiceId }: Work): Promise<Outcome> {
    return kind === 'refund'
      ? carryOutRefund(this.parts, business, { invoiceId: invoiceId!, refundId: id })
      : lookAtPurchase(this.parts, business, id);
  }

  private lookAgain({ id, changed }: Work, ms: number, failures: number): void {
    this.seen.set(id, { changed, next: performance.now() + ms, failures });
  }

  /** Stripe, or a part of ours, does not answer: everything waits, ever longer. */
  private trouble(error: unknown): void {
    this.failures += 1;
    this.troubles += 1;
    const pause = backOff(this.troubles);
    this.awake = performance.now() + pause;
    const about = { err: error, times: this.troubles, pauseMs: Math.round(pause) };
    if (this.troubles === 1) this.log.warn(about, 'The clerk cannot ask Stripe now; it tries again, ever later.');
    else this.log.info(about, 'The clerk still cannot ask Stripe.');
  }
}

/** With jitter, so that many do not come back at once. */
const backOff = (times: number): number => Math.min(BACK_OFF.first * 2 ** (times - 1), BACK_OFF.most) * (0.5 + Math.random() / 2);
