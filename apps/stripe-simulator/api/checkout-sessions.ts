import type Stripe from 'stripe';
import { z } from 'zod';
import { idOf } from '../payments.js';
import type { Cause, Simulator } from '../simulator.js';
import { newId } from '../state/ids.js';
import type { Bought } from '../state/state.js';
import { checkAmount } from './amounts.js';
import { expanded } from './expand.js';
import { invalid, missing, refused } from './failure.js';
import { pageOf } from './list.js';
import { expand, integer, isWithin, metadata, paging, read, time, webAddress } from './params.js';
import { route, type Call, type Route } from './route.js';

const LIFE = 24 * 3600; // s, of a session that says nothing
const SHORTEST = 30 * 60;
const LEEWAY = 60; // s, for a call that took its time

const lineItem = z.strictObject({
  quantity: integer,
  price_data: z.strictObject({
    currency: z.string().toLowerCase(),
    unit_amount: integer,
    tax_behavior: z.enum(['exclusive', 'inclusive', 'unspecified']).optional(),
    product_data: z.strictObject({ name: z.string().min(1), description: z.string().min(1).optional(), metadata: metadata.optional() }),
  }),
});
const createParams = z.strictObject({
  adaptive_pricing: z.strictObject({ enabled: z.literal('false') }).optional(),
  mode: z.literal('payment'),
  line_items: z.array(lineItem).min(1).max(100),
  success_url: webAddress,
  cancel_url: webAddress.optional(),
  client_reference_id: z.string().max(200).optional(),
  customer_email: z.email().optional(),
  customer_creation: z.enum(['always', 'if_required']).optional(),
  expires_at: integer.optional(),
  locale: z.string().optional(),
  metadata: metadata.optional(),
  payment_intent_data: z
    .strictObject({ metadata: metadata.optional(), description: z.string().optional(), statement_descriptor_suffix: z.string().optional() })
    .optional(),
  payment_method_types: z.array(z.string()).min(1).optional(),
  submit_type: z.enum(['auto', 'book', 'donate', 'pay']).optional(),
  ui_mode: z.literal('hosted_page').optional(),
  expand,
});
type Said = z.output<typeof createParams>;

const create = (simulator: Simulator, { account, form }: Call): object => {
  const { state, now, url } = simulator;
  const said = read(createParams, form);
  const [currency, ...others] = new Set(said.line_items.map(({ price_data: price }) => price.currency));
  if (others.length > 0) throw invalid('All line items must have the same currency.', 'line_items');
  const amount = said.line_items.reduce((sum, { quantity, price_data: price }) => sum + quantity * price.unit_amount, 0);
  checkAmount(amount, currency!, 'line_items[0][price_data][unit_amount]');
  checkExpiry(said.expires_at, now());
  const owner = state.accounts.find(account)?.item;
  if (owner && !owner.charges_enabled) throw refused('Your account cannot currently make charges. Complete its onboarding first.');

  const session = newSession(newId('cs_test_a1', 56), said, { amount, currency: currency!, created: now(), url });
  state.sessions.put(account, session);
  state.bought.put(account, boughtIn(session.id, said));
  return expanded(state, account, session, said.expand);
};

const checkExpiry = (expiresAt: number | undefined, now: number): void => {
  if (expiresAt === undefined) return;
  if (expiresAt < now + SHORTEST - LEEWAY)
    throw invalid('The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.', 'expires_at');
  if (expiresAt > now + LIFE + LEEWAY)
    throw invalid('The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.', 'expires_at');
};

const boughtIn = (id: string, said: Said): Bought => ({
  id,
  lines: said.line_items.map(({ quantity, price_data: { unit_amount: each, product_data: product } }) => ({
    ...{ name: product.name, description: product.description ?? null, quantity, amount: quantity * each },
  })),
  metadata: said.payment_intent_data?.metadata ?? {},
  description: said.payment_intent_data?.description ?? null,
});

interface Made {
  amount: number;
  currency: string;
  created: number;
  url: string;
}

const newSession = (id: string, said: Said, { amount, currency, created, url }: Made) =>
  ({
    ...{ id, object: 'checkout.session', mode: 'payment', status: 'open', payment_status: 'unpaid', ui_mode: 'hosted_page' },
    ...{ amount_subtotal: amount, amount_total: amount, currency, created, livemode: false },
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ...{ success_url: said.success_url, cancel_url: said.cancel_url ?? null, url: `${url}/pay/${id}` },
    ...{ expires_at: said.expires_at ?? created + LIFE, metadata: said.metadata ?? {} },
    ...{ client_reference_id: said.client_reference_id ?? null, customer_email: said.customer_email ?? null },
    ...{ customer_creation: said.customer_creation ?? 'if_required', locale: said.locale ?? null, submit_type: said.submit_type ?? null },
    payment_method_types: said.payment_method_types ?? ['card'],
    payment_method_collection: 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: {},
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    adaptive_pricing: { enabled: false },
    phone_number_collection: { enabled: false },
    ...{ payment_intent: null, payment_link: null, setup_intent: null, subscription: null, invoice: null, invoice_creation: null },
    ...{ customer: null, customer_account: null, customer_details: null, collected_information: null, client_secret: null },
    ...{ after_expiration: null, allow_promotion_codes: null, allowed_payment_method_types: null, billing_address_collection: null },
    ...{ consent: null, consent_collection: null, currency_conversion: null, custom_fields: [], discounts: [] },
    ...{ integration_identifier: null, managed_payments: null, origin_context: null, permissions: null, recovered_from: null },
    ...{ saved_payment_method_options: null, shipping_address_collection: null, shipping_cost: null, shipping_options: [] },
    wallet_options: null,
  }) satisfies Stripe.Checkout.Session;

/** An open session ends without a payment. */
export const expireSession = ({ state, emit, now }: Simulator, account: string, session: Stripe.Checkout.Session, cause?: Cause) => {
  const expired = state.sessions.put(account, { ...session, status: 'expired', url: null });
  const tried = state.paymentIntents.get(account, idOf(session.payment_intent));
  if (tried) state.paymentIntents.put(account, { ...tried, status: 'canceled', canceled_at: now(), cancellation_reason: 'automatic' });
  emit(account, 'checkout.session.expired', expired, cause);
  return expired;
};

/** Those whose time has come end by themselves. */
export const expireSessions = (simulator: Simulator): void => {
  for (const { account, item } of simulator.state.sessions.all())
    if (item.status === 'open' && item.expires_at <= simulator.now()) expireSession(simulator, account, item);
};

const sessionOf = ({ state }: Simulator, { account, id }: Call): Stripe.Checkout.Session => {
  const session = state.sessions.get(account, id);
  if (!session) throw missing('checkout.session', id, 'session');
  return session;
};

const listParams = z.strictObject({
  ...paging,
  payment_intent: z.string().optional(),
  status: z.enum(['open', 'complete', 'expired']).optional(),
  created: time,
});

export const checkoutSessionRoutes: Route[] = [
  route('POST', '/v1/checkout/sessions', create),
  route('GET', '/v1/checkout/sessions', ({ state }, { account, form }) => {
    const { payment_intent: intent, status, created, ...asked } = read(listParams, form);
    const sessions = state.sessions
      .of(account)
      .filter((one) => (intent === undefined || one.payment_intent === intent) && (status === undefined || one.status === status))
      .filter((one) => isWithin(one.created, created));
    return expanded(state, account, pageOf('/v1/checkout/sessions', sessions, asked), asked.expand);
  }),
  route('GET', '/v1/checkout/sessions/:id', (simulator, call) => {
    const asked = read(z.strictObject({ expand }), call.form);
    return expanded(simulator.state, call.account, sessionOf(simulator, call), asked.expand);
  }),
  route('POST', '/v1/checkout/sessions/:id/expire', (simulator, call) => {
    const asked = read(z.strictObject({ expand }), call.form);
    const session = sessionOf(simulator, call);
    if (session.status !== 'open')
      throw refused(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      );
    return expanded(simulator.state, call.account, expireSession(simulator, call.account, session, call), asked.expand);
  }),
];
