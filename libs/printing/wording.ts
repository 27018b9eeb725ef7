import { decimalOf, placesOf } from '../domain/kernel/money.js';

// How amounts, dates and times read on paper: in English, in the business's currency and time zone.

/** Amounts of one currency, given in minor units. */
export interface Amounts {
  /** For columns under a head that says the currency: `1,234.50`, all with the same decimals. */
  plain(amount: number): string;
  /** Standing alone: `CAD 1,234.50`. */
  full(amount: number): string;
}

export const amountsIn = (currency: string): Amounts => {
  const places = placesOf(currency);
  const plain = new Intl.NumberFormat('en', { minimumFractionDigits: places, maximumFractionDigits: places });
  const full = new Intl.NumberFormat('en', {
    ...{ style: 'currency', currency, currencyDisplay: 'code' },
    ...{ minimumFractionDigits: places, maximumFractionDigits: places },
  });
  const exact = (amount: number) => decimalOf({ amount, currency }) as `${number}`; // as text, so that no float comes in between
  return { plain: (amount) => plain.format(exact(amount)), full: (amount) => full.format(exact(amount)) };
};

const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** A local date in words that read the same everywhere: `31 January 2027`. */
export const dateText = (localDate: string): string => days.format(new Date(localDate));

/** A moment as the clock on the wall shows it: `31 January 2027, 10:00`. */
export const momentText = (instant: string, timeZone: string): string => {
  const moment = new Date(instant);
  const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone }).format(moment);
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone }).format(moment);
  return `${date}, ${time}`;
};
