import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import type { InvoiceNumbersEvent } from '../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, cad, gst, idOf, massage, qst } from '../libs/domain/testing/example.js';
import {
  adjustedBy,
  adjustedToZero,
  adjustmentUndone,
  disputed,
  invoiceContent,
  issued,
  received,
  refundConfirmed,
  refunded,
  refundFailed,
  refundRequested,
  refundReturned,
  regularFee,
  reissued,
  voided,
} from '../libs/domain/testing/example-invoice.js';
import { p, sale } from '../libs/domain/testing/example-package.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { invoiceList, type InvoiceRow } from './invoice-list.projection.js';

const [i1, ip] = [idOf('i1'), idOf('ip')];
const content = regularFee([gst, qst]); // 100.00 + 5.00 + 9.98
const fromPackage = invoiceContent({
  ...{ packageId: p, packageInvoiceId: ip },
  lines: [{ description: 'Massage (Relax)', serviceId: massage, net: cad(0) }],
});
const ofPackage = sale({ taxes: [gst] }).invoice;

/** One appointment's invoice through all that can become of it; a package's beside it. */
const history: InvoiceEvent[] = [
  ...[issued(content), issued(ofPackage), adjustedToZero(114_98, { because: 'noShow' }), adjustmentUndone(114_98)],
  ...[reissued(fromPackage), reissued(regularFee()), adjustedToZero(100_00), reissued(content), adjustedToZero(114_98)],
];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (events: readonly (InvoiceEvent | InvoiceNumbersEvent)[]) =>
    fold(invoiceList, new Map<string, InvoiceRow>(), delivered(recorded(events)));
  const upTo = (n: number) => listed(history.slice(0, n)).get(i1);

  it('E9: an invoice as it is issued', () =>
    expect([...listed([issued(content)]).values()]).toEqual([
      {
        ...{ invoiceId: i1, kind: 'appointment', clientId: anna, packageId: null, appointmentId: idOf('a1'), packageInvoiceId: null },
        ...{ issuedOn: '2027-01-31', currency: 'CAD', lines: content.lines },
        ...{ net: 100_00, tax: 14_98, total: 114_98, adjustments: 0, balance: 114_98, revision: 0n },
        ...{ number: null, paid: 0, refunded: 0, pending: 0, payments: [], refunds: [], overallAdjustments: [] },
        ...{ disputes: [], disputed: false },
      },
    ]));
  it('D3: has its number moments after, and keeps it when it is issued anew', () => {
    const numbered = {
      type: 'InvoiceNumbered' as const,
      data: { invoiceId: i1, year: 2027, number: 123, shown: '2027-000123', through: '1' },
    };
    expect(listed([issued(content), numbered]).get(i1)).toMatchObject({ number: '2027-000123', revision: 0n });
    expect(listed([issued(content), numbered, reissued(regularFee())]).get(i1)).toMatchObject({ number: '2027-000123', total: 100_00 });
  });
  it('D3, E9: issued anew it keeps the day under which it is numbered; what was taken off went with the lines', () => {
    const later = reissued({ ...regularFee(), issuedOn: '2028-01-02' });
    const off = adjustedBy(1, -10_00, { adjustments: -10_00, balance: 104_98 });
    expect(listed([issued(content), off, later]).get(i1)).toMatchObject({
      ...{ issuedOn: '2027-01-31', total: 100_00, adjustments: 0, balance: 100_00, overallAdjustments: [] },
    });
  });
  it("D3: a sale's, with fee and taxes", () =>
    expect(listed(history).get(ip)).toMatchObject({
      ...{ kind: 'package', packageId: p, packageInvoiceId: null, net: 80_00, tax: 4_00, total: 84_00, balance: 84_00, revision: 1n },
    }));
  it('E9: adjusted to zero, and owing again once that is undone', () => {
    expect(upTo(3)).toMatchObject({ total: 114_98, adjustments: -114_98, balance: 0 });
    expect(upTo(4)).toMatchObject({ total: 114_98, adjustments: 0, balance: 114_98 });
  });
  it('E9: what was paid shows as credit', () =>
    expect(listed([issued(content, cad(14_98)), adjustedToZero(114_98, { balance: -100_00 })]).get(i1)).toMatchObject({
      ...{ adjustments: -114_98, balance: -100_00 },
    }));
  it('E4, E8: re-issued with other lines, it links to the invoice of the package', () =>
    expect(upTo(5)).toMatchObject({
      ...{ packageId: p, packageInvoiceId: ip, lines: fromPackage.lines, total: 0, balance: 0 },
      revision: 4n,
    }));
  it('E8: and no longer when the package is removed', () =>
    expect(upTo(6)).toMatchObject({ packageId: null, packageInvoiceId: null, total: 100_00, adjustments: 0, balance: 100_00 }));
  it('E9: re-issued late, it is at zero again', () =>
    expect(upTo(9)).toMatchObject({ lines: content.lines, total: 114_98, adjustments: -114_98, balance: 0, revision: 8n }));
  it('D2, H5: paid in part, voided, adjusted and refunded: all of it stays on the list', () =>
    expect(
      listed([
        ...[issued(content), received(1, 50_00, { paid: 50_00, balance: 64_98 }), received(2, 64_98, { paid: 114_98, balance: 0 })],
        ...[voided(2, 64_98, { paid: 50_00, balance: 64_98 }, 'the wrong invoice')],
        ...[adjustedBy(1, -14_98, { paid: 50_00, adjustments: -14_98, balance: 50_00 })],
        ...[refunded(1, 10_00, { paid: 50_00, refunded: 10_00, adjustments: -14_98, balance: 60_00 })],
      ]).get(i1),
    ).toMatchObject({
      ...{ total: 114_98, adjustments: -14_98, paid: 50_00, refunded: 10_00, balance: 60_00, revision: 5n },
      payments: [
        { paymentId: idOf('pay1'), amount: cad(50_00), method: 'cash', voided: false },
        { paymentId: idOf('pay2'), amount: cad(64_98), voided: true, reason: 'the wrong invoice' },
      ],
      overallAdjustments: [{ adjustment: cad(-14_98), because: 'discount' }],
      refunds: [{ refundId: idOf('refund1'), amount: cad(10_00), outcome: 'outstandingBalance' }],
    }));
  it('H6: a refund through Stripe is pending, and then succeeded or failed, in its place; only what succeeded is in the figures', () => {
    const byCard = received(1, 114_98, { paid: 114_98, balance: 0 }, { method: 'stripe', purchaseId: idOf('purchase1') });
    const asked = [
      ...[issued(content), byCard, refundRequested(1, 20_00, { paid: 114_98, balance: 0, pending: 20_00 })],
      ...[refundRequested(2, 30_00, { paid: 114_98, balance: 0, pending: 50_00 })],
    ];
    expect(listed(asked).get(i1)).toMatchObject({
      ...{ refunded: 0, pending: 50_00, balance: 0, revision: 3n },
      refunds: [{ status: 'pending', tax: null, taxes: [], refundedOn: null, requestedOn: '2027-01-31', paymentId: idOf('pay1') }, {}],
    });
    const heard = [
      ...[refundConfirmed(1, 20_00, { paid: 114_98, refunded: 20_00, balance: 20_00 }, { pending: cad(30_00), tax: cad(2_61) })],
      ...[refundFailed(2, 30_00, { paid: 114_98, refunded: 20_00, balance: 20_00 })],
    ];
    expect(listed([...asked, ...heard]).get(i1)).toMatchObject({
      ...{ refunded: 20_00, pending: 0, balance: 20_00 },
      refunds: [
        {
          refundId: idOf('refund1'),
          status: 'succeeded',
          tax: cad(2_61),
          stripeRefundId: 're_1',
          failure: null,
          requestedOn: '2027-01-31',
        },
        { refundId: idOf('refund2'), status: 'failed', failure: 'declined', refundedOn: null },
      ],
    });
    const back = refundReturned(1, 20_00, { paid: 114_98, balance: 0 });
    expect(listed([...asked, ...heard, back]).get(i1)).toMatchObject({
      ...{ refunded: 0, pending: 0, balance: 0, refunds: [{ status: 'failed', failure: 'declined' }, { status: 'failed' }] },
    });
  });
  it('H6: of which a payment is disputed, until that is won', () => {
    const money = { paid: 114_98, balance: 0 };
    const open = [issued(content), received(1, 114_98, money), disputed(114_98, 'open', money)];
    expect(listed(open).get(i1)).toMatchObject({ disputed: true, disputes: [{ disputeId: 'dp_1', status: 'open' }], balance: 0 });
    expect(listed([...open, disputed(114_98, 'won', money)]).get(i1)).toMatchObject({ disputed: false, disputes: [{ status: 'won' }] });
    expect(listed([...open, disputed(114_98, 'lost', money)]).get(i1)).toMatchObject({ disputed: true, disputes: [{ status: 'lost' }] });
  });
  it.each(history.map((_, n) => [n + 1]))('J2: nothing paid, total + adjustments = balance: after %i', (n) => {
    const { total, adjustments, balance } = upTo(n)!;
    expect(total + adjustments).toBe(balance);
  });
});
