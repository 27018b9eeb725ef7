import { cad, facial, gst, idOf, massage, qst } from '../testing/example.js';
import { invoiceContent, issued, received, refunded as invoiceRefunded } from '../testing/example-invoice.js';
import {
  cancelled,
  cancelledWith,
  cancelling,
  consumed,
  forfeited,
  january,
  p,
  refunded,
  refundRefused,
  reinstated,
  returned,
  sold,
  soldFacial,
  soldMassage,
  writtenOff,
} from '../testing/example-package.js';
import { given } from '../testing/given.js';
import { invoice, type IssuedInvoice } from '../invoice/invoice.state.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import { refundPackage, refuseRefund, reinstatePackage, type RefundPackage } from './cancellation.decisions.js';
import { packageAggregate } from './package.state.js';

const aPackage = given(packageAggregate);
const both = sold({ services: [soldMassage(5), soldFacial(1)] });

describe('cancelling a package', () => {
  const prices = new Map([
    [massage, { price: cad(110_00), taxes: [gst] }],
    [facial, { price: cad(50_01), taxes: [gst, qst] }],
  ]);
  const regularFee = cancelling({ appointments: 'regularFee', prices });

  it('H4: ends it; what is booked stays and what is unpaid stays owing, unless said otherwise', () =>
    aPackage([both, consumed('2027-02-01', 4)])
      .when(cancelling())
      .emits([cancelled]));
  it('H4: once', () => aPackage([sold(), cancelled]).when(cancelling()).emits([]));
  it('H4: moves what has not started to the regular fee of now', () => {
    const history = [
      ...[both, consumed(january, 4), consumed('2027-02-01', 3, { n: 2, used: 2 }), consumed('2027-02-02', 2, { n: 3, used: 3 })],
      ...[returned(3, { n: 3, used: 2 }), forfeited(3, { n: 1, used: 2 })],
      consumed('2027-02-03', 0, { n: 4, serviceId: facial, serviceName: 'Facial' }),
    ];
    const regular = (
      n: number,
      description: string,
      serviceId: string,
      { price, taxes }: { price: ReturnType<typeof cad>; taxes: (typeof gst)[] },
    ) => ({
      consumptionId: idOf(`c${n}`),
      invoice: invoiceContent({
        ...{ invoiceId: idOf(`i${n}`), appointmentId: idOf(`a${n}`), issuedOn: january },
        lines: [{ description, serviceId, net: price, taxes }],
      }),
    });
    aPackage(history)
      .when(regularFee)
      .emits([
        cancelledWith({
          appointments: 'regularFee',
          toRegularFee: [regular(2, 'Massage', massage, prices.get(massage)!), regular(4, 'Facial', facial, prices.get(facial)!)],
        }),
      ]);
  });
  it('H4: what starts right then has started', () =>
    aPackage([both, consumed('2027-02-01', 4)])
      .when(cancelling({ appointments: 'regularFee', prices, now: '2027-02-01T15:00:00.000Z' }))
      .emits([cancelledWith({ appointments: 'regularFee' })]));
  it('H4: writes off what is unpaid', () =>
    aPackage([sold()])
      .when(cancelling({ unpaid: 'writtenOff', reason: 'Moves away' }))
      .emits([cancelledWith({ unpaid: 'writtenOff', writeOff: writtenOff, reason: 'Moves away' })]));
  it('H4: one that was cancelled in another way is not cancelled again', () => {
    for (const said of [{ unpaid: 'writtenOff' }, { appointments: 'regularFee', prices }] as const)
      aPackage([sold(), cancelled]).when(cancelling(said)).refuses('PACKAGE_CANCELLED', { appointments: 'stay', unpaid: 'owing' });
    aPackage([sold(), cancelled, reinstated()])
      .when(cancelling({ unpaid: 'writtenOff' }))
      .emits([cancelledWith({ unpaid: 'writtenOff', writeOff: writtenOff })]);
  });
  it('A3: refuses one that was never sold', () => aPackage([]).when(cancelling()).refuses('NOT_FOUND'));
});

describe('reinstating a package', () => {
  const reinstate = reinstatePackage({ packageId: p, reason: 'Stays after all' });
  const stays = reinstated({ reason: 'Stays after all' });

  it('H4: it can be booked from again', () => {
    aPackage([sold(), cancelled]).when(reinstate).emits([stays]);
    expect(aPackage([sold(), cancelled, stays]).when(cancelling()).emits([cancelled])).toBeUndefined();
  });
  it('H4: once, and nothing when it was not cancelled', () => {
    aPackage([sold(), cancelled, stays]).when(reinstate).emits([]);
    aPackage([sold()]).when(reinstate).emits([]);
  });
  it('H4: names what was written off, so that it is owing again', () =>
    aPackage([sold(), cancelledWith({ unpaid: 'writtenOff', writeOff: writtenOff })])
      .when(reinstate)
      .emits([reinstated({ reason: 'Stays after all', writeOff: writtenOff })]));
  it('H4: not once something was refunded', () => {
    aPackage([sold(), cancelled, refunded(1, 10_00, 10_00)])
      .when(reinstate)
      .refuses('PACKAGE_REFUNDED', { refunded: cad(10_00) });
    aPackage([sold(), cancelled, refunded(1, 10_00, 10_00), refundRefused(1, 10_00, 0)])
      .when(reinstate)
      .emits([stays]);
  });
});

describe('refunding a package', () => {
  const content = invoiceContent({
    ...{ invoiceId: idOf('i1'), kind: 'package', packageId: p, appointmentId: null },
    lines: [{ description: 'Relax', serviceId: null, net: cad(80_00), taxes: [gst] }],
  }); // 84.00 with 4.00 of tax
  const anInvoice = (...more: InvoiceEvent[]) => [issued(content), ...more].reduce(invoice.evolve, invoice.initial) as IssuedInvoice;
  const paid = (amount: number) => received(1, amount, { paid: amount, balance: 84_00 - amount });
  const refund = (n: number, amount: number, read: IssuedInvoice, over: Partial<RefundPackage> = {}) =>
    refundPackage({
      ...{ packageId: p, refundId: idOf(`refund${n}`), amount: cad(amount), outcome: 'noOutstandingBalance', method: 'cash' },
      ...{ reference: null, notes: null, refundedOn: january, invoice: read, ...over },
    });
  const ended = [sold({ fee: cad(80_00), taxes: [gst] }), cancelled];

  it('H4, H7: gives back a part, with its part of the tax', () =>
    aPackage(ended)
      .when(refund(1, 42_00, anInvoice(paid(84_00)), { notes: 'Moves away' }))
      .emits([refunded(1, 42_00, 42_00, { tax: cad(2_00), notes: 'Moves away' })]));
  it('H4: only when it is cancelled, and says so', () =>
    aPackage([sold()])
      .when(refund(1, 1, anInvoice(paid(84_00))))
      .refuses('PACKAGE_NOT_CANCELLED'));
  it('H4: never above what was paid and not yet refunded', () => {
    aPackage(ended)
      .when(refund(1, 40_01, anInvoice(paid(40_00))))
      .refuses('REFUND_ABOVE_PAID', { refundable: cad(40_00) });
    const first = invoiceRefunded(1, 30_00, { paid: 40_00, refunded: 30_00, balance: 74_00 });
    aPackage([...ended, refunded(1, 30_00, 30_00)])
      .when(refund(2, 10_01, anInvoice(paid(40_00), first)))
      .refuses('REFUND_ABOVE_PAID', { refundable: cad(10_00) });
  });
  it('H5: waits for the refund before it to reach the invoice', () =>
    aPackage([...ended, refunded(1, 30_00, 30_00)])
      .when(refund(2, 10_00, anInvoice(paid(84_00))))
      .refuses('REFUND_UNDER_WAY'));
  it('H5: but not for one that the invoice refused', () =>
    aPackage([...ended, refunded(1, 30_00, 30_00), refundRefused(1, 30_00, 0)])
      .when(refund(2, 84_00, anInvoice(paid(84_00))))
      .emits([refunded(2, 84_00, 84_00, { tax: cad(4_00) })]));
  it('D5: once', () =>
    aPackage([...ended, refunded(1, 30_00, 30_00)])
      .when(refund(1, 30_00, anInvoice(paid(84_00))))
      .emits([]));
  it('H5: is taken back when its invoice says no, once', () => {
    const refuse = refuseRefund({ packageId: p, refundId: idOf('refund2'), because: 'invoice', failure: null });
    const twice = [...ended, refunded(1, 30_00, 30_00), refunded(2, 10_00, 40_00)];
    aPackage(twice)
      .when(refuse)
      .emits([refundRefused(2, 10_00, 30_00)]);
    aPackage([...twice, refundRefused(2, 10_00, 30_00)])
      .when(refuse)
      .emits([]);
  });
  it('H7: three partial refunds sum to the tax', () => {
    const amounts = [28_01, 28_01, 27_98];
    const read = (all: number) => ({ ...anInvoice(paid(84_00)), refunded: cad(all), refunds: [] });
    const taxes = amounts.map((amount, n) => {
      const before = amounts.slice(0, n).reduce((sum, each) => sum + each, 0);
      const state = ended.reduce(packageAggregate.evolve, structuredClone(packageAggregate.initial));
      const [event] = refund(n, amount, read(before))(state);
      return event?.type === 'PackageRefunded' ? event.data.tax.amount : NaN;
    });
    expect(taxes.reduce((sum, tax) => sum + tax, 0)).toBe(4_00);
  });
});
