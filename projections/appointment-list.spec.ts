import type { AppointmentEvent } from '../libs/domain/appointment/appointment.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { at, idOf } from '../libs/domain/testing/example.js';
import {
  applied,
  booked,
  bookedAtRegularFee,
  bookingOf,
  cancelledAppointment,
  completed,
  completionUndone,
  linkedToSale,
  moved,
  noShow,
  noShowUndone,
  packageRemoved,
  rebooked,
  regular,
} from '../libs/domain/testing/example-appointment.js';
import { regularFee } from '../libs/domain/testing/example-invoice.js';
import { p } from '../libs/domain/testing/example-package.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { appointmentList, type AppointmentRow } from './appointment-list.projection.js';

const a1 = idOf('a1');
const use = (n: number) => ({ packageId: p, consumptionId: idOf(`c${n}`) });
const withoutPackage = bookedAtRegularFee(regularFee());
const fromSeries = booked({ appointmentId: idOf('a2'), seriesId: idOf('series'), externalReference: 'cal-2', ...use(9) });

/** One appointment through all that can become of it; another beside it. */
const history: AppointmentEvent[] = [
  ...[withoutPackage, fromSeries, linkedToSale, applied(regularFee([], { packageId: p })), completed()],
  ...[noShow('returned', { from: 'completed' }), noShowUndone('returned', { use: use(2), status: 'completed' })],
  ...[noShow('forfeited', { use: use(2), from: 'completed' }), noShowUndone('forfeited', { use: use(2), status: 'completed' })],
];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (events: readonly AppointmentEvent[]) =>
    fold(appointmentList, new Map<string, AppointmentRow>(), delivered(recorded(events)));
  const upTo = (n: number) => listed(history.slice(0, n)).get(a1);

  it('J1: an appointment as it is booked', () => {
    const { invoice: _, ...booking } = bookingOf();
    expect([...listed([booked()]).values()]).toEqual([{ ...booking, status: 'booked', outcome: null, soldPackageIds: [], revision: 0n }]);
  });
  it('E4: without a package', () => expect(upTo(1)).toMatchObject(regular));
  it('E5: as one of a series, found by the reference of the platform', () =>
    expect(listed(history).get(idOf('a2'))).toMatchObject({
      ...{ seriesId: idOf('series'), externalReference: 'cal-2', status: 'booked', revision: 1n },
      ...use(9),
    }));
  it('D1: with the package that was sold from it, of which it takes no session', () =>
    expect(upTo(3)).toMatchObject({ soldPackageIds: [p], ...regular }));
  it('E8: with the package that was applied to it', () => expect(upTo(4)).toMatchObject({ status: 'booked', ...use(1) }));
  it('J1: completed', () => expect(upTo(5)).toMatchObject({ status: 'completed', outcome: null, soldPackageIds: [p], ...use(1) }));
  it('H1: a no-show, and what became of its session', () => {
    expect(upTo(6)).toMatchObject({ status: 'noShow', outcome: 'returned', ...use(1) });
    expect(upTo(8)).toMatchObject({ status: 'noShow', outcome: 'forfeited', ...use(2) });
  });
  it('H1: undone, what it was before, with the session that it uses now', () => {
    expect(upTo(7)).toMatchObject({ status: 'completed', outcome: null, ...use(2) });
    expect(upTo(9)).toMatchObject({ status: 'completed', outcome: null, ...use(2), revision: 8n });
  });
  it.each(['returned', 'forfeited'] as const)('H2: cancelled, its session %s', (outcome) =>
    expect(listed([booked(), cancelledAppointment(outcome)]).get(a1)).toMatchObject({ status: 'cancelled', outcome, revision: 1n }),
  );
  it('E7: at the time to which it was moved', () =>
    expect(listed([booked(), moved('2027-02-03')]).get(a1)).toMatchObject({ ...at('2027-02-03'), ...use(1), revision: 1n }));
  it('E8: without the package that was removed from it', () =>
    expect(listed([booked(), packageRemoved()]).get(a1)).toMatchObject({ ...regular, status: 'booked' }));
  it('J1: to come again when its completion was a mistake', () =>
    expect(listed([booked(), completed(), completionUndone()]).get(a1)).toMatchObject({ status: 'booked', revision: 2n }));
  it('H2: booked again, with the session that it uses now', () =>
    expect(listed([booked(), cancelledAppointment('returned'), rebooked('returned', { use: use(2) })]).get(a1)).toMatchObject({
      ...{ status: 'booked', outcome: null, ...use(2) },
    }));
});
