import { z } from 'zod';
import { completeOnboarding, newAccount } from './api/accounts.js';
import { expireSession } from './api/checkout-sessions.js';
import { fault, refundMode, webhookMode } from './behaviour.js';
import { PLATFORM, type Simulator } from './simulator.js';
import { newId } from './state/ids.js';
import { deliveryCounts, sendAgain, type Webhook } from './webhooks.js';

// What tests and `npm start` tell the simulator: `/_simulator/…`, in JSON. Nothing of it is Stripe's.

const accountParams = z.strictObject({
  id: z
    .string()
    .regex(/^acct_[A-Za-z0-9]+$/)
    .optional(),
  name: z.string(),
  currency: z.string().length(3).toLowerCase().default('cad'),
  metadata: z.record(z.string(), z.string()).default({}),
  onboarded: z.boolean().default(true),
});
const againParams = z.strictObject({ times: z.int().min(1).max(100).default(1), shuffled: z.boolean().default(false) });
const targetParams = z.strictObject({ url: z.url() });

type Told = (simulator: Simulator, webhook: Webhook, body: unknown) => object;

/** An account that is connected, and onboarded unless told otherwise; the same once more if it is there. */
const connect: Told = ({ state, now, ...rest }, _, body) => {
  const said = accountParams.parse(body);
  const simulator = { state, now, ...rest };
  const id = said.id ?? newId('acct_1', 15);
  state.transact(() => {
    const { currency: default_currency, name, metadata } = said;
    if (!state.accounts.find(id))
      state.accounts.put(PLATFORM, newAccount(id, now(), { default_currency, metadata, business_profile: { name } }));
    if (said.onboarded) completeOnboarding(simulator, id);
  });
  return state.accounts.find(id)!.item;
};

const TOLD: Record<string, Told> = {
  'POST /_simulator/accounts': connect,
  'POST /_simulator/webhooks': ({ behaviour }, _, body) => (behaviour.webhooks = webhookMode.parse(body)),
  'POST /_simulator/webhooks/target': (_, webhook, body) => ({ url: (webhook.url = targetParams.parse(body).url) }),
  'POST /_simulator/webhooks/again': (simulator, _, body) => ({ events: sendAgain(simulator, againParams.parse(body)) }),
  'GET /_simulator/webhooks': (simulator) => deliveryCounts(simulator),
  'POST /_simulator/refunds': ({ behaviour }, _, body) => (behaviour.refunds = refundMode.parse(body)),
  'POST /_simulator/faults': ({ behaviour }, _, body) => {
    const told = fault.parse(body);
    behaviour.addFault(told);
    return told;
  },
  'POST /_simulator/heal': ({ behaviour }) => {
    behaviour.heal();
    return {};
  },
  'POST /_simulator/sessions/lapse': (simulator, _, body) => {
    const { id } = z.strictObject({ id: z.string() }).parse(body);
    const session = simulator.state.sessions.find(id);
    if (session?.item.status !== 'open') return { expired: false };
    simulator.state.transact(() => expireSession(simulator, session.account, session.item));
    return { expired: true };
  },
};

/** What is answered to something that the simulator is told. */
export const told = (simulator: Simulator, webhook: Webhook, call: string, body: string): { status: number; body: object } => {
  const tell = TOLD[call];
  if (!tell) return { status: 404, body: { message: `There is no ${call}.`, known: Object.keys(TOLD) } };
  try {
    return { status: 200, body: tell(simulator, webhook, body === '' ? {} : JSON.parse(body)) };
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return { status: 400, body: { message: error.message } };
    throw error;
  }
};
