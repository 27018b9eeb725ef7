import { localDateOf } from '../kernel/calendar.js';
import { anna, at, ben, cad, facial, gst, idOf, massage, qst } from '../testing/example.js';
import {
  cancelled,
  consume,
  consumed,
  ended,
  expiryAdjusted,
  expiryRestored,
  forfeited,
  fromFirstUse,
  fromPurchase,
  january,
  p,
  remainingAdjusted,
  returned,
  sessionMoved,
  sale,
  sold,
  soldFacial,
  soldMassage,
  use,
} from '../testing/example-package.js';
import { deliveries } from '../testing/deliveries.js';
import { given } from '../testing/given.js';
import {
  adjustExpiry,
  adjustRemaining,
  forfeitSession,
  moveSession,
  restoreExpiry,
  returnSession,
  sellPackage,
  undoForfeit,
} from './package.decisions.js';
import type { PackageEvent } from './package.events.js';
import { packageAggregate, placesOf, type SoldPackage } from './package.state.js';

const aPackage = given(packageAggregate);
const c1 = { packageId: p, consumptionId: idOf('c1') };

const noShow = (today: string, n = 1) => returnSession({ packageId: p, consumptionId: idOf(`c${n}`), because: 'noShow', today });
const cancelAppointment = (today: string, n = 1) =>
  returnSession({ packageId: p, consumptionId: idOf(`c${n}`), because: 'cancelled', today });
const forfeit = forfeitSession({ ...c1, because: 'noShow' });
const undoNoShow = (on: string, n: number, today: string) => consume(on, n, { appointmentId: idOf('a1'), purpose: 'noShowUndone', today });
const move = (to: string, { n = 1, today = january }: { n?: number; today?: string } = {}) =>
  moveSession({ packageId: p, consumptionId: idOf(`c${n}`), ...at(to), providerId: idOf('provider'), today });
const adjust = (to: number, serviceId = massage) => adjustRemaining({ packageId: p, serviceId, to, reason: null });
const setExpiry = (to: string) => adjustExpiry({ packageId: p, to, reason: null });
const undoExpiryOn = (today: string) => restoreExpiry({ packageId: p, today, reason: null });
const undoExpiry = undoExpiryOn('2027-02-01');

describe('selling a package', () => {
  it('D1: pins the terms as sold', () =>
    aPackage([])
      .when(sellPackage({ ...sale(), apply: null }))
      .emits([sold()]));
  it('D5: the same package is not sold again', () =>
    aPackage([sold()])
      .when(sellPackage({ ...sale(), apply: null }))
      .refuses('ALREADY_EXISTS'));

  it.each([
    ['C2: without a rule', { kind: 'none' } as const, null],
    ['C2: on a date', { kind: 'onDate', date: '2027-06-30' } as const, '2027-06-30'],
    ['E3: 10 days from purchase, through the 10th day after it', fromPurchase(10, 'days'), '2027-02-10'],
    ['C2: 2 weeks from purchase', fromPurchase(2, 'weeks'), '2027-02-14'],
    ['E3: a month from purchase, clamped to the end of February', fromPurchase(1, 'months'), '2027-02-28'],
    ['C2: from first use, not used yet', fromFirstUse(1, 'months'), null],
  ])('%s', (_, expiryRule, expiresOn) =>
    aPackage([])
      .when(sellPackage({ ...sale({ expiryRule }), apply: null }))
      .emits([sold({ expiryRule, expiresOn })]),
  );

  it('D1, D4: takes a session at once for the appointment it is sold from, when asked', () => {
    const appointmentId = idOf('a1');
    aPackage([])
      .when(sellPackage({ ...sale({ appointmentId }), apply: use(january, 1, { purpose: 'application' }) }))
      .emits([sold({ appointmentId }), consumed(january, 0, { purpose: 'application' })]);
  });
  it("D1: sells nothing when the session can't be taken", () =>
    aPackage([])
      .when(sellPackage({ ...sale(), apply: use('2027-01-30') }))
      .refuses('BEFORE_SALE'));
});

describe('consuming a session', () => {
  it('E2: takes one', () =>
    aPackage([sold()])
      .when(consume('2027-02-01'))
      .emits([consumed('2027-02-01', 0)]));
  it('E2: once per consumption', () =>
    aPackage([sold(), consumed('2027-02-01', 0)])
      .when(consume('2027-02-01'))
      .emits([]));
  it('E2: unlimited never runs out, and its use is counted', () =>
    aPackage([sold({ services: [soldMassage('unlimited')] }), consumed('2027-02-01', null)])
      .when(consume('2027-02-02', 2))
      .emits([consumed('2027-02-02', null, { n: 2, used: 2 })]));
  it('E2: each service counts for itself', () =>
    aPackage([sold({ services: [soldMassage(2), soldFacial(1)] }), consumed('2027-02-01', 1)])
      .when(consume('2027-02-02', 2, { serviceId: facial, serviceName: 'Facial' }))
      .emits([consumed('2027-02-02', 0, { n: 2, serviceId: facial, serviceName: 'Facial' })]));
  it('E6: refuses when none is left', () =>
    aPackage([sold(), consumed('2027-02-01', 0)])
      .when(consume('2027-02-02', 2))
      .refuses('NO_SESSIONS_LEFT', { serviceId: massage }));
  it('E1: refuses a service that is not in the package', () =>
    aPackage([sold()])
      .when(consume('2027-02-01', 1, { serviceId: facial }))
      .refuses('SERVICE_NOT_IN_PACKAGE', { serviceId: facial }));
  it('A3: refuses a package that was never sold', () => aPackage([]).when(consume('2027-02-01')).refuses('NOT_FOUND'));
  it('H4: refuses a cancelled package', () => aPackage([sold(), cancelled]).when(consume('2027-02-01')).refuses('PACKAGE_CANCELLED'));
  it('G3: refuses a client with whom it is not shared', () =>
    aPackage([sold()])
      .when(consume('2027-02-01', 1, { clientId: ben }))
      .refuses('PACKAGE_NOT_SHARED'));
  it('G3: names who uses it, and whose it is', () =>
    aPackage([sold()])
      .when(consume('2027-02-01', 1, { clientId: ben, shared: true }))
      .emits([consumed('2027-02-01', 0, { clientId: ben, ownerId: anna })]));
});

describe('the invoice of a session', () => {
  it('C3, E4: nothing owing and no tax when paid upfront', () =>
    aPackage([sold()])
      .when(consume('2027-02-01', 1, { serviceTaxes: [gst, qst] }))
      .emits([consumed('2027-02-01', 0)]));
  it("C4, E4: the fee pinned at the sale with the service's taxes of now, when each appointment is paid", () => {
    const paidEach = sold({ paymentMethod: 'paidEachAppointment', fee: cad(0), services: [soldMassage(1, { fee: cad(75_00) })] });
    aPackage([paidEach])
      .when(consume('2027-02-01', 1, { serviceTaxes: [gst, qst] }))
      .emits([consumed('2027-02-01', 0, { fee: cad(75_00), taxes: [gst, qst] })]);
  });
  it('E9: is issued on the day of the booking', () =>
    aPackage([sold()])
      .when(consume('2027-03-01', 1, { today: '2027-02-15' }))
      .emits([consumed('2027-03-01', 0, { issuedOn: '2027-02-15' })]));
});

describe('the days on which a package can be used', () => {
  it('E3: refuses a day before the sale', () =>
    aPackage([sold()]).when(consume('2027-01-30')).refuses('BEFORE_SALE', { soldOn: january, on: '2027-01-30' }));
  it('E3: allows the day of the sale', () =>
    aPackage([sold()])
      .when(consume(january))
      .emits([consumed(january, 0)]));

  const tenDays = sold({ expiryRule: fromPurchase(10, 'days'), expiresOn: '2027-02-10' });
  it('E3: allows the last valid day', () =>
    aPackage([tenDays])
      .when(consume('2027-02-10'))
      .emits([consumed('2027-02-10', 0, { expiresOn: '2027-02-10' })]));
  it('E3: refuses the day after it', () =>
    aPackage([tenDays]).when(consume('2027-02-11')).refuses('PACKAGE_EXPIRED', { expiresOn: '2027-02-10', on: '2027-02-11' }));
  it('E3: staff enter a past appointment after the last valid day', () =>
    aPackage([tenDays])
      .when(consume('2027-02-09', 1, { today: '2027-03-01' }))
      .emits([consumed('2027-02-09', 0, { expiresOn: '2027-02-10', issuedOn: '2027-03-01' })]));

  it('E3: 23:30 on the last day, zone ahead of UTC', () => {
    const timeZone = 'Pacific/Auckland'; // 13 hours ahead of UTC in February
    const start = (instant: string) => ({ start: instant, timeZone, on: localDateOf(instant, timeZone) });
    const lastDay = '2027-02-10';
    aPackage([tenDays])
      .when(consume(lastDay, 1, start('2027-02-10T10:30:00.000Z'))) // 23:30 there
      .emits([consumed(lastDay, 0, { start: '2027-02-10T10:30:00.000Z', timeZone, expiresOn: lastDay })]);
    aPackage([tenDays])
      .when(consume(lastDay, 1, start('2027-02-10T11:30:00.000Z'))) // 00:30 of the day after, and still the 10th in UTC
      .refuses('PACKAGE_EXPIRED', { on: '2027-02-11' });
  });
});

describe('an expiry from first use', () => {
  const monthFromFirstUse = (limit = 3) => sold({ services: [soldMassage(limit)], expiryRule: fromFirstUse(1, 'months') });

  it('E3: starts on the day of the first session, clamped to the end of February', () =>
    aPackage([monthFromFirstUse(1)])
      .when(consume('2027-01-31'))
      .emits([consumed('2027-01-31', 0, { expiresOn: '2027-02-28' })]));
  it('E3: a later session leaves it', () =>
    aPackage([monthFromFirstUse(), consumed('2027-02-01', 2, { expiresOn: '2027-03-01' })])
      .when(consume('2027-03-01', 2))
      .emits([consumed('2027-03-01', 1, { n: 2, used: 2, expiresOn: '2027-03-01' })]));
  it('E3: an earlier session moves it', () =>
    aPackage([monthFromFirstUse(), consumed('2027-02-20', 2, { expiresOn: '2027-03-20' })])
      .when(consume('2027-02-10', 2))
      .emits([consumed('2027-02-10', 1, { n: 2, used: 2, expiresOn: '2027-03-10' })]));
  it('E3: an earlier booking is refused if it strands a later one', () =>
    aPackage([monthFromFirstUse(), consumed('2027-03-20', 2, { expiresOn: '2027-04-20' })])
      .when(consume('2027-02-01', 2))
      .refuses('STRANDS_SESSION', { expiresOn: '2027-03-01', appointmentId: idOf('a1') }));
  it('E3: a forfeited session stands, and can be stranded', () =>
    aPackage([monthFromFirstUse(), consumed('2027-03-20', 2, { expiresOn: '2027-04-20' }), forfeited(2, { expiresOn: '2027-04-20' })])
      .when(consume('2027-02-01', 2))
      .refuses('STRANDS_SESSION'));
  it('E3: a booking that leaves the expiry as it is strands nothing, though a session lies behind it', () => {
    const leftBehind = [
      ...[monthFromFirstUse(4), consumed('2027-02-01', 3, { expiresOn: '2027-03-01' }), expiryAdjusted('2027-03-01', '2027-06-30')],
      ...[consumed('2027-05-01', 2, { n: 2, used: 2, expiresOn: '2027-06-30' }), expiryRestored('2027-06-30', '2027-03-01')],
    ];
    aPackage(leftBehind)
      .when(consume('2027-02-05', 3))
      .emits([consumed('2027-02-05', 1, { n: 3, used: 3, expiresOn: '2027-03-01' })]);
    aPackage(leftBehind)
      .when(consume(january, 3))
      .refuses('STRANDS_SESSION', { expiresOn: '2027-02-28', appointmentId: idOf('a2') });
  });
  it('E3: a returned session is not stranded', () =>
    aPackage([monthFromFirstUse(), consumed('2027-03-20', 2, { expiresOn: '2027-04-20' }), returned(3)])
      .when(consume('2027-02-01', 2))
      .emits([consumed('2027-02-01', 2, { n: 2, expiresOn: '2027-03-01' })]));

  it('E3: a return in time works it out again on those that stand', () =>
    aPackage([
      monthFromFirstUse(),
      consumed('2027-02-01', 2, { expiresOn: '2027-03-01' }),
      consumed('2027-02-20', 1, { n: 2, used: 2, expiresOn: '2027-03-01' }),
    ])
      .when(noShow('2027-03-01'))
      .emits([returned(2, { used: 1, expiresOn: '2027-03-20' })]));
  it('E3: a return in time unsets it when none stands', () =>
    aPackage([monthFromFirstUse(), consumed('2027-02-01', 2, { expiresOn: '2027-03-01' })])
      .when(noShow('2027-03-01'))
      .emits([returned(3)]));
  it('E3: a late return does not revive an expired package', () => {
    const late = [monthFromFirstUse(), consumed('2027-02-01', 2, { expiresOn: '2027-03-01' })];
    aPackage(late)
      .when(noShow('2027-03-02'))
      .emits([returned(3, { expiresOn: '2027-03-01' })]);
    aPackage([...late, returned(3, { expiresOn: '2027-03-01' })])
      .when(consume('2027-04-01', 2, { today: '2027-03-02' }))
      .refuses('PACKAGE_EXPIRED', { expiresOn: '2027-03-01' });
  });
});

describe('returning a session', () => {
  const booked = [sold(), consumed('2027-02-01', 0)];

  it('H1: gives it back', () =>
    aPackage(booked)
      .when(noShow('2027-02-01'))
      .emits([returned(1)]));
  it('H2: gives it back when the appointment is cancelled', () =>
    aPackage(booked)
      .when(cancelAppointment('2027-02-01'))
      .emits([returned(1, { because: 'cancelled' })]));
  it('H3: at most once', () =>
    aPackage([...booked, returned(1)])
      .when(noShow('2027-02-01'))
      .emits([]));
  it('H3: not one that never was', () => aPackage(booked).when(noShow('2027-02-01', 2)).emits([]));
  it('H3: a late repeat of the booking takes no second session', () =>
    aPackage([...booked, returned(1)])
      .when(consume('2027-02-01'))
      .emits([]));
  it('J3: names who used it, and whose it is', () =>
    aPackage([sold(), consumed('2027-02-01', 0, { clientId: ben })])
      .when(noShow('2027-02-01'))
      .emits([returned(1, { ownerId: anna, clientId: ben })]));
  it('E2: unlimited has nothing to count up, but its use', () =>
    aPackage([sold({ services: [soldMassage('unlimited')] }), consumed('2027-02-01', null)])
      .when(noShow('2027-02-01'))
      .emits([returned(null)]));
  it('H3: return into a cancelled package', () => {
    aPackage([...booked, cancelled])
      .when(cancelAppointment('2027-02-01'))
      .emits([returned(1, { because: 'cancelled' })]);
    aPackage([...booked, cancelled, returned(1)])
      .when(consume('2027-02-02', 2))
      .refuses('PACKAGE_CANCELLED');
  });
  it('H3: into an expired package, which stays expired', () =>
    aPackage([
      sold({ expiryRule: fromPurchase(10, 'days'), expiresOn: '2027-02-10' }),
      consumed('2027-02-01', 0, { expiresOn: '2027-02-10' }),
    ])
      .when(noShow('2027-05-01'))
      .emits([returned(1, { expiresOn: '2027-02-10' })]));
  it('H3: cancel, book again, late repeat of the first cancel', () =>
    aPackage([...booked, returned(1, { because: 'cancelled' }), consumed('2027-02-01', 0, { n: 2 })])
      .when(cancelAppointment('2027-02-01'))
      .emits([]));
});

describe('forfeiting a session', () => {
  const booked = [sold(), consumed('2027-02-01', 0)];

  it('H1: it stays used', () =>
    aPackage(booked)
      .when(forfeit)
      .emits([forfeited(0)]));
  it('H2: also for a late cancellation', () =>
    aPackage(booked)
      .when(forfeitSession({ ...c1, because: 'lateCancellation' }))
      .emits([{ type: 'SessionForfeited', data: { ...ended(0, { used: 1 }), because: 'lateCancellation' } }]));
  it('H1: once', () =>
    aPackage([...booked, forfeited(0)])
      .when(forfeit)
      .emits([]));
  it('H3: not one that was returned', () =>
    aPackage([...booked, returned(1)])
      .when(forfeit)
      .emits([]));
  it('H3: a forfeited session is not returned by a late repeat', () =>
    aPackage([...booked, forfeited(0)])
      .when(noShow('2027-02-01'))
      .emits([]));
  it('H1: undone, it stands as an ordinary one again', () => {
    const undone: PackageEvent = { type: 'SessionForfeitUndone', data: ended(0, { used: 1 }) };
    aPackage([...booked, forfeited(0)])
      .when(undoForfeit(c1))
      .emits([undone]);
    aPackage([...booked, forfeited(0), undone])
      .when(noShow('2027-02-01'))
      .emits([returned(1)]);
  });
  it('H1: a repeat of the undoing does nothing', () => aPackage(booked).when(undoForfeit(c1)).emits([]));
});

describe('undoing a no-show whose session was returned', () => {
  it('H1: takes a session anew, for the same appointment', () =>
    aPackage([sold(), consumed('2027-02-01', 0), returned(1)])
      .when(undoNoShow('2027-02-01', 2, january))
      .emits([consumed('2027-02-01', 0, { n: 2, appointmentId: idOf('a1'), purpose: 'noShowUndone' })]));
  it('C4, J5: costs what the invoice that stands again says, whatever the taxes are by now', () => {
    const paidEach = sold({ paymentMethod: 'paidEachAppointment', fee: cad(0), services: [soldMassage(1, { fee: cad(75_00) })] });
    const again = { appointmentId: idOf('a1'), invoiceId: idOf('i1'), purpose: 'noShowUndone' as const };
    aPackage([paidEach, consumed('2027-02-01', 0, { fee: cad(75_00), taxes: [gst] }), returned(1)])
      .when(consume('2027-02-01', 2, { ...again, serviceTaxes: [gst, qst] }))
      .emits([consumed('2027-02-01', 0, { ...again, n: 2, fee: cad(75_00), taxes: [gst] })]);
  });
  it('C4, E9: costs what that invoice was issued with last', () => {
    const paidEach = sold({ paymentMethod: 'paidEachAppointment', fee: cad(0), services: [soldMassage(1, { fee: cad(75_00) })] });
    const [ofA1, perSession] = [{ appointmentId: idOf('a1'), invoiceId: idOf('i1') }, { fee: cad(75_00) }];
    const appliedAgain = consumed('2027-02-01', 0, { n: 2, ...ofA1, ...perSession, purpose: 'application', taxes: [gst, qst] });
    const history = [
      ...[paidEach, consumed('2027-02-01', 0, { ...perSession, taxes: [gst] }), returned(1, { because: 'removed' })],
      ...[appliedAgain, returned(1, { n: 2, appointmentId: idOf('a1') })],
    ];
    aPackage(history)
      .when(consume('2027-02-01', 3, { ...ofA1, purpose: 'noShowUndone', serviceTaxes: [] }))
      .emits([consumed('2027-02-01', 0, { n: 3, ...ofA1, ...perSession, purpose: 'noShowUndone', taxes: [gst, qst] })]);
  });
  it('H1: of two who undo it at once, one takes a session and the other nothing', () => {
    const replaces = idOf('c1');
    const again = { appointmentId: idOf('a1'), replaces, purpose: 'noShowUndone' as const };
    const undone = [
      sold({ services: [soldMassage(5)] }),
      consumed('2027-02-01', 4),
      returned(5),
      consumed('2027-02-01', 4, { ...again, n: 2 }),
    ];
    aPackage(undone)
      .when(consume('2027-02-01', 3, again))
      .emits([]);
    aPackage([...undone, returned(5, { n: 2, appointmentId: idOf('a1') })]) // a no-show again
      .when(consume('2027-02-01', 3, again))
      .emits([]);
    aPackage([...undone, returned(5, { n: 2, because: 'refused' })]) // its appointment did not take it
      .when(consume('2027-02-01', 3, again))
      .emits([consumed('2027-02-01', 4, { ...again, n: 3 })]);
  });
  it('H1: no-show, adjusted down, then undone', () => {
    aPackage([sold(), consumed('2027-02-01', 0), returned(1), remainingAdjusted(1, 0)])
      .when(undoNoShow('2027-02-01', 2, january))
      .refuses('NO_SESSIONS_LEFT');
    aPackage([sold({ services: [soldMassage(5)] }), consumed('2027-02-01', 4), returned(5), remainingAdjusted(5, 4)])
      .when(undoNoShow('2027-02-01', 2, january))
      .emits([consumed('2027-02-01', 3, { n: 2, appointmentId: idOf('a1'), purpose: 'noShowUndone' })]);
  });
  it('H1: undo after the session was booked again', () =>
    aPackage([sold(), consumed('2027-02-01', 0), returned(1), consumed('2027-02-08', 0, { n: 2 })])
      .when(undoNoShow('2027-02-01', 3, '2027-02-02'))
      .refuses('NO_SESSIONS_LEFT'));
  it('G3: is new use, so a cancelled package gives none', () =>
    aPackage([sold(), consumed('2027-02-01', 0), returned(1), cancelled])
      .when(undoNoShow('2027-02-01', 2, '2027-02-02'))
      .refuses('PACKAGE_CANCELLED'));
});

describe('adjusting what remains', () => {
  const five = sold({ services: [soldMassage(5)] });

  it.each([
    ['up', 8],
    ['down', 2],
    ['down to 0', 0],
  ])('F1: %s', (_, to) =>
    aPackage([five])
      .when(adjust(to))
      .emits([remainingAdjusted(5, to)]),
  );
  it('F1: all adjustments together, and the sessions used, make up what remains', () =>
    aPackage([five, remainingAdjusted(5, 7), consumed('2027-02-01', 6)])
      .when(adjust(3))
      .emits([remainingAdjusted(6, 3, { adjustments: -1 })]));
  it('F1: to what it is, is nothing', () => aPackage([five]).when(adjust(5)).emits([]));
  it('F1: unless it is no longer what the person saw: they are told, and may force it', () => {
    const booked = [five, consumed('2027-02-01', 4)];
    const say = (said: object) => adjustRemaining({ packageId: p, serviceId: massage, to: 7, reason: null, ...said });
    aPackage(booked)
      .when(say({ seen: 5 }))
      .refuses('REMAINING_CHANGED', { serviceId: massage, remaining: 4, seen: 5 });
    for (const said of [{ seen: 4 }, { seen: 5, force: true }, {}])
      aPackage(booked)
        .when(say(said))
        .emits([remainingAdjusted(4, 7)]);
    aPackage([five, remainingAdjusted(5, 7)])
      .when(say({ seen: 5 }))
      .emits([]); // a repeat
  });
  it('F1: with its reason', () =>
    aPackage([five])
      .when(adjustRemaining({ packageId: p, serviceId: massage, to: 6, reason: 'A gift' }))
      .emits([remainingAdjusted(5, 6, { reason: 'A gift' })]));
  it('F1: not for unlimited', () =>
    aPackage([sold({ services: [soldMassage('unlimited')] })])
      .when(adjust(5))
      .refuses('UNLIMITED'));
  it('F1: not on a cancelled package', () => aPackage([five, cancelled]).when(adjust(4)).refuses('PACKAGE_CANCELLED'));
  it('F1: not for a service that is not in it', () => aPackage([five]).when(adjust(4, facial)).refuses('SERVICE_NOT_IN_PACKAGE'));
  it('F1: adjusted up, it can be used again; adjusted down to 0, it can not', () => {
    aPackage([sold(), consumed('2027-02-01', 0), remainingAdjusted(0, 1)])
      .when(consume('2027-02-02', 2))
      .emits([consumed('2027-02-02', 0, { n: 2, used: 2 })]);
    aPackage([sold(), remainingAdjusted(1, 0)])
      .when(consume('2027-02-02'))
      .refuses('NO_SESSIONS_LEFT');
  });
  it('F1: a return after adjusting down to 0 still gives one back', () =>
    aPackage([five, consumed('2027-02-01', 4), remainingAdjusted(4, 0)])
      .when(noShow('2027-02-01'))
      .emits([returned(1)]));
});

describe('adjusting the expiry', () => {
  const monthFromFirstUse = sold({ services: [soldMassage(3)], expiryRule: fromFirstUse(1, 'months') });
  const used = [monthFromFirstUse, consumed('2027-02-01', 2, { expiresOn: '2027-03-01' })];

  it.each([
    ['on a package with no expiry', [sold()], null, '2027-06-30'],
    ['later', used, '2027-03-01', '2027-06-30'],
    ['to a date in the past', used, '2027-03-01', '2020-01-01'],
    ['on a cancelled package', [sold(), cancelled], null, '2027-06-30'],
    ['to the date that the rule gives, which then stands by itself', used, '2027-03-01', '2027-03-01'],
  ])('F2: %s', (_, history, from, to) =>
    aPackage(history)
      .when(setExpiry(to))
      .emits([expiryAdjusted(from, to)]),
  );
  it('F2: to what it was adjusted to, is nothing', () =>
    aPackage([...used, expiryAdjusted('2027-03-01', '2027-06-30')])
      .when(setExpiry('2027-06-30'))
      .emits([]));

  it('F2: unless the expiry is no longer what the person saw: they are told, and may force it', () => {
    const adjusted = [sold(), expiryAdjusted(null, '2027-03-01')];
    const say = (said: object) => adjustExpiry({ packageId: p, to: '2027-04-01', reason: null, ...said });
    aPackage(adjusted)
      .when(say({ seen: null }))
      .refuses('EXPIRY_CHANGED', { expiresOn: '2027-03-01', seen: null });
    for (const said of [{ seen: '2027-03-01' }, { seen: null, force: true }, {}])
      aPackage(adjusted)
        .when(say(said))
        .emits([expiryAdjusted('2027-03-01', '2027-04-01', 2)]);
  });
  it('F2: the adjusted date is the last valid day', () => {
    const adjusted = [sold(), expiryAdjusted(null, '2027-02-10')];
    aPackage(adjusted)
      .when(consume('2027-02-10'))
      .emits([consumed('2027-02-10', 0, { expiresOn: '2027-02-10' })]);
    aPackage(adjusted).when(consume('2027-02-11')).refuses('PACKAGE_EXPIRED');
  });
  it('E3: it stands by itself: sessions booked and returned leave it', () => {
    const adjusted = [...used, expiryAdjusted('2027-03-01', '2027-06-30')];
    aPackage(adjusted)
      .when(consume('2027-02-01', 2))
      .emits([consumed('2027-02-01', 1, { n: 2, used: 2, expiresOn: '2027-06-30' })]);
    aPackage(adjusted)
      .when(noShow('2027-02-01'))
      .emits([returned(3, { expiresOn: '2027-06-30' })]);
  });
  it('E3: it strands nothing: a session booked after it stays', () =>
    aPackage([...used, consumed('2027-02-20', 1, { n: 2, used: 2, expiresOn: '2027-03-01' }), expiryAdjusted('2027-03-01', '2027-02-10')])
      .when(consume('2027-02-05', 3))
      .emits([consumed('2027-02-05', 0, { n: 3, used: 3, expiresOn: '2027-02-10' })]));
  it('E3: an expired package can be used again once it is adjusted', () =>
    aPackage([...used, returned(3, { expiresOn: '2027-03-01' }), expiryAdjusted('2027-03-01', '2027-06-30')])
      .when(consume('2027-05-01', 2))
      .emits([consumed('2027-05-01', 2, { n: 2, expiresOn: '2027-06-30' })]));

  it('F2: undone, the adjustment before it stands', () =>
    aPackage([...used, expiryAdjusted('2027-03-01', '2027-06-30'), expiryAdjusted('2027-06-30', '2027-12-31', 2)])
      .when(undoExpiry)
      .emits([expiryRestored('2027-12-31', '2027-06-30', 1)]));
  it('F2: undone and adjusted anew, as many stand as before', () =>
    aPackage([
      ...[...used, expiryAdjusted('2027-03-01', '2027-06-30'), expiryAdjusted('2027-06-30', '2027-12-31', 2)],
      expiryRestored('2027-12-31', '2027-06-30', 1),
    ])
      .when(setExpiry('2027-09-30'))
      .emits([expiryAdjusted('2027-06-30', '2027-09-30', 2)]));
  it('F2: undone, the rule stands again, over the sessions that stand now', () =>
    aPackage([
      ...used,
      expiryAdjusted('2027-03-01', '2027-06-30'),
      returned(3, { expiresOn: '2027-06-30' }),
      consumed('2027-02-20', 2, { n: 2, expiresOn: '2027-06-30' }),
    ])
      .when(undoExpiry)
      .emits([expiryRestored('2027-06-30', '2027-03-20')]));
  it('E3, F2: undone once the last valid day of the rule had passed, that day stands, though its session came back since', () => {
    const passed = [...used, expiryAdjusted('2027-03-01', '2027-06-30'), returned(3, { expiresOn: '2027-06-30' })];
    aPackage(passed)
      .when(undoExpiryOn('2027-03-02'))
      .emits([expiryRestored('2027-06-30', '2027-03-01')]);
    aPackage(passed)
      .when(undoExpiryOn('2027-03-01'))
      .emits([expiryRestored('2027-06-30', null)]);
  });
  it('F2: undone, a package that had expired before it was adjusted has expired again; what was booked in between stays', () =>
    aPackage([...used, expiryAdjusted('2027-03-01', '2027-06-30'), consumed('2027-05-01', 1, { n: 2, used: 2, expiresOn: '2027-06-30' })])
      .when(undoExpiryOn('2027-04-15'))
      .emits([expiryRestored('2027-06-30', '2027-03-01')]));
  it('F2: undone on a package with no expiry, there is none again', () =>
    aPackage([sold(), expiryAdjusted(null, '2027-06-30')])
      .when(undoExpiry)
      .emits([expiryRestored('2027-06-30', null)]));
  it('F2: undone, booked sessions stay also where the rule ends before them', () =>
    aPackage([...used, expiryAdjusted('2027-03-01', '2027-06-30'), consumed('2027-05-01', 1, { n: 2, used: 2, expiresOn: '2027-06-30' })])
      .when(undoExpiry)
      .emits([expiryRestored('2027-06-30', '2027-03-01')]));
  it('F2: after both are undone there is nothing to undo', () => {
    const first = expiryAdjusted('2027-03-01', '2027-06-30');
    aPackage(used).when(undoExpiry).refuses('EXPIRY_NOT_ADJUSTED');
    aPackage([...used, first, expiryRestored('2027-06-30', '2027-03-01')])
      .when(undoExpiry)
      .refuses('EXPIRY_NOT_ADJUSTED');
  });
});

describe('"Session 2 of 5"', () => {
  const five = [
    sold({ services: [soldMassage(5)] }),
    consumed('2027-02-20', 4),
    consumed('2027-02-01', 3, { n: 2, used: 2 }),
    consumed('2027-02-10', 2, { n: 3, used: 3 }),
  ];
  const place = (history: PackageEvent[], n: number) => placesOf(stateOf(history)).get(idOf(`c${n}`));

  it('E2: is its place by start, not by booking', () =>
    expect([1, 2, 3].map((n) => place(five, n))).toEqual(['Session 3 of 5', 'Session 1 of 5', 'Session 2 of 5']));
  it('E2: a returned session has none and leaves its place', () => {
    const history = [...five, returned(3, { n: 2, used: 2 })];
    expect(place(history, 2)).toBeUndefined();
    expect(place(history, 3)).toBe('Session 1 of 5');
  });
  it('E2: a forfeited session keeps its place', () => expect(place([...five, forfeited(2, { n: 2, used: 3 })], 3)).toBe('Session 2 of 5'));
  it('F1: adjusted sessions count', () => expect(place([...five, remainingAdjusted(2, 4)], 1)).toBe('Session 3 of 7'));
  it('E2: of unlimited, how many', () =>
    expect(place([sold({ services: [soldMassage('unlimited')] }), consumed('2027-02-01', null)], 1)).toBe('Session 1'));
  it('E2: each service counts its own', () =>
    expect(
      place(
        [...five, consumed('2027-02-25', 0, { n: 4, serviceId: facial })].with(0, sold({ services: [soldMassage(5), soldFacial(1)] })),
        4,
      ),
    ).toBe('Session 1 of 1'));
});

const stateOf = (history: PackageEvent[]): SoldPackage => {
  const state = history.reduce(packageAggregate.evolve, packageAggregate.initial);
  if (state.status === 'unsold') throw new Error('never sold');
  return state;
};

describe('moving a session', () => {
  const fromPurchaseOn = sold({ services: [soldMassage(5)], expiryRule: fromPurchase(10, 'days'), expiresOn: '2027-02-10' });
  const fromFirst = (days: number) => sold({ services: [soldMassage(5)], expiryRule: fromFirstUse(days, 'days') });

  it('E7: is one move, not a return and a new use', () =>
    aPackage([sold({ services: [soldMassage(5)] }), consumed('2027-02-01', 4)])
      .when(move('2027-03-01'))
      .emits([sessionMoved('2027-02-01', '2027-03-01', 4)]));
  it('E7: the second move is counted', () =>
    aPackage([sold({ services: [soldMassage(5)] }), consumed('2027-02-01', 4), sessionMoved('2027-02-01', '2027-03-01', 4)])
      .when(move('2027-02-01'))
      .emits([sessionMoved('2027-03-01', '2027-02-01', 4, { moves: 2 })]));
  it('E7: to where it is, nothing', () =>
    aPackage([sold(), consumed('2027-02-01', 0)])
      .when(move('2027-02-01'))
      .emits([]));
  it('E7: the last of them moves too', () =>
    aPackage([sold(), consumed('2027-02-01', 0)])
      .when(move('2027-02-02'))
      .emits([sessionMoved('2027-02-01', '2027-02-02', 0)]));
  it('E7: to the last valid day, not beyond', () => {
    const history = [fromPurchaseOn, consumed('2027-02-01', 4, { expiresOn: '2027-02-10' })];
    aPackage(history)
      .when(move('2027-02-10'))
      .emits([sessionMoved('2027-02-01', '2027-02-10', 4, { expiresOn: '2027-02-10' })]);
    aPackage(history).when(move('2027-02-11')).refuses('PACKAGE_EXPIRED', { expiresOn: '2027-02-10', on: '2027-02-11' });
  });
  it('E3: not before the day of the sale', () =>
    aPackage([sold(), consumed('2027-02-01', 0)])
      .when(move('2027-01-30'))
      .refuses('BEFORE_SALE'));
  it('E7: moving the first-use appointment', () => {
    const history = [
      fromFirst(10),
      consumed('2027-02-01', 4, { expiresOn: '2027-02-11' }),
      consumed('2027-02-09', 3, { n: 2, used: 2, expiresOn: '2027-02-11' }),
    ];
    const moved = (to: string, expiresOn: string) => sessionMoved('2027-02-01', to, 3, { used: 2, expiresOn });
    aPackage(history)
      .when(move('2027-02-05'))
      .emits([moved('2027-02-05', '2027-02-15')]); // time starts there
    aPackage(history)
      .when(move('2027-02-19'))
      .emits([moved('2027-02-19', '2027-02-19')]); // the second is the first now
    aPackage(history).when(move('2027-02-20')).refuses('PACKAGE_EXPIRED', { expiresOn: '2027-02-19' });
    aPackage(history)
      .when(move('2027-01-31'))
      .emits([moved('2027-01-31', '2027-02-10')]);
  });
  it('E7: one that would strand another is refused, naming it', () =>
    aPackage([
      fromFirst(10),
      consumed('2027-02-05', 4, { expiresOn: '2027-02-15' }),
      consumed('2027-02-15', 3, { n: 2, used: 2, expiresOn: '2027-02-15' }),
    ])
      .when(move('2027-02-04'))
      .refuses('STRANDS_SESSION', { expiresOn: '2027-02-14', appointmentId: idOf('a2') }));
  it('E3, E7: once the last valid day has passed, no move changes the expiry', () => {
    const history = [fromFirst(10), consumed('2027-02-01', 4, { expiresOn: '2027-02-11' })];
    const late = { today: '2027-02-12' };
    aPackage(history)
      .when(move('2027-02-05', late))
      .emits([sessionMoved('2027-02-01', '2027-02-05', 4, { expiresOn: '2027-02-11' })]);
    aPackage(history).when(move('2027-02-12', late)).refuses('PACKAGE_EXPIRED');
  });
  it('E3, E7: one that an adjusted expiry left behind stays on its day at another hour, and moves to no other', () => {
    const history = [sold(), consumed('2027-02-20', 0), expiryAdjusted(null, '2027-02-10')];
    const later = { ...at('2027-02-20'), start: '2027-02-20T16:00:00.000Z', end: '2027-02-20T17:00:00.000Z' };
    const event = sessionMoved('2027-02-20', '2027-02-20', 0, { expiresOn: '2027-02-10' });
    aPackage(history)
      .when(moveSession({ ...c1, ...later, providerId: idOf('provider'), today: january }))
      .emits([{ ...event, data: { ...event.data, start: later.start, end: later.end } } as PackageEvent]);
    aPackage(history).when(move('2027-02-21')).refuses('PACKAGE_EXPIRED');
  });
  it('H4: also of a cancelled package, since moving is no new use', () =>
    aPackage([sold(), consumed('2027-02-01', 0), cancelled])
      .when(move('2027-02-02'))
      .emits([sessionMoved('2027-02-01', '2027-02-02', 0)]));
  it.each([
    ['returned', returned(1)],
    ['forfeited', forfeited(0)],
  ])('E7: not one that was %s', (_, end) =>
    aPackage([sold(), consumed('2027-02-01', 0), end])
      .when(move('2027-02-02'))
      .refuses('SESSION_NOT_STANDING'),
  );
});

describe('a session whose appointment uses it no more', () => {
  const remove = (because: 'removed' | 'refused') => returnSession({ ...c1, because, today: january });

  it('E8: is returned, at most once', () => {
    const history = [sold(), consumed('2027-02-01', 0)];
    aPackage(history)
      .when(remove('removed'))
      .emits([returned(1, { because: 'removed' })]);
    aPackage([...history, returned(1, { because: 'removed' })])
      .when(remove('removed'))
      .emits([]);
  });
  it.each(['removed', 'refused'] as const)('E8: also if it was forfeited at the same moment (%s)', (because) =>
    aPackage([sold(), consumed('2027-02-01', 0), forfeited(0)])
      .when(remove(because))
      .emits([returned(1, { because })]),
  );
});

describe('folding a package', () => {
  const history = [
    sold({ services: [soldMassage(5)], expiryRule: fromFirstUse(1, 'months') }),
    consumed('2027-02-01', 4, { expiresOn: '2027-03-01' }),
    forfeited(4, { expiresOn: '2027-03-01' }),
    remainingAdjusted(4, 6),
    expiryAdjusted('2027-03-01', '2027-06-30'),
    expiryAdjusted('2027-06-30', '2027-12-31', 2),
    expiryRestored('2027-12-31', '2027-06-30', 1),
    cancelled,
  ];

  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) =>
    expect(stateOf(delivered(history))).toEqual(stateOf(history)),
  );
});
