import type Stripe from 'stripe';
import { markup, nothing, type Markup } from '../../../libs/printing/markup.js';
import { accountNamed } from '../api/accounts.js';
import { Failure } from '../api/failure.js';
import { answerDispute, closeDispute, isClosed, openDispute } from '../disputes.js';
import { idOf, settlePayment } from '../payments.js';
import { refundCharge, settleRefund } from '../refunds.js';
import type { Simulator } from '../simulator.js';
import { amountOf, button } from './layout.js';
import type { PageAnswer } from './page-answer.js';

const MOST = 200; // payments that are shown

/** All payments of all businesses, newest first, with what Stripe, the banks and the business's own hand can do to them. */
export const dashboardPage = (simulator: Simulator, said?: string): PageAnswer => {
  const { state } = simulator;
  const payments = state.paymentIntents.all().toReversed();
  const content = markup`<h1>Payments</h1>
${said === undefined ? nothing : markup`<p class="said" role="alert">${said}</p>`}
${payments.length === 0 ? markup`<p class="card">Nobody has tried to pay yet.</p>` : nothing}
${payments.slice(0, MOST).map(({ account, item }) => paymentCard(simulator, account, item))}
${payments.length > MOST ? markup`<p class="muted">${payments.length - MOST} older ones are not shown.</p>` : nothing}`;
  return { status: said === undefined ? 200 : 400, page: { title: 'Dashboard', isWide: true, content } };
};

const paymentCard = ({ state }: Simulator, account: string, intent: Stripe.PaymentIntent): Markup => {
  const charge = state.charges.get(account, idOf(intent.latest_charge));
  const refunds = state.refunds.of(account).filter(({ payment_intent: of }) => of === intent.id);
  const disputes = state.disputes.of(account).filter(({ payment_intent: of }) => of === intent.id);
  const business = state.accounts.find(account)?.item;
  const at = (what: string) => `/dashboard/payments/${intent.id}/${what}`;
  return markup`<section class="card">
<h2>${amountOf(intent.amount, intent.currency)} · ${STATUS[intent.status] ?? intent.status}</h2>
<p class="muted"><bdi>${business ? accountNamed(business) : account}</bdi> · ${new Date(intent.created * 1000).toISOString()} · ${intent.id}</p>
${intent.status === 'processing' ? markup`${button(at('succeed'), 'The bank pays')}${button(at('fail'), 'The bank does not pay')}` : nothing}
${charge?.status === 'succeeded' && !charge.refunded ? refundForm(at('refund'), charge) : nothing}
${charge?.status === 'succeeded' && !charge.disputed ? button(at('dispute'), 'The client disputes it') : nothing}
${refunds.length === 0 ? nothing : markup`<ul>${refunds.map(refundLine)}</ul>`}
${disputes.length === 0 ? nothing : markup`<ul>${disputes.map(disputeLine)}</ul>`}
</section>
`;
};

const STATUS: Record<string, string> = { succeeded: 'paid', processing: 'waiting for the bank', requires_payment_method: 'failed' };

const refundForm = (action: string, { amount, amount_refunded: refunded, currency }: Stripe.Charge): Markup =>
  markup`<form method="post" action="${action}"><input name="amount" inputmode="numeric" pattern="[0-9]+" aria-label="Minor units to refund; empty: all of ${amountOf(amount - refunded, currency)}" placeholder="all, or cents"><button>Refund</button></form>
`;

const refundLine = ({ id, amount, currency, status }: Stripe.Refund): Markup => {
  const at = (what: string) => `/dashboard/refunds/${id}/${what}`;
  const arrives = status === 'pending' ? button(at('succeed'), 'It arrives') : nothing;
  const fails = status === 'pending' || status === 'succeeded' ? button(at('fail'), 'It fails') : nothing;
  return markup`<li>Refund of ${amountOf(amount, currency)}: ${status ?? 'unknown'} ${arrives}${fails}</li>
`;
};

const disputeLine = (dispute: Stripe.Dispute): Markup => {
  const at = (what: string) => `/dashboard/disputes/${dispute.id}/${what}`;
  const answer = dispute.status === 'needs_response' ? button(at('answer'), 'Send evidence') : nothing;
  const buttons = isClosed(dispute) ? nothing : markup`${answer}${button(at('won'), 'It is won')}${button(at('lost'), 'It is lost')}`;
  return markup`<li>Dispute over ${amountOf(dispute.amount, dispute.currency)}: ${dispute.status.replaceAll('_', ' ')} ${buttons}</li>
`;
};

/** A button of the dashboard. Pressed twice, the second time changes nothing. */
export const press = (simulator: Simulator, kind: string, id: string, what: string, form: URLSearchParams): PageAnswer => {
  try {
    const isKnown = simulator.state.transact(() => carryOut(simulator, kind, id, what, form.get('amount') ?? ''));
    return isKnown ? { seeOther: '/dashboard' } : dashboardPage(simulator, 'There is no such thing to do.');
  } catch (error) {
    if (error instanceof Failure) return dashboardPage(simulator, error.message);
    throw error;
  }
};

const OUTCOMES: Record<string, 'succeeded' | 'failed'> = { succeed: 'succeeded', fail: 'failed' };

const carryOut = (simulator: Simulator, kind: string, id: string, what: string, amount: string): boolean => {
  const { paymentIntents, refunds, disputes } = simulator.state;
  const outcome = OUTCOMES[what];
  const [intent, refund, dispute] = [paymentIntents.find(id), refunds.find(id), disputes.find(id)];
  if (kind === 'payments' && intent) return carryOutOn(simulator, intent.account, intent.item, what, amount);
  if (kind === 'refunds' && refund && outcome) settleRefund(simulator, refund.account, refund.item, outcome);
  else if (kind === 'disputes' && dispute && what === 'answer') answerDispute(simulator, dispute.account, dispute.item);
  else if (kind === 'disputes' && dispute && (what === 'won' || what === 'lost'))
    closeDispute(simulator, dispute.account, dispute.item, what);
  else return false;
  return true;
};

const carryOutOn = (simulator: Simulator, account: string, intent: Stripe.PaymentIntent, what: string, amount: string): boolean => {
  const charge = simulator.state.charges.get(account, idOf(intent.latest_charge));
  const outcome = OUTCOMES[what];
  if (outcome) settlePayment(simulator, account, intent, outcome);
  else if (what === 'refund' && charge) refundCharge(simulator, account, charge, { amount: amount === '' ? undefined : Number(amount) });
  else if (what === 'dispute' && charge) openDispute(simulator, account, charge);
  else return false;
  return true;
};
