import type { CardPaymentsOptions } from './card-payments.js';

/** How clients are sent to Stripe's page, and back. */
export interface CheckoutSettings {
  returnOrigins: readonly string[]; // where they may be sent back to, such as `https://clinic.example`
  minutes: number; // in which a checkout can be paid
}

export interface CardSettings {
  stripe: CardPaymentsOptions | undefined; // undefined: cards are not taken
  checkouts: CheckoutSettings;
}

export const NO_CARDS: CardSettings = { stripe: undefined, checkouts: { returnOrigins: [], minutes: 60 } };

/** How an application reads its settings. */
interface Reading {
  raw(name: string): string | undefined; // from the environment, or the file that it names
  wrong(problem: string): void;
}

const MINUTES = { least: 31, most: 24 * 60 }; // what Stripe takes, 30 minutes to a day, counted from when it is asked

/**
 * Reads what both the API and the projector are told of Stripe; says all that is wrong.
 * @param webhooks whether Stripe calls this application
 */
export const cardSettings = ({ raw, wrong }: Reading, { webhooks }: { webhooks: boolean }): CardSettings => {
  const [secretKey, webhookSecret, apiUrl] = [raw('STRIPE_SECRET_KEY'), raw('STRIPE_WEBHOOK_SECRET'), raw('STRIPE_API_URL')];
  if (webhooks && secretKey && !webhookSecret)
    wrong('STRIPE_WEBHOOK_SECRET (or STRIPE_WEBHOOK_SECRET_FILE) is needed with STRIPE_SECRET_KEY');
  if (apiUrl && !/^https?:$/.test(protocolOf(apiUrl))) wrong('STRIPE_API_URL must be an address that starts with http: or https:');
  const checkouts = { returnOrigins: origins(raw('CHECKOUT_RETURN_ORIGINS'), wrong), minutes: minutes(raw('CHECKOUT_MINUTES'), wrong) };
  return { stripe: secretKey ? { secretKey, webhookSecret: webhookSecret ?? '', apiUrl } : undefined, checkouts };
};

const origins = (said: string | undefined, wrong: Reading['wrong']): string[] => {
  const named = (said ?? '').split(',').map((one) => one.trim());
  const wanted = named.filter((one) => one !== '');
  if (wanted.some((one) => !/^https?:$/.test(protocolOf(one)) || new URL(one).origin !== one))
    wrong('CHECKOUT_RETURN_ORIGINS must be origins with commas between, such as https://clinic.example');
  return wanted;
};

const minutes = (said: string | undefined, wrong: Reading['wrong']): number => {
  const value = said ? Number(said) : NO_CARDS.checkouts.minutes;
  if (!Number.isInteger(value) || value < MINUTES.least || value > MINUTES.most)
    wrong(`CHECKOUT_MINUTES must be a whole number from ${MINUTES.least} to ${MINUTES.most}`);
  return value;
};

const protocolOf = (address: string): string => (URL.canParse(address) ? new URL(address).protocol : '');
