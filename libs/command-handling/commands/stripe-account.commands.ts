import type { BusinessDescription } from '../../domain/business/business.events.js';
import { business, changeBusiness } from '../../domain/business/business.js';
import { assertNone, InvalidInput } from '../../domain/kernel/refusal.js';
import { StripeNotAllowed, StripeRefused } from '../../payments/at-stripe.js';
import { isOfAnother, ownAccount } from '../card-payments/own-account.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import type { Operation } from '../operation.js';
import { wrongReturns } from './purchase.commands.js';

interface Onboarding {
  returnUrl: string; // where the browser goes once the business has told Stripe about itself, or left
  refreshUrl: string; // and where, if the link is used up: there a new one is asked for
}

interface OnboardingLink {
  account: string;
  url: string;
  expiresAt: string;
}

/** A1, I4: the business connects with Stripe: it gets an account there, once, and each time a new link to tell about itself. */
export class ConnectStripe extends CommandOf<Onboarding, OnboardingLink> {}

export const stripeAccountHandlers = [
  handlerOf(
    ConnectStripe,
    async (operation, urls) => {
      assertNone(wrongReturns(operation, urls));
      const { stripeAccount } = (await operation.business()).settings;
      if (stripeAccount !== null) await ownAccount(operation.cards, operation.caller.business, stripeAccount);
      const account = stripeAccount ?? (await connect(operation));
      return { account, ...(await operation.cards.onboardingLink(account, urls)) };
    },
    { anew: true }, // a link is good once
  ),
];

/** Of several at once, Stripe makes one account; one that was set meanwhile stays. */
const connect = async (operation: Operation): Promise<string> => {
  const businessId = operation.caller.business;
  const { account } = await operation.cards.createAccount(businessId);
  const settings = ({ settings: before }: BusinessDescription) => ({ ...before, stripeAccount: before.stripeAccount ?? account });
  const changed = await operation.change(
    business,
    businessId,
    changeBusiness(businessId, (before) => ({ settings: settings(before) })),
  );
  return changed.settings.stripeAccount ?? account;
};

/** A1: an account that is set by hand is there, and is not the one of another business. Without keys of Stripe that is seen when it is used. */
export const assertOwnAccount = async (operation: Operation, account: string): Promise<void> => {
  if (!operation.takesCards || account === (await operation.business()).settings.stripeAccount) return;
  try {
    await ownAccount(operation.cards, operation.caller.business, account);
  } catch (error) {
    if (isOfAnother(error)) throw wrongAccount(error.code, 'is of another business');
    if (error instanceof StripeRefused || error instanceof StripeNotAllowed)
      throw wrongAccount('NO_SUCH_ACCOUNT', 'is no account that is connected with this service');
    throw error;
  }
};

const wrongAccount = (code: string, message: string): InvalidInput =>
  new InvalidInput([{ field: '/settings/stripeAccount', code, message: `stripeAccount ${message}.` }]);
