import { cad, facial, massage } from '../testing/example.js';
import {
  cancelled,
  consumed,
  forfeited,
  refunded,
  refundRequested,
  remainingAdjusted,
  returned,
  sold,
  soldFacial,
  soldMassage,
} from '../testing/example-package.js';
import type { PackageEvent } from './package.events.js';
import { packageAggregate, type SoldPackage } from './package.state.js';
import { suggestedRefund } from './suggested-refund.js';

const now = '2027-02-10T12:00:00.000Z';
const suggested = (history: PackageEvent[], { paid = 80_00, back = 0, pending = 0 } = {}) =>
  suggestedRefund(
    history.reduce(packageAggregate.evolve, structuredClone(packageAggregate.initial)) as SoldPackage,
    { paid: cad(paid), refunded: cad(back), pending: cad(pending) },
    now,
  );
const weighing = (price: number, weight: number) => ({ price: cad(price), weight });
const five = sold({ services: [soldMassage(5)] }); // 80.00: 16.00 each
const used = (n: number, left: number) => consumed(`2027-02-0${n}`, left, { n, used: n });
const facialUse = (n: number) => consumed('2027-02-05', 0, { n, serviceId: facial, serviceName: 'Facial' });

describe('the refund that is suggested', () => {
  it('H4: what was paid, less the value of what was used', () =>
    expect(suggested([five, used(1, 4), used(2, 3)])).toMatchObject({
      ...{ total: cad(80_00), paid: cad(80_00), refunded: cad(0), weights: '50000', because: null },
      services: [{ limit: 5, used: 2, counted: 2, sessionValue: cad(16_00), valueUsed: cad(32_00) }],
      ...{ valueUsed: cad(32_00), valueBooked: cad(0), suggested: cad(48_00) },
    }));

  it('H4: part-paid; unlimited; adjusted sessions; booked future ones', () => {
    expect(suggested([five, used(1, 4)], { paid: 40_00 })).toMatchObject({ suggested: cad(24_00) });
    expect(suggested([five, used(1, 4), used(2, 3)], { paid: 20_00 })).toMatchObject({ suggested: cad(0) }); // never below

    const unlimited = sold({ services: [soldMassage('unlimited'), { ...soldFacial(1), weight: null }] });
    expect(suggested([unlimited])).toMatchObject({ suggested: cad(80_00), valueUsed: cad(0), because: null });
    expect(suggested([unlimited, facialUse(1)])).toMatchObject({
      ...{ suggested: null, valueUsed: null, weights: null, because: 'unlimited' },
      services: [{ sessionValue: null }, { used: 1, sessionValue: null }],
    });

    const six = [...[1, 2, 3, 4, 5].map((n) => used(n, 5 - n)), remainingAdjusted(0, 1), used(6, 0)];
    expect(suggested([five, ...six])).toMatchObject({ services: [{ used: 6, counted: 5 }], valueUsed: cad(80_00), suggested: cad(0) });
    expect(suggested([five, used(1, 4), remainingAdjusted(4, 0)])).toMatchObject({ valueUsed: cad(16_00), suggested: cad(64_00) });

    const booked = [five, used(1, 4), consumed('2027-02-20', 3, { n: 2, used: 2 })];
    expect(suggested(booked)).toMatchObject({
      ...{ services: [{ used: 1, booked: 1 }], valueUsed: cad(16_00), valueBooked: cad(16_00), suggested: cad(64_00) },
    });
  });

  it('H4: forfeited counts as used, also before its time; returned does not', () => {
    const later = consumed('2027-02-20', 3, { n: 2, used: 2 });
    expect(suggested([five, used(1, 4), later, returned(4, { n: 1, used: 1 }), forfeited(4, { n: 2, used: 1 })])).toMatchObject({
      ...{ services: [{ used: 1, forfeited: 1, booked: 0 }], suggested: cad(64_00) },
    });
  });

  it('H4, H6: less what waits for Stripe, whoever has heard of it', () => {
    expect(suggested([five, used(1, 4)], { pending: 30_00 })).toMatchObject({
      refunded: cad(0),
      pending: cad(30_00),
      suggested: cad(34_00),
    });
    const asked = [five, used(1, 4), cancelled, refundRequested(1, 30_00, 30_00)];
    expect(suggested(asked)).toMatchObject({ pending: cad(30_00), suggested: cad(34_00) });
    // Its invoice has heard that it succeeded, the package has not.
    expect(suggested(asked, { back: 30_00 })).toMatchObject({ refunded: cad(30_00), pending: cad(0), suggested: cad(34_00) });
  });

  it('H4: each session by the price of its service at the sale', () => {
    const history = [
      sold({
        services: [
          { ...soldMassage(2), ...weighing(60_00, 60_00) },
          { ...soldFacial(1), ...weighing(40_00, 40_00) },
        ],
      }),
      ...[used(1, 1), facialUse(2)],
    ];
    expect(suggested(history)).toMatchObject({
      weights: '16000',
      services: [
        { serviceId: massage, valueUsed: cad(30_00) },
        { serviceId: facial, valueUsed: cad(20_00) },
      ],
      ...{ valueUsed: cad(50_00), suggested: cad(30_00) },
    });
  });

  it('H4: in equal shares when all prices are 0', () => {
    const free = [
      { ...soldMassage(2), ...weighing(0, 1) },
      { ...soldFacial(1), ...weighing(0, 1) },
    ];
    expect(suggested([sold({ services: free }), used(1, 1)])).toMatchObject({ weights: '3', valueUsed: cad(26_67), suggested: cad(53_33) });
  });

  it('H4: summed exactly and rounded once', () => {
    const thirds = [
      { ...soldMassage(2), ...weighing(1, 1) },
      { ...soldFacial(1), ...weighing(1, 1) },
    ];
    const all = [sold({ services: thirds, fee: cad(100) }), used(1, 1), used(2, 0), facialUse(3)];
    const { services, valueUsed } = suggested(all);
    expect(services.map((service) => service.valueUsed)).toEqual([cad(67), cad(33)]);
    expect(services.map((service) => service.sessionValue)).toEqual([cad(33), cad(33)]);
    expect(valueUsed).toEqual(cad(100));
  });

  it('H4: exact also where prices × limits leave the safe integers', () => {
    const dear = { ...soldMassage(100_000), ...weighing(1_000_000_000_000, 1_000_000_000_000) };
    expect(suggested([sold({ services: [dear], fee: cad(1_000_000) }), used(1, 99_999)])).toMatchObject({
      ...{ weights: '100000000000000000', valueUsed: cad(10) },
    });
  });

  it('H4: less what was refunded, also what its invoice has not heard of yet', () => {
    expect(suggested([five, used(1, 4)], { back: 10_00 })).toMatchObject({ refunded: cad(10_00), suggested: cad(54_00) });
    expect(suggested([five, used(1, 4), refunded(1, 20_00, 20_00)])).toMatchObject({ refunded: cad(20_00), suggested: cad(44_00) });
  });
});
