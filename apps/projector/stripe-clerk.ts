import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { lookAtPurchase, type Outcome } from '../../libs/command-handling/card-payments/checkouts.js';
import { Knocks } from '../../libs/command-handling/card-payments/knocks.js';
import { carryOutRefund } from '../../libs/command-handling/card-payments/refunds.js';
import { fewAtOnce } from '../../libs/command-handling/few-at-once.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { rowsOfAll } from '../../libs/projection-engine/all-rows.js';
import { cardWork, type CardWorkRow } from '../../projections/card-work.projection.js';
import { backOff } from './back-off.js';
import { MissedEvents } from './missed-events.js';

const LOOK = 500; // ms between two looks at the list
const AT_ONCE = 4;
const LEFT_ALONE = 4_000; // ms in which the API opens the checkout of a purchase itself
const PAUSE = { least: 2_000, most: 600_000, amiss: 3_600_000 }; // ms between two looks at one thing

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
  private readonly seen = new Map<string, Seen>();
  private readonly missed: MissedEvents;

  constructor(
    private readonly parts: Parts,
    private readonly pool: Pool,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
    lookMs: number,
  ) {
    this.missed = new MissedEvents(parts, pool, new Knocks(parts, log), log, lookMs);
  }

  /** Until the signal says stop. What is on the list and what was missed do not wait for each other. */
  async run(signal: AbortSignal): Promise<void> {
    this.seen.clear();
    await Promise.all([
      this.again(signal, () => this.round(signal)),
      this.again(signal, async () => {
        this.failures += await this.missed.look(signal);
      }),
    ]);
  }

  private async again(signal: AbortSignal, look: () => Promise<void>): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        await look();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.failures += 1;
        this.log.warn({ err: error, failures }, 'The clerk cannot read what it is to look at; it tries again, ever later.');
      }
      await sleep(failures === 0 ? LOOK : backOff(failures), undefined, { signal }).catch(() => undefined);
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
  }

  private isDue({ id, changed }: Work): boolean {
    const seen = this.seen.get(id);
    return !seen || performance.now() >= seen.next || (seen.changed !== changed && seen.failures === 0);
  }

  /** What fails, at Stripe or with us, waits by itself, ever longer, and holds up nothing else. */
  private async lookAt(row: Work, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const age = Date.parse(this.parts.clock()) - Date.parse(row.since);
    if (row.kind === 'purchase' && age < LEFT_ALONE) return this.lookAgain(row, LEFT_ALONE - age, 0);
    try {
      const outcome = await this.carryOn(row);
      if (outcome === 'amiss')
        this.log.error({ id: row.id, kind: row.kind }, 'What Stripe says is not of this purchase: nothing is booked.');
      this.lookAgain(row, outcome === 'amiss' ? PAUSE.amiss : Math.min(Math.max(age / 4, PAUSE.least), PAUSE.most), 0);
    } catch (error) {
      this.failures += 1;
      const failures = (this.seen.get(row.id)?.failures ?? 0) + 1;
      const about = { err: error, id: row.id, kind: row.kind, failures };
      if (failures === 1) this.log.warn(about, 'The clerk could not carry on at Stripe; it tries again, ever later.');
      else this.log.info(about, 'The clerk still cannot carry on at Stripe.');
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
}
