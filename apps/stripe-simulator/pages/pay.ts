import type Stripe from 'stripe';
import { markup, nothing, type Markup } from '../../../libs/printing/markup.js';
import { accountNamed } from '../api/accounts.js';
import { decline, idOf, payByCard, payLater } from '../payments.js';
import type { Simulator } from '../simulator.js';
import { amountOf, button } from './layout.js';
import type { PageAnswer } from './page-answer.js';

type Session = Stripe.Checkout.Session;

/** The page at which somebody pays, as Stripe's own would be. */
export const payPage = (simulator: Simulator, id: string): PageAnswer => {
  const found = simulator.state.sessions.find(id);
  if (!found) return gone;
  const { account, item: session } = found;
  return {
    status: 200,
    page: { title: 'Checkout', content: session.status === 'open' ? openOne(simulator, account, session) : doneOne(session) },
  };
};

/** What one does there. Done twice, the second time shows what became of the first. */
export const pay = (simulator: Simulator, id: string, how: string): PageAnswer => {
  const { state } = simulator;
  const found = state.sessions.find(id);
  if (!found) return gone;
  const { account, item: session } = found;
  const here = { seeOther: `/pay/${id}` };
  if (how === 'abandon') return session.cancel_url === null ? here : { seeOther: session.cancel_url };
  if (session.status !== 'open') return here;
  const act = { card: payByCard, decline, later: payLater }[how];
  if (!act) return gone;
  state.transact(() => act(simulator, account, session));
  return how === 'decline' ? here : { seeOther: backTo(session) };
};

const backTo = ({ success_url: url, id }: Session): string => url!.replaceAll('{CHECKOUT_SESSION_ID}', id);

const openOne = ({ state }: Simulator, account: string, session: Session): Markup => {
  const error = state.paymentIntents.get(account, idOf(session.payment_intent))?.last_payment_error;
  const business = state.accounts.find(account)?.item;
  const at = (how: string) => `/pay/${session.id}/${how}`;
  return markup`<p class="muted">Pay <bdi>${business ? accountNamed(business) : account}</bdi></p>
<p class="amount">${amountOf(session.amount_total!, session.currency!)}</p>
${error?.message === undefined ? nothing : markup`<p class="said" role="alert">${error.message} Try again, or another way.</p>`}
<section class="card">
${state.bought.get(account, session.id)!.lines.map(
  ({ name, description, quantity, amount }) => markup`<h2><bdi>${name}</bdi></h2>
<p>${quantity} × ${amountOf(amount / quantity, session.currency!)}</p>
${description === null ? nothing : markup`<p class="muted"><bdi>${description}</bdi></p>`}`,
)}
</section>
${button(at('card'), 'Pay by card', true)}${button(at('decline'), 'Card is declined')}${button(at('later'), 'Pay by a delayed method')}${button(at('abandon'), 'Abandon')}
<p class="muted">A delayed method is a bank debit, for example: it is settled on the <a href="/dashboard">dashboard</a>.</p>`;
};

const doneOne = (
  session: Session,
): Markup => markup`<h1>${session.status === 'expired' ? EXPIRED : session.payment_status === 'paid' ? PAID : UNCONFIRMED}</h1>
<p>${amountOf(session.amount_total!, session.currency!)}</p>
${session.status === 'complete' ? markup`<p><a href="${backTo(session)}">Go back to the business</a></p>` : nothing}`;

const EXPIRED = 'This checkout has expired: nothing can be paid here any more.';
const PAID = 'This has been paid.';
const UNCONFIRMED = 'This is complete; the bank has yet to confirm the payment.';

const gone: PageAnswer = { status: 404, page: { title: 'Not found', content: markup`<h1>There is no such checkout.</h1>` } };
