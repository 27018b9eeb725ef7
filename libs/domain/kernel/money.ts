import Big from 'big.js';
import { assertNone, type FieldError } from './refusal.js';
import type { Charge, Money, TaxLine } from './shapes.js';

/** A tax as it is when something is charged: `rate` is an exact decimal percentage. */
export interface Tax {
  taxId: string;
  name: string;
  rate: string;
}

export const zero = (currency: string): Money => ({ amount: 0, currency });

/** The sum of amounts of one currency, in minor units; throws when it would leave the safe integers. */
export const sum = (currency: string, amounts: readonly Money[]): Money =>
  amounts.reduce((total, money) => {
    if (money.currency !== currency) throw new RangeError(`${money.currency} can't be added to ${currency}.`);
    return inRange(total.amount + money.amount, currency);
  }, zero(currency));

export const negative = ({ amount, currency }: Money): Money => ({ amount: 0 - amount, currency });

export const minus = (from: Money, what: Money): Money => sum(from.currency, [from, negative(what)]);

/** A4: each tax on the net, by itself, rounded half away from zero to the minor unit. */
export const withTaxes = (net: Money, taxes: readonly Tax[]): Charge => {
  const lines: TaxLine[] = taxes.map(({ taxId, name, rate }) => ({ taxId, name, rate, amount: percentOf(net, rate) }));
  return { net, taxes: lines, total: sum(net.currency, [net, ...lines.map(({ amount }) => amount)]) };
};

/** `part` ÷ `whole` of an amount, rounded half away from zero to the minor unit. */
export const inProportion = ({ amount, currency }: Money, part: number, whole: number): Money =>
  inRange(Big(Big(amount).times(part).div(whole).round(0, Big.roundHalfUp)).toNumber(), currency);

/** Minor units as a decimal with the currency's own number of places: 5000 JPY is `5000`, 5000 KWD is `5.000`. */
export const decimalOf = ({ amount, currency }: Money): string => {
  const places = placesOf(currency);
  const digits = String(Math.abs(amount)).padStart(places + 1, '0');
  const decimal = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return amount < 0 ? `-${decimal}` : decimal;
};

/**
 * How many decimals a currency has: JPY none, CAD two, KWD three. Those of ISO 4217 (list one), which books are kept in: what the runtime knows are
 * habits of showing prices, which leave out the cents of some currencies, and change with its version.
 */
export const placesOf = (currency: string): number => PLACES.get(currency) ?? 2;

const PLACES = new Map<string, number>([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW'].map((currency) => [currency, 0] as const),
  ...['PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'].map((currency) => [currency, 0] as const),
  ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((currency) => [currency, 3] as const),
  ...['CLF', 'UYW'].map((currency) => [currency, 4] as const),
]);

/** A decimal as text in minor units, exactly: `450.5` CAD is 45050. Undefined: it is none, or has more decimals than the currency. */
export const minorUnitsOf = (decimal: string, currency: string): number | undefined => {
  const places = placesOf(currency);
  const [, whole, fraction = ''] = /^(\d{1,15})(?:\.(\d{1,6}))?$/.exec(decimal) ?? [];
  if (whole === undefined || fraction.length > places) return undefined;
  const amount = Number(whole + fraction.padEnd(places, '0'));
  return Number.isSafeInteger(amount) ? amount : undefined;
};

/** What is wrong with an amount in another currency than that of the business; `field` is a JSON pointer. */
export const wrongCurrency = (field: string, money: Money | undefined, currency: string): FieldError[] =>
  money && money.currency !== currency
    ? [{ field: `${field}/currency`, code: 'WRONG_CURRENCY', message: `The currency of the business is ${currency}.` }]
    : [];

/** @throws InvalidInput naming the field, a JSON pointer */
export const assertCurrency = (field: string, money: Money | undefined, currency: string): void => {
  assertNone(wrongCurrency(field, money, currency));
};

const percentOf = ({ amount, currency }: Money, rate: string): Money =>
  inRange(Big(amount).times(rate).div(100).round(0, Big.roundHalfUp).toNumber(), currency);

const inRange = (amount: number, currency: string): Money => {
  if (!Number.isSafeInteger(amount)) throw new RangeError('The amount is beyond the safe integers.');
  return { amount: amount + 0, currency };
};
