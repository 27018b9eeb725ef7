import type { Recorded } from '../kernel/event.js';
import type { Share } from '../kernel/explanation.js';
import { cad, facial, idOf, massage } from '../testing/example.js';
import {
  cancelled,
  consumed,
  ended,
  expiryAdjusted,
  expiryRestored,
  forfeited,
  fromFirstUse,
  refunded,
  refundRefused,
  refundRequested,
  remainingAdjusted,
  returned,
  sessionMoved,
  sold,
  soldFacial,
  soldMassage,
} from '../testing/example-package.js';
import { explainExpiry, explainRefunds, explainService, usesIn, type UsageFigure } from './explanation.js';
import type { PackageEvent } from './package.events.js';

const happened = (...events: PackageEvent[]) =>
  events.map(
    (event, n) => ({ ...event, id: idOf(`e${n}`), position: BigInt(n), metadata: { time: `2027-02-0${n + 1}` } }) as Recorded<PackageEvent>,
  );
const said = (shares: readonly Share[]) => shares.map(({ event, adds, sum }) => `${event.type} ${adds} → ${sum}`);

const history = happened(
  ...[
    sold({ services: [soldMassage(5), soldFacial('unlimited')] }),
    consumed('2027-02-01', 4),
    consumed('2027-02-02', 3, { n: 2, used: 2 }),
  ],
  ...[consumed('2027-02-03', null, { n: 3, serviceId: facial }), forfeited(3, { n: 2, used: 2 }), returned(4, { used: 1 })],
  ...[remainingAdjusted(4, 2), remainingAdjusted(2, 3, { adjustments: -1 })],
);

it('K1: why three are left: from the sale on, what each event added', () =>
  expect(said(explainService(history, massage, 'remaining'))).toEqual([
    ...['PackageSold 5 → 5', 'SessionConsumed -1 → 4', 'SessionConsumed -1 → 3', 'SessionReturned 1 → 4'],
    ...['RemainingAdjusted -2 → 2', 'RemainingAdjusted 1 → 3'],
  ]));
it('K1: why one is used: a forfeited session is used all the same, a returned one is not', () =>
  expect(said(explainService(history, massage, 'used'))).toEqual([
    ...['SessionConsumed 1 → 1', 'SessionConsumed 1 → 2', 'SessionReturned -1 → 1'],
  ]));
it('K1: what was adjusted, all together', () =>
  expect(said(explainService(history, massage, 'adjustments'))).toEqual(['RemainingAdjusted -2 → -2', 'RemainingAdjusted 1 → -1']));
it('K1: of an unlimited service there is no number that remains, but each use is counted', () => {
  expect(said(explainService(history, facial, 'remaining'))).toEqual(['PackageSold null → null']);
  expect(said(explainService(history, facial, 'used'))).toEqual(['SessionConsumed 1 → 1']);
});
it('H5, H6: refunds that were asked for, given back, or came to nothing', () => {
  const refunds = happened(
    ...[sold(), cancelled, refunded(1, 30_00, 30_00), refundRequested(2, 20_00, 20_00, 30_00)],
    ...[refunded(2, 20_00, 50_00), refundRequested(3, 10_00, 10_00, 50_00), refundRefused(3, 10_00, 50_00), refundRefused(1, 30_00, 20_00)],
  );
  expect(said(explainRefunds(refunds, 'refunded'))).toEqual([
    ...['PackageRefunded 3000 → 3000', 'PackageRefunded 2000 → 5000', 'PackageRefundRefused -3000 → 2000'],
  ]);
  expect(said(explainRefunds(refunds, 'pending'))).toEqual([
    ...['PackageRefundRequested 2000 → 2000', 'PackageRefunded -2000 → 0'],
    ...['PackageRefundRequested 1000 → 1000', 'PackageRefundRefused -1000 → 0'],
  ]);
});

it('E3, F2, K1: why it ends on that day: the sale, what was adjusted, and each use that moved it', () => {
  const events = happened(
    ...[sold({ expiryRule: fromFirstUse(30, 'days') }), consumed('2027-02-10', 4, { expiresOn: '2027-03-12' })],
    ...[consumed('2027-02-20', 3, { n: 2, used: 2, expiresOn: '2027-03-12' }), remainingAdjusted(3, 4)],
    ...[sessionMoved('2027-02-10', '2027-02-15', 4, { expiresOn: '2027-03-17' }), expiryAdjusted('2027-03-17', '2027-03-17')],
    ...[expiryAdjusted('2027-03-17', '2027-05-01', 2), expiryRestored('2027-05-01', '2027-03-17', 1)],
  );
  expect(explainExpiry(events).map(({ event, from, to }) => `${event.type} ${from} → ${to}`)).toEqual([
    ...['PackageSold null → null', 'SessionConsumed null → 2027-03-12', 'SessionMoved 2027-03-12 → 2027-03-17'],
    ...['ExpiryAdjusted 2027-03-17 → 2027-03-17', 'ExpiryAdjusted 2027-03-17 → 2027-05-01', 'ExpiryRestored 2027-05-01 → 2027-03-17'],
  ]);
});
it('J3, K1: what each event adds to the report of usage: a session that comes back takes its fee with it', () => {
  const fees = happened(
    ...[sold({ services: [soldMassage(2), soldFacial('unlimited')] }), consumed('2027-02-01', 1, { fee: cad(60_00) })],
    ...[consumed('2027-02-02', 0, { n: 2, used: 2, fee: cad(70_00) }), returned(1, { used: 1 }), forfeited(1, { n: 2 })],
    ...[{ type: 'SessionForfeitUndone', data: ended(1, { n: 2, used: 1 }) } as const, remainingAdjusted(1, 3)],
  );
  const added = (figure: UsageFigure) => usesIn(fees).map(({ adds }) => adds[figure]);
  expect(usesIn(fees).map(({ event }) => event.type)).toEqual([
    ...['PackageSold', 'PackageSold', 'SessionConsumed', 'SessionConsumed', 'SessionReturned', 'SessionForfeited'],
    ...['SessionForfeitUndone', 'RemainingAdjusted'],
  ]);
  expect(added('effect')).toEqual([2, 0, -1, -1, 1, 0, 0, 2]);
  expect(added('fee')).toEqual([0, 0, 60_00, 70_00, -60_00, 0, 0, 0]);
  expect(added('forfeited')).toEqual([0, 0, 0, 0, 0, 1, -1, 0]);
  expect(usesIn(fees).map(({ says: { what, recordedAt } }) => `${what} ${recordedAt.slice(-1)}`)).toEqual([
    ...['sold 1', 'sold 1', 'consumed 2', 'consumed 3', 'returned 4', 'forfeited 5', 'forfeitUndone 6', 'adjusted 7'],
  ]);
});
