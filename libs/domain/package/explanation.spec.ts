import type { Recorded } from '../kernel/event.js';
import type { Share } from '../kernel/explanation.js';
import { facial, massage } from '../testing/example.js';
import {
  cancelled,
  consumed,
  forfeited,
  refunded,
  refundRefused,
  refundRequested,
  remainingAdjusted,
  returned,
  sold,
  soldFacial,
  soldMassage,
} from '../testing/example-package.js';
import { explainRefunds, explainService } from './explanation.js';
import type { PackageEvent } from './package.events.js';

const happened = (...events: PackageEvent[]) => events.map((event, n) => ({ ...event, position: BigInt(n) }) as Recorded<PackageEvent>);
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
