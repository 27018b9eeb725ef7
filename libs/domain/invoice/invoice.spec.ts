import { at, cad, gst, idOf, massage, qst } from '../testing/example.js';
import {
  adjustedBy,
  adjustedToZero,
  adjustmentUndone,
  invoiceContent,
  issued,
  received,
  refunded,
  regularFee,
  reissued,
  voided,
} from '../testing/example-invoice.js';
import { p, sale } from '../testing/example-package.js';
import { deliveries } from '../testing/deliveries.js';
import { given } from '../testing/given.js';
import {
  adjustInvoice,
  adjustToZero,
  issueInvoice,
  receivePayment,
  refundInvoice,
  reissueForCancellation,
  reissueForRemoval,
  reissueInvoice,
  reissueToStand,
  undoAdjustment,
  undoWriteOff,
  voidPayment,
  writeOff,
} from './invoice.decisions.js';
import { invoice, type IssuedInvoice } from './invoice.state.js';

const anInvoice = given(invoice);
const content = regularFee([gst, qst]); // 100.00 + 5.00 + 9.98
const fromPackage = invoiceContent({ packageId: p, lines: [{ description: 'Massage (Relax)', serviceId: massage, net: cad(0) }] });

describe('an invoice', () => {
  it('A4: its totals are the sums of its lines, each tax of each line rounded by itself', () => {
    const line = { description: 'Massage', serviceId: massage, net: cad(10), taxes: [gst] }; // 0.5 of a cent each
    expect(invoiceContent({ lines: [line, line, line] }).total).toEqual({ net: cad(30), tax: cad(3), total: cad(33) });
  });
  it('E9: is issued, and owes its total', () => {
    anInvoice([])
      .when(issueInvoice(content))
      .emits([issued(content)]);
    expect(content.total).toEqual({ net: cad(100_00), tax: cad(14_98), total: cad(114_98) });
  });
  it('D3: with zero total, for tracking', () =>
    anInvoice([])
      .when(issueInvoice(fromPackage))
      .emits([issued(fromPackage, cad(0))]));
  it('D5: once', () =>
    anInvoice([issued(content)])
      .when(issueInvoice(content))
      .emits([]));
});

describe('an invoice of an appointment that does not take place', () => {
  const adjust = adjustToZero({ invoiceId: idOf('i1'), because: 'cancelled', consumptionId: idOf('c1') });

  it('E9: is adjusted to zero', () =>
    anInvoice([issued(content)])
      .when(adjust)
      .emits([adjustedToZero(114_98)]));
  it('E9: once', () =>
    anInvoice([issued(content), adjustedToZero(114_98)])
      .when(adjust)
      .emits([]));
  it('E9: what was paid shows as credit', () =>
    anInvoice([issued(content, cad(14_98))])
      .when(adjust)
      .emits([adjustedToZero(114_98, { balance: -100_00 })]));
  it('E9: also when nothing was owing', () =>
    anInvoice([issued(fromPackage)])
      .when(adjust)
      .emits([adjustedToZero(0)]));
  it('A3: must be there', () => anInvoice([]).when(adjust).refuses('NOT_FOUND'));

  it('H1: owes again once the no-show is undone', () =>
    anInvoice([issued(content), adjustedToZero(114_98)])
      .when(undoAdjustment(idOf('i1')))
      .emits([adjustmentUndone(114_98)]));
  it('H1: what was paid counts again', () =>
    anInvoice([issued(content, cad(14_98)), adjustedToZero(114_98, { balance: -100_00 })])
      .when(undoAdjustment(idOf('i1')))
      .emits([adjustmentUndone(114_98, 14_98)]));
  it('H1: once', () =>
    anInvoice([issued(content)])
      .when(undoAdjustment(idOf('i1')))
      .emits([]));
  it('H1: and can be adjusted again after that', () =>
    anInvoice([issued(content), adjustedToZero(114_98), adjustmentUndone(114_98)])
      .when(adjust)
      .emits([adjustedToZero(114_98)]));
});

describe('re-issuing an invoice', () => {
  it('E8, E9: with other lines', () =>
    anInvoice([issued(content)])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]));
  it('E9: not while it is paid', () => {
    anInvoice([issued(content), received(1, 114_98, { paid: 114_98, balance: 0 })])
      .when(reissueInvoice(fromPackage))
      .refuses('INVOICE_PAID');
    anInvoice([issued(content), received(1, 14_98, { paid: 14_98, balance: 100_00 })])
      .when(reissueInvoice(fromPackage))
      .refuses('INVOICE_PAID');
  });
  it('E9: but once the payment is voided or refunded', () => {
    const paid = [issued(content), received(1, 114_98, { paid: 114_98, balance: 0 })];
    anInvoice([...paid, voided(1, 114_98, { balance: 114_98 })])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]);
    anInvoice([...paid, refunded(1, 114_98, { paid: 114_98, refunded: 114_98, balance: 114_98 })])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]);
  });
  it('E8, H4: not with a session that was given up before it came here', () => {
    const removes = { packageId: p, consumptionId: idOf('c1'), moveTo: null };
    const given = anInvoice([issued(content), reissued(content, { removes })]);
    given.when(reissueInvoice(fromPackage, idOf('c1'))).refuses('APPOINTMENT_CHANGED');
    given.when(reissueInvoice(fromPackage, idOf('c2'))).emits([reissued(fromPackage)]);
  });
  it('E9: adjusted and undone, it is not paid', () =>
    anInvoice([issued(content), adjustedToZero(114_98), adjustmentUndone(114_98)])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]));
  it('E9: a cancelled appointment owes nothing, though its package was applied before and the re-issue comes late', () => {
    const cancelled = [issued(content), adjustedToZero(114_98)];
    anInvoice(cancelled)
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage), adjustedToZero(0)]);
    const late = cancelled.reduce(invoice.evolve, invoice.initial);
    const after = reissueInvoice(content)(late).reduce(invoice.evolve, late);
    expect(after).toMatchObject({ adjustments: cad(-114_98), balance: cad(0) });
  });
  it('H1, E9: and owes what the new lines say once the no-show is undone', () =>
    anInvoice([
      ...[issued(content), adjustedToZero(114_98, { because: 'noShow' })],
      ...[reissued(regularFee()), adjustedToZero(100_00, { because: 'noShow' })],
    ])
      .when(undoAdjustment(idOf('i1')))
      .emits([adjustmentUndone(100_00)]));
  it('E9: adjusted for the reason for which it was before', () =>
    anInvoice([issued(content), adjustedToZero(114_98, { because: 'noShow' })])
      .when(reissueInvoice(regularFee()))
      .emits([reissued(regularFee()), adjustedToZero(100_00, { because: 'noShow' })]));
  it('A3: must be there', () => anInvoice([]).when(reissueInvoice(content)).refuses('NOT_FOUND'));
});

describe('paying an invoice', () => {
  const pay = (n: number, amount: number) =>
    receivePayment({
      ...{ invoiceId: idOf('i1'), paymentId: idOf(`pay${n}`), amount: cad(amount), method: 'cash', reference: null },
      receivedOn: '2027-01-31',
    });
  const cancel = (n: number) => voidPayment({ invoiceId: idOf('i1'), paymentId: idOf(`pay${n}`), reason: 'the wrong invoice' });
  const half = received(1, 50_00, { paid: 50_00, balance: 64_98 });

  it('D2: in part, and the rest later', () => {
    anInvoice([issued(content)])
      .when(pay(1, 50_00))
      .emits([half]);
    anInvoice([issued(content), half])
      .when(pay(2, 64_98))
      .emits([received(2, 64_98, { paid: 114_98, balance: 0 })]);
  });
  it('D5: once', () =>
    anInvoice([issued(content), half])
      .when(pay(1, 50_00))
      .emits([]));
  it('D2: never more than is owing', () => {
    anInvoice([issued(content), half])
      .when(pay(2, 64_99))
      .refuses('OVERPAID', { balance: cad(64_98) });
    anInvoice([issued(content), received(1, 114_98, { paid: 114_98, balance: 0 })])
      .when(pay(2, 1))
      .refuses('NOTHING_OWING');
  });
  it('D3: a tracking invoice takes no payment', () =>
    anInvoice([issued(fromPackage)])
      .when(pay(1, 1))
      .refuses('NOTHING_OWING'));
  it('D2: a payment that was noted by mistake is voided, once, and owing again', () => {
    const after = voided(1, 50_00, { balance: 114_98 }, 'the wrong invoice');
    anInvoice([issued(content), half])
      .when(cancel(1))
      .emits([after]);
    anInvoice([issued(content), half, after])
      .when(cancel(1))
      .emits([]);
    anInvoice([issued(content), half, after])
      .when(pay(1, 50_00))
      .emits([]);
  });
  it('D2: not when some of it was refunded', () =>
    anInvoice([issued(content), half, refunded(1, 1, { paid: 50_00, refunded: 1, balance: 64_99 })])
      .when(cancel(1))
      .refuses('PAYMENT_REFUNDED'));
  it('D2: which payment?', () =>
    anInvoice([issued(content)])
      .when(cancel(1))
      .refuses('NOT_FOUND'));
});

describe('adjusting an invoice', () => {
  const adjust = (n: number, amount: number) =>
    adjustInvoice({ invoiceId: idOf('i1'), adjustmentId: idOf(`adj${n}`), adjustment: cad(amount), reason: null });
  const less = adjustedBy(1, -14_98, { adjustments: -14_98, balance: 100_00 });

  it('D2: takes off, gross', () =>
    anInvoice([issued(content)])
      .when(adjust(1, -14_98))
      .emits([less]));
  it('D2: at most the whole', () =>
    anInvoice([issued(content), less])
      .when(adjust(2, -100_01))
      .refuses('ADJUSTED_BELOW_ZERO', { charged: cad(100_00) }));
  it('D2: what was paid becomes credit', () =>
    anInvoice([issued(content), received(1, 114_98, { paid: 114_98, balance: 0 })])
      .when(adjust(1, -14_98))
      .emits([adjustedBy(1, -14_98, { paid: 114_98, adjustments: -14_98, balance: -14_98 })]));
  it('D2: can be taken back, and no more than that', () => {
    anInvoice([issued(content), less])
      .when(adjust(2, 14_98))
      .emits([adjustedBy(2, 14_98, { balance: 114_98 }, { discounts: cad(0) })]);
    anInvoice([issued(content), less])
      .when(adjust(2, 14_99))
      .refuses('NOT_TAKEN_OFF', { discounts: cad(-14_98) });
  });
  it('D5: once', () =>
    anInvoice([issued(content), less])
      .when(adjust(1, -14_98))
      .emits([]));
  it('E9: not when it is adjusted to zero', () =>
    anInvoice([issued(content), adjustedToZero(114_98)])
      .when(adjust(1, -1))
      .refuses('ADJUSTED_TO_ZERO'));
  it('H4: of a session whose package is cancelled: at the regular fee, unless it is paid or does not take place', () => {
    const removes = { packageId: p, consumptionId: idOf('c1'), moveTo: null };
    const toRegularFee = reissueForCancellation(content, removes);
    const [again] = reissueForRemoval(content, removes)([issued(fromPackage)].reduce(invoice.evolve, invoice.initial));
    anInvoice([issued(fromPackage)])
      .when(toRegularFee)
      .emits([again!]);
    anInvoice([issued(fromPackage), again!])
      .when(toRegularFee)
      .emits([]);
    anInvoice([issued(fromPackage), adjustedToZero(0)])
      .when(toRegularFee)
      .emits([]);
    anInvoice([issued(content), received(1, 50_00, { paid: 50_00, balance: 64_98 })])
      .when(toRegularFee)
      .emits([]);
  });
  it('H4: what was written off is owing again when the package is reinstated, once, less what was taken back before', () => {
    const off = adjustedBy(1, -64_98, { paid: 50_00, adjustments: -64_98, balance: 0 }, { because: 'writtenOff' });
    const undo = undoWriteOff({ invoiceId: idOf('i1'), adjustmentId: idOf('adj1'), undoneBy: idOf('adj2'), reason: null });
    const history = [issued(content), received(1, 50_00, { paid: 50_00, balance: 64_98 })];
    const again = adjustedBy(2, 64_98, { paid: 50_00, balance: 64_98 }, { because: 'reinstated', discounts: cad(0) });
    anInvoice([...history, off])
      .when(undo)
      .emits([again]);
    anInvoice([...history, off, again])
      .when(undo)
      .emits([]);
    anInvoice(history).when(undo).emits([]);
    const back = adjustedBy(3, 60_00, { paid: 50_00, adjustments: -4_98, balance: 60_00 }, { discounts: cad(-4_98) });
    anInvoice([...history, off, back])
      .when(undo)
      .emits([adjustedBy(2, 4_98, { paid: 50_00, balance: 64_98 }, { because: 'reinstated', discounts: cad(0) })]);
  });
  it('H4: a discount that staff gave before stays, also when they took some of what was written off back', () => {
    const off = adjustedBy(1, -94_98, { adjustments: -114_98, balance: 0 }, { because: 'writtenOff', discounts: cad(-114_98) });
    const back = adjustedBy(3, 50_00, { adjustments: -64_98, balance: 50_00 }, { discounts: cad(-64_98) });
    anInvoice([issued(content), adjustedBy(2, -20_00, { adjustments: -20_00, balance: 94_98 }), off, back])
      .when(undoWriteOff({ invoiceId: idOf('i1'), adjustmentId: idOf('adj1'), undoneBy: idOf('adj4'), reason: null }))
      .emits([adjustedBy(4, 44_98, { adjustments: -20_00, balance: 94_98 }, { because: 'reinstated', discounts: cad(-20_00) })]);
  });
  it('H5: what is owing again because it was refunded is never written off, however late that is asked', () => {
    const paidAll = [issued(content), received(1, 114_98, { paid: 114_98, balance: 0 })];
    const lost = refunded(1, 100_00, { paid: 114_98, refunded: 100_00, balance: 100_00 });
    anInvoice([...paidAll, lost])
      .when(writeOff({ invoiceId: idOf('i1'), adjustmentId: idOf('adj1'), reason: null }))
      .emits([]);
  });
  it('D2: of a package, at most what is owing: what is paid is given back by cancelling it', () => {
    const sold = sale({ taxes: [gst] }).invoice; // 84.00
    const half = received(1, 50_00, { paid: 50_00, balance: 34_00 }, { invoiceId: sold.invoiceId });
    const take = (amount: number) =>
      adjustInvoice({ invoiceId: sold.invoiceId, adjustmentId: idOf('adj1'), adjustment: cad(amount), reason: null });
    anInvoice([issued(sold), half])
      .when(take(-34_01))
      .refuses('ABOVE_OWING');
    expect(take(-34_00)([issued(sold), half].reduce(invoice.evolve, invoice.initial))).toMatchObject([{ data: { balance: cad(0) } }]);
  });
  it('H4: what is owing is written off, once; nothing else is', () => {
    const writingOff = writeOff({ invoiceId: idOf('i1'), adjustmentId: idOf('adj1'), reason: null });
    const off = adjustedBy(1, -64_98, { paid: 50_00, adjustments: -64_98, balance: 0 }, { because: 'writtenOff' });
    const half = received(1, 50_00, { paid: 50_00, balance: 64_98 });
    anInvoice([issued(content), half])
      .when(writingOff)
      .emits([off]);
    anInvoice([issued(content), half, off])
      .when(writingOff)
      .emits([]);
    anInvoice([issued(fromPackage)])
      .when(writingOff)
      .emits([]);
  });
});

describe('refunding an invoice', () => {
  const refund = (n: number, amount: number, outcome: 'outstandingBalance' | 'noOutstandingBalance' = 'outstandingBalance') =>
    refundInvoice({
      ...{ invoiceId: idOf('i1'), refundId: idOf(`refund${n}`), amount: cad(amount), outcome, method: 'cash', reference: null },
      ...{ notes: null, refundedOn: '2027-01-31' },
    });
  const taxes = (...amounts: number[]) => ({
    taxes: [gst, qst].map((tax, n) => ({ ...tax, amount: cad(amounts[n]!) })),
    tax: cad(amounts.reduce((a, b) => a + b, 0)),
  });
  const paid = [issued(content), received(1, 114_98, { paid: 114_98, balance: 0 })];
  const partPaid = [issued(content), received(1, 50_00, { paid: 50_00, balance: 64_98 })];

  it('H5: that much more is owing: a loss', () =>
    anInvoice(paid)
      .when(refund(1, 114_98))
      .emits([refunded(1, 114_98, { paid: 114_98, refunded: 114_98, balance: 114_98 }, taxes(5_00, 9_98))]));
  it('H5: or the invoice is discounted by the same, and the balance is what it was', () => {
    const discounted = { outcome: 'noOutstandingBalance' as const };
    anInvoice(paid)
      .when(refund(1, 114_98, 'noOutstandingBalance'))
      .emits([
        refunded(...([1, 114_98, { paid: 114_98, refunded: 114_98, adjustments: -114_98, balance: 0 }] as const), {
          ...taxes(5_00, 9_98),
          ...discounted,
          adjustment: cad(-114_98),
        }),
      ]);
    anInvoice(partPaid)
      .when(refund(1, 20_00, 'noOutstandingBalance'))
      .emits([
        refunded(...([1, 20_00, { paid: 50_00, refunded: 20_00, adjustments: -20_00, balance: 64_98 }] as const), {
          ...taxes(87, 1_74),
          ...discounted,
          adjustment: cad(-20_00),
        }),
      ]);
  });
  it('H4: never more than was paid and not yet refunded', () => {
    anInvoice([...partPaid, refunded(1, 20_00, { paid: 50_00, refunded: 20_00, balance: 84_98 })])
      .when(refund(2, 30_01))
      .refuses('REFUND_ABOVE_PAID', { refundable: cad(30_00) });
    anInvoice([issued(content)])
      .when(refund(1, 1))
      .refuses('REFUND_ABOVE_PAID');
  });
  it('D5: once', () =>
    anInvoice([...paid, refunded(1, 20_00, { paid: 114_98, refunded: 20_00, balance: 20_00 })])
      .when(refund(1, 20_00))
      .emits([]));
  it('E9: credit is given back, and then nothing is owing either way', () => {
    const credit = [...paid, adjustedToZero(114_98, { balance: -114_98 })];
    anInvoice(credit)
      .when(refund(1, 114_98))
      .emits([refunded(1, 114_98, { paid: 114_98, refunded: 114_98, adjustments: -114_98, balance: 0 }, taxes(5_00, 9_98))]);
    anInvoice(credit)
      .when(refund(1, 114_98, 'noOutstandingBalance'))
      .refuses('NOTHING_TO_DISCOUNT');
  });
  it('H7: three partial refunds sum to the tax', () => {
    const three = [38_33, 38_33, 38_32];
    let state = paid.reduce(invoice.evolve, invoice.initial);
    const parts = three.map((amount, n) => {
      const [event] = refund(n, amount)(state);
      state = invoice.evolve(state, event!);
      return (event!.data as { taxes: { amount: { amount: number } }[] }).taxes.map((line) => line.amount.amount);
    });
    expect(parts).toEqual([
      [1_67, 3_33],
      [1_66, 3_32],
      [1_67, 3_33],
    ]);
    expect([0, 1].map((tax) => parts.reduce((sum, part) => sum + part[tax]!, 0))).toEqual([5_00, 9_98]);
  });
});

describe('folding an invoice that is paid', () => {
  const history = [
    ...[issued(content), received(1, 50_00, { paid: 50_00, balance: 64_98 }), received(2, 64_98, { paid: 114_98, balance: 0 })],
    ...[voided(2, 64_98, { paid: 50_00, balance: 64_98 })],
    ...[adjustedBy(1, -14_98, { paid: 50_00, adjustments: -14_98, balance: 50_00 })],
    ...[refunded(1, 10_00, { paid: 50_00, refunded: 10_00, adjustments: -24_98, balance: 50_00 }, { adjustment: cad(-10_00) })],
  ];
  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) =>
    expect(delivered(history).reduce(invoice.evolve, invoice.initial)).toMatchObject({
      ...{ paid: cad(50_00), refunded: cad(10_00), adjustments: cad(-24_98), discounts: cad(-14_98), balance: cad(50_00) },
      ...{ refunds: [{ refundId: idOf('refund1'), status: 'succeeded' }], adjusted: [idOf('adj1')] },
    }),
  );
});

describe('folding an invoice', () => {
  const history = [
    ...[issued(content), adjustedToZero(114_98), adjustmentUndone(114_98)],
    ...[reissued(regularFee()), adjustedToZero(100_00), adjustmentUndone(100_00), adjustedToZero(100_00)],
  ];
  const fold = (events: typeof history) => events.reduce(invoice.evolve, invoice.initial);

  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) => expect(fold(delivered(history))).toEqual(fold(history)));

  it.each(history.map((_, n) => [n + 1]))('J2: nothing paid, total + adjustments = balance: after %i', (n) => {
    const state = fold(history.slice(0, n)) as IssuedInvoice;
    expect(state.total.amount + state.adjustments.amount).toBe(state.balance.amount);
  });
});

describe('an invoice whose appointment gives its package up', () => {
  const removes = { packageId: p, consumptionId: idOf('c1'), moveTo: null };
  const remove = reissueForRemoval(content, removes);

  it('E8, E9: is issued anew at the regular fee, and says which session is used no more', () =>
    anInvoice([issued(fromPackage)])
      .when(remove)
      .emits([reissued(content, { removes })]));
  it('E9: once per session', () => {
    const again = [issued(fromPackage), reissued(content, { removes }), reissued(fromPackage)];
    anInvoice(again).when(remove).emits([]);
    const second = { ...removes, consumptionId: idOf('c2') };
    anInvoice(again)
      .when(reissueForRemoval(content, second))
      .emits([reissued(content, { removes: second })]);
  });
  it('E7, E9: was that without moving it, whoever wanted to move it is told', () => {
    const moveTo = { ...at('2027-03-01'), providerId: idOf('provider') };
    anInvoice([issued(fromPackage), reissued(content, { removes })])
      .when(reissueForRemoval(content, { ...removes, moveTo }))
      .refuses('APPOINTMENT_CHANGED');
  });
  it('E9: not while it is paid', () =>
    anInvoice([issued(content), received(1, 100_00, { paid: 100_00, balance: 14_98 })])
      .when(remove)
      .refuses('INVOICE_PAID'));
  it('E8, E9: not any more once it did not take place with that session: if it stands again, it uses another', () => {
    const ended = [issued(fromPackage), adjustedToZero(0)];
    anInvoice(ended).when(remove).refuses('APPOINTMENT_CHANGED');
    const again = [...ended, adjustmentUndone(0)];
    anInvoice(again).when(remove).refuses('APPOINTMENT_CHANGED');
    anInvoice(again).when(reissueForCancellation(content, removes)).emits([]);
    const second = { ...removes, consumptionId: idOf('c2') };
    anInvoice(again)
      .when(reissueForRemoval(content, second))
      .emits([reissued(content, { removes: second })]);
  });

  it('E9: stands at the regular fee when the appointment is booked again without it', () =>
    anInvoice([issued(fromPackage), adjustedToZero(0)])
      .when(reissueToStand(content))
      .emits([reissued(content)]));
  it('E9: not while something is credit', () =>
    anInvoice([issued(content), received(1, 114_98, { paid: 114_98, balance: 0 }), adjustedToZero(114_98, { balance: -114_98 })])
      .when(reissueToStand(content))
      .refuses('INVOICE_PAID'));
});
