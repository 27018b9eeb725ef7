import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import type { z } from 'zod';
import type { fault as faultSchema, RefundMode, WebhookMode } from '../../apps/stripe-simulator/behaviour.js';
import { startProgram, type Program } from './program.js';
import { until } from './fleet.js';

const SECRET = 'whsec_a_webhook_secret_of_the_tests_and_only_of_the_tests';
const KEY = 'sk_test_of_the_tests_and_only_of_the_tests';

/** The simulated Stripe as a process of its own, and what people, banks and the network do to it. */
export interface LocalStripe {
  url: string;
  /** For API and projector. */
  env: { STRIPE_SECRET_KEY: string; STRIPE_API_URL: string; STRIPE_WEBHOOK_SECRET: string };
  /** Stripe's own library with the key, for what a test wants to see or do itself. */
  library: Stripe;
  webhookSecret: string;
  /** Webhooks go there from now on; until then they wait. */
  sendTo(api: string): Promise<void>;
  /** A business's account that is connected and onboarded, unless told otherwise. */
  account(name?: string, more?: { currency?: string; onboarded?: boolean }): Promise<string>;
  /** What the person at the page of a checkout does; gives where the browser is sent then. */
  pay(page: string): Promise<string>;
  decline(page: string): Promise<string>;
  payLater(page: string): Promise<string>;
  abandon(page: string): Promise<string>;
  /** The session ends as if its time had come. */
  lapse(sessionId: string): Promise<void>;
  /** A click completes the onboarding that an account link leads to; gives where the browser is sent then. */
  completeOnboarding(link: string): Promise<string>;
  /** What a bank says of a delayed payment. */
  settle(paymentIntent: string, outcome: 'succeed' | 'fail'): Promise<void>;
  /** On Stripe's own dashboard; all that is left unless an amount is given. */
  refundInDashboard(paymentIntent: string, amount?: number): Promise<void>;
  settleRefund(refund: string, outcome: 'succeed' | 'fail'): Promise<void>;
  dispute(paymentIntent: string): Promise<void>;
  onDispute(dispute: string, what: 'answer' | 'won' | 'lost'): Promise<void>;
  webhooks: {
    mode(mode: WebhookMode['mode'], ms?: number): Promise<void>;
    /** Every event so far once more, or as often as asked. Gives how many are sent. */
    again(how?: { times?: number; shuffled?: boolean }): Promise<number>;
    counts(): Promise<{ waiting: number; held: number; delivered: number; 'given up': number }>;
    /** Until none is on its way. */
    settled(patience?: number): Promise<void>;
  };
  /** How refunds come out from now on. */
  refunds(outcome: RefundMode['outcome'], ms?: number): Promise<void>;
  /** What the API does next, instead of answering well: once, unless told otherwise. */
  fault(fault: z.input<typeof faultSchema>): Promise<void>;
  /** No connection gets an answer until it is healed. */
  down(): Promise<void>;
  heal(): Promise<void>;
  /** `kill -9`, and a new process with the same state on the same port. */
  dieAndComeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Start it before the service, which needs its `env`; then tell it where the service is: `sendTo(service.urls[0])`. */
export async function startStripe(): Promise<LocalStripe> {
  const folder = await mkdtemp(join(tmpdir(), 'stripe-'));
  const launch = (port: string): Promise<Program> =>
    startProgram('apps/stripe-simulator/main.js', {
      ...{ PORT: port, STATE_FILE: join(folder, 'state.jsonl'), WEBHOOK_SECRET: SECRET, LOG_LEVEL: 'warn' },
      ...(target !== undefined && { WEBHOOK_URL: target }),
    });
  let target: string | undefined;
  let program = await launch('0');
  const url = program.ready as string;
  const { hostname: host, port } = new URL(url);

  const tell = async <Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`${url}/_simulator/${path}`, { method, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  const press = async (page: string, form?: Record<string, string>): Promise<string> => {
    const answer = await fetch(page, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });
    if (answer.status !== 303) throw new Error(`${page}: ${answer.status} ${await answer.text()}`);
    return new URL(answer.headers.get('location')!, url).href;
  };
  const onDashboard = async (path: string, form?: Record<string, string>): Promise<void> =>
    void (await press(`${url}/dashboard/${path}`, form));
  const counts = () => tell<{ waiting: number; held: number; delivered: number; 'given up': number }>('GET', 'webhooks');
  const addFault = async (one: z.input<typeof faultSchema>): Promise<void> => void (await tell('POST', 'faults', one));

  return {
    ...{ url, webhookSecret: SECRET },
    env: { STRIPE_SECRET_KEY: KEY, STRIPE_API_URL: url, STRIPE_WEBHOOK_SECRET: SECRET },
    library: new Stripe(KEY, { host, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false }),
    sendTo: async (api) => {
      target = `${api}/v1/stripe/webhooks`;
      await tell('POST', 'webhooks/target', { url: target });
    },
    account: async (name = 'A clinic', more = {}) => (await tell<{ id: string }>('POST', 'accounts', { name, ...more })).id,
    pay: (page) => press(`${page}/card`),
    decline: (page) => press(`${page}/decline`),
    payLater: (page) => press(`${page}/later`),
    abandon: (page) => press(`${page}/abandon`),
    lapse: async (id) => void (await tell('POST', 'sessions/lapse', { id })),
    completeOnboarding: (link) => press(`${link}/complete`),
    settle: (intent, outcome) => onDashboard(`payments/${intent}/${outcome}`),
    refundInDashboard: (intent, amount) =>
      onDashboard(`payments/${intent}/refund`, amount === undefined ? undefined : { amount: String(amount) }),
    settleRefund: (refund, outcome) => onDashboard(`refunds/${refund}/${outcome}`),
    dispute: (intent) => onDashboard(`payments/${intent}/dispute`),
    onDispute: (dispute, what) => onDashboard(`disputes/${dispute}/${what}`),
    webhooks: {
      mode: async (mode, ms = 0) => void (await tell('POST', 'webhooks', { mode, ms })),
      again: async (how = {}) => (await tell<{ events: number }>('POST', 'webhooks/again', how)).events,
      counts,
      settled: (patience) => until(async () => (await counts()).waiting === 0, 'no webhook is on its way', patience),
    },
    refunds: async (outcome, ms = 0) => void (await tell('POST', 'refunds', { outcome, ms })),
    fault: addFault,
    down: () => addFault({ kind: 'reset', times: null }),
    heal: async () => void (await tell('POST', 'heal')),
    dieAndComeBack: async () => {
      await program.kill();
      program = await launch(port);
    },
    stop: async () => {
      await program.stop();
      await rm(folder, { recursive: true });
    },
  };
}
