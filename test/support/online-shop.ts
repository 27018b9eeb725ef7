import type { Caller } from './caller.js';
import { openClinic, type Clinic, type OfferingSaid, type Page, type Sold } from './clinic.js';
import { until } from './fleet.js';
import type { Service } from './service.js';
import type { LocalStripe } from './stripe.js';

// A clinic that takes cards, and what its clients do at its page of offerings and at Stripe's page.

export const ORIGIN = 'https://clinic.example';
export const urls = { successUrl: `${ORIGIN}/thanks`, cancelUrl: `${ORIGIN}/shop` };

export interface Bought {
  purchaseId: string;
  kind: string;
  status: string;
  url: string | null;
  amount: { amount: number; currency: string };
  packageId: string | null;
  invoiceId: string | null;
  because?: string | null;
  paidOn?: string | null;
  offeringId?: string | null;
  position: string;
}

/** What the API and the projector are told of Stripe; the clerk looks often. */
export const takingCards = ({ env }: LocalStripe): Record<string, string> => ({
  ...env,
  ...{ CHECKOUT_RETURN_ORIGINS: ORIGIN, STRIPE_LOOK_SECONDS: '1' },
});

export interface OnlineShop {
  clinic: Clinic;
  account: string;
  offeringId: string;
  clientId: string;
  client: Caller;
}

/** A connected clinic with an offering of five massages for 344.93, taxes included, that clients may buy online; and a client. */
export async function openOnlineShop(service: Service, stripe: LocalStripe): Promise<OnlineShop> {
  const clinic = await openClinic(service);
  const account = await stripe.account();
  await clinic.owner.patch('/v1/settings', { settings: { clientsMayBuyOnline: true, stripeAccount: account } });
  const offeringId = await soldOnline(clinic);
  return { clinic, account, offeringId, ...(await aClient(clinic)) };
}

export const soldOnline = async (clinic: Clinic, said: OfferingSaid = {}): Promise<string> =>
  clinic.offering({ soldOnline: true, ...said });

export const aClient = async (clinic: Clinic): Promise<{ clientId: string; client: Caller }> => {
  const clientId = await clinic.client();
  return { clientId, client: await clinic.business.as('client', clientId) };
};

export const buy = (client: Caller, offeringId: string, headers?: Record<string, string>): Promise<Bought> =>
  client.post<Bought>('/v1/me/purchases', { offeringId, ...urls }, headers);

export const bought = (client: Caller, { purchaseId }: Pick<Bought, 'purchaseId'>): Promise<Bought> =>
  client.get<Bought>(`/v1/me/purchases/${purchaseId}`);

export const packagesOf = async (client: Caller): Promise<Sold[]> => (await client.get<Page<Sold>>('/v1/me/packages')).items;

const PATIENCE = 120_000; // ms: a webhook, or the clerk, on a machine that does much else

/** Once the purchase has come so far. */
export async function becomes(client: Caller, purchase: Pick<Bought, 'purchaseId'>, status: string): Promise<Bought> {
  let now: Bought | undefined;
  await until(
    async () => {
      now = await bought(client, purchase);
      return now.status === status;
    },
    `the purchase ${purchase.purchaseId} is ${status}`,
    PATIENCE,
  );
  return now!;
}

/** Once the client has so many packages. */
export const have = (client: Caller, many: number): Promise<void> =>
  until(async () => (await packagesOf(client)).length === many, `the client has ${many} packages`, PATIENCE);

/** What a bank says of a payment is said of its intent: that of the purchase. */
export const intentOf = async (stripe: LocalStripe, account: string, { purchaseId }: Pick<Bought, 'purchaseId'>): Promise<string> => {
  for await (const { id, metadata } of stripe.library.paymentIntents.list({ limit: 100 }, { stripeAccount: account }))
    if (metadata.purchase === purchaseId) return id;
  throw new Error(`Stripe has no payment of the purchase ${purchaseId}.`);
};

/** How many checkouts Stripe has of a purchase. */
export const checkoutsOf = async (stripe: LocalStripe, account: string, { purchaseId }: Pick<Bought, 'purchaseId'>): Promise<string[]> => {
  const found: string[] = [];
  for await (const { id, metadata } of stripe.library.checkout.sessions.list({ limit: 100 }, { stripeAccount: account }))
    if (metadata?.purchase === purchaseId) found.push(id);
  return found;
};
