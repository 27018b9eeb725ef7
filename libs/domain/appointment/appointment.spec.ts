import { defaultSettings } from '../business/business.events.js';
import { pick } from '../kernel/pick.js';
import type { InvoiceContent } from '../kernel/shapes.js';
import { anna, at, idOf } from '../testing/example.js';
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
} from '../testing/example-appointment.js';
import { regularFee } from '../testing/example-invoice.js';
import { p } from '../testing/example-package.js';
import { deliveries } from '../testing/deliveries.js';
import { given } from '../testing/given.js';
import * as decisions from './appointment.decisions.js';
import { appointment } from './appointment.state.js';

const anAppointment = given(appointment);
const appointmentId = idOf('a1');
const withoutPackage = bookedAtRegularFee(regularFee());

const cancel = (over: Partial<decisions.CancelAppointment> = {}) =>
  decisions.cancelAppointment({
    ...{ appointmentId, session: null, reason: null, endedOn: '2027-01-31', byClient: false, now: '2027-01-31T12:00:00.000Z' },
    ...{ settings: defaultSettings, ...over },
  });
const markNoShow = (session: 'returned' | 'forfeited' | null) =>
  decisions.markNoShow({ appointmentId, session, settings: defaultSettings, reason: null, endedOn: '2027-02-01' });
const sessionOf = (consumptionId: string, replaces: string | null = idOf('c1')) => ({ packageId: p, consumptionId, replaces });
const undoNoShow = (consumptionId: string | null, invoice: InvoiceContent | null = null) =>
  decisions.undoNoShow({ appointmentId, session: consumptionId === null ? null : sessionOf(consumptionId), invoice });
const apply = (n: number, over: Partial<decisions.ApplyPackage['at']> = {}) =>
  decisions.applyPackage({
    ...{ appointmentId, packageId: p, consumptionId: idOf(`c${n}`) },
    at: { ...pick(at('2027-02-01'), 'start', 'end'), providerId: idOf('provider'), ...over },
    invoice: regularFee([], { packageId: p }),
  });
const complete = decisions.completeAppointment(appointmentId);

describe('booking an appointment', () => {
  it('E2: from a package', () => anAppointment([]).when(decisions.bookAppointment(bookingOf())).emits([booked()]));
  it('E4: without a package it brings its own invoice', () =>
    anAppointment([])
      .when(decisions.bookAppointment(bookingOf({ ...regular, invoice: regularFee() })))
      .emits([withoutPackage]));
  it('D5: once', () => anAppointment([booked()]).when(decisions.bookAppointment(bookingOf())).emits([]));
});

describe('an appointment from which a package is sold', () => {
  const link = decisions.linkToSale(appointmentId, p);
  const linked = (packageId: string) => ({ type: 'AppointmentLinkedToSale' as const, data: { appointmentId, clientId: anna, packageId } });

  it('D1: is linked to the sale', () => anAppointment([withoutPackage]).when(link).emits([linkedToSale]));
  it('D1: once', () => anAppointment([withoutPackage, linkedToSale]).when(link).emits([]));
  it('D1: also to another sale, and a late repeat of the first changes nothing', () => {
    const another = idOf('another');
    const both = linked(another);
    anAppointment([withoutPackage, linkedToSale]).when(decisions.linkToSale(appointmentId, another)).emits([both]);
    anAppointment([withoutPackage, linkedToSale, both]).when(link).emits([]);
  });
  it('D1: takes no session by that', () =>
    anAppointment([withoutPackage, linkedToSale])
      .when(apply(1))
      .emits([applied(regularFee([], { packageId: p }))]));
  it('A3: must be there', () => anAppointment([]).when(link).refuses('NOT_FOUND'));
});

describe('applying a package', () => {
  const content = regularFee([], { packageId: p });

  it('E8: to an appointment booked without one', () =>
    anAppointment([withoutPackage])
      .when(apply(1))
      .emits([applied(content)]));
  it('E8: also after completion', () =>
    anAppointment([withoutPackage, completed(regular)])
      .when(apply(1))
      .emits([applied(content)]));
  it('E8: once', () =>
    anAppointment([withoutPackage, applied(content)])
      .when(apply(1))
      .emits([]));
  it('E8: refuses a second', () =>
    anAppointment([withoutPackage, applied(content)])
      .when(apply(2))
      .refuses('APPOINTMENT_HAS_PACKAGE', { packageId: p }));
  it.each([
    ['cancelled', cancelledAppointment('returned', { use: regular })],
    ['marked as a no-show', noShow('returned', { use: regular })],
  ])('E8: refuses when it is %s', (_, ended) => anAppointment([withoutPackage, ended]).when(apply(1)).refuses('APPOINTMENT_NOT_BOOKED'));
});

describe('removing a package', () => {
  const remove = (over: Partial<decisions.RemovePackage> = {}) =>
    decisions.removePackage({
      ...{
        appointmentId,
        packageId: p,
        consumptionId: idOf('c1'),
        because: 'removed',
        invoice: null,
        removedOn: '2027-01-31',
        moveTo: null,
      },
      ...over,
    });

  it.each([
    ['booked', []],
    ['completed', [completed()]],
    ['cancelled meanwhile', [cancelledAppointment('returned')]],
    ['a no-show meanwhile', [noShow('forfeited')]],
  ])('E8: from one that is %s', (_, since) =>
    anAppointment([booked(), ...since])
      .when(remove())
      .emits([packageRemoved()]),
  );
  it('E8: once', () => anAppointment([booked(), packageRemoved()]).when(remove()).emits([]));
  it('E8: not when it uses another session by now', () =>
    anAppointment([booked({ consumptionId: idOf('c2') })])
      .when(remove())
      .emits([]));
  it('E8: afterwards it can take another', () =>
    anAppointment([booked(), packageRemoved()])
      .when(apply(2))
      .emits([applied(regularFee([], { packageId: p }), 2)]));
  it('E7: and moves to where the package is not valid', () => {
    const moveTo = { ...at('2027-09-01'), providerId: idOf('provider') };
    anAppointment([booked()])
      .when(remove({ moveTo }))
      .emits([packageRemoved(), moved('2027-09-01', { use: regular, sessionMoves: null })]);
    anAppointment([booked(), cancelledAppointment('returned')])
      .when(remove({ moveTo }))
      .emits([packageRemoved()]);
  });
});

describe('moving an appointment', () => {
  const to = (day: string) => ({ ...at(day), providerId: idOf('provider') });
  const move = (day: string) => decisions.moveAppointment({ appointmentId, to: to(day) });
  const follow = (day: string, moves = 1) => decisions.followSession({ appointmentId, consumptionId: idOf('c1'), moves, ...to(day) });

  it('E7: without a package', () =>
    anAppointment([withoutPackage])
      .when(move('2027-02-03'))
      .emits([moved('2027-02-03', { use: regular, sessionMoves: null })]));
  it('E7: to where it is, nothing', () => anAppointment([withoutPackage]).when(move('2027-02-01')).emits([]));
  it('E7: with a package it follows its session, once', () => {
    anAppointment([booked()])
      .when(follow('2027-02-03'))
      .emits([moved('2027-02-03')]);
    anAppointment([booked(), moved('2027-02-03')])
      .when(follow('2027-02-03'))
      .emits([]);
  });
  it('E7: of two moves at once the later one counts, in whichever order they come', () => {
    const both = moved('2027-02-05', { sessionMoves: 2 });
    anAppointment([booked(), both]).when(follow('2027-02-03', 1)).emits([]);
    anAppointment([booked(), moved('2027-02-03')])
      .when(follow('2027-02-05', 2))
      .emits([moved('2027-02-05', { from: '2027-02-03', sessionMoves: 2 })]);
  });
  it('E7: it follows also when it has ended meanwhile, but not a session that it uses no more', () => {
    anAppointment([booked(), completed()])
      .when(follow('2027-02-03'))
      .emits([moved('2027-02-03')]);
    anAppointment([booked(), packageRemoved()]).when(follow('2027-02-03')).emits([]);
  });
  it('E7: a package that was applied at the same moment decides first', () =>
    anAppointment([withoutPackage, applied(regularFee([], { packageId: p }))])
      .when(move('2027-02-03'))
      .refuses('APPOINTMENT_CHANGED'));
  it('E8: a session that was taken for the time before the move is not applied', () =>
    anAppointment([withoutPackage, moved('2027-02-03', { use: regular, sessionMoves: null })])
      .when(apply(1))
      .refuses('APPOINTMENT_CHANGED'));
  it.each([
    ['took place', completed(regular)],
    ['is cancelled', cancelledAppointment('returned', { use: regular })],
    ['is a no-show', noShow('returned', { use: regular })],
  ])('E7: not one that %s', (_, ended) =>
    anAppointment([withoutPackage, ended]).when(move('2027-02-03')).refuses('APPOINTMENT_NOT_BOOKED'),
  );
});

describe('completing an appointment', () => {
  it('E8: once', () => {
    anAppointment([booked()]).when(complete).emits([completed()]);
    anAppointment([booked(), completed()]).when(complete).emits([]);
  });
  it('J3: names the session that it uses then', () =>
    anAppointment([withoutPackage, applied(regularFee([], { packageId: p }), 2)])
      .when(complete)
      .emits([completed({ packageId: p, consumptionId: idOf('c2') })]));
  it('J3: without a package there is none', () =>
    anAppointment([withoutPackage])
      .when(complete)
      .emits([completed(regular)]));
  it.each([
    ['cancelled', cancelledAppointment('returned')],
    ['marked as a no-show', noShow('returned')],
  ])('H1: refuses when it is %s', (_, ended) => anAppointment([booked(), ended]).when(complete).refuses('APPOINTMENT_NOT_BOOKED'));
});

describe('a completion by mistake', () => {
  const undo = decisions.undoCompletion(appointmentId);

  it('E8: is undone, once', () => {
    anAppointment([booked(), completed()]).when(undo).emits([completionUndone()]);
    anAppointment([booked(), completed(), completionUndone()]).when(undo).emits([]);
  });
  it('H2: afterwards it can be cancelled', () =>
    anAppointment([booked(), completed(), completionUndone()])
      .when(cancel())
      .emits([cancelledAppointment('returned')]));
  it('H1: of a no-show there is none', () =>
    anAppointment([booked(), noShow('returned')])
      .when(undo)
      .refuses('APPOINTMENT_NOT_BOOKED'));
});

describe('booking a cancelled appointment again', () => {
  const rebook = (consumptionId: string | null, invoice: InvoiceContent | null = null) =>
    decisions.rebookAppointment({ appointmentId, session: consumptionId === null ? null : sessionOf(consumptionId), invoice });

  it('H2: with another session in place of the one that was returned', () =>
    anAppointment([booked(), cancelledAppointment('returned')])
      .when(rebook(idOf('c2')))
      .emits([rebooked('returned', { use: { packageId: p, consumptionId: idOf('c2') } })]));
  it('H2: with the session that was forfeited', () =>
    anAppointment([booked(), cancelledAppointment('forfeited')])
      .when(decisions.standAgain({ appointmentId, packageId: p, consumptionId: idOf('c1') }))
      .emits([rebooked('forfeited')]));
  it('H2, E8: without the session that was forfeited, when it was given up at the same moment; once', () => {
    const again = decisions.standAgain({ appointmentId, packageId: p, consumptionId: idOf('c1') });
    const removed = [booked(), cancelledAppointment('forfeited'), packageRemoved()];
    anAppointment(removed)
      .when(again)
      .emits([rebooked('forfeited', { use: regular })]);
    anAppointment([...removed, rebooked('forfeited', { use: regular })])
      .when(again)
      .emits([]);
  });
  it('H2: without a package', () =>
    anAppointment([withoutPackage, cancelledAppointment('returned', { use: regular })])
      .when(rebook(null))
      .emits([rebooked('returned', { use: regular })]));
  it('E4: at the regular fee although it had a package', () =>
    anAppointment([booked(), cancelledAppointment('returned')])
      .when(rebook(null, regularFee()))
      .emits([rebooked('returned', { use: regular, invoice: regularFee() })]));
  it('H2: once; two at once use one session', () => {
    const again = [booked(), cancelledAppointment('returned'), rebooked('returned', { use: { packageId: p, consumptionId: idOf('c2') } })];
    anAppointment(again)
      .when(rebook(idOf('c2')))
      .emits([]);
    anAppointment(again)
      .when(rebook(idOf('c3')))
      .refuses('APPOINTMENT_NOT_CANCELLED');
  });
  it('H2, H3: not with a session in place of one that it has given up since', () =>
    anAppointment([booked(), cancelledAppointment('returned'), packageRemoved()])
      .when(rebook(idOf('c2')))
      .refuses('APPOINTMENT_CHANGED'));
  it('H2: and can be cancelled again', () =>
    anAppointment([booked(), cancelledAppointment('forfeited'), rebooked('forfeited')])
      .when(cancel())
      .emits([cancelledAppointment('returned')]));
  it('E9: comes to nothing when the invoice refuses it', () => {
    const again = [booked(), cancelledAppointment('returned'), rebooked('returned', { use: regular, invoice: regularFee() })];
    anAppointment(again)
      .when(decisions.cancelAgain(appointmentId, '2027-01-31'))
      .emits([cancelledAppointment('returned', { use: regular })]);
    anAppointment([...again, cancelledAppointment('returned', { use: regular })])
      .when(decisions.cancelAgain(appointmentId, '2027-01-31'))
      .emits([]);
  });
});

describe('cancelling an appointment', () => {
  const forfeits = { ...defaultSettings, onLateCancellation: 'forfeited', lateCancellationWindowMinutes: 60 } as const; // it starts at 15:00 UTC
  const [early, justInTime, late] = ['2027-02-01T13:59:59.999Z', '2027-02-01T14:00:00.000Z', '2027-02-01T14:00:00.001Z'];

  it.each([
    ['H2: returns the session', {}, 'returned', false],
    ['H2: by the client in time returns it', { byClient: true, now: early, settings: forfeits }, 'returned', false],
    ['H2: at the very start of the window is in time', { byClient: true, now: justInTime, settings: forfeits }, 'returned', false],
    ['H2: by the client inside the late window follows the setting', { byClient: true, now: late, settings: forfeits }, 'forfeited', true],
    ['A1: which is to return it by default', { byClient: true, now: late }, 'returned', true],
    ['H2: by staff is never late', { now: late, settings: forfeits }, 'returned', false],
    ['H2: staff can return it all the same', { session: 'returned', byClient: true, now: late, settings: forfeits }, 'returned', true],
    ['H2: staff can forfeit it all the same', { session: 'forfeited' }, 'forfeited', false],
  ] as [string, Partial<decisions.CancelAppointment>, 'returned' | 'forfeited', boolean][])('%s', (_, how, outcome, isLate) =>
    anAppointment([booked()])
      .when(cancel(how))
      .emits([cancelledAppointment(outcome, { late: isLate })]),
  );

  it('H2: once', () =>
    anAppointment([booked(), cancelledAppointment('returned')])
      .when(cancel())
      .emits([]));
  it('H2: not again with another outcome', () => {
    const ended = [booked(), cancelledAppointment('forfeited')];
    anAppointment(ended)
      .when(cancel({ session: 'forfeited' }))
      .emits([]);
    anAppointment(ended)
      .when(cancel({ session: 'returned' }))
      .refuses('ENDED_OTHERWISE', { appointmentId, status: 'cancelled', outcome: 'forfeited' });
  });
  it('H2: names the session that it uses', () =>
    anAppointment([withoutPackage, applied(regularFee([], { packageId: p }), 2)])
      .when(cancel())
      .emits([cancelledAppointment('returned', { use: { packageId: p, consumptionId: idOf('c2') } })]));
  it('H2: without a package there is none', () =>
    anAppointment([withoutPackage])
      .when(cancel())
      .emits([cancelledAppointment('returned', { use: regular })]));
  it.each([
    ['took place', completed()],
    ['is marked as a no-show', noShow('returned')],
  ])('H2: refuses one that %s', (_, ended) => anAppointment([booked(), ended]).when(cancel()).refuses('APPOINTMENT_NOT_BOOKED'));
});

describe('a no-show', () => {
  it.each(['returned', 'forfeited'] as const)('H1: its session is %s', (outcome) =>
    anAppointment([booked()])
      .when(markNoShow(outcome))
      .emits([noShow(outcome)]),
  );
  it('H1: once', () =>
    anAppointment([booked(), noShow('returned')])
      .when(markNoShow('returned'))
      .emits([]));
  it('H1: not again with another outcome', () => {
    const ended = [booked(), noShow('returned')];
    anAppointment(ended).when(markNoShow(null)).emits([]);
    anAppointment(ended).when(markNoShow('forfeited')).refuses('ENDED_OTHERWISE', { appointmentId, status: 'noShow', outcome: 'returned' });
  });
  it('H1: also of one that was marked completed by mistake', () =>
    anAppointment([booked(), completed()])
      .when(markNoShow('returned'))
      .emits([noShow('returned', { from: 'completed' })]));
  it('H1: not of one that is cancelled', () =>
    anAppointment([booked(), cancelledAppointment('returned')])
      .when(markNoShow('returned'))
      .refuses('APPOINTMENT_NOT_BOOKED'));

  const c2 = { packageId: p, consumptionId: idOf('c2') };
  it('H1: undone, it uses another session in place of the one returned', () =>
    anAppointment([booked(), noShow('returned')])
      .when(undoNoShow(idOf('c2')))
      .emits([noShowUndone('returned', { use: c2 })]));
  it('H1: undone, it uses the session that was forfeited again', () =>
    anAppointment([booked(), noShow('forfeited')])
      .when(undoNoShow(idOf('c1')))
      .emits([noShowUndone('forfeited')]));
  it('H1: undone without a package', () =>
    anAppointment([withoutPackage, noShow('returned', { use: regular })])
      .when(undoNoShow(null))
      .emits([noShowUndone('returned', { use: regular })]));
  it('H1: undone, it is completed again if it was marked so before', () => {
    const marked = [booked(), completed(), noShow('forfeited', { from: 'completed' })];
    const undone = noShowUndone('forfeited', { status: 'completed' });
    anAppointment(marked)
      .when(undoNoShow(idOf('c1')))
      .emits([undone]);
    anAppointment([...marked, undone])
      .when(complete)
      .emits([]);
    anAppointment([...marked, undone])
      .when(cancel())
      .refuses('APPOINTMENT_NOT_BOOKED');
  });
  it('H1: undone, it is to come again if it was', () =>
    anAppointment([booked(), noShow('forfeited'), noShowUndone('forfeited')])
      .when(cancel())
      .emits([cancelledAppointment('returned')]));
  it('H1: undone once; two at once use one session', () => {
    const undone = [booked(), noShow('returned'), noShowUndone('returned', { use: c2 })];
    anAppointment(undone)
      .when(undoNoShow(idOf('c2')))
      .emits([]);
    anAppointment(undone)
      .when(undoNoShow(idOf('c3')))
      .refuses('NOT_A_NO_SHOW');
  });
  it('E4, H1: undone at the regular fee although it had a package', () =>
    anAppointment([booked(), completed(), noShow('returned', { from: 'completed' })])
      .when(undoNoShow(null, regularFee()))
      .emits([noShowUndone('returned', { use: regular, status: 'completed', invoice: regularFee() })]));
  it('E9, H1: undone at the regular fee, it comes to nothing when the invoice refuses it', () => {
    const undone = [booked(), noShow('returned'), noShowUndone('returned', { use: regular, invoice: regularFee() })];
    const again = decisions.noShowAgain(appointmentId, '2027-02-01');
    anAppointment(undone)
      .when(again)
      .emits([noShow('returned', { use: regular })]);
    anAppointment([...undone, completed(regular)])
      .when(again)
      .emits([noShow('returned', { use: regular, from: 'completed' })]);
    anAppointment([...undone, noShow('returned', { use: regular })])
      .when(again)
      .emits([]);
  });
  it('H1, H3: not undone with a session in place of one that it has given up since', () =>
    anAppointment([booked(), noShow('returned'), noShowUndone('returned', { use: regular }), noShow('returned', { use: regular })])
      .when(undoNoShow(idOf('c2')))
      .refuses('APPOINTMENT_CHANGED'));
  it('H1: undone and marked again, it ends the session that it uses now', () =>
    anAppointment([booked(), noShow('returned'), noShowUndone('returned', { use: c2 })])
      .when(markNoShow('returned'))
      .emits([noShow('returned', { use: c2 })]));
  it.each([
    ['cancelled', cancelledAppointment('returned')],
    ['completed', completed()],
  ])('H1: what is %s is not undone', (_, ended) =>
    anAppointment([booked(), ended])
      .when(undoNoShow(idOf('c2')))
      .refuses('NOT_A_NO_SHOW'),
  );
});

describe('folding an appointment', () => {
  const history = [
    ...[withoutPackage, linkedToSale, applied(regularFee([], { packageId: p })), completed(), noShow('returned', { from: 'completed' })],
    noShowUndone('returned', { use: { packageId: p, consumptionId: idOf('c2') }, status: 'completed' }),
    ...[completionUndone(), moved('2027-02-03'), cancelledAppointment('returned'), rebooked('returned'), packageRemoved()],
  ];
  const fold = (events: typeof history) => events.reduce(appointment.evolve, appointment.initial);

  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) => expect(fold(delivered(history))).toEqual(fold(history)));
});
