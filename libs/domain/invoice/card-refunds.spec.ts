import { deliveries } from '../testing/deliveries.js';
import { anna, cad, gst, idOf, qst } from '../testing/example.js';
import {
  adjustedToZero,
  adjustmentUndone,
  disputed,
  issued,
  received,
  refundConfirmed,
  refunded,
  refundFailed,
  refundRequested,
  refundReturned,
  regularFee,
  reissued,
} from '../testing/example-invoice.js';
import { given } from '../testing/given.js';
import { sale } from '../testing/example-package.js';
import { idFor } from '../kernel/ids.js';
import { bringIn, requestRefund, type DisputeAtStripe, type RefundAtStripe, type RequestRefund } from './card-refunds.decisions.js';
import { refundInvoice, voidPayment } from './invoice.decisions.js';
import type { InvoiceEvent } from './invoice.events.js';
import { invoice, type IssuedInvoice } from './invoice.state.js';

const anInvoice = given(invoice);
const content = regularFee([gst, qst]); // 114.98 with 5.00 and 9.98 of tax
const purchaseId = idOf('purchase1');
const TOTAL = 114_98;
const byCard = received(1, TOTAL, { paid: TOTAL, balance: 0 }, { method: 'stripe', purchaseId });
const paid = [issued(content), byCard];
const money = { paid: TOTAL, balance: 0 };
const taxes = (...amounts: number[]) => ({
  taxes: [gst, qst].map((tax, n) => ({ ...tax, amount: cad(amounts[n]!) })),
  tax: cad(amounts.reduce((a, b) => a + b, 0)),
});

const request = (n: number, amount: number, over: Partial<RequestRefund> = {}) =>
  requestRefund({
    ...{ invoiceId: idOf('i1'), refundId: idOf(`refund${n}`), paymentId: null, amount: cad(amount), outcome: 'outstandingBalance' },
    ...{ reference: null, notes: null, requestedOn: '2027-01-31', ...over },
  });
/** What Stripe says of the nth refund, which it calls `re_n`; `refundId`: null for one that was made there. */
const heard = (n: number, amount: number, status: RefundAtStripe['status'], over: Partial<RefundAtStripe> = {}): RefundAtStripe => ({
  ...{ stripeRefundId: `re_${n}`, refundId: idOf(`refund${n}`), amount: cad(amount), status },
  ...{ reason: status === 'failed' ? 'declined' : null, ...over },
});
const told = (refunds: RefundAtStripe[], disputes: DisputeAtStripe[] = []) =>
  bringIn({ invoiceId: idOf('i1'), purchaseId, on: '2027-02-10', refunds, disputes });
const later = { refundedOn: '2027-02-10' };
/** After a discount of 20.00, and as much given back: the rest is taken off. */
const restToZero: InvoiceEvent = {
  type: 'InvoiceAdjustedToZero',
  data: {
    ...{ invoiceId: idOf('i1'), clientId: anna, because: 'cancelled', consumptionId: null },
    ...{ adjustment: cad(-94_98), adjustments: cad(-TOTAL), balance: cad(-94_98) },
  },
};

describe('asking for a refund through Stripe', () => {
  it('H6: keeps so much for it, and leaves the money figures as they are', () =>
    anInvoice(paid)
      .when(request(1, 20_00))
      .emits([refundRequested(1, 20_00, { ...money, pending: 20_00 })]));
  it('D5: once', () =>
    anInvoice([...paid, refundRequested(1, 20_00, { ...money, pending: 20_00 })])
      .when(request(1, 20_00))
      .emits([]));
  it('H6: cancel, pending refund, second refund', () => {
    const cancelled = [...paid, adjustedToZero(TOTAL, { balance: -TOTAL })];
    const asked = [...cancelled, refundRequested(1, 100_00, { paid: TOTAL, adjustments: -TOTAL, balance: -TOTAL, pending: 100_00 })];
    anInvoice(asked)
      .when(request(2, 14_99))
      .refuses('REFUND_ABOVE_PAYMENT', { left: cad(14_98) });
    anInvoice(asked)
      .when(request(2, 14_98))
      .emits([refundRequested(2, 14_98, { paid: TOTAL, adjustments: -TOTAL, balance: -TOTAL, pending: TOTAL })]);
  });
  it('H6: in cash only what no refund waits for', () => {
    const cash = (amount: number) =>
      refundInvoice({
        ...{ invoiceId: idOf('i1'), refundId: idOf('refund2'), amount: cad(amount), outcome: 'outstandingBalance', method: 'cash' },
        ...{ reference: null, notes: null, refundedOn: '2027-01-31' },
      });
    const asked = [...paid, refundRequested(1, 100_00, { ...money, pending: 100_00 })];
    anInvoice(asked)
      .when(cash(14_99))
      .refuses('REFUND_ABOVE_PAID', { refundable: cad(14_98) });
    anInvoice(asked)
      .when(cash(14_98))
      .emits([refunded(2, 14_98, { paid: TOTAL, refunded: 14_98, balance: 14_98 }, { ...taxes(65, 1_30), pending: cad(100_00) })]);
  });
  it('H6: of a payment that was made through Stripe', () => {
    anInvoice([issued(content), received(1, TOTAL, money)])
      .when(request(1, 1))
      .refuses('NOT_PAID_BY_STRIPE');
    anInvoice(paid)
      .when(request(1, 1, { paymentId: idOf('pay2') }))
      .refuses('NOT_PAID_BY_STRIPE');
  });
  it('H6: of several such payments it is said which; of one of them, what is left of it', () => {
    const two = [
      ...[issued(content), received(1, 100_00, { paid: 100_00, balance: 14_98 }, { method: 'stripe', purchaseId })],
      received(2, 14_98, money, { method: 'stripe', purchaseId: idOf('purchase2') }),
    ];
    anInvoice(two).when(request(1, 10_00)).refuses('WHICH_PAYMENT');
    anInvoice(two)
      .when(request(1, 14_99, { paymentId: idOf('pay2') }))
      .refuses('REFUND_ABOVE_PAYMENT', { left: cad(14_98) });
    const first = refundRequested(1, 100_00, { ...money, pending: 100_00 });
    anInvoice(two)
      .when(request(1, 100_00, { paymentId: idOf('pay1') }))
      .emits([first]);
    anInvoice([...two, first]) // nothing is left of the first
      .when(request(2, 14_98))
      .emits([refundRequested(2, 14_98, { ...money, pending: TOTAL }, { paymentId: idOf('pay2'), purchaseId: idOf('purchase2') })]);
  });
  it('H6: paid in part in cash and by card, never more than was paid by card, nor than was kept of both', () => {
    const both = [
      ...[issued(content), received(2, 64_98, { paid: 64_98, balance: 50_00 })],
      received(1, 50_00, money, { method: 'stripe', purchaseId }),
    ];
    anInvoice(both).when(request(1, 50_01)).refuses('REFUND_ABOVE_PAYMENT');
    anInvoice([...both, refunded(2, 80_00, { paid: TOTAL, refunded: 80_00, balance: 80_00 })])
      .when(request(1, 34_99))
      .refuses('REFUND_ABOVE_PAID', { refundable: cad(34_98) });
  });
  it('H5, H6: what waits for Stripe will take off too', () => {
    const off = { outcome: 'noOutstandingBalance' as const };
    const asked = [...paid, refundRequested(1, 100_00, { ...money, pending: 100_00 }, off)];
    anInvoice([...asked, reissued(regularFee()), received(3, 20_00, { paid: TOTAL + 20_00, balance: 0 })])
      .when(request(2, 1, off))
      .refuses('NOTHING_TO_DISCOUNT');
  });
  it('H6: a payment whose money a refund waits for is not voided', () => {
    const both = [issued(content), received(1, 50_00, { paid: 50_00, balance: 64_98 }, { method: 'stripe', purchaseId })];
    const voiding = voidPayment({ invoiceId: idOf('i1'), paymentId: idOf('pay2'), reason: null });
    const all = [...both, received(2, 64_98, money)];
    expect(voiding(all.reduce(invoice.evolve, invoice.initial))).toHaveLength(1);
    const cash = refunded(2, 64_98, { paid: TOTAL, refunded: 64_98, balance: 64_98 });
    anInvoice([...all, cash, refundRequested(1, 50_00, { paid: TOTAL, refunded: 64_98, balance: 64_98, pending: 50_00 })])
      .when(voiding)
      .refuses('PAYMENT_REFUNDED');
  });
});

describe('what Stripe says of a refund', () => {
  const asked = [...paid, refundRequested(1, 20_00, { ...money, pending: 20_00 })];
  const confirmed = refundConfirmed(1, 20_00, { paid: TOTAL, refunded: 20_00, balance: 20_00 }, { ...later, ...taxes(87, 1_74) });
  const failed = refundFailed(1, 20_00, money);

  it('H6: until it is confirmed it stays pending', () =>
    anInvoice(asked)
      .when(told([heard(1, 20_00, 'pending')]))
      .emits([]));
  it('H6: confirmed, it is given back, once, whoever hears it again and in which order', () => {
    anInvoice(asked)
      .when(told([heard(1, 20_00, 'succeeded')]))
      .emits([confirmed]);
    anInvoice([...asked, confirmed])
      .when(told([heard(1, 20_00, 'succeeded'), heard(1, 20_00, 'pending')]))
      .emits([]);
  });
  it('H6: refused, it shows as failed and the money figures are as before', () => {
    anInvoice(asked)
      .when(told([heard(1, 20_00, 'failed')]))
      .emits([failed]);
    anInvoice([...asked, failed])
      .when(told([heard(1, 20_00, 'succeeded'), heard(1, 20_00, 'failed')]))
      .emits([]);
    anInvoice([...asked, failed])
      .when(request(2, TOTAL))
      .emits([refundRequested(2, TOTAL, { ...money, pending: TOTAL })]);
  });
  it('H6: that Stripe refused to begin, and has made after all, is given back', () => {
    const refusedAtOnce = refundFailed(1, 20_00, money, { stripeRefundId: null, failure: 'charge_disputed' });
    anInvoice(asked)
      .when(told([heard(1, 20_00, 'failed', { stripeRefundId: null, reason: 'charge_disputed' })]))
      .emits([refusedAtOnce]);
    anInvoice([...asked, refusedAtOnce])
      .when(told([heard(1, 20_00, 'succeeded')]))
      .emits([confirmed]);
  });
  it('H6: it had succeeded and has failed since: the money figures are as before it, its discount too', () => {
    const back = refundReturned(1, 20_00, money, taxes(87, 1_74));
    anInvoice([...asked, confirmed])
      .when(told([heard(1, 20_00, 'failed')]))
      .emits([back]);
    anInvoice([...asked, confirmed, back])
      .when(told([heard(1, 20_00, 'succeeded')]))
      .emits([]);

    const outcome = 'noOutstandingBalance' as const;
    const discounted = [
      ...[...paid, refundRequested(1, 20_00, { ...money, pending: 20_00 }, { outcome })],
      refundConfirmed(1, 20_00, { paid: TOTAL, refunded: 20_00, adjustments: -20_00, balance: 0 }, { outcome, adjustment: cad(-20_00) }),
    ];
    anInvoice(discounted)
      .when(told([heard(1, 20_00, 'failed')]))
      .emits([refundReturned(1, 20_00, money, { ...taxes(87, 1_74), outcome, adjustment: cad(20_00) })]);
    const atZero = [...discounted, restToZero];
    anInvoice(atZero)
      .when(told([heard(1, 20_00, 'failed')]))
      .emits([
        refundReturned(
          1,
          20_00,
          { paid: TOTAL, adjustments: -TOTAL, balance: -TOTAL },
          { ...taxes(87, 1_74), outcome, toZero: cad(-114_98) },
        ),
      ]);
  });
  it('H5, H6: its discount is as much as the invoice can still bear', () => {
    const outcome = 'noOutstandingBalance' as const;
    const ended = [
      ...[...paid, refundRequested(1, TOTAL, { ...money, pending: TOTAL }, { outcome })],
      adjustedToZero(TOTAL, { balance: -TOTAL }),
    ];
    anInvoice(ended)
      .when(told([heard(1, TOTAL, 'succeeded')]))
      .emits([
        refundConfirmed(...([1, TOTAL, { paid: TOTAL, refunded: TOTAL, adjustments: -TOTAL, balance: 0 }] as const), {
          ...later,
          ...taxes(5_00, 9_98),
          outcome,
        }),
      ]);
  });
  it("E4, H6: an appointment's invoice names no package, though it uses one; that of a package does, for it to follow", () => {
    const sold = sale({ taxes: [gst] }).invoice; // 84.00
    const bought = [
      issued(sold),
      received(1, 84_00, { paid: 84_00, balance: 0 }, { invoiceId: sold.invoiceId, method: 'stripe', purchaseId }),
    ];
    const state = bought.reduce(invoice.evolve, invoice.initial);
    expect(request(1, 84_00, { invoiceId: sold.invoiceId })(state)).toMatchObject([{ data: { packageId: sold.packageId } }]);
  });
  it('H7: in whichever order refunds are confirmed, or come back, their tax is that of what stands', () => {
    const three = [38_33, 38_33, 38_32].map((amount, n) => [n + 1, amount] as const);
    const all = three.map(([n, amount]) => refundRequested(n, amount, { ...money, pending: 0 }));
    let state = [...paid, ...all].reduce(invoice.evolve, invoice.initial);
    const parts: number[] = [];
    const hear = (n: number, amount: number, status: 'succeeded' | 'failed') => {
      const [event] = told([heard(n, amount, status)])(state);
      state = invoice.evolve(state, event!);
      parts.push((event!.data as { tax: { amount: number } }).tax.amount * (status === 'failed' ? -1 : 1));
    };
    const tax = () => parts.reduce((sum, part) => sum + part, 0);
    for (const [n, amount] of three.toReversed()) hear(n, amount, 'succeeded');
    expect(tax()).toBe(14_98);
    hear(2, 38_33, 'failed');
    expect(tax()).toBe(9_98); // 76.65 of 114.98: 3.33 and 6.65
    hear(1, 38_33, 'failed');
    hear(3, 38_32, 'failed');
    expect([tax(), (state as IssuedInvoice).refunded]).toEqual([0, cad(0)]);
  });
});

describe('what is done at Stripe itself', () => {
  const there = (n: number, amount: number, money: Parameters<typeof refunded>[2]) =>
    refundConfirmed(n, amount, money, { ...later, refundId: idFor(purchaseId, `re_${n}`), source: 'stripe' });
  const made = (n: number, amount: number, status: RefundAtStripe['status'] = 'succeeded') => heard(n, amount, status, { refundId: null });

  it('H6: a refund in its dashboard is a fact: it is owing again, also without a cancellation, once', () => {
    const back = { ...there(1, 20_00, { paid: TOTAL, refunded: 20_00, balance: 20_00 }) };
    Object.assign(back.data, taxes(87, 1_74));
    anInvoice(paid)
      .when(told([made(1, 20_00)]))
      .emits([back]);
    anInvoice([...paid, back])
      .when(told([made(1, 20_00)]))
      .emits([]);
    anInvoice(paid)
      .when(told([made(1, 20_00, 'pending'), made(2, 10_00, 'failed')]))
      .emits([]);
    anInvoice([...paid, back])
      .when(told([made(1, 20_00, 'failed')]))
      .emits([refundReturned(1, 20_00, money, { ...taxes(87, 1_74), refundId: idFor(purchaseId, 're_1') })]);
  });
  it('H6: one that says it is ours, and is not, is a fact too', () =>
    expect(told([heard(7, 20_00, 'succeeded')])(paid.reduce(invoice.evolve, invoice.initial))).toMatchObject([
      { type: 'InvoiceRefunded', data: { refundId: idFor(purchaseId, 're_7'), source: 'stripe' } },
    ]));
  it('H6: a second one at Stripe for the same refund of ours is money gone too, once', () => {
    const asked = [...paid, refundRequested(1, 20_00, { ...money, pending: 20_00 })];
    const ours = refundConfirmed(1, 20_00, { paid: TOTAL, refunded: 20_00, balance: 20_00 }, { ...later, ...taxes(87, 1_74) });
    const second = heard(2, 20_00, 'succeeded', { refundId: idOf('refund1') });
    const fact = there(2, 20_00, { paid: TOTAL, refunded: 40_00, balance: 40_00 });
    Object.assign(fact.data, taxes(87, 1_73));
    anInvoice([...asked, ours])
      .when(told([second]))
      .emits([fact]);
    anInvoice(asked)
      .when(told([heard(1, 20_00, 'succeeded'), second]))
      .emits([ours, fact]);
    anInvoice([...asked, ours, fact])
      .when(told([second, heard(1, 20_00, 'succeeded')]))
      .emits([]);
    anInvoice([...asked, refundFailed(1, 20_00, money)])
      .when(told([second]))
      .emits([{ ...fact, data: { ...fact.data, ...taxes(87, 1_74), refunded: cad(20_00), balance: cad(20_00) } } as InvoiceEvent]);
    anInvoice([...asked, ours])
      .when(told([heard(2, 20_00, 'failed', { refundId: idOf('refund1') })]))
      .emits([]);
  });
  it('H6: one that names a refund of ours, and is of another amount, of another payment or given back in cash, is a fact', () => {
    const facts = (history: InvoiceEvent[], amount: number) =>
      expect(
        told([heard(7, amount, 'succeeded', { refundId: idOf('refund1') })])(history.reduce(invoice.evolve, invoice.initial)),
      ).toMatchObject([{ type: 'InvoiceRefunded', data: { refundId: idFor(purchaseId, 're_7'), source: 'stripe', amount: cad(amount) } }]);
    facts([...paid, refundRequested(1, 20_00, { ...money, pending: 20_00 })], 20_01);
    facts([...paid, refunded(1, 20_00, { paid: TOTAL, refunded: 20_00, balance: 20_00 })], 20_00);
    const other = { paymentId: idOf('pay2'), purchaseId: idOf('purchase2') };
    const two = [
      ...[issued(content), received(1, 100_00, { paid: 100_00, balance: 14_98 }, { method: 'stripe', purchaseId })],
      received(2, 14_98, money, { method: 'stripe', purchaseId: other.purchaseId }),
    ];
    facts([...two, refundRequested(1, 10_00, { ...money, pending: 10_00 }, other)], 10_00);
  });
  it('H6: it may exceed what our rules allow, and leaves that much less to refund', () => {
    const cash = refunded(1, TOTAL, { paid: TOTAL, refunded: TOTAL, balance: TOTAL });
    const state = [...paid, cash].reduce(invoice.evolve, invoice.initial);
    const [fact, ...more] = told([made(2, TOTAL)])(state);
    expect([fact, more]).toMatchObject([{ data: { refunded: cad(2 * TOTAL), balance: cad(2 * TOTAL) } }, []]);
    anInvoice([...paid, cash, fact!])
      .when(request(3, 1))
      .refuses('REFUND_ABOVE_PAYMENT', { left: cad(0) });
  });
  it('H6: beside a refund that waits, which Stripe then refuses', () => {
    const asked = refundRequested(1, 100_00, { ...money, pending: 100_00 });
    const [fact] = told([made(2, 100_00)])([...paid, asked].reduce(invoice.evolve, invoice.initial));
    expect(fact).toMatchObject({ data: { refunded: cad(100_00), pending: cad(100_00) } });
    anInvoice([...paid, asked, fact!])
      .when(told([heard(1, 100_00, 'failed', { stripeRefundId: null, reason: 'charge_already_refunded' })]))
      .emits([
        refundFailed(
          1,
          100_00,
          { paid: TOTAL, refunded: 100_00, balance: 100_00 },
          { stripeRefundId: null, failure: 'charge_already_refunded' },
        ),
      ]);
  });
  const dispute = (status: DisputeAtStripe['status']): DisputeAtStripe => ({
    ...{ disputeId: 'dp_1', amount: cad(TOTAL), status, reason: 'fraudulent' },
  });
  it('H6: a dispute is noted once per status, and changes no figure unless it is lost', () => {
    const open = disputed(TOTAL, 'open', money);
    anInvoice(paid)
      .when(told([], [dispute('open')]))
      .emits([open]);
    anInvoice([...paid, open])
      .when(told([], [dispute('open')]))
      .emits([]);
    anInvoice([...paid, open])
      .when(told([], [dispute('won')]))
      .emits([disputed(TOTAL, 'won', money)]);
    anInvoice([...paid, open, disputed(TOTAL, 'won', money)])
      .when(told([], [dispute('open')]))
      .emits([]);
  });
  it('H6: a dispute that is lost is money gone, owing again', () =>
    anInvoice(paid)
      .when(told([], [dispute('lost')]))
      .emits([
        disputed(TOTAL, 'lost', money),
        refundConfirmed(...([1, TOTAL, { paid: TOTAL, refunded: TOTAL, balance: TOTAL }] as const), {
          ...{ ...later, ...taxes(5_00, 9_98), refundId: idFor(purchaseId, 'dp_1'), source: 'stripe' },
          ...{ stripeRefundId: null, disputeId: 'dp_1' },
        }),
      ]));
});

describe('folding what has become of a payment through Stripe', () => {
  const back = { paid: TOTAL, refunded: 20_00, adjustments: -20_00, balance: 0 };
  const history: InvoiceEvent[] = [
    ...[...paid, refundRequested(1, 20_00, { ...money, pending: 20_00 }), refundRequested(2, 30_00, { ...money, pending: 50_00 })],
    ...[refundConfirmed(1, 20_00, back, { outcome: 'noOutstandingBalance', adjustment: cad(-20_00) }), refundFailed(2, 30_00, back)],
    ...[restToZero, disputed(TOTAL, 'open', { paid: TOTAL, refunded: 20_00, adjustments: -TOTAL, balance: -94_98 })],
    refundReturned(1, 20_00, { paid: TOTAL, adjustments: -TOTAL, balance: -TOTAL }, { toZero: cad(-TOTAL) }),
    adjustmentUndone(TOTAL, 0),
  ];
  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) =>
    expect(delivered(history).reduce(invoice.evolve, invoice.initial)).toMatchObject({
      ...{ paid: cad(TOTAL), refunded: cad(0), pending: cad(0), balance: cad(0), owingByRefunds: cad(0) },
      refunds: [{ status: 'failed' }, { status: 'failed' }],
      disputes: [{ disputeId: 'dp_1', status: 'open' }],
    }),
  );
});
