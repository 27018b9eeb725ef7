import type Stripe from 'stripe';
import { openSimulator, refusalOf, wanted, type OpenSimulator } from '../testing/open-simulator.js';

let simulator: OpenSimulator;
let stripe: Stripe;
let clinic: { stripeAccount: string };
beforeAll(async () => {
  simulator = await openSimulator();
  stripe = simulator.library();
});
afterAll(() => simulator.stop());
beforeEach(async () => {
  await simulator.calmDown();
  clinic = { stripeAccount: await simulator.account() };
});

const create = (more?: Partial<Stripe.Checkout.SessionCreateParams>, key?: string) =>
  stripe.checkout.sessions.create(wanted(more), { ...clinic, idempotencyKey: key });

describe('keys and accounts', () => {
  it('takes any test key, and no other', async () => {
    for (const [key, words] of [
      ['sk_live_of_somebody', 'a live key: nothing was charged'],
      ['pk_test_of_somebody', 'Invalid API Key'],
    ] as const)
      expect(await refusalOf(simulator.library({}, key).accounts.retrieve(clinic.stripeAccount))).toMatchObject({
        ...{ type: 'StripeAuthenticationError', statusCode: 401, message: expect.stringContaining(words) },
      });
    expect((await fetch(`${simulator.url}/v1/events`)).status).toBe(401);
  });

  it('I4: a business is connected by a link, and can be charged for from then on', async () => {
    const { id, charges_enabled, requirements } = await stripe.accounts.create(
      { type: 'standard', metadata: { business: 'b-1' } },
      { idempotencyKey: 'account-b-1' },
    );
    expect([charges_enabled, requirements!.currently_due!.length > 0]).toEqual([false, true]);
    expect((await refusalOf(stripe.checkout.sessions.create(wanted(), { stripeAccount: id }))).message).toContain('onboarding');
    const link = {
      account: id,
      type: 'account_onboarding',
      return_url: 'http://127.0.0.1:1/back',
      refresh_url: 'http://127.0.0.1:1/anew',
    } as const;
    const { url } = await stripe.accountLinks.create(link);
    expect(await (await fetch(url)).text()).toContain('Complete the onboarding');
    expect((await simulator.press(`${url}/leave`)).headers.get('location')).toBe('http://127.0.0.1:1/back');
    expect((await stripe.accounts.retrieve(id)).details_submitted).toBe(false);
    for (const _ of [1, 2]) expect((await simulator.press(`${url}/complete`)).headers.get('location')).toBe('http://127.0.0.1:1/back');
    expect(await stripe.accounts.retrieve(id)).toMatchObject({ charges_enabled: true, metadata: { business: 'b-1' } });
    expect((await simulator.types()).includes('account.updated')).toBe(true);
    expect((await stripe.checkout.sessions.create(wanted(), { stripeAccount: id })).status).toBe('open');
  });

  it('shows nothing of one account to another', async () => {
    const { session, intent, charge } = await simulator.paid(clinic);
    const other = { stripeAccount: await simulator.account() };
    for (const work of [
      stripe.checkout.sessions.retrieve(session.id, {}, other),
      stripe.paymentIntents.retrieve(intent.id, {}, other),
      stripe.charges.retrieve(charge.id),
      stripe.refunds.create({ payment_intent: intent.id }, other),
    ])
      expect(await refusalOf(work)).toMatchObject({ code: 'resource_missing', statusCode: 404 });
    expect((await stripe.events.list({}, other)).data.map(({ type }) => type)).toEqual(['account.updated']);
    expect(await refusalOf(stripe.events.list({}, { stripeAccount: 'acct_none' }))).toMatchObject({ type: 'StripePermissionError' });
  });
});

describe('parameters', () => {
  const item = (currency: string, amount: number) => ({
    quantity: 1,
    price_data: { currency, unit_amount: amount, product_data: { name: 'Five massages' } },
  });

  it.each<[string, Partial<Stripe.Checkout.SessionCreateParams>, object]>([
    ['missing', { success_url: undefined }, { code: 'parameter_missing', param: 'success_url' }],
    ['unknown', { nonsense: '1' } as object, { code: 'parameter_unknown', param: 'nonsense' }],
    ['no address', { cancel_url: 'javascript:alert(1)' }, { code: 'url_invalid', param: 'cancel_url' }],
    ['no time', { expires_at: 'soon' as unknown as number }, { code: 'parameter_invalid_integer', param: 'expires_at' }],
    ['too short a time', { expires_at: Math.floor(Date.now() / 1000) + 60 }, { param: 'expires_at' }],
    ['too long a time', { expires_at: Math.floor(Date.now() / 1000) + 90_000 }, { param: 'expires_at' }],
    ['too little', { line_items: [item('cad', 49)] }, { code: 'amount_too_small' }],
    ['too much', { line_items: [item('cad', 100_000_000)] }, { code: 'amount_too_large' }],
    ['no such fils', { line_items: [item('kwd', 12_345)] }, { param: 'line_items[0][price_data][unit_amount]' }],
    ['two currencies', { line_items: [item('cad', 100), item('usd', 100)] }, { param: 'line_items' }],
  ])('are refused that are wrong, as Stripe refuses them: %s', async (_, more, refusal) => {
    expect(await refusalOf(create(more))).toMatchObject({ type: 'StripeInvalidRequestError', statusCode: 400, ...refusal });
  });

  it('A4: amounts are in the minor units of their currency', async () => {
    const yen = await create({ line_items: [item('jpy', 5_000)] });
    expect([yen.amount_total, yen.currency]).toEqual([5_000, 'jpy']);
    expect(await (await fetch(yen.url!)).text()).toContain('JPY 5,000');
    const dinars = await create({ line_items: [item('kwd', 12_340)] });
    expect(await (await fetch(dinars.url!)).text()).toContain('KWD 12.340');
  });
});

describe('idempotency keys', () => {
  it('I4: one key, one checkout, for the same parameters of the same account', async () => {
    const [first, again] = [await create({}, 'k-1'), await create({}, 'k-1')];
    expect([again.id, again.lastResponse.headers['idempotent-replayed']]).toEqual([first.id, 'true']);
    expect(await refusalOf(create({ client_reference_id: 'p-2' }, 'k-1'))).toMatchObject({ type: 'StripeIdempotencyError' });
    const other = { stripeAccount: await simulator.account(), idempotencyKey: 'k-1' };
    expect((await stripe.checkout.sessions.create(wanted(), other)).id).not.toBe(first.id);
  });

  it('I4: a refusal of the parameters is not kept; an answer of 500 is', async () => {
    expect((await refusalOf(create({ expires_at: 1 }, 'k-2'))).statusCode).toBe(400);
    expect((await create({}, 'k-2')).status).toBe('open');
    await simulator.tell('faults', { kind: 'error' });
    for (const _ of [1, 2]) expect((await refusalOf(create({}, 'k-3'))).statusCode).toBe(500);
    await simulator.tell('faults', { kind: 'rateLimit' });
    expect(await refusalOf(create({}, 'k-4'))).toMatchObject({ type: 'StripeRateLimitError', statusCode: 429 });
    expect((await create({}, 'k-4')).status).toBe('open');
  });

  it('I4: the library tries again by itself over a broken connection', async () => {
    await simulator.tell('faults', { kind: 'reset', when: 'after', on: 'POST /v1/checkout' });
    const retrying = simulator.library({ maxNetworkRetries: 2 });
    const before = (await stripe.checkout.sessions.list({}, clinic)).data.length;
    await retrying.checkout.sessions.create(wanted(), clinic);
    expect((await stripe.checkout.sessions.list({}, clinic)).data).toHaveLength(before + 1);
    await simulator.tell('faults', { kind: 'reset', times: null });
    expect(await refusalOf(create())).toMatchObject({ type: 'StripeConnectionError' });
    await simulator.tell('heal');
    await simulator.tell('faults', { kind: 'refuse', said: { status: 402, type: 'card_error', code: 'card_declined', message: 'No.' } });
    expect(await refusalOf(create())).toMatchObject({ type: 'StripeCardError', code: 'card_declined' });
  });
});

describe('lists', () => {
  it('I4: are paged by the library itself, in both directions; events by type and time', async () => {
    const { intent } = await simulator.paid(clinic);
    for (let n = 0; n < 7; n++) await stripe.refunds.create({ payment_intent: intent.id, amount: 100 + n }, clinic);
    const all = await stripe.refunds.list({ payment_intent: intent.id, limit: 3 }, clinic).autoPagingToArray({ limit: 100 });
    expect(all.map(({ amount }) => amount)).toEqual([106, 105, 104, 103, 102, 101, 100]);
    const before = await stripe.refunds.list({ limit: 2, ending_before: all[4]!.id }, clinic);
    expect([before.data.map(({ amount }) => amount), before.has_more]).toEqual([[104, 103], true]);
    const since = { gte: Math.floor(Date.now() / 1000) - 3_600 };
    const types = ['refund.created', 'charge.succeeded'];
    const events = await stripe.events.list({ types, created: since, limit: 2 }, clinic).autoPagingToArray({ limit: 100 });
    expect(events.map(({ type }) => type)).toEqual([...Array<string>(7).fill('refund.created'), 'charge.succeeded']);
    expect((await stripe.events.retrieve(events[0]!.id, {}, clinic)).request?.id).toMatch(/^req_/);
    expect((await stripe.events.list({ created: { lt: since.gte } }, clinic)).data).toEqual([]);
    expect((await refusalOf(stripe.events.list({ starting_after: 'evt_none' }, clinic))).code).toBe('resource_missing');
  });

  it('expands what is asked for, and says what cannot be', async () => {
    const { session } = await simulator.paid(clinic);
    const { data } = await stripe.checkout.sessions.list({ expand: ['data.payment_intent.latest_charge'] }, clinic);
    expect((data[0]!.payment_intent as Stripe.PaymentIntent).latest_charge).toMatchObject({ paid: true });
    expect((await refusalOf(stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription.plan'] }, clinic))).param).toBe(
      'expand',
    );
    expect((await refusalOf(stripe.customers.list({}, clinic))).statusCode).toBe(404);
  });
});
