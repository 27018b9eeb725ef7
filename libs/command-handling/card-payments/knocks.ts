import type { Logger } from 'pino';
import { StripeNotAllowed, StripeRefused, type Knock } from '../../payments/at-stripe.js';
import type { Parts } from '../operation.js';
import { reconcileCheckout, type Outcome } from './checkouts.js';
import { reconcilePayment } from './refunds.js';

/** `refused`: Stripe does not let us ask about it, because the account is no longer connected. */
type Heard = Outcome | 'noConcern' | 'refused';

interface Question {
  now: Promise<Heard>;
  next?: Promise<Heard>;
}

/**
 * A webhook, or an event found later, is a knock on the door: it says what to ask Stripe about, and nothing else of it is believed. So their
 * order and number, and whether one comes at all, do not matter. The same question asked by several at once is asked once.
 * @throws StripeUnavailable: it is to come again
 */
export class Knocks {
  private readonly asking = new Map<string, Question>(); // under way, by what it is about

  constructor(
    private readonly parts: Parts,
    private readonly log: Pick<Logger, 'warn' | 'error'>,
  ) {}

  async hear({ account, about, type, eventId }: Knock): Promise<Heard> {
    if (account === null || about === null) return 'noConcern';
    const heard = await this.ask(account, about);
    if (heard === 'amiss')
      this.log.error({ account, about, type, eventId }, 'What Stripe says is not of the purchase to which it leads: nothing is booked.');
    if (heard === 'refused') this.log.warn({ account, about, type, eventId }, 'Stripe does not let us ask about what it told.');
    return heard;
  }

  /** Who knocks while the question is under way wants to know what was so after the knock: it is asked once more, for all of them. */
  private ask(account: string, about: NonNullable<Knock['about']>): Promise<Heard> {
    const key = `${account} ${about.kind} ${about.id}`;
    const question = () => this.reconcile(account, about);
    const underWay = this.asking.get(key);
    if (!underWay) return this.begin(key, question);
    underWay.next ??= underWay.now.catch(() => undefined).then(() => this.begin(key, question));
    return underWay.next;
  }

  private begin(key: string, question: () => Promise<Heard>): Promise<Heard> {
    const underWay: Question = { now: question() };
    this.asking.set(key, underWay);
    void underWay.now
      .catch(() => undefined)
      .then(() => {
        if (!underWay.next) this.asking.delete(key);
      });
    return underWay.now;
  }

  private async reconcile(account: string, { kind, id }: NonNullable<Knock['about']>): Promise<Heard> {
    try {
      return await (kind === 'checkout' ? reconcileCheckout : reconcilePayment)(this.parts, account, id);
    } catch (error) {
      if (error instanceof StripeRefused || error instanceof StripeNotAllowed) return 'refused';
      throw error;
    }
  }
}
