import { setTimeout as sleep } from 'node:timers/promises';
import type Stripe from 'stripe';
import { openSimulator, refusalOf, type OpenSimulator } from './testing/open-simulator.js';

// The simulator as its users see it: through Stripe's own library, a browser's requests, and a webhook that checks signatures.

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
  await types();
  simulator.came.length = 0;
});

const press = (path: string, form?: Record<string, string>) => simulator.press(path, form);
const tell = (path: string, body?: object) => simulator.tell(path, body);
const types = () => simulator.types();
const checkout = () => simulator.checkout(clinic);
const paid = () => simulator.paid(clinic);

describe('paying', () => {
  it('I4: a card that is taken completes the session, and its metadata leads back', async () => {
    const { id, url, status, payment_status, amount_total, payment_intent } = await checkout();
    expect({ status, payment_status, amount_total, payment_intent }).toEqual({
      ...{ status: 'open', payment_status: 'unpaid', amount_total: 42_000, payment_intent: null },
    });
    expect(url).toMatch(`${simulator.url}/pay/cs_test_`);
    const answer = await press(`${url!}/card`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `http://127.0.0.1:1/done?session=${id}`]);

    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent.latest_charge'] }, clinic);
    expect(session).toMatchObject({
      ...{ status: 'complete', payment_status: 'paid', client_reference_id: 'p-1', metadata: { purchaseId: 'p-1' } },
      payment_intent: {
        ...{ status: 'succeeded', amount_received: 42_000, metadata: { purchaseId: 'p-1' } },
        latest_charge: { status: 'succeeded', amount: 42_000, refunded: false, metadata: { purchaseId: 'p-1' } },
      },
    });
    expect(await types()).toEqual(['charge.succeeded', 'checkout.session.completed', 'payment_intent.succeeded']);
    expect(simulator.came.every((event) => event.account === clinic.stripeAccount && !event.livemode)).toBe(true);
    const intent = session.payment_intent as Stripe.PaymentIntent;
    const found = await stripe.checkout.sessions.list({ payment_intent: intent.id }, clinic);
    expect(found.data.map((one) => one.id)).toEqual([id]);
  });

  it('I4: paid twice, by a second click or another window, it is paid once', async () => {
    const { url } = await checkout();
    const clicks = await Promise.all([press(`${url!}/card`), press(`${url!}/card`), press(`${url!}/later`)]);
    expect(clicks.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect(await types()).toHaveLength(3);
    expect(await (await fetch(url!)).text()).toContain('This has been paid.');
  });

  it('I4: a declined card leaves the session open, to be tried again', async () => {
    const { id, url } = await checkout();
    await press(`${url!}/decline`);
    const page = await (await fetch(url!)).text();
    expect(page).toContain('Your card was declined.');
    const declined = await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] }, clinic);
    expect(declined).toMatchObject({ status: 'open', payment_intent: { last_payment_error: { decline_code: 'generic_decline' } } });
    await press(`${url!}/card`);
    const done = await stripe.checkout.sessions.retrieve(id, {}, clinic);
    expect([done.payment_status, done.payment_intent]).toEqual(['paid', (declined.payment_intent as Stripe.PaymentIntent).id]);
    expect(await types()).toContain('payment_intent.payment_failed');
  });

  it.each([
    ['succeed', 'paid', 'checkout.session.async_payment_succeeded'],
    ['fail', 'unpaid', 'checkout.session.async_payment_failed'],
  ])('I4: a delayed payment is complete and unpaid; then its bank says: %s', async (outcome, status, type) => {
    const { id, url } = await checkout();
    await press(`${url!}/later`);
    const session = await stripe.checkout.sessions.retrieve(id, {}, clinic);
    expect(session).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
    expect(await types()).toEqual(['checkout.session.completed']);
    for (const _ of [1, 2]) await press(`/dashboard/payments/${session.payment_intent as string}/${outcome}`);
    expect((await stripe.checkout.sessions.retrieve(id, {}, clinic)).payment_status).toBe(status);
    expect((await types()).filter((one) => one === type)).toHaveLength(1);
  });

  it('I4: abandoned it stays open; its time over, or expired by the business, nothing can be paid', async () => {
    const { id, url } = await checkout();
    expect((await press(`${url!}/abandon`)).headers.get('location')).toBe('http://127.0.0.1:1/left');
    expect((await stripe.checkout.sessions.expire(id, {}, clinic)).status).toBe('expired');
    await press(`${url!}/card`);
    expect(await (await fetch(url!)).text()).toContain('has expired');
    expect((await refusalOf(stripe.checkout.sessions.expire(id, {}, clinic))).message).toContain('status of expired');
    const other = await checkout();
    await tell('sessions/lapse', { id: other.id });
    expect((await stripe.checkout.sessions.retrieve(other.id, {}, clinic)).status).toBe('expired');
    expect(await types()).toEqual(['checkout.session.expired', 'checkout.session.expired']);
  });

  it('says on every page that no money moves, and escapes what a business writes', async () => {
    const { url } = await checkout();
    for (const path of [url!, '/dashboard', '/pay/none', '/onboarding/none/none']) {
      const page = await (await fetch(new URL(path, simulator.url))).text();
      expect(page).toContain('Simulated: no card is charged, no money moves');
      expect(page).not.toContain('massages <b>');
    }
    expect(await (await fetch(url!)).text()).toContain('CAD 420.00');
  });
});

describe('refunds', () => {
  const refund = (intent: Stripe.PaymentIntent, more: Stripe.RefundCreateParams = {}, key?: string) =>
    stripe.refunds.create({ payment_intent: intent.id, metadata: { refundId: 'r-1' }, ...more }, { ...clinic, idempotencyKey: key });

  it('H6: in parts, and never more than was paid', async () => {
    const { intent, charge } = await paid();
    expect(await refund(intent, { amount: 2_000 })).toMatchObject({ status: 'succeeded', amount: 2_000, charge: charge.id });
    expect(await refusalOf(refund(intent, { amount: 40_001 }))).toMatchObject({ statusCode: 400, param: 'amount' });
    await refund(intent);
    expect(await stripe.charges.retrieve(charge.id, {}, clinic)).toMatchObject({ amount_refunded: 42_000, refunded: true });
    expect(await refusalOf(refund(intent))).toMatchObject({ code: 'charge_already_refunded', type: 'StripeInvalidRequestError' });
    const all = await stripe.refunds.list({ payment_intent: intent.id }, clinic);
    expect(all.data.map(({ amount, metadata }) => [amount, metadata?.refundId])).toEqual([
      [40_000, 'r-1'],
      [2_000, 'r-1'],
    ]);
    expect(await types()).toEqual(expect.arrayContaining(['refund.created', 'charge.refunded']));
  });

  it('H6: pending first, then it arrives', async () => {
    await tell('refunds', { outcome: 'pendingThenSucceeded', ms: 50 });
    const { intent } = await paid();
    const { id, status } = await refund(intent, { amount: 1_000 });
    expect(status).toBe('pending');
    while ((await stripe.refunds.retrieve(id, {}, clinic)).status === 'pending') await sleep(20);
    expect((await stripe.refunds.retrieve(id, {}, clinic)).status).toBe('succeeded');
    expect(await types()).toContain('refund.updated');
  });

  it('H6: failed, the money is the business’s again', async () => {
    await tell('refunds', { outcome: 'pending' });
    const { intent, charge } = await paid();
    const { id } = await refund(intent);
    expect((await stripe.charges.retrieve(charge.id, {}, clinic)).refunded).toBe(true);
    for (const _ of [1, 2]) await press(`/dashboard/refunds/${id}/fail`);
    expect(await stripe.refunds.retrieve(id, {}, clinic)).toMatchObject({ status: 'failed', failure_reason: 'lost_or_stolen_card' });
    expect(await stripe.charges.retrieve(charge.id, {}, clinic)).toMatchObject({ refunded: false, amount_refunded: 0 });
    expect((await types()).filter((type) => type === 'refund.failed')).toHaveLength(1);
    await tell('refunds', { outcome: 'succeeded' });
    const arrived = await refund(intent);
    expect(arrived.status).toBe('succeeded');
    await press(`/dashboard/refunds/${arrived.id}/fail`); // it comes back after all
    expect((await stripe.refunds.retrieve(arrived.id, {}, clinic)).status).toBe('failed');
    await tell('refunds', { outcome: 'failed' });
    expect((await refund(intent)).status).toBe('failed');
    await tell('refunds', { outcome: 'refused' });
    expect((await refusalOf(refund(intent))).code).toBe('balance_insufficient');
  });

  it('H6: one made on the dashboard, and a dispute there, come back as events', async () => {
    const { intent } = await paid();
    await press(`/dashboard/payments/${intent.id}/refund`, { amount: '500' });
    await press(`/dashboard/payments/${intent.id}/dispute`);
    const { data: disputes } = await stripe.disputes.list({ payment_intent: intent.id }, clinic);
    expect(disputes).toMatchObject([{ status: 'needs_response', amount: 42_000 }]);
    expect((await refusalOf(refund(intent))).code).toBe('charge_disputed');
    await press(`/dashboard/disputes/${disputes[0]!.id}/answer`);
    await press(`/dashboard/disputes/${disputes[0]!.id}/won`);
    expect(await stripe.disputes.retrieve(disputes[0]!.id, {}, clinic)).toMatchObject({ status: 'won' });
    expect(await types()).toEqual(
      expect.arrayContaining(['refund.created', 'charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed']),
    );
    expect(await (await press(`/dashboard/payments/${intent.id}/refund`, { amount: '99999' })).text()).toContain('greater than');
  });

  it('H6: one key, one refund, whatever is retried', async () => {
    const { intent } = await paid();
    const [first, second] = [await refund(intent, { amount: 300 }, 'key-1'), await refund(intent, { amount: 300 }, 'key-1')];
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(await refusalOf(refund(intent, { amount: 301 }, 'key-1'))).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
    await tell('faults', { kind: 'delay', when: 'before', ms: 2_000, on: 'POST /v1/refunds' });
    const slow = refund(intent, { amount: 200 }, 'key-2');
    await sleep(100);
    expect(await refusalOf(refund(intent, { amount: 200 }, 'key-2'))).toMatchObject({ code: 'idempotency_key_in_use', statusCode: 409 });
    await slow;
    expect((await stripe.refunds.list({ payment_intent: intent.id }, clinic)).data).toHaveLength(2);
  });

  it('H6: an answer that never came, and an error after the work was done, are still one refund', async () => {
    const { intent } = await paid();
    await tell('faults', { kind: 'reset', when: 'after', times: 2, on: 'POST /v1/refunds' });
    const retrying = simulator.library({ maxNetworkRetries: 3 });
    const sent = { payment_intent: intent.id, amount: 100 };
    await retrying.refunds.create(sent, { ...clinic, idempotencyKey: 'lost' });
    await tell('faults', { kind: 'error', when: 'after' });
    for (const _ of [1, 2])
      expect(await refusalOf(stripe.refunds.create(sent, { ...clinic, idempotencyKey: 'broken' }))).toMatchObject({ statusCode: 500 });
    await tell('faults', { kind: 'error', when: 'before' });
    for (const _ of [1, 2])
      expect(await refusalOf(stripe.refunds.create(sent, { ...clinic, idempotencyKey: 'never' }))).toMatchObject({
        type: 'StripeAPIError',
      });
    const impatient = simulator.library({ timeout: 100 });
    await tell('faults', { kind: 'delay', when: 'after', ms: 400 });
    expect(await refusalOf(impatient.refunds.create(sent, { ...clinic, idempotencyKey: 'late' }))).toMatchObject({
      type: 'StripeConnectionError',
    });
    await stripe.refunds.create(sent, { ...clinic, idempotencyKey: 'late' });
    expect((await stripe.refunds.list({ payment_intent: intent.id }, clinic)).data).toHaveLength(3);
  });
});
