import { disagreements } from '../support/agreement.js';
import { until } from '../support/fleet.js';
import {
  aClient,
  becomes,
  bought,
  buy,
  checkoutsOf,
  have,
  openOnlineShop,
  packagesOf,
  soldOnline,
  takingCards,
  urls,
  type Bought,
  type OnlineShop,
} from '../support/online-shop.js';
import type { Program } from '../support/program.js';
import { type PolicyMode, type Service, startService } from '../support/service.js';
import { startStripe, type LocalStripe } from '../support/stripe.js';

// Whatever dies or does not answer between a client who pays and a package that is there: in the end there is one payment and one package,
// and the books balance. More places to die at, and more webhooks, with SOAK=1.

const soak = Boolean(process.env.SOAK);
const PATIENCE = soak ? 3_600_000 : 600_000; // ms, most of it for processes to start

let stripe: LocalStripe;
let service: Service;
let shop: OnlineShop;
const open = async (policies: PolicyMode) => {
  stripe = await startStripe();
  service = await startService({ policies, env: { ...takingCards(stripe), LOG_LEVEL: 'fatal', RATE_LIMIT_PER_MINUTE: '0' } });
  await stripe.sendTo(service.urls[0]!);
  shop = await openOnlineShop(service, stripe);
};
const close = async () => {
  await service?.stop();
  await stripe?.stop();
};
const agree = async () => expect(disagreements(await service.history())).toEqual([]);

/** Pays while the API that Stripe knocks at dies there, and nobody else looks; then Stripe knocks at the others. */
const payAtOneThatDies = async (dyingAt: string, url: () => Promise<string>): Promise<void> => {
  const [doomed] = await Promise.all([service.startApi({ FAILPOINT: dyingAt }), service.stopProjector()]);
  await stripe.sendTo(doomed.ready as string);
  await stripe.pay(await url());
  await doomed.ended();
  await stripe.sendTo(service.urls[0]!);
  await service.startProjector();
};

const ALL = [
  'before:PurchasePaid',
  'after:PurchasePaid',
  'before:PackageSold',
  'after:PackageSold',
  'before:InvoiceIssued',
  'after:InvoiceIssued',
];
const PLACES: Record<'both' | 'api', string[]> = {
  both: soak ? ALL : ['after:PackageSold'],
  api: soak ? ALL : ['after:PurchasePaid'],
};

describe.each(soak ? (['both', 'api'] as const) : (['both'] as const))('with policies carried out by: %s', (policies) => {
  beforeAll(() => open(policies), PATIENCE);
  afterAll(close);

  it.each(PLACES[policies])(
    'I4: the API dies %s of what is bought online: one payment, one package',
    async (dyingAt) => {
      const { client } = await aClient(shop.clinic);
      let purchase: Bought | undefined;
      await payAtOneThatDies(dyingAt, async () => {
        purchase = await buy(client, shop.offeringId);
        return purchase.url!;
      });
      expect(await becomes(client, purchase!, 'paid')).toMatchObject({ status: 'paid' });
      await have(client, 1);
      await agree();
    },
    PATIENCE,
  );

  it(
    'D2: the API dies of what is paid on an invoice: it is paid once',
    async () => {
      const sold = await shop.clinic.sell();
      let checkout: Bought | undefined;
      await payAtOneThatDies('after:PurchasePaid', async () => {
        checkout = await shop.clinic.owner.post<Bought>(`/v1/invoices/${sold.invoiceId}/checkouts`, urls);
        return checkout.url!;
      });
      await until(async () => (await shop.clinic.invoice(sold)).balance === 0, 'it is paid');
      await agree();
    },
    PATIENCE,
  );
});

/** From an API of its own, which is about to die of it. */
const buyAt = async (api: Program, clientId: string, offeringId: string, headers: Record<string, string> = {}) => {
  const authorization = `Bearer ${await shop.clinic.business.token('client', { clientId })}`;
  return fetch(`${api.ready as string}/v1/me/purchases`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ offeringId, ...urls }),
  });
};

describe('with policies carried out by both', () => {
  beforeAll(() => open('both'), PATIENCE);
  afterEach(async () => {
    await stripe.heal();
    await stripe.webhooks.mode('normal');
  });
  afterAll(close);

  it(
    'I4, D5: the API dies while it starts a purchase: sent again it is the same, with one page to pay at',
    async () => {
      const { clinic, account } = shop;
      const gaps = ['before:PurchaseStarted', 'after:PurchaseStarted', 'before:CheckoutOpened', 'after:CheckoutOpened'];
      for (const dyingAt of soak ? gaps : gaps.slice(1, 3)) {
        const { client, clientId } = await aClient(clinic);
        const offeringId = await soldOnline(clinic);
        const key = `dies ${dyingAt}`;
        const doomed = await service.startApi({ FAILPOINT: dyingAt });
        await expect(buyAt(doomed, clientId, offeringId, { 'idempotency-key': key })).rejects.toThrow();
        const [purchase, again] = [
          await buy(client, offeringId, { 'idempotency-key': key }),
          await buy(client, offeringId, { 'idempotency-key': key }),
        ];
        expect(again).toEqual(purchase);
        expect(purchase).toMatchObject({ status: 'started', url: expect.any(String) as string });
        expect(await checkoutsOf(stripe, account, purchase)).toHaveLength(1);
        await stripe.pay(purchase.url!);
        await becomes(client, purchase, 'paid');
        await have(client, 1);
      }
      await agree();
    },
    PATIENCE,
  );

  it(
    'I4: a purchase whose API died before Stripe was asked is carried on by the clerk',
    async () => {
      const { clinic, offeringId } = shop;
      const { client, clientId } = await aClient(clinic);
      const doomed = await service.startApi({ FAILPOINT: 'after:PurchaseStarted' });
      await expect(buyAt(doomed, clientId, offeringId)).rejects.toThrow();
      const own = async () => (await client.get<{ items: Bought[] }>('/v1/me/purchases')).items[0];
      await until(async () => typeof (await own())?.url === 'string', 'it has a page to pay at');
      await stripe.pay((await own())!.url!);
      await becomes(client, (await own())!, 'paid');
      await agree();
    },
    PATIENCE,
  );

  it(
    'I4: Stripe is down, slow, out of order, has too much to do, or answers after we gave up: one purchase, one page, one package',
    async () => {
      const { clinic, offeringId, account } = shop;
      const on = 'POST /v1/checkout/sessions';
      for (const [n, fault] of [
        { kind: 'delay', ms: 1_000, on },
        { kind: 'error', times: 2, on },
        { kind: 'rateLimit', times: 1, on },
        { kind: 'reset', when: 'after', times: 1, on },
      ].entries()) {
        const { client } = await aClient(clinic);
        await stripe.fault(fault as Parameters<LocalStripe['fault']>[0]);
        const ask = (key: string) =>
          client.send<Bought>('POST', '/v1/me/purchases', { body: { offeringId, ...urls }, headers: { 'idempotency-key': key } });
        let answer = await ask(`fault ${n}`);
        await stripe.heal();
        if (answer.status === 503) answer = await ask(`fault ${n}`);
        if (answer.status === 503) answer = await ask(`fault ${n}, anew`); // an answer of 500 is Stripe's last word on that key for a day
        const purchase = answer.body;
        expect(await checkoutsOf(stripe, account, purchase)).toHaveLength(1);
        await stripe.pay(purchase.url!);
        await becomes(client, purchase, 'paid');
        await have(client, 1);
      }
      await agree();
    },
    PATIENCE,
  );

  it(
    'I4: while Stripe is down a purchase is answered 503, and is the same one when it is sent again; what was paid is found',
    async () => {
      const { clinic, offeringId, account } = shop;
      const { client } = await aClient(clinic);
      const headers = { 'idempotency-key': 'while it is down' };
      const paidBefore = await buy(client, offeringId);
      await stripe.webhooks.mode('held');
      await stripe.pay(paidBefore.url!);
      await stripe.down();
      expect(await client.refused(503, 'POST', '/v1/me/purchases', { body: { offeringId, ...urls }, headers })).toMatchObject({
        code: 'STRIPE_UNAVAILABLE',
      });
      await stripe.heal();
      const purchase = await buy(client, offeringId, headers);
      expect(await checkoutsOf(stripe, account, purchase)).toHaveLength(1);
      await becomes(client, paidBefore, 'paid');
      await have(client, 1);
      expect(await bought(client, purchase)).toMatchObject({ status: 'started' });
      await agree();
    },
    PATIENCE,
  );

  it(
    'I4: Stripe and the projector die, and come back',
    async () => {
      const { clinic, offeringId } = shop;
      const { client } = await aClient(clinic);
      const purchase = await buy(client, offeringId);
      await stripe.webhooks.mode('held');
      await stripe.pay(purchase.url!);
      await service.stopProjector();
      await stripe.dieAndComeBack();
      await service.startProjector();
      await becomes(client, purchase, 'paid');
      await have(client, 1);
      await agree();
    },
    PATIENCE,
  );

  it(
    `I4: ${soak ? '1,000' : '200'} webhooks in any order, with repeats, while the clerk looks too and an offering is deactivated`,
    async () => {
      const { clinic, account } = shop;
      const offeringId = await soldOnline(clinic);
      const { client } = await aClient(clinic);
      const purchases = await Promise.all(Array.from({ length: 12 }, () => buy(client, offeringId)));
      await stripe.webhooks.mode('shuffled', 1_000);
      const [paying, deactivated] = [
        purchases.slice(0, 8).map(({ url }) => stripe.pay(url!)),
        clinic.owner.patch(`/v1/offerings/${offeringId}`, { status: 'inactive' }),
      ];
      const went = (await Promise.all(paying)).filter((to) => to === urls.successUrl).length; // some pages may have been closed before
      await deactivated;
      for (let sent = 0; sent < (soak ? 1_000 : 200);) sent += await stripe.webhooks.again({ times: 2, shuffled: true });
      await stripe.webhooks.settled(PATIENCE);
      await until(async () => (await packagesOf(client)).length === went, `the client has ${went} packages`, PATIENCE);
      const under = async () => (await client.get<{ items: Bought[] }>('/v1/me/purchases?status=started')).items.length;
      await until(async () => (await under()) === 0, 'no checkout is open', PATIENCE);
      const statuses = (await client.get<{ items: Bought[] }>('/v1/me/purchases')).items.map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array<string>(12 - went).fill('expired'), ...Array<string>(went).fill('paid')]);
      for (const purchase of purchases) expect(await checkoutsOf(stripe, account, purchase)).toHaveLength(1);
      await agree();
    },
    PATIENCE,
  );
});
