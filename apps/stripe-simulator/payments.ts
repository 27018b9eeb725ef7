import type Stripe from 'stripe';
import type { Simulator } from './simulator.js';
import { newId } from './state/ids.js';

// What the person at the checkout page does, and what becomes of it. Everything here is part of a transaction.

type Session = Stripe.Checkout.Session;

export const idOf = (thing: string | { id: string } | null): string => (typeof thing === 'string' ? thing : (thing?.id ?? ''));

/** Succeeds at once: the session is complete and paid. */
export const payByCard = (simulator: Simulator, account: string, session: Session): void => {
  const { state, emit } = simulator;
  const intent = intentOf(simulator, account, session);
  const charge = state.charges.put(account, newCharge(intent, 'succeeded', CARD, simulator.now()));
  const paid = state.paymentIntents.put(account, {
    ...{ ...intent, status: 'succeeded', amount_received: intent.amount, latest_charge: charge.id },
    ...{ payment_method: charge.payment_method, last_payment_error: null },
  });
  const complete = state.sessions.put(account, { ...completed(session, paid), payment_status: 'paid' });
  emit(account, 'charge.succeeded', charge);
  emit(account, 'payment_intent.succeeded', paid);
  emit(account, 'checkout.session.completed', complete);
};

/** The bank says no: the session stays open, to be tried again. */
export const decline = (simulator: Simulator, account: string, session: Session): void => {
  const { state, emit } = simulator;
  const intent = intentOf(simulator, account, session);
  const charge = state.charges.put(account, newCharge(intent, 'failed', CARD, simulator.now()));
  const declined = state.paymentIntents.put(account, {
    ...{ ...intent, status: 'requires_payment_method', latest_charge: charge.id },
    last_payment_error: {
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'generic_decline',
      message: DECLINED,
      charge: charge.id,
    },
  });
  state.sessions.put(account, { ...session, payment_intent: intent.id });
  emit(account, 'payment_intent.payment_failed', declined);
};

/** A debit that its bank confirms days later: the session is complete, and unpaid. */
export const payLater = (simulator: Simulator, account: string, session: Session): void => {
  const { state, emit } = simulator;
  const intent = intentOf(simulator, account, session);
  const charge = state.charges.put(account, newCharge(intent, 'pending', DEBIT, simulator.now()));
  const processing = state.paymentIntents.put(account, {
    ...{ ...intent, status: 'processing', latest_charge: charge.id, last_payment_error: null },
    ...{ payment_method: charge.payment_method, payment_method_types: ['acss_debit'] },
  });
  const complete = state.sessions.put(account, completed(session, processing));
  emit(account, 'checkout.session.completed', complete);
};

/** What the bank says of a delayed payment in the end. Nothing, if it was said before. */
export const settlePayment = (
  simulator: Simulator,
  account: string,
  intent: Stripe.PaymentIntent,
  outcome: 'succeeded' | 'failed',
): void => {
  const { state, emit } = simulator;
  if (intent.status !== 'processing') return;
  const charge = state.charges.get(account, idOf(intent.latest_charge))!;
  const session = state.sessions.of(account).find(({ payment_intent: of }) => of === intent.id)!;
  if (outcome === 'succeeded') {
    const settled = state.charges.put(account, {
      ...charge,
      status: 'succeeded',
      paid: true,
      captured: true,
      amount_captured: charge.amount,
    });
    const paid = state.paymentIntents.put(account, { ...intent, status: 'succeeded', amount_received: intent.amount });
    emit(account, 'charge.succeeded', settled);
    emit(account, 'payment_intent.succeeded', paid);
    emit(account, 'checkout.session.async_payment_succeeded', state.sessions.put(account, { ...session, payment_status: 'paid' }));
  } else {
    state.charges.put(account, { ...charge, status: 'failed', failure_code: 'insufficient_funds', failure_message: RETURNED });
    const failed = state.paymentIntents.put(account, {
      ...{ ...intent, status: 'requires_payment_method' },
      last_payment_error: { type: 'api_error', code: 'payment_method_provider_decline', message: RETURNED, charge: charge.id },
    });
    emit(account, 'payment_intent.payment_failed', failed);
    emit(account, 'checkout.session.async_payment_failed', session);
  }
};

const DECLINED = 'Your card was declined.';
const RETURNED = 'The bank returned the debit: there were not enough funds.';

/** The payment of a session; it is made when somebody first tries to pay. */
const intentOf = ({ state, now }: Simulator, account: string, session: Session): Stripe.PaymentIntent => {
  const made = state.paymentIntents.get(account, idOf(session.payment_intent));
  if (made) return made;
  const { metadata, description } = state.bought.get(account, session.id)!;
  return newIntent(session, { metadata, description, created: now() });
};

const newIntent = (
  session: Session,
  { metadata, description, created }: Pick<Stripe.PaymentIntent, 'metadata' | 'description' | 'created'>,
) =>
  ({
    ...{
      id: newId('pi_3'),
      object: 'payment_intent',
      amount: session.amount_total!,
      currency: session.currency!,
      created,
      livemode: false,
    },
    ...{ status: 'requires_payment_method', amount_capturable: 0, amount_received: 0, metadata, description },
    ...{ capture_method: 'automatic_async', confirmation_method: 'automatic', payment_method_types: session.payment_method_types },
    ...{ receipt_email: session.customer_email, last_payment_error: null, latest_charge: null, payment_method: null },
    ...{ allowed_payment_method_types: null, application: null, application_fee_amount: null, automatic_payment_methods: null },
    ...{ canceled_at: null, cancellation_reason: null, client_secret: null, customer: null, customer_account: null },
    ...{ excluded_payment_method_types: null, managed_payments: null, next_action: null, on_behalf_of: null },
    ...{ payment_method_configuration_details: null, payment_method_options: {}, payment_record: null, processing: null, review: null },
    ...{ setup_future_usage: null, shipping: null, source: null, statement_descriptor: null, statement_descriptor_suffix: null },
    ...{ transfer_data: null, transfer_group: null },
  }) satisfies Stripe.PaymentIntent;

const completed = (session: Session, intent: Stripe.PaymentIntent): Session => ({
  ...{ ...session, status: 'complete', payment_intent: intent.id, url: null },
  customer_details: {
    ...{
      address: null,
      business_name: null,
      individual_name: null,
      name: 'Simulated Person',
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    },
    email: session.customer_email ?? 'somebody@example.com',
  },
});

const CARD = {
  type: 'card',
  card: {
    ...{ amount_authorized: null, authorization_code: null, brand: 'visa', checks: null, country: 'CA', exp_month: 12, exp_year: 2040 },
    ...{ electronic_commerce_indicator: null, fingerprint: null, funding: 'credit', installments: null, last4: '4242', mandate: null },
    ...{ network: 'visa', network_transaction_id: null, regulated_status: 'unregulated', three_d_secure: null },
    ...{ transaction_link_id: null, wallet: null },
  },
} satisfies Stripe.Charge.PaymentMethodDetails;
const DEBIT: Stripe.Charge.PaymentMethodDetails = { type: 'acss_debit' };

const newCharge = (
  intent: Stripe.PaymentIntent,
  status: Stripe.Charge.Status,
  how: Stripe.Charge.PaymentMethodDetails,
  created: number,
) => {
  const paid = status === 'succeeded';
  const isDeclined = status === 'failed';
  return {
    ...{ id: newId(how.type === 'card' ? 'ch_3' : 'py_3'), object: 'charge', amount: intent.amount, currency: intent.currency, created },
    ...{ status, paid, captured: paid, amount_captured: paid ? intent.amount : 0, amount_refunded: 0, refunded: false, disputed: false },
    ...{ payment_intent: intent.id, payment_method: newId('pm_1'), payment_method_details: how, metadata: { ...intent.metadata } },
    ...{ description: intent.description, receipt_email: intent.receipt_email, livemode: false },
    ...{ failure_code: isDeclined ? 'card_declined' : null, failure_message: isDeclined ? DECLINED : null },
    billing_details: { address: null, email: intent.receipt_email, name: 'Simulated Person', phone: null, tax_id: null },
    outcome: {
      ...{ advice_code: null, network_advice_code: null, network_decline_code: null, rule: undefined },
      ...{ network_status: isDeclined ? 'declined_by_network' : 'approved_by_network', reason: isDeclined ? 'generic_decline' : null },
      ...{ seller_message: isDeclined ? 'The bank did not return any further details.' : 'Payment complete.' },
      type: isDeclined ? 'issuer_declined' : 'authorized',
    },
    ...{ application: null, application_fee: null, application_fee_amount: null, balance_transaction: paid ? newId('txn_3') : null },
    ...{ calculated_statement_descriptor: null, customer: null, failure_balance_transaction: null, fraud_details: {} },
    ...{ on_behalf_of: null, receipt_number: null, receipt_url: null, review: null, shipping: null, source: null, source_transfer: null },
    ...{ statement_descriptor: null, statement_descriptor_suffix: null, transfer_data: null, transfer_group: null },
  } satisfies Stripe.Charge;
};
