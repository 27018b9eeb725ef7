import { invalid } from './failure.js';

const LEAST: Record<string, number> = { usd: 50, cad: 50, eur: 50, gbp: 30, jpy: 50, aud: 50, chf: 50 };
const MOST = 99_999_999;
const THREE_DECIMALS = ['bhd', 'jod', 'kwd', 'omr', 'tnd']; // the last is always 0
const TWO_DECIMALS_OF_WHICH_NONE = ['isk', 'ugx']; // for Stripe they have two, which are 0

/** Throws Stripe's refusal of what a card can't be charged in this currency. */
export const checkAmount = (amount: number, currency: string, param: string): void => {
  if (!/^[a-z]{3}$/.test(currency)) throw invalid(`Invalid currency: ${currency}.`, 'currency');
  const unit = THREE_DECIMALS.includes(currency) ? 10 : TWO_DECIMALS_OF_WHICH_NONE.includes(currency) ? 100 : 1;
  if (amount % unit !== 0) throw invalid(`Amounts in ${currency} must be multiples of ${unit}.`, param);
  if (amount < (LEAST[currency] ?? 1)) throw invalid(`The amount is below what can be charged in ${currency}.`, param, 'amount_too_small');
  if (amount > MOST) throw invalid(`The amount is above what can be charged in ${currency}.`, param, 'amount_too_large');
};
