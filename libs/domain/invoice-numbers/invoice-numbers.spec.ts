import { given } from '../testing/given.js';
import { deliveries } from '../testing/deliveries.js';
import { idOf } from '../testing/example.js';
import type { InvoiceNumbersEvent } from './invoice-numbers.events.js';
import { invoiceNumbers, invoiceNumbersOf, numberInvoices, yearOf } from './invoice-numbers.js';

const theNumbers = given(invoiceNumbers);
const issued = (n: number, position: number) => ({ invoiceId: idOf(`i${n}`), position: BigInt(position) });
const numbered = (n: number, number: number, through: number): InvoiceNumbersEvent => ({
  type: 'InvoiceNumbered',
  data: { invoiceId: idOf(`i${n}`), year: 2027, number, shown: `2027-00000${number}`, through: `${through}` },
});

describe('numbering invoices', () => {
  it('D3: begins with 1, in the order in which they were issued', () =>
    theNumbers([])
      .when(numberInvoices(2027, [issued(1, 10), issued(2, 17)]))
      .emits([numbered(1, 1, 10), numbered(2, 2, 17)]));
  it('D3: goes on after the last', () =>
    theNumbers([numbered(1, 1, 10), numbered(2, 2, 17)])
      .when(numberInvoices(2027, [issued(3, 20)]))
      .emits([numbered(3, 3, 20)]));
  it('D3: numbers none twice, however often it is asked', () => {
    theNumbers([numbered(1, 1, 10), numbered(2, 2, 17)])
      .when(numberInvoices(2027, [issued(1, 10), issued(2, 17), issued(3, 20)]))
      .emits([numbered(3, 3, 20)]);
    theNumbers([numbered(1, 1, 10)])
      .when(numberInvoices(2027, [issued(1, 10)]))
      .emits([]);
  });
  it('D3: says how far it is by the last event alone', () => {
    const history = [numbered(1, 1, 10), numbered(2, 2, 17), numbered(3, 3, 20)];
    const last = history.slice(-1).reduce(invoiceNumbers.evolve, invoiceNumbers.initial);
    expect(last).toEqual(history.reduce(invoiceNumbers.evolve, invoiceNumbers.initial));
  });
  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) =>
    expect(delivered([numbered(1, 1, 10), numbered(2, 2, 17)]).reduce(invoiceNumbers.evolve, invoiceNumbers.initial)).toEqual({
      ...{ last: 2, through: 17n },
    }),
  );
  it('D3: a number of more than six digits is shown whole', () => {
    const [event] = numberInvoices(2027, [issued(1, 10)])({ last: 1_234_566, through: 9n });
    expect(event!.data.shown).toBe('2027-1234567');
  });
  it('D3: each business counts by itself in each year, that of the local date on the invoice', () => {
    expect(yearOf('2027-12-31')).toBe(2027);
    expect(invoiceNumbersOf('b', yearOf('2028-01-01'))).toBe('invoiceNumbers-b-2028');
  });
});
