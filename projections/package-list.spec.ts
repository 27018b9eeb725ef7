import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, ben, cad, facial, gst, idOf, massage } from '../libs/domain/testing/example.js';
import { regularFee } from '../libs/domain/testing/example-invoice.js';
import {
  cancelled,
  cancelledWith,
  consumed,
  ended,
  expiryAdjusted,
  expiryRestored,
  forfeited,
  fromFirstUse,
  january,
  p,
  packageDisputed,
  refunded,
  refundRefused,
  refundRequested,
  reinstated,
  remainingAdjusted,
  returned,
  sold,
  soldFacial,
  soldMassage,
} from '../libs/domain/testing/example-package.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { packageList, type PackageRow } from './package-list.projection.js';

const q = idOf('another package');
const inMarch = { expiresOn: '2027-03-01' };
const aSale = sold({ services: [soldMassage(5), soldFacial(2)], expiryRule: fromFirstUse(1, 'months') });
const unlimited = sold({ packageId: q, clientId: ben, services: [soldMassage('unlimited'), soldFacial(1)] });

/** Sold and used, side by side with another. */
const history: PackageEvent[] = [
  ...[aSale, unlimited, consumed('2027-02-01', 4, inMarch)],
  consumed('2027-02-02', 1, { n: 2, serviceId: facial, serviceName: 'Facial', ...inMarch }),
  ...[consumed('2027-02-08', 3, { n: 3, used: 2, ...inMarch }), consumed('2027-02-03', null, { n: 4, packageId: q, ownerId: ben })],
  ...[returned(4, { n: 3, used: 1, ...inMarch }), forfeited(4, inMarch)],
  { type: 'SessionForfeitUndone', data: ended(4, { used: 1, ...inMarch }) },
  ...[remainingAdjusted(4, 6), consumed('2027-02-09', 5, { n: 5, used: 2, ...inMarch })],
  ...[expiryAdjusted('2027-03-01', '2027-06-30'), expiryAdjusted('2027-06-30', '2027-12-31', 2)],
  ...[expiryRestored('2027-12-31', '2027-06-30', 1), cancelled],
  ...[reinstated(), cancelled, refunded(1, 30_00, 30_00), refunded(2, 10_00, 40_00), refundRefused(2, 10_00, 30_00)],
];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (events: readonly PackageEvent[]) => fold(packageList, new Map<string, PackageRow>(), delivered(recorded(events)));
  const upTo = (n: number) => listed(history.slice(0, n)).get(p);
  const left = (n: number) => upTo(n)?.services.map(({ remaining, used }) => `${remaining} left, ${used} used`);

  it('D4: a package as it is sold', () =>
    expect(listed([sold({ taxes: [gst], fee: cad(80_00), appointmentId: idOf('a1') })]).get(p)).toEqual({
      ...{ packageId: p, offeringId: idOf('offering'), clientId: anna, name: 'Relax', description: '', status: 'sold', channel: 'staff' },
      ...{ paymentMethod: 'paidUpfront', soldOn: january, soldAt: '2027-01-01T00:00:01.000Z', expiryRule: { kind: 'none' } },
      ...{
        expiresOn: null,
        remaining: 1,
        total: 84_00,
        refunded: 0,
        pending: 0,
        flags: [],
        refundsMadeAtStripe: [],
        disputes: [],
        currency: 'CAD',
        invoiceId: idOf('ip'),
        appointmentId: idOf('a1'),
      },
      services: [{ serviceId: massage, name: 'Massage', limit: 1, fee: null, remaining: 1, adjustments: 0, used: 0 }],
      ...{ externalReference: null, imported: null, notMoved: [], revision: 0n },
    }));

  it('L7: from where it was moved in, under which reference, and what was paid there', () => {
    const moved = { source: 'import', reference: 'old-1', amountPaid: cad(400_00) };
    const { offeringId } = sold().data as { offeringId: string };
    const row = {
      packageId: p,
      clientId: anna,
      offeringId,
      soldOn: january,
      remaining: [{ serviceId: massage, remaining: 1 }],
      expiresOn: null,
    };
    expect(listed([sold(), { type: 'PackageImported', data: { ...row, ...moved } }]).get(p)).toMatchObject({
      imported: moved,
      revision: 1n,
    });
  });
  it('J4: counts down each service by itself', () => {
    expect(left(2)).toEqual(['5 left, 0 used', '2 left, 0 used']);
    expect(left(4)).toEqual(['4 left, 1 used', '1 left, 1 used']);
    expect(upTo(4)).toMatchObject({ remaining: 5, expiresOn: '2027-03-01' });
  });
  it('H1: and up again when a session is returned', () => expect(left(7)?.[0]).toBe('4 left, 1 used'));
  it('H1: but not when it is forfeited, nor when that is undone', () => {
    expect(left(8)?.[0]).toBe('4 left, 1 used');
    expect(left(9)?.[0]).toBe('4 left, 1 used');
  });
  it('F1: to what staff set, with the adjustments told apart', () => {
    expect(upTo(10)).toMatchObject({ remaining: 7, services: [{ remaining: 6, adjustments: 2, used: 1 }, { remaining: 1 }] });
    expect(upTo(11)).toMatchObject({ remaining: 6, services: [{ remaining: 5, adjustments: 2, used: 2 }, { remaining: 1 }] });
  });
  it('F2: expires when staff say, and when they undo it', () =>
    expect([11, 12, 13, 14].map((n) => upTo(n)?.expiresOn)).toEqual(['2027-03-01', '2027-06-30', '2027-12-31', '2027-06-30']));
  it('H4: a cancelled one keeps what is left of it', () =>
    expect(upTo(15)).toMatchObject({ status: 'cancelled', remaining: 6, expiresOn: '2027-06-30', revision: 14n }));
  it('H4: a reinstated one is as it was', () =>
    expect([15, 16, 17].map((n) => upTo(n)?.status)).toEqual(['cancelled', 'sold', 'cancelled']));
  it('H5: what was refunded of it', () => expect([17, 18, 19, 20].map((n) => upTo(n)?.refunded)).toEqual([0, 30_00, 40_00, 30_00]));
  it('H6: what of it waits for Stripe, until that has answered', () => {
    const asked = [sold(), cancelled, refundRequested(1, 30_00, 30_00), refundRequested(2, 20_00, 50_00)];
    expect(listed(asked).get(p)).toMatchObject({ refunded: 0, pending: 50_00, flags: [] });
    const heard = [...asked, refunded(1, 30_00, 30_00, { method: 'stripe', pending: cad(20_00) })];
    expect(listed(heard).get(p)).toMatchObject({ refunded: 30_00, pending: 20_00, flags: [] });
    const no = refundRefused(2, 20_00, 30_00, { because: 'stripe', failure: 'declined' });
    expect(listed([...heard, no]).get(p)).toMatchObject({ refunded: 30_00, pending: 0 });
  });
  it('H6: flagged when money was given back at Stripe, or is disputed and not won', () => {
    const there = [sold(), refunded(1, 30_00, 30_00, { method: 'stripe', source: 'stripe' })];
    expect(listed(there).get(p)).toMatchObject({ status: 'sold', flags: ['refundedAtStripe'] });
    const open = [...there, packageDisputed(50_00, 'open')];
    expect(listed(open).get(p)).toMatchObject({
      flags: ['disputed', 'refundedAtStripe'],
      disputes: [{ disputeId: 'dp_1', status: 'open' }],
    });
    expect(listed([...open, packageDisputed(50_00, 'won')]).get(p)?.flags).toEqual(['refundedAtStripe']);
    expect(listed([...open, packageDisputed(50_00, 'lost')]).get(p)?.flags).toEqual(['disputed', 'refundedAtStripe']);
  });
  it('H6: no longer flagged when what was given back there has failed since', () => {
    const failed = (n: number, all: number) => refundRefused(n, 10_00, all, { because: 'stripe', failure: 'declined' });
    const there = [1, 2].map((n) => refunded(n, 10_00, n * 10_00, { method: 'stripe', source: 'stripe' }));
    const two = [sold(), ...there, refundRequested(3, 10_00, 10_00, 20_00), failed(3, 20_00)];
    expect(listed(two).get(p)).toMatchObject({ flags: ['refundedAtStripe'], refundsMadeAtStripe: [idOf('refund1'), idOf('refund2')] });
    const one = [...two, packageDisputed(50_00, 'open'), failed(1, 10_00)];
    expect(listed(one).get(p)).toMatchObject({ flags: ['disputed', 'refundedAtStripe'], refundsMadeAtStripe: [idOf('refund2')] });
    expect(listed([...one, failed(2, 0)]).get(p)).toMatchObject({ flags: ['disputed'], refundsMadeAtStripe: [], refunded: 0 });
  });
  it('H4: which appointments were to move to the regular fee and did not: those that were paid', () => {
    const of = (n: number) => ({ appointmentId: idOf(`a${n}`), consumptionId: idOf(`c${n}`), invoiceId: idOf(`i${n}`) });
    const toRegularFee = [1, 2, 3].map((n) => ({
      consumptionId: idOf(`c${n}`),
      invoice: regularFee([], { invoiceId: idOf(`i${n}`), appointmentId: idOf(`a${n}`) }),
    }));
    const booked = [sold({ services: [soldMassage(5)] }), ...[1, 2, 3].map((n) => consumed(`2027-02-0${n}`, 5 - n, { n, used: n }))];
    const ended = [...booked, cancelledWith({ appointments: 'regularFee', toRegularFee })];
    expect(listed(ended).get(p)?.notMoved).toEqual([of(1), of(2), of(3)]);
    const moved = [...ended, returned(3, { n: 1, used: 2, because: 'removed' }), forfeited(3, { n: 3, used: 2 })];
    expect(listed(moved).get(p)).toMatchObject({ notMoved: [of(2)], remaining: 3 });
    expect(listed([...moved, reinstated()]).get(p)?.notMoved).toEqual([]);
  });
  it('E2: unlimited has no count of what remains, but of its use', () =>
    expect(listed(history).get(q)).toMatchObject({
      ...{ status: 'sold', clientId: ben, remaining: null, expiresOn: null, revision: 5n },
      services: [
        { remaining: null, used: 1 },
        { remaining: 1, used: 0 },
      ],
    }));
});
