import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import Stripe from 'stripe';
import { startSimulator } from '../server.js';

// A simulator in this process with everything around it that there is: Stripe's library, a browser, and a webhook that checks signatures.

export const SECRET = 'whsec_of_the_specs';
export const KEY = 'sk_test_of_the_specs';

export type OpenSimulator = Awaited<ReturnType<typeof openSimulator>>;
type On = { stripeAccount: string };

/** What Stripe's library throws. */
export const refusalOf = async (work: Promise<unknown>): Promise<Stripe.errors.StripeError> =>
  work.then(
    () => Promise.reject(new Error('It was not refused.')),
    (error: Stripe.errors.StripeError) => error,
  );

export const wanted = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  line_items: [{ quantity: 1, price_data: { currency: 'cad', unit_amount: 42_000, product_data: { name: 'Five massages <b>' } } }],
  metadata: { purchaseId: 'p-1' },
  payment_intent_data: { metadata: { purchaseId: 'p-1' } },
  client_reference_id: 'p-1',
  success_url: 'http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://127.0.0.1:1/left',
  ...more,
});

export async function openSimulator(stateFile?: string) {
  const came: Stripe.Event[] = []; // in the order in which they were taken
  const answers: number[] = []; // statuses of the next webhooks; 200 after them
  const library = (more: object = {}, key = KEY) => {
    const { hostname: host, port } = new URL(simulator.url);
    return new Stripe(key, { host, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false, ...more });
  };
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const status = answers.shift() ?? 200;
      if (status === 200) came.push(stripe.webhooks.constructEvent(body, request.headers['stripe-signature']!, SECRET));
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const simulator = await startSimulator({ stateFile, log: pino({ level: 'silent' }), webhook: { url, secret: SECRET } });
  const stripe = library();

  const tell = async <Answer = object>(path: string, body: object = {}): Promise<Answer> => {
    const answer = await fetch(`${simulator.url}/_simulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as Answer;
  };
  const counts = async () => (await (await fetch(`${simulator.url}/_simulator/webhooks`)).json()) as Record<string, number>;
  const quiet = async () => {
    while ((await counts()).waiting! > 0) await sleep(20);
  };
  const press = async (path: string, form?: Record<string, string>): Promise<Response> =>
    fetch(new URL(path, simulator.url), { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });
  const checkout = (on: On, more?: Partial<Stripe.Checkout.SessionCreateParams>) => stripe.checkout.sessions.create(wanted(more), on);
  return {
    ...{ url: simulator.url, came, answers, library, tell, counts, quiet, press, checkout },
    /** It behaves well again. */
    calmDown: async () => {
      await tell('webhooks', { mode: 'normal' });
      await tell('refunds', { outcome: 'succeeded' });
      await tell('heal');
      answers.length = 0;
    },
    account: async () => (await tell<Stripe.Account>('accounts', { name: 'Clinique du Canal' })).id,
    /** Of the webhooks that came, sorted, once none is on its way. */
    types: async () => {
      await quiet();
      return came.map(({ type }) => type).sort();
    },
    /** A checkout that was paid by card. */
    paid: async (on: On) => {
      const { id, url } = await checkout(on);
      await press(`${url!}/card`);
      const session = await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent.latest_charge'] }, on);
      const intent = session.payment_intent as Stripe.PaymentIntent;
      return { session, intent, charge: intent.latest_charge as Stripe.Charge };
    },
    stop: async () => {
      await simulator.stop();
      receiver.close();
    },
  };
}
