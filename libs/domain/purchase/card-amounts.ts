import { placesOf } from '../kernel/money.js';
import { Refusal } from '../kernel/refusal.js';
import type { Money } from '../kernel/shapes.js';

// How Stripe writes amounts, where that is not how our books do (https://docs.stripe.com/currencies). Books are kept in the minor units of
// ISO 4217; a card is charged exactly that, or not at all.

/** For Stripe the króna has two decimals, which are always 0. */
const AS_HUNDREDTHS: ReadonlySet<string> = new Set(['ISK']);
/** Stripe's decimals and those of ISO 4217 differ, or what Stripe says of them is not clear: rather no card than a wrong amount. */
const NOT_BY_CARD: ReadonlySet<string> = new Set(['MGA', 'UGX', 'UYI', 'IQD', 'LYD', 'CLF', 'UYW', 'MRU']);

/** An amount as Stripe writes it. */
export const atStripe = ({ amount, currency }: Money): number => (AS_HUNDREDTHS.has(currency) ? amount * 100 : amount);

/** An amount of Stripe's, in our minor units: what is no whole number of them is none of ours. */
export const fromStripe = (amount: number, currency: string): Money => {
  const own = currency.toUpperCase();
  return { amount: AS_HUNDREDTHS.has(own) ? Math.round(amount / 100) : amount, currency: own };
};

/** @throws Refusal AMOUNT_NOT_BY_CARD, saying what would do */
export const assertByCard = ({ amount, currency }: Money): void => {
  if (NOT_BY_CARD.has(currency))
    throw new Refusal('AMOUNT_NOT_BY_CARD', `Cards are not taken in ${currency}: take another kind of payment.`, {
      amount: { amount, currency },
    });
  if (placesOf(currency) === 3 && amount % 10 !== 0)
    throw new Refusal(
      'AMOUNT_NOT_BY_CARD',
      `Cards take amounts in ${currency} whose last digit is 0: choose another amount, or another kind of payment.`,
      {
        amount: { amount, currency },
      },
    );
};
