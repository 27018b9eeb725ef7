import { Counter, type Registry } from 'prom-client';
import type { Knocks } from '../../../libs/command-handling/card-payments/knocks.js';
import { isOfConcern, type Knock } from '../../../libs/payments/at-stripe.js';

/** What Stripe told us, and what came of it, counted: those that are refused, or amiss, are for an alarm. */
export class CountedKnocks {
  private readonly counter: Counter<'type' | 'outcome'>;

  constructor(
    private readonly knocks: Knocks,
    metrics: Registry,
  ) {
    this.counter = new Counter({
      name: 'punchcard_stripe_webhooks_total',
      help: 'Webhooks of Stripe by type and by what came of them',
      labelNames: ['type', 'outcome'] as const,
      registers: [metrics],
    });
  }

  async hear(knock: Knock): Promise<string> {
    const type = isOfConcern(knock.type) ? knock.type : 'other'; // types have no bound
    try {
      const outcome = await this.knocks.hear(knock);
      this.counter.inc({ type, outcome });
      return outcome;
    } catch (error) {
      this.counter.inc({ type, outcome: 'failed' });
      throw error;
    }
  }

  /** A signature that is not Stripe's. */
  countRefused(): void {
    this.counter.inc({ type: 'unknown', outcome: 'notFromStripe' });
  }
}
