import { gst, idOf, qst } from '../domain/testing/example.js';
import { invoicePage, receiptPage } from './printed-page.js';
import { paid, toPrint } from './testing/example-print.js';

const totals = (invoice = toPrint()) => invoicePage(invoice).totals.map(({ label, amount }) => `${plain(label)}: ${plain(amount)}`);
/** Without the marks that set names apart and the spaces that hold a currency to its amount. */
const plain = (text: string) => text.replaceAll(/[\u2068\u2069]/g, '').replaceAll('\u00a0', ' ');

describe('a printed invoice', () => {
  it('D3: says whose it is, to whom, its number, its day and its package', () =>
    expect(invoicePage(toPrint())).toMatchObject({
      ...{ title: 'Invoice', business: 'Clinic of the Lakes', addressee: { label: 'Billed to', value: 'Anna Tremblay' } },
      facts: [
        { label: 'Invoice number', value: '2027-12' },
        { label: 'Issued on', value: '31 January 2027' },
        { label: 'Package', value: 'Five massages' },
      ],
      ...{ name: 'Invoice 2027-12 · Clinic of the Lakes', file: 'invoice-2027-12', stamp: null, note: null },
    }));
  it('D3: before it has a number it says that one follows', () => {
    const page = invoicePage(toPrint({ number: null }));
    expect(page.facts[0]).toEqual({ label: 'Invoice number', value: 'follows' });
    expect(page.file).toBe(`invoice-${idOf('i1')}`);
  });
  it('A4: each tax of each line with its name, rate and amount', () => {
    const [line] = invoicePage(toPrint()).lines;
    expect({ ...line, taxes: line?.taxes.map(({ label, amount }) => [plain(label), amount]) }).toEqual({
      ...{ description: 'Five massages', net: '300.00', total: '344.93' },
      taxes: [
        ['GST 5%', '15.00'],
        ['QST 9.975%', '29.93'],
      ],
    });
  });
  it('A4: each tax in all, and on what; another rate of a tax stands by itself', () =>
    expect(
      totals(
        toPrint({
          lines: [
            { description: 'Massage', net: 80_00, taxes: [gst, qst] },
            { description: 'Facial', net: 50_00, taxes: [gst] },
            { description: 'Sauna', net: 20_00, taxes: [{ ...gst, rate: '7' }] },
          ],
        }),
      ),
    ).toEqual([
      ...['Net: 150.00', 'GST 5% on 130.00: 6.50', 'QST 9.975% on 80.00: 7.98', 'GST 7% on 20.00: 1.40'],
      ...['Total: 165.88', 'Balance due: CAD 165.88'],
    ]));
  it.each([
    ['JPY', 1_234_567, '1,234,567', 'JPY 1,296,295'],
    ['CAD', 1_234_567, '12,345.67', 'CAD 12,962.95'],
    ['KWD', 1_234_567, '1,234.567', 'KWD 1,296.295'],
  ])('A4: amounts have the decimals of their currency: %s', (currency, net, column, sum) => {
    const page = invoicePage(toPrint({ currency, lines: [{ description: 'Massage', net, taxes: [gst] }] }));
    expect([page.lines[0]?.net, plain(page.headline.amount)]).toEqual([column, sum]);
  });
  it('A4: amounts are exact as far as they go', () =>
    expect(invoicePage(toPrint({ lines: [{ description: 'All of it', net: Number.MAX_SAFE_INTEGER }] })).lines[0]?.net).toBe(
      '90,071,992,547,409.91',
    ));
  it('D3: with zero total it says that it is for tracking', () =>
    expect(invoicePage(toPrint({ lines: [{ description: 'Five massages', net: 0 }] }))).toMatchObject({
      note: 'For tracking: nothing is charged on this invoice.',
      headline: { label: 'Balance due' },
      stamp: null,
    }));
  it("E4: an appointment's names its package, links to the package's invoice, and says when it is", () => {
    const page = invoicePage(
      toPrint({
        ...{ kind: 'appointment', lines: [{ description: 'Massage (Relax)', net: 0 }] },
        appointment: { start: '2027-02-02T04:30:00.000Z', timeZone: 'America/Toronto' },
        package: { name: 'Relax', invoiceId: idOf('ip'), invoiceNumber: '2027-7' },
      }),
    );
    expect(page.facts.slice(2)).toEqual([
      { label: 'Appointment', value: '1 February 2027, 23:30' },
      { label: 'Package', value: 'Relax' },
      { label: "Package's invoice", value: '2027-7', address: `../${idOf('ip')}/invoice.html` },
    ]);
    expect(page.note).toBe('Nothing is charged on this invoice: the session is part of the package.');
  });
});

describe('what has become of it', () => {
  it('D2: part-paid, it shows what is owing', () => {
    const invoice = toPrint({ payments: [paid(100_00, { method: 'bankTransfer', reference: 'RF18' })] });
    expect(totals(invoice).slice(-3)).toEqual(['Total: 344.93', 'Paid: -100.00', 'Balance due: CAD 244.93']);
    expect(invoicePage(invoice)).toMatchObject({
      ...{ stamp: null, tables: ['lines', 'movements'] },
      movements: [{ on: '1 February 2027', what: 'Bank transfer', reference: 'RF18', amount: '100.00', voided: false }],
    });
  });
  it('D2: paid, it says so', () => expect(invoicePage(toPrint({ payments: [paid(344_93)] })).stamp).toBe('PAID'));
  it('D2: a voided payment stands there as voided and counts for nothing', () => {
    const invoice = toPrint({ payments: [paid(344_93, { voided: true })] });
    expect(totals(invoice).slice(-2)).toEqual(['Total: 344.93', 'Balance due: CAD 344.93']);
    expect(invoicePage(invoice)).toMatchObject({ stamp: null, movements: [{ what: 'Cash (voided)', voided: true }] });
  });
  it('E9: an appointment that did not take place: what was paid is credit', () => {
    const invoice = toPrint({ kind: 'appointment', adjustments: -344_93, payments: [paid(344_93)] });
    expect(totals(invoice).slice(-4)).toEqual(['Total: 344.93', 'Adjustments: -344.93', 'Paid: -344.93', 'Credit: CAD 344.93']);
    expect(invoicePage(invoice)).toMatchObject({ stamp: 'CREDIT', headline: { label: 'Credit' } });
  });
  it('E9: and nothing is stamped where nothing was paid', () =>
    expect(invoicePage(toPrint({ kind: 'appointment', adjustments: -344_93 })).stamp).toBeNull());
  it.each([
    ['noOutstandingBalance', { adjustments: -344_93 }, 'REFUNDED', 'Balance due: CAD 0.00'],
    ['outstandingBalance', {}, null, 'Balance due: CAD 344.93'],
  ])('H5: refunded, with %s', (_, over, stamp, last) => {
    const invoice = toPrint({
      payments: [paid(344_93)],
      refunds: [{ on: '2027-02-03', method: 'cash', reference: null, amount: 344_93, status: 'succeeded' }],
      ...over,
    });
    expect([invoicePage(invoice).stamp, totals(invoice).at(-1)]).toEqual([stamp, last]);
    expect(totals(invoice)).toEqual(expect.arrayContaining(['Paid: -344.93', 'Refunded: 344.93']));
    expect(invoicePage(invoice).movements.map(({ what, amount }) => [what, amount])).toEqual([
      ['Cash', '344.93'],
      ['Refund, cash', '-344.93'],
    ]);
  });
  it('H6: a refund that waits for Stripe, or failed there, is shown and in no sum; the failed one is struck out', () => {
    const refund = (status: 'pending' | 'failed') => ({ on: '2027-02-03', method: 'stripe', reference: null, amount: 100_00, status });
    const invoice = toPrint({ payments: [paid(344_93, { method: 'stripe' })], refunds: [refund('pending'), refund('failed')] });
    expect(totals(invoice).slice(-2)).toEqual(['Paid: -344.93', 'Balance due: CAD 0.00']);
    expect(invoicePage(invoice)).toMatchObject({
      stamp: 'PAID',
      movements: [
        { what: 'Card online' },
        { what: 'Refund, card online (pending)', voided: false },
        { what: 'Refund, card online (failed)', voided: true },
      ],
    });
  });
});

describe('a receipt', () => {
  it('D2: shows what was received first, then for what', () =>
    expect(receiptPage(toPrint({ payments: [paid(300_00), paid(44_93, { method: 'other', reference: 'voucher' })] }))).toMatchObject({
      ...{ title: 'Receipt', addressee: { label: 'Received from', value: 'Anna Tremblay' }, tables: ['movements', 'lines'] },
      ...{ headline: { label: 'Received', amount: 'CAD\u00a0344.93' }, stamp: 'PAID', file: 'receipt-2027-12' },
    }));
  it.each([
    ['nothing was paid', []],
    ['all payments were voided', [paid(344_93, { voided: true })]],
  ])('D2: there is none while %s', (_, payments) =>
    expect(() => receiptPage(toPrint({ payments }))).toThrow('Nothing was paid on this invoice'),
  );
});
