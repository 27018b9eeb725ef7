import type { Aggregate, Decide } from '../kernel/event.js';
import { invoiceNumbersEvents, type InvoiceNumbersEvent } from './invoice-numbers.events.js';

/** How far the invoices of one business and year are numbered: the last event says all. */
export interface InvoiceNumbers {
  last: number; // 0: there is none yet
  through: bigint; // position of the last InvoiceIssued that has its number; -1: none has
}

/** An invoice that was issued, and where that stands in `$all`. */
export interface ToNumber {
  invoiceId: string;
  position: bigint;
}

export const invoiceNumbers: Aggregate<InvoiceNumbers, InvoiceNumbersEvent> = {
  category: 'invoiceNumbers',
  events: invoiceNumbersEvents,
  initial: { last: 0, through: -1n },
  evolve: (_, { data }) => ({ last: data.number, through: BigInt(data.through) }),
};

/** The year in which an invoice counts: that of the local date on which it was issued. */
export const yearOf = (issuedOn: string): number => Number(issuedOn.slice(0, 4));

export const invoiceNumbersOf = (business: string, year: number): string => `${invoiceNumbers.category}-${business}-${year}`;

/** The next numbers, for invoices of that year in the order of `$all`; those that have theirs are left out. */
export const numberInvoices =
  (year: number, issued: readonly ToNumber[]): Decide<InvoiceNumbers, InvoiceNumbersEvent> =>
  ({ last, through }) =>
    issued
      .filter(({ position }) => position > through)
      .map(({ invoiceId, position }, n) => {
        const number = last + 1 + n;
        const shown = `${year}-${String(number).padStart(DIGITS, '0')}`;
        return { type: 'InvoiceNumbered', data: { invoiceId, year, number, shown, through: position.toString() } };
      });

const DIGITS = 6; // at least
