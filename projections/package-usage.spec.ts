import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, cad, idOf, massage } from '../libs/domain/testing/example.js';
import {
  consumed,
  ended,
  forfeited,
  p,
  remainingAdjusted,
  returned,
  sessionMoved,
  sold,
  soldMassage,
} from '../libs/domain/testing/example-package.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { packageUsage, type PackageUsageRow } from './package-usage.projection.js';

const history: PackageEvent[] = [
  ...[sold({ services: [soldMassage(5)] }), consumed('2027-02-01', 4, { clientId: idOf('ben'), fee: cad(60_00) })],
  ...[sessionMoved('2027-02-01', '2027-02-03', 4), returned(5)],
  ...[consumed('2027-02-01', 4, { n: 2 }), forfeited(4, { n: 2 })],
  { type: 'SessionForfeitUndone', data: ended(4, { n: 2, used: 1 }) },
  remainingAdjusted(4, 6),
];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const used = (events: readonly PackageEvent[]) =>
    [...fold(packageUsage, new Map<string, PackageUsageRow>(), delivered(recorded(events))).values()].toSorted((a, b) =>
      Number(a.position - b.position),
    );

  it('J3: a row per effect, which add up to what remains', () => {
    const rows = used(history);
    expect(rows.map(({ what, effect, remaining }) => `${what} ${effect} → ${remaining}`)).toEqual([
      ...['sold 5 → 5', 'consumed -1 → 4', 'moved 0 → 4', 'returned 1 → 5'],
      ...['consumed -1 → 4', 'forfeited 0 → 4', 'forfeitUndone 0 → 4', 'adjusted 2 → 6'],
    ]);
    expect(rows.reduce((sum, { effect }) => sum + effect, 0)).toBe(6);
  });
  it('J3: who used it, of whose package, for what, when, and what it was charged', () =>
    expect(used(history)[1]).toMatchObject({
      ...{ packageId: p, packageName: 'Relax', ownerId: anna, clientId: idOf('ben'), serviceId: massage, serviceName: 'Massage' },
      ...{ appointmentId: idOf('a1'), consumptionId: idOf('c1'), fee: cad(60_00), at: '2027-01-01T00:00:02.000Z' },
    }));
  it('J3: of what is unlimited nothing remains to be counted, but each use is told', () => {
    const rows = used([sold({ services: [soldMassage('unlimited')] }), consumed('2027-02-01', null)]);
    expect(rows.map(({ what, effect, remaining }) => [what, effect, remaining])).toEqual([
      ['sold', 0, null],
      ['consumed', -1, null],
    ]);
  });
});
