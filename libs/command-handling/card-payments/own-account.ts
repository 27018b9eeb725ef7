import { Refusal } from '../../domain/kernel/refusal.js';
import type { CardPayments } from '../../payments/card-payments.js';
import type { ConnectedAccount } from '../../payments/at-stripe.js';

/**
 * A1, A3: the account, if it is the business's own: that stands in what only this service can write there. One of which nothing is said yet, because
 * it was there before, is claimed by whoever uses it first.
 * @throws Refusal ACCOUNT_OF_ANOTHER_BUSINESS
 */
export const ownAccount = async (cards: CardPayments, business: string, account: string): Promise<ConnectedAccount> => {
  const there = await cards.account(account);
  if (there.businessId === business) return there;
  if (there.businessId === null) return cards.claimAccount(account, business);
  throw new Refusal(OF_ANOTHER, 'This account at Stripe is of another business: connect your own (POST /v1/stripe/onboarding).', {
    account,
  });
};

export const isOfAnother = (error: unknown): error is Refusal => error instanceof Refusal && error.code === OF_ANOTHER;

const OF_ANOTHER = 'ACCOUNT_OF_ANOTHER_BUSINESS';
