import { createHmac } from 'node:crypto';
import type { Simulator } from './simulator.js';
import type { Delivery } from './state/state.js';

const AT_ONCE = 16;
const ANSWER_WITHIN = 10_000; // ms
const FIRST_BACKOFF = 250; // ms; then ever later
const LONGEST_BACKOFF = 30_000; // ms
const MOST_ATTEMPTS = 50;
const LOOK_EVERY = 50; // ms

/** Where events are sent, and the secret that they are signed with. Without a URL they wait. */
export interface Webhook {
  url: string | undefined;
  secret: string;
}

/** The header by which Stripe's library knows that a body is Stripe's, and when it was sent. */
export const signatureOf = (body: string, secret: string, at: number): string =>
  `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;

/** Sends what is due, again and again until it is answered with 2xx, until it is stopped. */
export const startSending = (simulator: Simulator, webhook: Webhook): { stop(): Promise<void> } => {
  const { state, log } = simulator;
  const sending = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const send = async (account: string, delivery: Delivery, url: string): Promise<void> => {
    const event = state.events.get(account, delivery.id.split('/')[0]!)!;
    const body = JSON.stringify(event, null, 2);
    const headers = {
      ...{ 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Stripe/1.0 (simulated)' },
      'stripe-signature': signatureOf(body, webhook.secret, simulator.now()),
    };
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(ANSWER_WITHIN)]);
    let how = 'no answer';
    const went = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' }).then(
      async (answer) => {
        how = String(answer.status);
        await answer.arrayBuffer().catch(() => undefined); // its connection is used again
        return answer.ok;
      },
      () => false,
    );
    if (stopping.signal.aborted && !went) return; // it is sent by the next process
    log.debug({ event: event.id, type: event.type, how }, went ? 'A webhook was taken' : 'A webhook was not taken');
    note(account, delivery, went);
  };

  const note = (account: string, sent: Delivery, went: boolean): void => {
    const attempts = sent.attempts + 1;
    const wait = Math.min(FIRST_BACKOFF * 2 ** sent.attempts, LONGEST_BACKOFF);
    const failed = { ...sent, attempts, ...(attempts < MOST_ATTEMPTS ? { due: Date.now() + wait } : { state: 'given up' as const }) };
    state.transact(() => state.deliveries.put(account, went ? { ...sent, attempts, state: 'delivered' } : failed));
  };

  let seen = -1; // changes of the deliveries, when all that is due was sent
  let next = 0; // when another one will be due
  const sendDue = (): void => {
    const { url } = webhook;
    if (url === undefined || (seen === state.deliveries.changes() && next > Date.now())) return;
    next = Infinity;
    for (const { account, item } of state.deliveries.all()) {
      if (sending.size >= AT_ONCE) return void (next = 0);
      if (item.state !== 'waiting' || sending.has(item.id)) continue;
      if (item.due > Date.now()) {
        next = Math.min(next, item.due);
        continue;
      }
      const sent = send(account, item, url).finally(() => {
        sending.delete(item.id);
        if (!stopping.signal.aborted) sendDue();
      });
      sending.set(item.id, sent);
    }
    seen = state.deliveries.changes();
  };
  const timer = setInterval(sendDue, LOOK_EVERY);
  return {
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(sending.values());
    },
  };
};

/** Every event once more, or as often as asked, in any order if asked; those that were held are sent too. */
export const sendAgain = ({ state }: Simulator, { times, shuffled }: { times: number; shuffled: boolean }): number => {
  const events = state.events.all();
  const again = events.flatMap((event) => Array.from({ length: times }, (_, n) => ({ ...event, n })));
  const order = shuffled ? again.map((one) => ({ one, at: Math.random() })).sort((a, b) => a.at - b.at) : again.map((one) => ({ one }));
  const run = state.deliveries.all().length;
  state.transact(() => {
    for (const { account, item } of state.deliveries.all())
      if (item.state === 'held') state.deliveries.put(account, { ...item, state: 'given up' });
    for (const [n, { one }] of order.entries())
      state.deliveries.put(one.account, { id: `${one.item.id}/${run + n}`, state: 'waiting', attempts: 0, due: Date.now() });
  });
  return again.length;
};

export const deliveryCounts = ({ state }: Simulator): Record<Delivery['state'], number> => {
  const counts = { waiting: 0, held: 0, delivered: 0, 'given up': 0 };
  for (const { item } of state.deliveries.all()) counts[item.state] += 1;
  return counts;
};
