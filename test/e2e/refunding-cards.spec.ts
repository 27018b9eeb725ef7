import type { Money } from '../../libs/domain/kernel/shapes.js';
import type { Schemas } from '../../libs/api-client/index.js';
import type { Invoice, Page, Sold } from '../support/clinic.js';
import { disagreements } from '../support/agreement.js';
import { unexplained } from '../support/explained.js';
import { until } from '../support/fleet.js';
import { aClient, becomes, buy, have, openOnlineShop, takingCards, urls, type Bought, type OnlineShop } from '../support/online-shop.js';
import { startService, type Service } from '../support/service.js';
import { startStripe, type LocalStripe } from '../support/stripe.js';

// What was paid by card is given back at Stripe: a simulated one, which the real library talks to. A package of 344.93 with 44.93 of tax.

const TOTAL = 34_493;

/** The package, as it is read and as a command answers it. */
type Refunded = Schemas['PackageRead'] & Pick<Schemas['PackageAnswer'], 'refunds'>;
interface Package {
  packageId: string;
  clientId: string;
  invoiceId: string;
  paymentIntent: string;
}

let stripe: LocalStripe;
let service: Service;
let shop: OnlineShop;
beforeAll(async () => {
  stripe = await startStripe();
  service = await startService({ env: { ...takingCards(stripe), LOG_LEVEL: 'fatal' } });
  await stripe.sendTo(service.urls[0]!);
  shop = await openOnlineShop(service, stripe);
});
afterEach(async () => {
  await stripe.webhooks.mode('normal');
  await stripe.refunds('succeeded');
  await stripe.heal();
});
afterAll(async () => {
  await service?.stop();
  await stripe?.stop();
});

const money = (amount: number): Money => shop.clinic.money(amount);
const pathOf = ({ packageId }: Pick<Package, 'packageId'>) => `/v1/packages/${packageId}`;
const post = <Answer = Refunded>(path: string, body: object = {}, headers?: Record<string, string>) =>
  shop.clinic.owner.post<Answer>(path, body, headers);
const refused = (path: string, body: object) => shop.clinic.owner.refused(409, 'POST', path, { body });
const byCard = (amount: number, more: object = {}) => ({ amount: money(amount), method: 'stripe', outcome: 'outstandingBalance', ...more });
const packageOf = (one: Package) => shop.clinic.package(one);
const invoiceOf = (one: Pick<Package, 'invoiceId'>): Promise<Invoice> => shop.clinic.invoice(one);
/** Once its invoice and the package say so: what is heard of Stripe reaches both moments after. */
const becomesSo = async (one: Package, what: Partial<Pick<Invoice, 'refunded' | 'pending'>>): Promise<Invoice> => {
  const isSo = (now: { refunded: number; pending: number }) =>
    Object.entries(what).every(([name, amount]) => now[name as keyof typeof what] === amount);
  await until(async () => isSo(await invoiceOf(one)) && isSo(await packageOf(one)), JSON.stringify(what));
  return invoiceOf(one);
};

const intentOf = async ({ purchaseId }: Pick<Bought, 'purchaseId'>): Promise<string> => {
  const { data } = await stripe.library.checkout.sessions.list({ limit: 100 }, { stripeAccount: shop.account });
  return data.find(({ metadata }) => metadata?.purchase === purchaseId)!.payment_intent as string;
};

/** Bought online and paid by card. */
const bought = async (): Promise<Package> => {
  const { client, clientId } = await aClient(shop.clinic);
  const started = await buy(client, shop.offeringId);
  await stripe.pay(started.url!);
  const { packageId, invoiceId } = await becomes(client, started, 'paid');
  await have(client, 1);
  return { packageId: packageId!, clientId, invoiceId: invoiceId!, paymentIntent: await intentOf(started) };
};
const cancelled = async (): Promise<Package> => {
  const one = await bought();
  await post(`${pathOf(one)}/cancel`);
  return one;
};
const atStripe = async ({ paymentIntent }: Package) =>
  (await stripe.library.refunds.list({ payment_intent: paymentIntent }, { stripeAccount: shop.account })).data;

/** Stripe knocks with this, and is answered once what it is about was brought in. */
const knock = async (event: object): Promise<void> => {
  const body = JSON.stringify({ ...event, account: shop.account });
  const signature = stripe.library.webhooks.generateTestHeaderString({ payload: body, secret: stripe.webhookSecret });
  const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
  const answer = await fetch(`${service.urls[0]}/v1/stripe/webhooks`, { method: 'POST', body, headers });
  expect(answer.ok).toBe(true);
};

describe('a refund of what was paid by card', () => {
  it('H6: cancel, pending refund, second refund', async () => {
    await stripe.refunds('pending');
    const one = await cancelled();
    const first = await post(`${pathOf(one)}/refunds`, byCard(20_000, { outcome: 'noOutstandingBalance' }));
    expect(first.refunds).toMatchObject([{ status: 'pending', source: 'staff', amount: money(20_000), tax: null, refused: false }]);
    expect(await invoiceOf(one)).toMatchObject({
      ...{ paid: TOTAL, refunded: 0, pending: 20_000, adjustments: 0, balance: 0 },
      refunds: [{ status: 'pending', taxes: [], refundedOn: null, requestedOn: shop.clinic.day(0) }],
    });
    expect(await packageOf(one)).toMatchObject({ status: 'cancelled', refunded: 0, pending: 20_000 });

    // What waits is kept: a second refund, in whichever way, is of the rest; so is what is suggested; and the package stays cancelled.
    const rest = TOTAL - 20_000;
    expect(await refused(`${pathOf(one)}/refunds`, byCard(rest + 1))).toMatchObject({
      ...{ code: 'REFUND_ABOVE_PAYMENT', details: { left: money(rest) } },
    });
    expect(await refused(`${pathOf(one)}/refunds`, { ...byCard(rest + 1), method: 'cash' })).toMatchObject({
      ...{ code: 'REFUND_ABOVE_PAID', details: { refundable: money(rest) } },
    });
    expect(await shop.clinic.owner.get(`${pathOf(one)}/suggested-refund`)).toMatchObject({
      pending: money(20_000),
      suggested: money(rest),
    });
    expect(await refused(`${pathOf(one)}/reinstate`, {})).toMatchObject({ code: 'REFUND_PENDING', details: { pending: money(20_000) } });
    await post(`${pathOf(one)}/refunds`, byCard(rest));
    expect(await invoiceOf(one)).toMatchObject({ refunded: 0, pending: TOTAL, balance: 0 });
    await until(async () => (await atStripe(one)).length === 2, 'Stripe was asked for both');

    const given = await atStripe(one); // which of them it was asked for first, nobody knows
    const [earlier, second] = [20_000, rest].map((amount) => given.find((refund) => refund.amount === amount));
    await stripe.settleRefund(second!.id, 'fail');
    expect(await becomesSo(one, { pending: 20_000, refunded: 0 })).toMatchObject({
      balance: 0,
      refunds: [{ status: 'pending' }, { status: 'failed' }],
    });
    await stripe.settleRefund(earlier!.id, 'succeed');
    expect(await becomesSo(one, { pending: 0, refunded: 20_000 })).toMatchObject({
      ...{ adjustments: -20_000, balance: 0 },
      refunds: [
        { status: 'succeeded', tax: money(2_605), stripeRefundId: earlier!.id },
        { status: 'failed', failure: expect.any(String) },
      ],
    });
    await shop.clinic.owner.refused(409, 'POST', `${pathOf(one)}/reinstate`, { body: {} });
  });

  it('H6: is made through Stripe once; the package, its history and its tags tell the whole story', async () => {
    const one = await cancelled();
    const key = { 'idempotency-key': one.packageId };
    const send = () => post(`${pathOf(one)}/refunds`, byCard(10_000, { notes: 'Moves away' }), key);
    const first = await send();
    await becomesSo(one, { refunded: 10_000, pending: 0 });
    expect(await send()).toEqual(first);
    expect(await atStripe(one)).toMatchObject([{ amount: 10_000, metadata: { refund: first.refunds[0]!.refundId } }]);
    expect(await invoiceOf(one)).toMatchObject({ balance: 10_000, refunds: [{ status: 'succeeded', notes: 'Moves away' }] });
    const { items } = await shop.clinic.owner.get<Page<{ type: string; actorRole: string; after: object }>>(`${pathOf(one)}/history`);
    expect(items.slice(1)).toMatchObject([
      { type: 'PackageCancelled', actorRole: 'owner' },
      { type: 'PackageRefundRequested', actorRole: 'owner', after: { refunded: money(0), pending: money(10_000) } },
      { type: 'PackageRefunded', actorRole: 'stripe', after: { refunded: money(10_000), pending: money(0) } },
    ]);
    const tags = await shop.clinic.owner.get<Page<object>>(`${pathOf(one)}/audit-tags`);
    expect(tags.items.slice(2)).toMatchObject([
      { what: 'refundRequested', from: '0', to: '10000', reason: 'Moves away' },
      { what: 'refunded', from: '0', to: '10000', actorRole: 'stripe' },
    ]);
  });

  it('H6: Stripe refuses it: it shows as failed, and the money figures are as before', async () => {
    await stripe.refunds('refused');
    const one = await cancelled();
    await post(`${pathOf(one)}/refunds`, byCard(10_000));
    expect(await becomesSo(one, { refunded: 0, pending: 0 })).toMatchObject({
      ...{ paid: TOTAL, balance: 0, refunds: [{ status: 'failed', failure: 'balance_insufficient' }] },
    });
    const [refund] = (await shop.clinic.owner.get<Refunded>(`${pathOf(one)}/as-of?revision=1000`)).refunds;
    expect(refund).toMatchObject({ status: 'failed', refused: false, failure: 'balance_insufficient' });
    const print = await shop.clinic.owner.get<string>(`/v1/invoices/${one.invoiceId}/invoice.html`);
    expect(print).toContain('Refund, card online (failed)');
    expect(await post(`${pathOf(one)}/reinstate`)).toMatchObject({ status: 'sold' }); // nothing was refunded
  });

  it('H6: Stripe is down, then answers 500 after it has acted, 429 and late: it is given back, once', async () => {
    const one = await cancelled();
    await stripe.down();
    await post(`${pathOf(one)}/refunds`, byCard(10_000));
    await until(async () => (await invoiceOf(one)).pending === 10_000, 'it waits');
    await stripe.heal();
    await stripe.fault({ kind: 'rateLimit', on: 'POST /v1/refunds' });
    await stripe.fault({ kind: 'error', when: 'after', on: 'POST /v1/refunds', times: 3 });
    await stripe.fault({ kind: 'delay', ms: 500, on: 'GET /v1/payment_intents', times: 2 });
    await becomesSo(one, { refunded: 10_000, pending: 0 });
    expect(await atStripe(one)).toHaveLength(1);
  });

  it('H6: nobody is told by webhooks: it is found all the same; told later, twice and shuffled, nothing more happens', async () => {
    await stripe.webhooks.mode('held');
    await stripe.refunds('pending');
    const one = await cancelled();
    await post(`${pathOf(one)}/refunds`, byCard(10_000));
    await until(async () => (await atStripe(one)).length === 1, 'Stripe was asked');
    await stripe.settleRefund((await atStripe(one))[0]!.id, 'succeed');
    await becomesSo(one, { refunded: 10_000, pending: 0 });
    await stripe.webhooks.mode('normal');
    await stripe.webhooks.again({ times: 2, shuffled: true });
    await stripe.webhooks.settled(20_000);
    expect(await invoiceOf(one)).toMatchObject({ refunded: 10_000, refunds: [{ status: 'succeeded' }] });
    expect(await packageOf(one)).toMatchObject({ refunded: 10_000, flags: [] });
  });

  it('H6: of two at once only what there is; a webhook that is faster than our own answer changes nothing', async () => {
    const one = await cancelled();
    await stripe.fault({ kind: 'delay', when: 'after', ms: 1_000, on: 'POST /v1/refunds' });
    const send = () => shop.clinic.owner.send('POST', `${pathOf(one)}/refunds`, { body: byCard(20_000) });
    const answers = await Promise.all([send(), send()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    await becomesSo(one, { refunded: 20_000, pending: 0 });
    expect(await atStripe(one)).toHaveLength(1);
  });

  it('D2, H6: of two payments, in cash and by card, each is given back in its own way; which of two cards is said', async () => {
    const { clinic, offeringId } = shop;
    const clientId = await clinic.client();
    const sold = await clinic.owner.post<Sold>('/v1/packages', { clientId, offeringId, payment: { amount: money(4_493), method: 'cash' } });
    const checkout = (amount: number) => post<Bought>(`/v1/invoices/${sold.invoiceId}/checkouts`, { ...urls, amount: money(amount) });
    const [a, b] = [await checkout(20_000), await checkout(10_000)];
    await stripe.pay(a.url!);
    await stripe.pay(b.url!);
    await until(async () => (await invoiceOf(sold)).balance === 0, 'it is paid');
    await post(`${pathOf(sold)}/cancel`);
    const path = `${pathOf(sold)}/refunds`;
    const { details } = await refused(path, byCard(10_000));
    const { payments } = details as { payments: { paymentId: string; left: Money }[] };
    const of = (amount: number) => payments.find(({ left }) => left.amount === amount)!.paymentId;
    expect(await refused(path, byCard(10_001, { paymentId: of(10_000) }))).toMatchObject({ code: 'REFUND_ABOVE_PAYMENT' });
    await post(path, byCard(15_000, { paymentId: of(20_000) }));
    await post(path, byCard(10_000, { paymentId: of(10_000) }));
    await post(path, { ...byCard(4_493), method: 'cash' });
    const package_ = { ...sold, paymentIntent: await intentOf(a) };
    await becomesSo(package_, { refunded: 29_493, pending: 0 });
    expect(await atStripe(package_)).toMatchObject([{ amount: 15_000 }]);
    await post(path, byCard(5_000)); // only one has something left
    expect(await becomesSo(package_, { refunded: TOTAL, pending: 0 })).toMatchObject({ balance: TOTAL });
  });

  it("E9, H6: an appointment's credit goes back to the card; a payment in cash does not", async () => {
    const { clinic } = shop;
    const booked = await clinic.bookWithout();
    const path = `/v1/invoices/${booked.invoiceId}`;
    await stripe.pay((await post<Bought>(`${path}/checkouts`, urls)).url!);
    await until(async () => (await invoiceOf(booked)).balance === 0, 'it is paid');
    await clinic.end(booked, 'cancel');
    const asked = await post<Schemas['InvoiceAnswer']>(`${path}/refunds`, byCard(9_198));
    expect(asked).toMatchObject({ refunded: 0, pending: 9_198, balance: -9_198, refundId: expect.any(String) });
    await until(async () => (await invoiceOf(booked)).refunded === 9_198, 'it is given back');
    expect(await invoiceOf(booked)).toMatchObject({ balance: 0, refunds: [{ refundId: asked.refundId, status: 'succeeded' }] });

    const inCash = await clinic.bookWithout();
    const { paymentId } = await post<{ paymentId: string }>(`/v1/invoices/${inCash.invoiceId}/payments`, {
      amount: money(9_198),
      method: 'cash',
    });
    const refunds = `/v1/invoices/${inCash.invoiceId}/refunds`;
    expect(await refused(refunds, byCard(1))).toMatchObject({ code: 'NOT_PAID_BY_STRIPE' });
    expect(await refused(refunds, byCard(1, { paymentId }))).toMatchObject({ code: 'NOT_PAID_BY_STRIPE' });
    const body = { ...byCard(1), method: 'cash', paymentId };
    expect((await clinic.owner.refused(400, 'POST', refunds, { body })).errors).toMatchObject([
      { field: '/paymentId', code: 'ONLY_THROUGH_STRIPE' },
    ]);
  });
});

describe('what is done at Stripe itself', () => {
  it("H6: a refund in Stripe's dashboard is a fact: recorded and flagged, also without a cancellation", async () => {
    const one = await bought();
    await stripe.refundInDashboard(one.paymentIntent, 5_000);
    expect(await becomesSo(one, { refunded: 5_000 })).toMatchObject({
      ...{ balance: 5_000, pending: 0, refunds: [{ status: 'succeeded', source: 'stripe', outcome: 'outstandingBalance' }] },
    });
    expect(await packageOf(one)).toMatchObject({ status: 'sold', flags: ['refundedAtStripe'] });
    const { items } = await shop.clinic.owner.get<Page<Sold>>(`/v1/packages?flag=refundedAtStripe&clientId=${one.clientId}`);
    expect(items.map(({ packageId }) => packageId)).toEqual([one.packageId]);
    expect((await shop.clinic.owner.get<Page<Sold>>(`/v1/packages?flag=disputed&clientId=${one.clientId}`)).items).toEqual([]);
  });

  it('H6: told of before it is told that anything was paid: both are brought in; what comes back there is not refunded any more', async () => {
    await stripe.webhooks.mode('held');
    const { client, clientId } = await aClient(shop.clinic);
    const started = await buy(client, shop.offeringId);
    await stripe.pay(started.url!);
    const paymentIntent = await intentOf(started);
    await stripe.refundInDashboard(paymentIntent, 5_000);
    const { data } = await stripe.library.events.list({ limit: 100 }, { stripeAccount: shop.account });
    const about = ({ id, payment_intent }: { id: string; payment_intent?: unknown }) =>
      id === paymentIntent || payment_intent === paymentIntent;
    for (const type of ['charge.refunded', 'checkout.session.completed'])
      await knock(data.find((event) => event.type === type && about(event.data.object as { id: string }))!);
    const { packageId, invoiceId } = await becomes(client, started, 'paid');
    const one = { packageId: packageId!, clientId, invoiceId: invoiceId!, paymentIntent };
    await becomesSo(one, { refunded: 5_000 });
    expect((await packageOf(one)).flags).toEqual(['refundedAtStripe']);
    await stripe.settleRefund((await atStripe(one))[0]!.id, 'fail');
    expect(await becomesSo(one, { refunded: 0 })).toMatchObject({ balance: 0, refunds: [{ status: 'failed' }] });
    expect((await packageOf(one)).flags).toEqual([]);
  });

  it('H6: a refund there beside one of ours that waits: what then is too much, Stripe refuses', async () => {
    await stripe.refunds('pending');
    const one = await cancelled();
    await stripe.down();
    await post(`${pathOf(one)}/refunds`, byCard(20_000));
    await stripe.refunds('succeeded');
    await stripe.refundInDashboard(one.paymentIntent); // where the calls that fail do not pass
    await stripe.heal();
    const now = await becomesSo(one, { pending: 0 });
    const given = (await atStripe(one)).reduce((sum, { amount }) => sum + amount, 0);
    expect(now.refunded).toBe(given);
    expect(given).toBe(TOTAL);
  });

  it('H6: a dispute is recorded and flagged; won, it is over; lost, the money is gone', async () => {
    const [won, lost] = [await bought(), await bought()];
    const disputeOf = async ({ paymentIntent }: Package) =>
      (await stripe.library.disputes.list({ payment_intent: paymentIntent }, { stripeAccount: shop.account })).data[0]!.id;
    for (const one of [won, lost]) {
      await stripe.dispute(one.paymentIntent);
      await until(async () => (await packageOf(one)).flags.includes('disputed'), 'it is flagged');
      await shop.clinic.service.history(); // all lists have it
      expect(await invoiceOf(one)).toMatchObject({ disputed: true, refunded: 0, balance: 0 });
    }
    await stripe.onDispute(await disputeOf(won), 'won');
    await stripe.onDispute(await disputeOf(lost), 'lost');
    await until(async () => (await packageOf(won)).flags.length === 0, 'it is won');
    expect(await becomesSo(lost, { refunded: TOTAL })).toMatchObject({
      ...{ disputed: true, balance: TOTAL, refunds: [{ source: 'stripe', outcome: 'outstandingBalance', stripeRefundId: null }] },
    });
    expect(await packageOf(lost)).toMatchObject({ flags: ['disputed', 'refundedAtStripe'], disputes: [{ status: 'lost' }] });
    const { items } = await shop.clinic.owner.get<Page<Invoice>>('/v1/invoices?disputed=true');
    expect(items.map(({ invoiceId }) => invoiceId)).toEqual([lost.invoiceId]);
  });

  it('H6: when all has been heard, streams, lists and histories agree', async () => {
    await stripe.webhooks.settled(20_000);
    expect(disagreements(await service.history())).toEqual([]);
    expect(await unexplained(shop.clinic.owner)).toEqual([]);
  });
});
