import { DEMO_BUSINESS } from './demo/step.js';
import { CLINIC } from './demo/clinic.js';

// What the processes of `npm start` are told of the simulated Stripe (apps/stripe-simulator).

/** The demo business's account in it. */
export const DEMO_ACCOUNT = 'acct_simulatedCliniqueDuCanal';

/** Whether the operator has Stripe itself, or a stand-in of their own. */
export const hasStripe = (env: NodeJS.ProcessEnv): boolean =>
  Boolean(env.STRIPE_SECRET_KEY || env.STRIPE_SECRET_KEY_FILE || env.STRIPE_API_URL);

/** Where this machine reaches an API that listens there. */
export const reachable = (host: string, port: number): string => {
  const address = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${address}:${port}`;
};

interface Simulated {
  url: string;
  webhookSecret: string;
  api: string;
}

/** For the API and the projector. Clients may be sent back to the API's own address, and where the operator says. */
export const simulatedStripe = ({ url, webhookSecret, api }: Simulated, env: NodeJS.ProcessEnv): Record<string, string> => ({
  ...{ STRIPE_SECRET_KEY: 'sk_test_simulated', STRIPE_API_URL: url, STRIPE_WEBHOOK_SECRET: webhookSecret },
  CHECKOUT_RETURN_ORIGINS: [env.CHECKOUT_RETURN_ORIGINS, api].filter(Boolean).join(','),
});

/** The demo business has its account there, onboarded; also after the simulator's state was lost. */
export const connectDemo = async (simulator: string): Promise<void> => {
  const account = { id: DEMO_ACCOUNT, name: CLINIC.name, currency: CLINIC.currency, metadata: { business: DEMO_BUSINESS } };
  const answer = await fetch(`${simulator}/_simulator/accounts`, { method: 'POST', body: JSON.stringify(account) });
  if (!answer.ok) throw new Error(`The simulated Stripe did not take the demo's account: ${await answer.text()}`);
};
