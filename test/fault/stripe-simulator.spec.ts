import type Stripe from 'stripe';
import { startStripe, type LocalStripe } from '../support/stripe.js';

// What is tested with the simulated Stripe is worth something only if it forgets nothing itself.

let stripe: LocalStripe;
beforeAll(async () => {
  stripe = await startStripe();
});
afterAll(() => stripe?.stop());

describe('the simulated Stripe after a kill -9', () => {
  it('H6: knows what was paid and refunded, and its idempotency keys', async () => {
    const clinic = { stripeAccount: await stripe.account() };
    const { id, url } = await stripe.library.checkout.sessions.create(
      {
        mode: 'payment',
        line_items: [{ quantity: 1, price_data: { currency: 'cad', unit_amount: 5_000, product_data: { name: 'Yoga' } } }],
        success_url: `${stripe.url}/dashboard`,
      },
      clinic,
    );
    expect(await stripe.pay(url!)).toBe(`${stripe.url}/dashboard`);
    const session = await stripe.library.checkout.sessions.retrieve(id, {}, clinic);
    const paymentIntent = session.payment_intent as string;
    const refund = () =>
      stripe.library.refunds.create({ payment_intent: paymentIntent, amount: 700 }, { ...clinic, idempotencyKey: 'refund-1' });
    await stripe.refunds('pending');
    const first = await refund();
    const waiting = (await stripe.webhooks.counts()).waiting;

    await stripe.dieAndComeBack();

    expect((await refund()).id).toBe(first.id);
    expect((await stripe.library.checkout.sessions.retrieve(id, {}, clinic)).payment_status).toBe('paid');
    expect((await stripe.webhooks.counts()).waiting).toBe(waiting);
    await stripe.settleRefund(first.id, 'fail');
    await stripe.refundInDashboard(paymentIntent);
    const { data } = await stripe.library.refunds.list({ payment_intent: paymentIntent }, clinic);
    expect(data.map(({ amount, status }: Stripe.Refund) => [amount, status])).toEqual([
      [5_000, 'succeeded'],
      [700, 'failed'],
    ]);
  });
});
