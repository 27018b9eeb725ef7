import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, cad, idOf, massage } from '../libs/domain/testing/example.js';
import {
  cancelled,
  consumed,
  ended,
  expiryAdjusted,
  expiryRestored,
  forfeited,
  p,
  packageDisputed,
  refunded,
  refundRefused,
  refundRequested,
  reinstated,
  remainingAdjusted,
  returned,
  sessionMoved,
  sold,
  soldMassage,
} from '../libs/domain/testing/example-package.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { auditTags, type AuditTag } from './audit-tags.projection.js';

const another = idOf('another package');
const cancelledBecause = (reason: string): PackageEvent => ({ ...cancelled, data: { ...cancelled.data, reason } }) as PackageEvent;
const history: PackageEvent[] = [
  ...[sold({ services: [soldMassage(5)], appointmentId: idOf('a0') }), consumed('2027-02-01', 4), returned(5)],
  ...[consumed('2027-02-01', 4, { n: 2 }), forfeited(4, { n: 2 })],
  { type: 'SessionForfeitUndone', data: ended(4, { n: 2, used: 1 }) },
  ...[remainingAdjusted(4, 6, { reason: 'A gift' }), expiryAdjusted(null, '2027-06-30'), expiryRestored('2027-06-30', null)],
  cancelledBecause('Moved away'),
  ...[reinstated({ reason: 'Came back' }), refunded(1, 30_00, 30_00, { notes: 'A loss' }), refundRefused(1, 30_00, 0)],
];

const fromTo = ({ from, to }: AuditTag) => [from, to].map(String).join(' → ');

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const tags = (events: readonly PackageEvent[]) => [...fold(auditTags, new Map<string, AuditTag>(), delivered(recorded(events))).values()];

  it('F3: each event once, in its order', () =>
    expect(tags(history).map(({ what, revision }) => `${revision} ${what}`)).toEqual([
      ...['0 sold', '1 sessionConsumed', '2 sessionReturned', '3 sessionConsumed', '4 sessionForfeited', '5 sessionForfeitUndone'],
      ...['6 remainingAdjusted', '7 expiryAdjusted', '8 expiryRestored', '9 cancelled'],
      ...['10 reinstated', '11 refunded', '12 refundRefused'],
    ]));
  it('F3: when, who, what from, what to, why', () => {
    const [event] = recorded([history[6]!], { first: 7n });
    expect(tags(history)[6]).toEqual({
      ...{ eventId: event!.id, packageId: p, ownerId: anna, revision: 6n, position: 7n, at: '2027-01-01T00:00:07.000Z' },
      ...{ actorId: 'rita', actorRole: 'receptionist', what: 'remainingAdjusted', serviceId: massage, appointmentId: null },
      ...{ from: '4', to: '6', reason: 'A gift' },
    });
  });
  it('F3: from what to what remains', () =>
    expect(tags(history).map(fromTo)).toEqual([
      ...['null → null', '5 → 4', '4 → 5', '5 → 4', '4 → 4', '4 → 4', '4 → 6'],
      ...['null → 2027-06-30', '2027-06-30 → null', 'null → null', 'null → null', '0 → 3000', '3000 → 0'],
    ]));
  it('F3: why', () =>
    expect(tags(history).map(({ reason }) => reason)).toEqual([
      ...[null, null, 'noShow', null, 'noShow', null, 'A gift', null, null, 'Moved away', 'Came back', 'A loss', null],
    ]));
  it('F3: for which appointment', () =>
    expect(tags(history).map(({ appointmentId }) => appointmentId)).toEqual([
      ...[idOf('a0'), idOf('a1'), idOf('a1'), idOf('a2'), idOf('a2'), idOf('a2'), null, null, null, null, null, null, null],
    ]));
  it('F3, H6: asked for at Stripe, given back or not, and disputed', () => {
    const all = [
      ...[sold(), cancelled, refundRequested(1, 30_00, 30_00), refundRequested(2, 10_00, 40_00)],
      ...[refunded(1, 30_00, 30_00, { method: 'stripe', pending: cad(10_00) })],
      ...[refundRefused(2, 10_00, 30_00, { because: 'stripe', failure: 'declined' }), packageDisputed(20_00, 'open')],
    ];
    expect(
      tags(all)
        .slice(2)
        .map((one) => `${one.what} ${fromTo(one)}, ${one.reason}`),
    ).toEqual([
      ...['refundRequested 0 → 3000, null', 'refundRequested 3000 → 4000, null', 'refunded 0 → 3000, null'],
      ...['refundRefused 4000 → 3000, declined', 'disputed null → open, fraudulent'],
    ]);
  });
  it('L7: from where it was moved in, and under which reference', () => {
    const row = { packageId: p, clientId: anna, offeringId: idOf('offering'), soldOn: '2027-01-31', expiresOn: null, amountPaid: null };
    const moved = { ...row, source: 'oldsoft', reference: 'mb-1', remaining: [{ serviceId: massage, remaining: 1 }] };
    expect(tags([sold(), { type: 'PackageImported', data: moved }])[1]).toMatchObject({ what: 'imported', reason: 'oldsoft: mb-1' });
  });
  it('E2: of unlimited, how many are used', () =>
    expect(tags([sold({ services: [soldMassage('unlimited')] }), consumed('2027-02-01', null), returned(null)]).map(fromTo)).toEqual([
      ...['null → null', '0 → 1', '1 → 0'],
    ]));
  it('E7, F3: from which day to which a session was moved', () =>
    expect(tags([sold(), consumed('2027-02-01', 0), sessionMoved('2027-02-01', '2027-02-03', 0)])[2]).toMatchObject({
      ...{ what: 'sessionMoved', from: '2027-02-01', to: '2027-02-03', appointmentId: idOf('a1'), serviceId: massage },
    }));
  it('K1: each package has its own', () =>
    expect(tags([...history, sold({ packageId: another })]).filter(({ packageId }) => packageId === another)).toMatchObject([
      { what: 'sold' },
    ]));
});

it('K4: of somebody who is forgotten, what was said in free words is gone, and the rest stays', () => {
  const forgotten = { type: 'ClientForgotten' as const, data: { clientId: anna } };
  const reasons = (events: readonly (PackageEvent | typeof forgotten)[]) =>
    [...fold(auditTags, new Map<string, AuditTag>(), recorded(events)).values()].map(({ what, reason }) => `${what}: ${reason}`);
  expect(reasons([...history, forgotten])).toEqual(
    reasons(history).map((tag) => tag.replace(/: (A gift|Moved away|Came back|A loss)$/, ': (forgotten)')),
  );
  expect(reasons([...history, { ...forgotten, data: { clientId: another } }])).toEqual(reasons(history));
});
