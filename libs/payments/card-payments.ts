import { Stripe } from 'stripe';
import type { Money } from '../domain/kernel/shapes.js';
import { atStripe, fromStripe } from '../domain/purchase/card-amounts.js';
import {
  CHECKOUTS,
  CONCERN,
  NotFromStripe,
  StripeNotAllowed,
  StripeRefused,
  StripeUnavailable,
  type CardDispute,
  type CardPayment,
  type CardRefund,
  type Checkout,
  type ConnectedAccount,
  type Knock,
  type OpenCheckout,
  type PurchaseRef,
} from './at-stripe.js';

// The only importer of the library `stripe`, which is loaded where cards are taken. Everything here takes place on the connected account of
// one business (Stripe Connect, direct charges). https://docs.stripe.com/api

export interface CardPaymentsOptions {
  secretKey: string;
  webhookSecret: string;
  apiUrl?: string; // of a simulator; Stripe's own unless told
  timeoutMs?: number;
  retries?: number; // of one call, with the same idempotency key
}

export class CardPayments {
  private readonly stripe: Stripe;
  private readonly webhookSecret: string;

  constructor({ secretKey, webhookSecret, apiUrl, timeoutMs = 10_000, retries = 2 }: CardPaymentsOptions) {
    this.webhookSecret = webhookSecret;
    this.stripe = new Stripe(secretKey, { ...addressOf(apiUrl), timeout: timeoutMs, maxNetworkRetries: retries, telemetry: false });
  }

  /** Once per purchase, however often it is asked. */
  async openCheckout(account: string, { businessId, purchaseId, amount, description, ...said }: OpenCheckout): Promise<Checkout> {
    const metadata = { business: businessId, purchase: purchaseId };
    const price = { currency: amount.currency.toLowerCase(), unit_amount: atStripe(amount), product_data: { name: description } };
    return answered(async () =>
      checkoutOf(
        await this.stripe.checkout.sessions.create(
          {
            ...{ mode: 'payment', line_items: [{ quantity: 1, price_data: price }], client_reference_id: purchaseId },
            ...{
              metadata,
              payment_intent_data: { metadata },
              adaptive_pricing: { enabled: false },
              success_url: said.successUrl,
              cancel_url: said.cancelUrl,
            },
            ...{ expires_at: Math.floor(Date.parse(said.expiresAt) / 1000), expand: ['payment_intent'] },
          },
          { stripeAccount: account, idempotencyKey: `checkout-${purchaseId}` },
        ),
      ),
    );
  }

  async checkout(account: string, checkoutId: string): Promise<Checkout> {
    const expand = { expand: ['payment_intent'] };
    return answered(async () => checkoutOf(await this.stripe.checkout.sessions.retrieve(checkoutId, expand, on(account))));
  }

  /** It can no longer be paid, unless it was before: then that is what it says. */
  async expireCheckout(account: string, checkoutId: string): Promise<Checkout> {
    try {
      const expand = { expand: ['payment_intent'] };
      return await answered(async () => checkoutOf(await this.stripe.checkout.sessions.expire(checkoutId, expand, on(account))));
    } catch (error) {
      if (error instanceof StripeRefused) return this.checkout(account, checkoutId);
      throw error;
    }
  }

  async payment(account: string, paymentIntentId: string): Promise<CardPayment> {
    return answered(async () => {
      const intent = await this.stripe.paymentIntents.retrieve(paymentIntentId, {}, on(account));
      const refunds = await this.stripe.refunds.list({ payment_intent: paymentIntentId, limit: 100 }, on(account)).autoPagingToArray(ALL);
      const disputes = await this.stripe.disputes.list({ payment_intent: paymentIntentId, limit: 100 }, on(account)).autoPagingToArray(ALL);
      return {
        ...{ paymentIntentId, purchase: purchaseOf(intent.metadata) },
        ...{ amount: fromStripe(intent.amount, intent.currency), received: fromStripe(intent.amount_received, intent.currency) },
        ...{ refunds: refunds.map(refundOf), disputes: disputes.map(disputeOf) },
      };
    });
  }

  /** Once per refund of ours: Stripe forgets idempotency keys after a day, so what it has of this refund is looked at first. */
  async refund(account: string, wanted: { refundId: string; paymentIntentId: string; amount: Money } & PurchaseRef): Promise<CardRefund> {
    const { refundId, paymentIntentId, amount, businessId, purchaseId } = wanted;
    const made = await this.refundsOf(account, paymentIntentId);
    const known = made.find((refund) => refund.refundId === refundId && refund.amount.amount === amount.amount); // another's amount is another refund
    if (known) return known;
    const metadata = { business: businessId, purchase: purchaseId, refund: refundId };
    return answered(async () =>
      refundOf(
        await this.stripe.refunds.create(
          { payment_intent: paymentIntentId, amount: atStripe(amount), metadata },
          { stripeAccount: account, idempotencyKey: `refund-${refundId}` },
        ),
      ),
    );
  }

  /** That it cannot be asked what was done, does not mean that nothing was. */
  private async refundsOf(account: string, paymentIntentId: string): Promise<CardRefund[]> {
    try {
      return (await this.payment(account, paymentIntentId)).refunds;
    } catch (error) {
      if (error instanceof StripeRefused) throw new StripeUnavailable(`The payment is not found: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** A connected account for a business, once: it is the business's own, with its own dashboard. */
  async createAccount(businessId: string): Promise<ConnectedAccount> {
    const account = { type: 'standard' as const, metadata: { business: businessId } };
    return answered(async () => accountOf(await this.stripe.accounts.create(account, { idempotencyKey: `account-${businessId}` })));
  }

  async account(account: string): Promise<ConnectedAccount> {
    return answered(async () => accountOf(await this.stripe.accounts.retrieve(account)));
  }

  /** Says there whose an account is that was there before. */
  async claimAccount(account: string, businessId: string): Promise<ConnectedAccount> {
    return answered(async () => accountOf(await this.stripe.accounts.update(account, { metadata: { business: businessId } })));
  }

  /** Where the business tells Stripe about itself; good for a few minutes, once. */
  async onboardingLink(account: string, urls: { returnUrl: string; refreshUrl: string }): Promise<{ url: string; expiresAt: string }> {
    const link = { account, type: 'account_onboarding' as const, return_url: urls.returnUrl, refresh_url: urls.refreshUrl };
    return answered(async () => {
      const { url, expires_at } = await this.stripe.accountLinks.create(link);
      return { url, expiresAt: instantOf(expires_at) };
    });
  }

  /** What has happened on an account in that time, newest first: what a webhook would have told (Stripe keeps it for 30 days). */
  async eventsBetween(account: string, since: string, until: string): Promise<Knock[]> {
    const created = { gte: Math.floor(Date.parse(since) / 1000), lte: Math.ceil(Date.parse(until) / 1000) };
    return answered(async () => {
      const events = this.stripe.events.list({ created, types: [...CONCERN], limit: 100 }, on(account));
      const all = await events.autoPagingToArray(ALL);
      if (all.length === ALL.limit)
        throw new Error(`${account}: ${ALL.limit} events or more from ${since} to ${until}: the oldest would be lost.`);
      return all.map((event) => ({ ...knockOf(event), account }));
    });
  }

  /**
   * @param rawBody as it came, byte for byte: that is what is signed
   * @throws NotFromStripe when the signature is wrong, or older than five minutes
   */
  readWebhook(rawBody: Buffer, signature: string): Knock {
    try {
      return knockOf(this.stripe.webhooks.constructEvent(rawBody, signature, this.webhookSecret, TOLERANCE_S));
    } catch (error) {
      throw new NotFromStripe('This did not come from Stripe, or too late.', { cause: error });
    }
  }
}

const ALL = { limit: 10_000 };
const TOLERANCE_S = 300;

const knockOf = (event: Stripe.Event): Knock => ({
  ...{ eventId: event.id, type: event.type, account: event.account ?? null, at: instantOf(event.created), about: subjectOf(event) },
});

const subjectOf = ({ type, data }: Stripe.Event): Knock['about'] => {
  const object = data.object as { id: string; payment_intent?: string | { id: string } | null };
  if ((CHECKOUTS as readonly string[]).includes(type)) return { kind: 'checkout', id: object.id };
  if (!CONCERN.has(type) || !object.payment_intent) return null;
  return { kind: 'payment', id: idOf(object.payment_intent)! };
};

/** Distinguishes what Stripe will not do from all that says nothing of what came of it. */
const answered = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { type, statusCode, code, message } = error;
    if (FINAL.has(statusCode ?? 0) && type !== 'StripeIdempotencyError') throw new StripeRefused(code ?? type, message, { cause: error });
    if (statusCode === 403) throw new StripeNotAllowed(`Stripe does not let us: ${message}`, { cause: error });
    throw new StripeUnavailable(`Stripe did not answer as it should: ${message}`, { cause: error });
  }
};

const FINAL: ReadonlySet<number> = new Set([400, 402, 404]); // not 401: a wrong key says nothing of what was asked

const addressOf = (apiUrl: string | undefined): { host?: string; port?: string; protocol?: 'http' | 'https' } => {
  if (apiUrl === undefined) return {};
  const { hostname, port, protocol } = new URL(apiUrl);
  const secure = protocol === 'https:';
  return { host: hostname, port: port || (secure ? '443' : '80'), protocol: secure ? 'https' : 'http' };
};

const on = (account: string) => ({ stripeAccount: account });
const idOf = (thing: string | { id: string } | null): string | null => (typeof thing === 'string' ? thing : (thing?.id ?? null));
const instantOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

const accountOf = (account: Stripe.Account): ConnectedAccount => ({
  ...{
    account: account.id,
    businessId: account.metadata?.business ?? null,
    chargesEnabled: account.charges_enabled,
    payoutsEnabled: account.payouts_enabled,
  },
  ...{ detailsSubmitted: account.details_submitted, currentlyDue: account.requirements?.currently_due ?? [] },
});

const purchaseOf = (metadata: Stripe.Metadata | null): PurchaseRef | null =>
  metadata?.business && metadata.purchase ? { businessId: metadata.business, purchaseId: metadata.purchase } : null;

const checkoutOf = (session: Stripe.Checkout.Session): Checkout => ({
  ...{ checkoutId: session.id, url: session.status === 'open' ? session.url : null, status: statusOf(session) },
  ...{ amount: fromStripe(session.amount_total ?? 0, session.currency ?? ''), paymentIntentId: idOf(session.payment_intent) },
  ...{ expiresAt: instantOf(session.expires_at), purchase: purchaseOf(session.metadata) },
});

/** A session that is complete and not paid waits for a delayed method; when that fails, its payment asks for another. */
const statusOf = ({ status, payment_status, payment_intent }: Stripe.Checkout.Session): Checkout['status'] => {
  if (payment_status !== 'unpaid') return 'paid';
  if (status !== 'complete') return status === 'expired' ? 'expired' : 'open';
  const intent = typeof payment_intent === 'string' ? null : payment_intent;
  return intent && FAILED.has(intent.status) ? 'failed' : 'processing';
};

const FAILED: ReadonlySet<string> = new Set(['requires_payment_method', 'canceled']);

const refundOf = (refund: Stripe.Refund): CardRefund => ({
  ...{ stripeRefundId: refund.id, refundId: refund.metadata?.refund ?? null, paymentIntentId: idOf(refund.payment_intent) ?? '' },
  ...{ amount: fromStripe(refund.amount, refund.currency), status: refundStatusOf(refund.status) },
  ...{ reason: refund.failure_reason ?? null, createdAt: instantOf(refund.created) },
});

const refundStatusOf = (status: string | null): CardRefund['status'] => {
  if (status === 'failed' || status === 'canceled') return 'failed';
  return status === 'succeeded' ? 'succeeded' : 'pending';
};

const disputeOf = ({ id, amount, currency, status, reason, created }: Stripe.Dispute): CardDispute => ({
  ...{ disputeId: id, amount: fromStripe(amount, currency), reason, createdAt: instantOf(created) },
  status: status === 'lost' ? 'lost' : ENDED_WELL.has(status) ? 'won' : 'open',
});

const ENDED_WELL: ReadonlySet<string> = new Set(['won', 'warning_closed', 'prevented']);
