import { markup } from '../../../libs/printing/markup.js';
import { accountNamed, completeOnboarding } from '../api/accounts.js';
import type { Simulator } from '../simulator.js';
import { button } from './layout.js';
import type { PageAnswer } from './page-answer.js';

/** Where an account link leads: one click instead of Stripe's questions. An old link leads back for a new one. */
export const onboardingPage = (simulator: Simulator, accountId: string, linkId: string): PageAnswer => {
  const { state, now } = simulator;
  const account = state.accounts.find(accountId)?.item;
  const link = state.accountLinks.get(accountId, linkId);
  if (!account || !link) return { status: 404, page: { title: 'Not found', content: markup`<h1>There is no such link.</h1>` } };
  if (link.expiresAt <= now()) return { seeOther: link.refreshUrl };
  const content = markup`<h1>Connect <bdi>${accountNamed(account)}</bdi></h1>
<section class="card"><p>Stripe would ask who the business is and where its money goes. Here one click answers all of it.</p></section>
${button(`/onboarding/${accountId}/${linkId}/complete`, 'Complete the onboarding', true)}${button(`/onboarding/${accountId}/${linkId}/leave`, 'Leave without completing it')}`;
  return { status: 200, page: { title: 'Onboarding', content } };
};

export const onboard = (simulator: Simulator, accountId: string, linkId: string, how: string): PageAnswer => {
  const link = simulator.state.accountLinks.get(accountId, linkId);
  if (!link) return onboardingPage(simulator, accountId, linkId);
  if (link.expiresAt <= simulator.now()) return { seeOther: link.refreshUrl };
  if (how === 'complete') simulator.state.transact(() => completeOnboarding(simulator, accountId));
  return { seeOther: link.returnUrl };
};
