import { setTimeout as sleep } from 'node:timers/promises';
import type Stripe from 'stripe';
import { openSimulator, SECRET, type OpenSimulator } from './testing/open-simulator.js';
import { signatureOf } from './webhooks.js';

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
  await simulator.quiet();
  simulator.came.length = 0;
});

const ids = () => simulator.came.map(({ id }) => id);
const distinct = () => new Set(ids()).size;

describe('webhooks', () => {
  it('I4: are signed as Stripe signs them: changed, late or with another secret they are refused', () => {
    const body = '{"id": "evt_1", "object": "event"}';
    const now = Math.floor(Date.now() / 1000);
    const read = (sent: string, secret: string, at: number) => stripe.webhooks.constructEvent(sent, signatureOf(body, secret, at), SECRET);
    expect(read(body, SECRET, now).id).toBe('evt_1');
    expect(() => read(`${body} `, SECRET, now)).toThrow('No signatures found');
    expect(() => read(body, 'whsec_another', now)).toThrow('No signatures found');
    expect(() => read(body, SECRET, now - 400)).toThrow('tolerance');
  });

  it('I4: come again until they are taken, each with a signature of its own time', async () => {
    simulator.answers.push(500, 404, 301);
    await simulator.paid(clinic);
    await simulator.quiet();
    expect([ids().length, distinct()]).toEqual([3, 3]);
    expect(simulator.answers).toEqual([]);
  });

  it('I4: come twice, in any order, late, or not at all, when told', async () => {
    await simulator.tell('webhooks', { mode: 'twice' });
    await simulator.paid(clinic);
    await simulator.quiet();
    expect([ids().length, distinct()]).toEqual([6, 3]);

    await simulator.tell('webhooks', { mode: 'shuffled', ms: 200 });
    await simulator.paid(clinic);
    await simulator.quiet();
    expect([ids().length, distinct()]).toEqual([9, 6]);

    await simulator.tell('webhooks', { mode: 'late', ms: 2_000 });
    await simulator.paid(clinic);
    await sleep(100);
    expect(ids()).toHaveLength(9);
    await simulator.quiet();
    expect(ids()).toHaveLength(12);

    await simulator.tell('webhooks', { mode: 'held' });
    const { intent } = await simulator.paid(clinic);
    await simulator.quiet();
    expect(ids()).toHaveLength(12);
    const { data: events } = await stripe.events.list({ types: ['payment_intent.succeeded'] }, clinic);
    expect(events.map(({ data }) => (data.object as Stripe.PaymentIntent).id)).toContain(intent.id);
  });

  it('I4: all come again, as often as told and shuffled; those that were held come too', async () => {
    await simulator.tell('webhooks', { mode: 'held' });
    await simulator.paid(clinic);
    const { events } = await simulator.tell<{ events: number }>('webhooks/again', { times: 3, shuffled: true });
    await simulator.quiet();
    expect(ids()).toHaveLength(events);
    expect(distinct() * 3).toBe(events);
    expect(simulator.came.filter(({ account }) => account === clinic.stripeAccount)).toHaveLength(3 * 4); // and that it was onboarded
    expect((await simulator.counts()).held).toBe(0);
  });

  it('refuses to be told what it does not understand', async () => {
    await expect(simulator.tell('webhooks', { mode: 'sideways' })).rejects.toThrow('mode');
    await expect(simulator.tell('nothing')).rejects.toThrow('There is no POST /_simulator/nothing');
  });
});
