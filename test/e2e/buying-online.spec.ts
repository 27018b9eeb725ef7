import { createHmac } from 'node:crypto';
import type { Invoice, Page, Sold } from '../support/clinic.js';
import { until } from '../support/fleet.js';
import {
  aClient,
  becomes,
  bought,
  buy,
  checkoutsOf,
  have,
  intentOf,
  openOnlineShop,
  ORIGIN,
  packagesOf,
  soldOnline,
  takingCards,
  urls,
  type Bought,
  type OnlineShop,
} from '../support/online-shop.js';
import { tablesWith } from '../support/in-tables.js';
import { type Service, startService } from '../support/service.js';
import { startStripe, type LocalStripe } from '../support/stripe.js';

// Clients buy packages by themselves, and staff take cards, at a page of Stripe: a simulated one, which the real library talks to.

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
  await stripe.heal();
});
afterAll(async () => {
  await service?.stop();
  await stripe?.stop();
});

type Paid = Invoice & { payments: { method: string; amount: { amount: number } }[]; status: string };
const TOTAL = 34_493; // 300.00 with 5 % and 9.975 %

const webhook = (body: string, headers: Record<string, string>) =>
  fetch(`${service.urls[0]}/v1/stripe/webhooks`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const signed = (body: string, at = Math.floor(Date.now() / 1000), secret = stripe.webhookSecret) => ({
  'stripe-signature': `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`,
});

describe('buying online', () => {
  it('I4: active paid-upfront offerings marked for it are shown, with what they cost', async () => {
    const { clinic, client, offeringId } = shop;
    const [notOnline, inactive] = [await clinic.offering(), await soldOnline(clinic, { status: 'inactive' })];
    const { items } = await client.get<Page<{ offeringId: string; price: object; services: object[] }>>('/v1/me/offerings');
    expect(items.find((one) => one.offeringId === offeringId)).toMatchObject({
      ...{ name: 'Five massages', services: [{ name: 'Massage', limit: 5 }], expiryRule: { kind: 'none' } },
      price: {
        net: clinic.money(30_000),
        taxes: [{ amount: clinic.money(1_500) }, { amount: clinic.money(2_993) }],
        total: clinic.money(TOTAL),
      },
    });
    expect(items.map((one) => one.offeringId)).not.toEqual(expect.arrayContaining([notOnline]));
    for (const hidden of [notOnline, inactive])
      expect((await client.refused(409, 'POST', '/v1/me/purchases', { body: { offeringId: hidden, ...urls } })).code).toMatch(
        /NOT_SOLD_ONLINE|OFFERING_INACTIVE/,
      );
  });

  it('I4: the package exists once Stripe says paid, with its payment, and can be booked from', async () => {
    const { clinic, offeringId, account } = shop;
    const { client, clientId } = await aClient(clinic);
    const started = await buy(client, offeringId);
    expect(started).toMatchObject({ kind: 'package', status: 'started', amount: clinic.money(TOTAL), packageId: null, invoiceId: null });
    expect(await packagesOf(client)).toEqual([]);
    expect(await stripe.pay(started.url!)).toBe(urls.successUrl);
    const paid = await becomes(client, started, 'paid');
    await have(client, 1);
    const [own] = await packagesOf(client);
    expect(own).toMatchObject({ packageId: paid.packageId, invoiceId: paid.invoiceId, soldOn: clinic.day(0), remaining: 5 });
    await service.history(); // read models have what follows
    const invoice = (await clinic.invoice({ invoiceId: paid.invoiceId! })) as Paid;
    expect(invoice).toMatchObject({
      status: 'paid',
      total: TOTAL,
      balance: 0,
      payments: [{ method: 'stripe', amount: clinic.money(TOTAL) }],
    });
    expect(await clinic.package({ packageId: paid.packageId! })).toMatchObject({ channel: 'online', clientId });
    expect(await clinic.book({ packageId: paid.packageId!, clientId })).toMatchObject({ session: { remaining: 4 } });

    const [session] = (await stripe.library.checkout.sessions.list({ limit: 1 }, { stripeAccount: account })).data;
    expect(session).toMatchObject({
      amount_total: TOTAL,
      currency: 'cad',
      metadata: { business: clinic.business.id, purchase: started.purchaseId },
    });
  });

  it('F3, K1: the history of what was bought says that Stripe told it, and that it was bought online', async () => {
    const { clinic, offeringId } = shop;
    const { client } = await aClient(clinic);
    const started = await buy(client, offeringId);
    await stripe.pay(started.url!);
    const { packageId } = await becomes(client, started, 'paid');
    await have(client, 1);
    await service.history();
    const history = await clinic.owner.get<Page<{ type: string; actorRole: string; data: object }>>(`/v1/packages/${packageId}/history`);
    expect(history.items).toMatchObject([{ type: 'PackageSold', actorRole: 'stripe' }]);
    const tags = await clinic.owner.get<Page<{ what: string; actorRole: string; reason: string }>>(`/v1/packages/${packageId}/audit-tags`);
    expect(tags.items).toMatchObject([{ what: 'sold', actorRole: 'stripe', reason: 'online' }]);
  });

  it('D5: the same request sent twice is one purchase with one page', async () => {
    const { client, offeringId } = shop;
    const key = { 'idempotency-key': 'annas-purchase' };
    const [one, other] = await Promise.all([buy(client, offeringId, key), buy(client, offeringId, key)]);
    expect(other).toEqual(one);
    expect(await buy(client, offeringId, key)).toEqual(one);
    const body = { offeringId, ...urls, cancelUrl: `${ORIGIN}/elsewhere` };
    expect(await client.refused(422, 'POST', '/v1/me/purchases', { body, headers: key })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('C5: edit between checkout and webhook', async () => {
    const { clinic } = shop;
    const offeringId = await soldOnline(clinic);
    const { client } = await aClient(clinic);
    const started = await buy(client, offeringId);
    const edit = (change: object) => clinic.owner.patch(`/v1/offerings/${offeringId}`, change);
    for (const [field, change] of [
      ['name', { name: 'Six massages' }],
      ['services', { services: [{ serviceId: clinic.has.massage, limit: 6 }] }],
    ] as const)
      expect(await clinic.owner.refused(409, 'PATCH', `/v1/offerings/${offeringId}`, { body: change })).toMatchObject({
        ...{ code: 'OFFERING_LOCKED', details: { fields: [field] } },
      });
    await edit({
      payment: { method: 'paidUpfront', fee: clinic.money(99_900), taxIds: [] },
      expiryRule: { kind: 'onDate', date: clinic.day(1) },
    });
    await edit({ description: 'dearer' });
    await stripe.pay(started.url!);
    await becomes(client, started, 'paid');
    await have(client, 1);
    const [own] = await packagesOf(client);
    expect(own).toMatchObject({
      name: 'Five massages',
      description: '',
      expiresOn: null,
      expiryRule: { kind: 'none' },
      services: [{ limit: 5 }],
    });
    await service.history();
    expect(await clinic.invoice(own!)).toMatchObject({ total: TOTAL, balance: 0 });
    expect((await buy((await aClient(clinic)).client, offeringId)).amount).toEqual(clinic.money(99_900));
  });

  it('I4: a payment that takes days is processing until it is paid, or has failed', async () => {
    const { clinic, offeringId, account } = shop;
    const { client } = await aClient(clinic);
    const purchases = [await buy(client, offeringId), await buy(client, offeringId)];
    for (const { url } of purchases) await stripe.payLater(url!);
    for (const one of purchases) expect(await becomes(client, one, 'processing')).toMatchObject({ url: null, packageId: null });
    expect(await client.refused(409, 'POST', `/v1/me/purchases/${purchases[0]!.purchaseId}/cancel`)).toMatchObject({
      code: 'PAYMENT_UNDER_WAY',
    });
    expect(await packagesOf(client)).toEqual([]);
    await stripe.settle(await intentOf(stripe, account, purchases[0]!), 'succeed');
    await stripe.settle(await intentOf(stripe, account, purchases[1]!), 'fail');
    await becomes(client, purchases[0]!, 'paid');
    await becomes(client, purchases[1]!, 'failed');
    await have(client, 1);
  });

  it('I4: one that is declined, abandoned, called off or lapses leaves no package', async () => {
    const { clinic, offeringId, account } = shop;
    const { client } = await aClient(clinic);
    const [declined, abandoned, called, lapsed] = [
      ...[await buy(client, offeringId), await buy(client, offeringId), await buy(client, offeringId), await buy(client, offeringId)],
    ];
    await stripe.decline(declined!.url!);
    await stripe.abandon(abandoned!.url!);
    const [session] = await checkoutsOf(stripe, account, lapsed!);
    await stripe.lapse(session!);
    expect(await client.post(`/v1/me/purchases/${called!.purchaseId}/cancel`)).toMatchObject({ status: 'expired', url: null });
    expect(await bought(client, called!)).toMatchObject({ status: 'expired', because: 'calledOff' });
    await becomes(client, lapsed!, 'expired');
    expect(await bought(client, declined!)).toMatchObject({ status: 'started' });
    expect(await stripe.pay(called!.url!)).not.toBe(urls.successUrl); // the page is closed
    expect(await packagesOf(client)).toEqual([]);
    await stripe.pay(declined!.url!); // with another card
    await becomes(client, declined!, 'paid');
    await have(client, 1);
    expect(await client.refused(409, 'POST', `/v1/me/purchases/${declined!.purchaseId}/cancel`)).toMatchObject({ code: 'PURCHASE_PAID' });
  });

  it('I4: deactivating or deleting the offering expires open checkouts', async () => {
    const { clinic } = shop;
    const { client } = await aClient(clinic);
    const [one, other] = [await soldOnline(clinic), await soldOnline(clinic)];
    const [ofOne, ofOther] = [await buy(client, one), await buy(client, other)];
    await clinic.owner.patch(`/v1/offerings/${one}`, { status: 'inactive' });
    await clinic.owner.delete(`/v1/offerings/${other}`);
    for (const purchase of [ofOne, ofOther]) {
      expect(await becomes(client, purchase, 'expired')).toMatchObject({ because: 'offeringUnavailable', url: null });
      expect(await stripe.pay(purchase.url!)).not.toBe(urls.successUrl); // the page is closed
    }
    expect(await packagesOf(client)).toEqual([]);
  });

  it('I4: a payment that completes is honoured, also when the offering was deactivated before it was heard', async () => {
    const { clinic } = shop;
    const { client } = await aClient(clinic);
    const offeringId = await soldOnline(clinic);
    const purchase = await buy(client, offeringId);
    await stripe.webhooks.mode('held');
    const paying = stripe.pay(purchase.url!);
    await clinic.owner.patch(`/v1/offerings/${offeringId}`, { status: 'inactive' });
    await paying;
    await becomes(client, purchase, 'paid');
    await have(client, 1);
  });

  it('I4: a missed webhook is found by reconciliation', async () => {
    const { clinic, offeringId } = shop;
    const { client } = await aClient(clinic);
    await stripe.webhooks.mode('held');
    const purchase = await buy(client, offeringId);
    await stripe.pay(purchase.url!);
    await becomes(client, purchase, 'paid');
    await have(client, 1);
    expect((await stripe.webhooks.counts()).held).toBeGreaterThan(0);
  });

  it('I4: webhooks that come again, late and in any order change nothing more', async () => {
    const { clinic, offeringId } = shop;
    const { client } = await aClient(clinic);
    await stripe.webhooks.mode('twice');
    const purchase = await buy(client, offeringId);
    await stripe.pay(purchase.url!);
    await becomes(client, purchase, 'paid');
    await have(client, 1);
    await stripe.webhooks.settled();
    await service.history(); // all has followed
    const before = await service.lastPosition();
    await stripe.webhooks.again({ times: 2, shuffled: true });
    await stripe.webhooks.settled();
    expect(await service.lastPosition()).toBe(before);
  });

  it('A2, B2, I4: only by clients, for themselves, where the business sells online and all of it is on show', async () => {
    const { clinic, client, offeringId } = shop;
    const body = { offeringId, ...urls };
    const refused = async (status: number, sent: object = body) =>
      (await client.refused(status, 'POST', '/v1/me/purchases', { body: sent })).code;
    expect((await clinic.owner.refused(403, 'POST', '/v1/me/purchases', { body })).code).toBe('FORBIDDEN');
    const purchase = await buy(client, offeringId);
    const { client: stranger } = await aClient(clinic);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/cancel'],
    ] as const)
      expect((await stranger.refused(404, method, `/v1/me/purchases/${purchase.purchaseId}${path}`)).code).toBe('NOT_FOUND');
    expect((await stranger.get<Page<unknown>>('/v1/me/purchases')).items).toEqual([]);
    expect((await client.get<Page<Bought>>('/v1/me/purchases?status=started')).items).toEqual(
      expect.arrayContaining([expect.objectContaining({ purchaseId: purchase.purchaseId })]),
    );

    await clinic.owner.patch(`/v1/services/${clinic.has.massage}`, { publiclyDisplayed: false });
    expect(await refused(409)).toBe('NOT_SOLD_ONLINE');
    await clinic.owner.patch(`/v1/services/${clinic.has.massage}`, { publiclyDisplayed: true });
    await clinic.owner.patch('/v1/settings', { settings: { clientsMayBuyOnline: false } });
    expect(await refused(409)).toBe('BUYING_ONLINE_OFF');
    expect((await client.get<Page<unknown>>('/v1/me/offerings')).items).toEqual([]);
    await clinic.owner.patch('/v1/settings', { settings: { clientsMayBuyOnline: true } });
    const free = await soldOnline(clinic, { payment: { method: 'paidUpfront', fee: clinic.money(0), taxIds: [] } });
    expect(await refused(409, { ...body, offeringId: free })).toBe('NOTHING_TO_PAY');
    expect(await refused(404, { ...body, offeringId: clinic.has.massage })).toBe('NOT_FOUND');
  });

  it('I4: nobody is sent to where they may not be sent', async () => {
    const { client, offeringId } = shop;
    for (const evil of ['https://evil.example/', `${ORIGIN}.evil.example/`, `${ORIGIN}@evil.example/`, 'http://clinic.example/']) {
      const body = { offeringId, successUrl: evil, cancelUrl: urls.cancelUrl };
      expect(await client.refused(400, 'POST', '/v1/me/purchases', { body })).toMatchObject({
        errors: [{ field: '/successUrl', code: 'ORIGIN_NOT_ALLOWED' }],
      });
    }
    const body = { offeringId, successUrl: 'javascript:alert(1)', cancelUrl: `${ORIGIN}\\@evil.example` };
    expect((await client.refused(400, 'POST', '/v1/me/purchases', { body })).errors?.map(({ field, code }) => [field, code])).toEqual([
      ['/successUrl', 'NOT_A_WEB_ADDRESS'],
      ['/cancelUrl', 'NOT_A_WEB_ADDRESS'],
    ]);
  });
});

describe('cards at the desk', () => {
  it('D2, D4: a sale to be paid by card is sold at once, and owing until it is paid at the page that comes with it', async () => {
    const { clinic, offeringId } = shop;
    const clientId = await clinic.client();
    const payment = { method: 'stripe', amount: clinic.money(20_000), ...urls };
    const key = { 'idempotency-key': 'a-sale-by-card' };
    const sell = () => clinic.owner.post<Sold & { purchase: Bought }>('/v1/packages', { clientId, offeringId, payment }, key);
    const sold = await sell();
    expect(sold).toMatchObject({
      purchase: { kind: 'invoice', status: 'started', amount: clinic.money(20_000), packageId: sold.packageId },
    });
    expect(await sell()).toEqual(sold);
    expect(await clinic.book(sold)).toMatchObject({ session: { remaining: 4 } });
    expect(await clinic.invoice(sold)).toMatchObject({ status: 'unpaid', balance: TOTAL });
    await stripe.pay(sold.purchase.url!);
    await until(async () => ((await clinic.invoice(sold)) as Paid).balance === TOTAL - 20_000, 'a part is paid');
    await service.history(); // all lists have it
    expect(await clinic.owner.get(`/v1/purchases/${sold.purchase.purchaseId}`)).toMatchObject({ status: 'paid', paidOn: clinic.day(0) });
    expect(((await clinic.invoice(sold)) as Paid).payments).toMatchObject([{ method: 'stripe', amount: clinic.money(20_000) }]);
  });

  it('D2: when Stripe opens no page a sale at the desk is sold all the same, and says why; online nothing is sold', async () => {
    const { clinic, client, offeringId } = shop;
    const clientId = await clinic.client();
    const payment = { method: 'stripe', amount: clinic.money(20), ...urls }; // less than a card can be charged with
    const sell = () =>
      clinic.owner.post<Sold & { purchase: Bought; notOpened: string }>('/v1/packages', { clientId, offeringId, payment }, key);
    const key = { 'idempotency-key': 'a-sale-of-twenty-cents' };
    const sold = await sell();
    expect(sold).toMatchObject({
      purchase: { status: 'expired', because: 'neverOpened', url: null },
      notOpened: expect.stringMatching(/nothing was paid: .*below/) as string,
    });
    expect(await sell()).toEqual(sold);
    const checkout = await clinic.owner.post<Bought>(`/v1/invoices/${sold.invoiceId}/checkouts`, urls);
    expect(checkout).toMatchObject({ status: 'started', amount: clinic.money(TOTAL) });

    const said = { status: 400, type: 'invalid_request_error' as const, message: 'Your account cannot currently make charges.' };
    await stripe.fault({ kind: 'refuse', on: 'POST /v1/checkout/sessions', said });
    expect(await client.refused(409, 'POST', '/v1/me/purchases', { body: { offeringId, ...urls } })).toMatchObject({
      ...{ code: 'CHECKOUT_NOT_OPENED', detail: expect.stringMatching(/nothing was sold: .*make charges/) as string },
    });
  });

  it('D2: what is owing on an invoice, or a part of it, is paid by card; beyond what is owing by then it is credit', async () => {
    const { clinic, offeringId } = shop;
    const sold = await clinic.sell({}, { offeringId });
    const checkout = (more: object = {}) => clinic.owner.post<Bought>(`/v1/invoices/${sold.invoiceId}/checkouts`, { ...urls, ...more });
    const [part, all] = [await checkout({ amount: clinic.money(4_493) }), await checkout()];
    expect([part.amount, all.amount]).toEqual([clinic.money(4_493), clinic.money(TOTAL)]);
    expect(
      await clinic.owner.refused(409, 'POST', `/v1/invoices/${sold.invoiceId}/checkouts`, {
        body: { ...urls, amount: clinic.money(TOTAL + 1) },
      }),
    ).toMatchObject({
      code: 'OVERPAID',
    });
    await stripe.pay(part.url!);
    await stripe.pay(all.url!);
    await until(async () => ((await clinic.invoice(sold)) as Paid).balance === -4_493, 'both are paid');
    await service.history(); // all lists have it
    expect(await clinic.owner.refused(409, 'POST', `/v1/invoices/${sold.invoiceId}/checkouts`, { body: urls })).toMatchObject({
      code: 'NOTHING_OWING',
    });
    const { items } = await clinic.owner.get<Page<Bought>>(`/v1/purchases?invoiceId=${sold.invoiceId}`);
    expect(items.map(({ status }) => status)).toEqual(['paid', 'paid']);
  });

  it('K4: no page to pay at is opened for somebody who is forgotten, who can pay otherwise', async () => {
    const { clinic, offeringId } = shop;
    const clientId = await clinic.client();
    const sold = await clinic.sell({}, { offeringId, clientId });
    const underWay = { ...urls, successUrl: `${urls.successUrl}?for=zephyrine`, amount: clinic.money(1_000) };
    await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/checkouts`, { ...underWay });
    await clinic.owner.post(`/v1/clients/${clientId}/forget`);
    await until(async () => (await tablesWith(service.pool, 'zephyrine')).length === 0, 'no table says where they would have come back to');
    expect(await clinic.owner.refused(409, 'POST', `/v1/invoices/${sold.invoiceId}/checkouts`, { body: urls })).toMatchObject({
      ...{ code: 'CLIENT_FORGOTTEN', detail: expect.stringMatching(/another method/) as string },
    });
    await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(TOTAL), method: 'cash' });
  });

  it('D2: what was paid at the desk meanwhile can no longer be paid by card', async () => {
    const { clinic, offeringId } = shop;
    const sold = await clinic.sell({}, { offeringId });
    const open = await clinic.owner.post<Bought>(`/v1/invoices/${sold.invoiceId}/checkouts`, urls);
    await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(TOTAL), method: 'cash' });
    await until(
      async () => (await clinic.owner.get<Bought>(`/v1/purchases/${open.purchaseId}`)).because === 'nothingOwing',
      'its page is closed',
      20_000,
    );
    expect(await stripe.pay(open.url!)).not.toBe(urls.successUrl);
  });

  it('I1, I4: a client pays their own invoice, unless invoices are hidden; staff can call it off', async () => {
    const { clinic } = shop;
    const { client, clientId } = await aClient(clinic);
    const { invoiceId } = await clinic.bookWithout({ clientId });
    const path = `/v1/me/invoices/${invoiceId}/checkouts`;
    const started = await client.post<Bought>(path, urls);
    expect(started).toMatchObject({ kind: 'invoice', invoiceId, amount: clinic.money(9_198) });
    expect(await clinic.owner.post(`/v1/purchases/${started.purchaseId}/cancel`)).toMatchObject({ status: 'expired' });
    expect((await shop.client.refused(404, 'POST', path, { body: urls })).code).toBe('NOT_FOUND');
    await clinic.owner.patch('/v1/settings', { settings: { clientsSeeInvoices: false } });
    expect((await client.refused(404, 'POST', path, { body: urls })).code).toBe('NOT_FOUND');
    await clinic.owner.patch('/v1/settings', { settings: { clientsSeeInvoices: true } });
    const again = await client.post<Bought>(path, urls);
    await stripe.pay(again.url!);
    await until(async () => (await clinic.invoice({ invoiceId })).balance === 0, 'it is paid');
  });
});

describe('what Stripe tells', () => {
  const event = (over: object = {}) =>
    JSON.stringify({ id: 'evt_1', object: 'event', type: 'invoice.paid', created: 1, data: { object: { id: 'in_1' } }, ...over });

  it('I4: unknown events are acknowledged, and counted', async () => {
    const body = event();
    const answer = await webhook(body, signed(body));
    expect([answer.status, await answer.json()]).toEqual([200, { heard: 'noConcern' }]);
    const metrics = await (await fetch(`${service.urls[0]}/metrics`)).text();
    expect(metrics).toMatch(/punchcard_stripe_webhooks_total\{type="other",outcome="noConcern"\} [1-9]/);
  });

  it('I4: what is not signed by Stripe, or too old, or changed, is refused', async () => {
    const body = event();
    const old = Math.floor(Date.now() / 1000) - 301;
    for (const headers of [
      {},
      signed(body, undefined, 'whsec_another'),
      signed(body, old),
      signed(`${body} `),
      { 'stripe-signature': 't=1' },
    ]) {
      const answer = await webhook(body, headers);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'NOT_FROM_STRIPE']);
    }
    const large = event({ more: 'x'.repeat(300_000) });
    expect((await webhook(large, signed(large))).status).toBe(413);
  });

  it('A3, I4: what another account writes there of a purchase that is not its own books nothing', async () => {
    const { clinic, client, offeringId } = shop;
    const purchase = await buy(client, offeringId);
    const evil = await stripe.account('Evil');
    const metadata = { business: clinic.business.id, purchase: purchase.purchaseId };
    const price = { currency: 'cad', unit_amount: TOTAL, product_data: { name: 'x' } };
    const session = await stripe.library.checkout.sessions.create(
      {
        mode: 'payment',
        line_items: [{ quantity: 1, price_data: price }],
        metadata,
        payment_intent_data: { metadata },
        success_url: ORIGIN,
      },
      { stripeAccount: evil },
    );
    await stripe.pay(session.url!);
    await stripe.webhooks.settled();
    expect(await bought(client, purchase)).toMatchObject({ status: 'started' });
    const metrics = await (await fetch(`${service.urls[0]}/metrics`)).text();
    expect(metrics).toMatch(/outcome="amiss"\} [1-9]/);
  });
});

describe('connecting', () => {
  it('A1: a business gets an account once, tells Stripe about itself, and sees how far that is', async () => {
    const { owner } = (await openOnlineShop(service, stripe)).clinic;
    await owner.patch('/v1/settings', { settings: { stripeAccount: null } });
    expect(await owner.get('/v1/stripe/account')).toMatchObject({ account: null, chargesEnabled: false });
    const body = { returnUrl: `${ORIGIN}/done`, refreshUrl: `${ORIGIN}/again` };
    const connect = () => owner.post<{ account: string; url: string }>('/v1/stripe/onboarding', body);
    const first = await connect();
    const second = await connect();
    expect(second.account).toBe(first.account);
    expect(await owner.get('/v1/settings')).toMatchObject({ settings: { stripeAccount: first.account } });
    expect(await owner.get('/v1/stripe/account')).toMatchObject({ account: first.account, chargesEnabled: false });
    expect(await stripe.completeOnboarding(second.url)).toBe(body.returnUrl);
    expect(await owner.get('/v1/stripe/account')).toMatchObject({ chargesEnabled: true, detailsSubmitted: true });
    expect(
      await owner.refused(400, 'POST', '/v1/stripe/onboarding', { body: { ...body, returnUrl: 'https://evil.example/' } }),
    ).toMatchObject({
      errors: [{ field: '/returnUrl', code: 'ORIGIN_NOT_ALLOWED' }],
    });
  });

  it('A1, A3: an account that is set by hand is there, and not of another business, which nobody gets to see or use', async () => {
    const [one, other] = [await openOnlineShop(service, stripe), await openOnlineShop(service, stripe)];
    for (const [stripeAccount, code] of [
      [one.account, 'ACCOUNT_OF_ANOTHER_BUSINESS'],
      ['acct_nobodys', 'NO_SUCH_ACCOUNT'],
    ])
      expect(await other.clinic.owner.refused(400, 'PATCH', '/v1/settings', { body: { settings: { stripeAccount } } })).toMatchObject({
        errors: [{ field: '/settings/stripeAccount', code }],
      });

    await stripe.library.accounts.update(other.account, { metadata: { business: one.clinic.business.id } }); // as if it had been set unseen
    const { owner } = other.clinic;
    const body = { returnUrl: ORIGIN, refreshUrl: ORIGIN };
    expect((await owner.refused(409, 'GET', '/v1/stripe/account')).code).toBe('ACCOUNT_OF_ANOTHER_BUSINESS');
    expect((await owner.refused(409, 'POST', '/v1/stripe/onboarding', { body })).code).toBe('ACCOUNT_OF_ANOTHER_BUSINESS');
    const purchase = { offeringId: other.offeringId, ...urls };
    expect((await other.client.refused(409, 'POST', '/v1/me/purchases', { body: purchase })).code).toBe('CHECKOUT_NOT_OPENED');
  });
});
