import type { AnyEvent } from '../kernel/event.js';
import { at, cad, idOf } from '../testing/example.js';
import {
  applied,
  booked,
  bookedAtRegularFee,
  cancelledAppointment,
  linkedToSale,
  moved,
  noShow,
  noShowUndone,
  packageRemoved,
  rebooked,
  regular,
} from '../testing/example-appointment.js';
import { adjustedToZero, adjustmentUndone, invoiceContent, issued, received, regularFee, reissued } from '../testing/example-invoice.js';
import { offeringDefined, offeringDeleted, offeringId, offeringRestored } from '../testing/example-catalogue.js';
import { purchaseId, purchasePaid } from '../testing/example-purchase.js';
import { bookedSeries, planned, planOf, refusedSeries, shortOf } from '../testing/example-series.js';
import { listed, relisted, unlisted } from '../testing/example-offering-list.js';
import {
  cancelled,
  consumed,
  ended,
  expiryAdjusted,
  forfeited,
  fromFirstUse,
  p,
  remainingAdjusted,
  returned,
  sale,
  sessionMoved,
  sold,
  soldMassage,
} from '../testing/example-package.js';
import { following, on, streamsOf } from '../testing/policies.js';
import { booking } from './booking.js';
import { ending } from './ending.js';
import { policies } from './policies.js';

const [a1, i1, ip] = [`appointment-${idOf('a1')}`, `invoice-${idOf('i1')}`, `invoice-${idOf('ip')}`];
const invoiceOfSession = (event: AnyEvent) => (event.data as { invoice: Parameters<typeof issued>[0] }).invoice;

describe('a payment by card', () => {
  it('I4: sells what was bought online, with its payment, whose invoice follows', () => {
    const [sell, ...more] = following(policies, purchasePaid('2027-02-03'));
    expect(streamsOf([sell!, ...more])).toEqual([`new package-${p}`]);
    const payment = { paymentId: idOf('paid'), amount: cad(80_00), method: 'stripe' as const };
    const invoice = { ...sale().invoice, issuedOn: '2027-02-03' };
    const bought = sold({ channel: 'online', purchaseId, soldOn: '2027-02-03', invoice, payment });
    on(sell!)([]).emits([bought]);
  });
  it('D2: is received on the invoice that was there, also beyond what is owing', () => {
    const [receive] = following(policies, purchasePaid('2027-02-03', { sale: null }));
    expect(streamsOf([receive!])).toEqual([ip]);
    const invoiceOfSale = { ...sale().invoice, clientId: sale().clientId };
    const by = { invoiceId: idOf('ip'), paymentId: idOf('paid'), method: 'stripe' as const, receivedOn: '2027-02-03', purchaseId };
    const cash = received(1, 60_00, { paid: 60_00, refunded: 0, balance: 20_00 }, { invoiceId: idOf('ip') });
    on(receive!)([issued(invoiceOfSale), cash]).emits([received(2, 80_00, { paid: 140_00, refunded: 0, balance: -60_00 }, by)]);
    on(receive!)([issued(invoiceOfSale), received(2, 80_00, { paid: 80_00, refunded: 0, balance: 0 }, by)]).emits([]);
  });
});

describe('a sale', () => {
  it('D3: makes an invoice', () => {
    const [issue, ...more] = following(policies, sold());
    expect(streamsOf([issue!, ...more])).toEqual([`new ${ip}`]);
    on(issue!)([]).emits([issued(sale().invoice)]);
  });
  it('D3: with zero total, for tracking, when each appointment is paid', () => {
    const assigned = sold({ paymentMethod: 'paidEachAppointment', fee: cad(0) });
    const [issue] = following(policies, assigned);
    on(issue!)([]).emits([issued(invoiceOfSession(assigned), cad(0))]);
  });
  it('D1: is linked to the appointment from which it was made', () => {
    const commands = following(policies, sold({ appointmentId: idOf('a1') }));
    expect(streamsOf(commands)).toEqual([`new ${ip}`, a1]);
    on(commands[1]!)([bookedAtRegularFee(regularFee())]).emits([linkedToSale]);
  });
});

describe('a session that was consumed', () => {
  it('E2, E4: books its appointment, with an invoice that links to the package and its invoice', () => {
    const event = consumed('2027-02-01', 0);
    const [book, issue, ...more] = following(policies, event);
    expect(streamsOf([book!, issue!, ...more])).toEqual([`new ${a1}`, `new ${i1}`]);
    on(book!)([]).emits([booked()]);
    on(issue!)([]).emits([issued(invoiceOfSession(event), cad(0))]);
    expect(invoiceOfSession(event)).toMatchObject({ packageId: p, packageInvoiceId: idOf('ip') });
  });
  it('E5: books its appointment as one of the series', () => {
    const seriesId = idOf('series');
    const [book, ...more] = following(policies, consumed('2027-02-01', 0, { purpose: 'series', seriesId }));
    expect(streamsOf([book!, ...more])).toEqual([`new ${a1}`, `new ${i1}`]);
    on(book!)([]).emits([booked({ seriesId })]);
  });
  it('H2: books its cancelled appointment again, or is given back', () => {
    const event = consumed('2027-02-01', 0, { n: 2, appointmentId: idOf('a1'), invoiceId: idOf('i1'), purpose: 'rebooking' });
    const [rebook, ...more] = following(policies, event);
    expect(streamsOf([rebook!, ...more])).toEqual([a1]);
    const use = { packageId: p, consumptionId: idOf('c2') };
    on(rebook!)([booked(), cancelledAppointment('returned')]).emits([rebooked('returned', { use })]);
    on(rebook!)([booked(), cancelledAppointment('returned'), rebooked('returned')]).refuses('APPOINTMENT_NOT_CANCELLED');
    on(rebook!.refused!()[0]!)([sold(), event]).emits([returned(1, { n: 2, appointmentId: idOf('a1'), because: 'refused' })]);
  });
  it('E7: moved, takes its appointment with it', () => {
    const [follow, ...more] = following(policies, sessionMoved('2027-02-01', '2027-02-03', 0));
    expect(streamsOf([follow!, ...more])).toEqual([a1]);
    on(follow!)([booked()]).emits([moved('2027-02-03')]);
  });

  describe('for an appointment that is booked without a package', () => {
    const event = consumed('2027-02-01', 0, { purpose: 'application' });
    const [apply, ...more] = following(policies, event);

    it('E8: is applied to it', () => {
      expect(streamsOf([apply!, ...more])).toEqual([a1]);
      on(apply!)([bookedAtRegularFee(regularFee())]).emits([applied(invoiceOfSession(event))]);
    });
    it.each([
      ['uses another package by now', booked({ packageId: idOf('another'), consumptionId: idOf('c9') }), 'APPOINTMENT_HAS_PACKAGE'],
      ['is cancelled by now', cancelledAppointment('returned', { use: regular }), 'APPOINTMENT_NOT_BOOKED'],
    ])('E8: is given back when that %s', (_, since, code) => {
      on(apply!)([bookedAtRegularFee(regularFee()), since]).refuses(code);
      const [giveBack, ...rest] = apply!.refused!();
      expect(streamsOf([giveBack!, ...rest])).toEqual([`package-${p}`]);
      on(giveBack!)([sold(), event]).emits([returned(1, { because: 'refused' })]);
    });
    it('E3: given back, it works the expiry out again as on the day on which it was taken', () => {
      const rule = sold({ services: [soldMassage(1)], expiryRule: fromFirstUse(1, 'months') });
      const used = consumed('2027-02-01', 0, { purpose: 'application', expiresOn: '2027-03-01' });
      const [command] = following([booking], used, { time: '2027-03-02T04:00:00.000Z' }); // still 1 March in Toronto
      on(command!.refused!()[0]!)([rule, used]).emits([returned(1, { because: 'refused' })]);
    });
  });

  describe('because a no-show was undone', () => {
    const event = consumed('2027-02-01', 0, { n: 2, appointmentId: idOf('a1'), invoiceId: idOf('i1'), purpose: 'noShowUndone' });
    const [undo, ...more] = following(policies, event);
    const c2 = { packageId: p, consumptionId: idOf('c2') };

    it('H1: is the one that the appointment uses from now on', () => {
      expect(streamsOf([undo!, ...more])).toEqual([a1]);
      on(undo!)([booked(), noShow('returned')]).emits([noShowUndone('returned', { use: c2 })]);
    });
    it('H1: is given back when it was undone already', () => {
      on(undo!)([booked(), noShow('returned'), noShowUndone('returned', { use: { ...c2, consumptionId: idOf('c3') } })]).refuses(
        'NOT_A_NO_SHOW',
      );
      const [giveBack] = undo!.refused!();
      on(giveBack!)([sold(), event]).emits([returned(1, { n: 2, appointmentId: idOf('a1'), because: 'refused' })]);
    });
  });

  it('H2: a forfeit that is undone books a late cancellation again', () => {
    const [again] = following(policies, { type: 'SessionForfeitUndone', data: ended(0, { used: 1 }) });
    on(again!)([booked(), cancelledAppointment('forfeited')]).emits([rebooked('forfeited')]);
  });
  it('H1: a forfeit that is undone undoes the no-show', () => {
    const [undo, ...more] = following(policies, { type: 'SessionForfeitUndone', data: ended(0, { used: 1 }) });
    expect(streamsOf([undo!, ...more])).toEqual([a1]);
    on(undo!)([booked(), noShow('forfeited')]).emits([noShowUndone('forfeited')]);
  });
});

describe('an appointment', () => {
  const content = regularFee();
  const withoutPackage = bookedAtRegularFee(content);

  it('E4, E9: booked without a package, gets its invoice', () => {
    const [issue, ...more] = following(policies, bookedAtRegularFee(content));
    expect(streamsOf([issue!, ...more])).toEqual([`new ${i1}`]);
    on(issue!)([]).emits([issued(content)]);
  });
  it('E4: booked from a package, has one that came with the session', () => expect(following(policies, booked())).toEqual([]));
  it('E8, E9: to which a package was applied, gets its invoice anew', () => {
    const fromPackage = invoiceContent({ packageId: p, lines: [{ description: 'Massage (Relax)', serviceId: null, net: cad(0) }] });
    const [reissue, ...more] = following(policies, applied(fromPackage));
    expect(streamsOf([reissue!, ...more])).toEqual([i1]);
    on(reissue!)([issued(content)]).emits([reissued(fromPackage)]);
  });
  it('E8, E9: that was paid at that moment, uses no package, and the session comes back', () => {
    const [reissue] = following(policies, applied(regularFee([], { packageId: p })));
    on(reissue!)([issued(content), received(1, 100_00, { paid: 100_00, balance: 0 })]).refuses('INVOICE_PAID');
    const [remove, ...more] = reissue!.refused!();
    expect(streamsOf([remove!, ...more])).toEqual([a1]);
    const refused = packageRemoved({ because: 'refused' });
    on(remove!)([withoutPackage, applied(regularFee([], { packageId: p }))]).emits([refused]);
    const [giveBack, ...rest] = following(policies, refused);
    expect(streamsOf([giveBack!, ...rest])).toEqual([`package-${p}`]);
    on(giveBack!)([sold(), consumed('2027-02-01', 0)]).emits([returned(1, { because: 'refused' })]);
  });
  it('E8, E9: whose invoice is at the regular fee again, uses its package no more', () => {
    const removes = { packageId: p, consumptionId: idOf('c1'), moveTo: null };
    const [remove, ...more] = following(policies, reissued(content, { removes }));
    expect(streamsOf([remove!, ...more])).toEqual([a1]);
    on(remove!)([booked()]).emits([packageRemoved()]);
    const [giveBack, ...rest] = following(policies, packageRemoved());
    expect(streamsOf([giveBack!, ...rest])).toEqual([`package-${p}`]);
    on(giveBack!)([sold(), consumed('2027-02-01', 0)]).emits([returned(1, { because: 'removed' })]);
  });
  it('E9: whose package the package itself took away, gets its invoice anew', () => {
    const [, reissue, ...more] = following(policies, packageRemoved({ invoice: content }));
    expect(streamsOf([reissue!, ...more])).toEqual([i1]);
    on(reissue!)([issued(content)]).emits([reissued(content)]);
  });
});

describe('an appointment that does not take place', () => {
  const used = [sold(), consumed('2027-02-01', 0)];
  const owing = [issued(regularFee())];

  it.each([
    ['H2: cancelled', cancelledAppointment('returned'), 'cancelled'],
    ['H1: a no-show', noShow('returned'), 'noShow'],
  ] as [string, AnyEvent, 'cancelled' | 'noShow'][])('%s: its session is returned, its invoice adjusted to zero', (_, event, because) => {
    const [giveBack, adjust, ...more] = following(policies, event);
    expect(streamsOf([giveBack!, adjust!, ...more])).toEqual([`package-${p}`, i1]);
    on(giveBack!)(used).emits([returned(1, { because })]);
    on(adjust!)(owing).emits([adjustedToZero(100_00, { because })]);
  });
  it.each([
    ['H2: cancelled late', cancelledAppointment('forfeited', { late: true }), 'lateCancellation'],
    ['H1: a no-show', noShow('forfeited'), 'noShow'],
  ] as [string, AnyEvent, 'lateCancellation' | 'noShow'][])(
    '%s: its session is forfeited, its invoice stands (E9)',
    (_, event, because) => {
      const [forfeit, ...more] = following(policies, event);
      expect(streamsOf([forfeit!, ...more])).toEqual([`package-${p}`]);
      on(forfeit!)(used).emits([{ type: 'SessionForfeited', data: { ...ended(0, { used: 1 }), because } }]);
    },
  );
  it('E9: without a package, only its invoice is adjusted', () => {
    expect(streamsOf(following(policies, cancelledAppointment('returned', { use: regular })))).toEqual([i1]);
    expect(following(policies, noShow('forfeited', { use: regular }))).toEqual([]);
  });

  it('H3: return into a cancelled package', () => {
    const [giveBack] = following([ending], cancelledAppointment('returned'));
    on(giveBack!)([...used, cancelled]).emits([returned(1, { because: 'cancelled' })]);
  });
  it('H3: cancel, book again, late repeat of the first cancel', () => {
    const [giveBack, adjust] = following([ending], cancelledAppointment('returned'));
    on(giveBack!)([...used, returned(1, { because: 'cancelled' }), consumed('2027-02-01', 0, { n: 2 })]).emits([]);
    on(adjust!)([...owing, adjustedToZero(100_00)]).emits([]);
  });
  it('E3: the day of the return is the day on which the appointment ended', () => {
    const [giveBack] = following([ending], noShow('returned'), { time: '2027-06-01T12:00:00.000Z' }); // carried out late; marked on 1 February
    const rule = sold({ expiryRule: fromFirstUse(1, 'months') });
    on(giveBack!)([rule, consumed('2027-02-01', 0, { expiresOn: '2027-03-01' })]).emits([returned(1)]);
  });

  it('H2, E9: booked again, its invoice owes again if it was adjusted', () => {
    const [undo, ...more] = following(policies, rebooked('returned'));
    expect(streamsOf([undo!, ...more])).toEqual([i1]);
    on(undo!)([...owing, adjustedToZero(100_00)]).emits([adjustmentUndone(100_00)]);
    expect(following(policies, rebooked('forfeited'))).toEqual([]);
  });
  it('H2, E9: booked again at the regular fee, its invoice is issued anew, or it is cancelled again', () => {
    const [reissue, ...more] = following(policies, rebooked('returned', { use: regular, invoice: regularFee() }));
    expect(streamsOf([reissue!, ...more])).toEqual([i1]);
    on(reissue!)([...owing, adjustedToZero(100_00)]).emits([reissued(regularFee())]);
    const [again] = reissue!.refused!();
    on(again!)([booked(), cancelledAppointment('returned'), rebooked('returned', { use: regular })]).emits([
      cancelledAppointment('returned', { use: regular }),
    ]);
  });
  it('E9, H1: undone at the regular fee, its invoice is issued anew, or it is a no-show again', () => {
    const [reissue, ...more] = following(
      policies,
      noShowUndone('returned', { use: regular, invoice: regularFee([], { issuedOn: '2027-02-01' }) }),
    );
    expect(streamsOf([reissue!, ...more])).toEqual([i1]);
    on(reissue!)([...owing, adjustedToZero(100_00, { because: 'noShow' })]).emits([reissued(regularFee([], { issuedOn: '2027-02-01' }))]);
    on(reissue!)([...owing, received(1, 50_00, { paid: 50_00, balance: 50_00 })]).refuses('INVOICE_PAID');
    const [again] = reissue!.refused!();
    on(again!)([booked(), noShow('returned'), noShowUndone('returned', { use: regular })]).emits([noShow('returned', { use: regular })]);
  });
  it('H1: undone, its invoice owes again if it was adjusted', () => {
    const [undo, ...more] = following(policies, noShowUndone('returned'));
    expect(streamsOf([undo!, ...more])).toEqual([i1]);
    on(undo!)([...owing, adjustedToZero(100_00, { because: 'noShow' })]).emits([adjustmentUndone(100_00)]);
    expect(following(policies, noShowUndone('forfeited'))).toEqual([]);
  });
});

describe('a series', () => {
  const plan = shortOf(planOf([1, 2, 3]), [2, 3]); // one from the package, two at the regular fee
  const ofSeries = `series-${idOf('series')}`;
  const taken: AnyEvent = { type: 'SeriesTaken', data: { packageId: p, clientId: idOf('anna'), seriesId: idOf('series'), sessions: 1 } };
  const session = consumed('2027-02-08', 0, { purpose: 'series', seriesId: idOf('series') });

  it('E5: that is planned, asks its package for all its sessions, and is refused when it says no', () => {
    const [take, ...more] = following(policies, planned(plan));
    expect(streamsOf([take!, ...more])).toEqual([`package-${p}`]);
    on(take!)([sold()]).emits([session, taken]);
    on(take!)([sold(), consumed('2027-02-01', 0, { n: 9 })]).refuses('NO_SESSIONS_LEFT');
    const [refuse, ...rest] = take!.refused!();
    expect(streamsOf([refuse!, ...rest])).toEqual([ofSeries]);
    on(refuse!)([planned(plan)]).emits([refusedSeries]);
    expect(following(policies, refusedSeries)).toEqual([]);
  });
  it('G3: its sessions rest on the link that was read when it was planned', () => {
    const read = { [`clientLink-${idOf('anna')}~${idOf('ben')}`]: '3' };
    expect(following(policies, planned(plan), { read })).toMatchObject([{ read }]);
  });
  it('E5: whose sessions were taken, is booked', () => {
    const [book, ...more] = following(policies, taken);
    expect(streamsOf([book!, ...more])).toEqual([ofSeries]);
    on(book!)([planned(plan)]).emits([bookedSeries(plan)]);
  });
  it('E4, E5: that is booked, books what is at the regular fee, each with an invoice of its own', () => {
    const [second, third, ...more] = following(policies, bookedSeries(plan));
    expect(streamsOf([second!, third!, ...more])).toEqual([`new appointment-${idOf('a2')}`, `new appointment-${idOf('a3')}`]);
    const content = regularFee([], { invoiceId: idOf('i2'), appointmentId: idOf('a2'), issuedOn: '2027-01-31' });
    const own = { ...regular, appointmentId: idOf('a2'), invoiceId: idOf('i2'), seriesId: idOf('series') };
    on(second!)([]).emits([booked({ ...own, ...at('2027-02-09'), invoice: content })]);
  });
  it('E5: that needs no session asks no package', () => expect(following(policies, planned(shortOf(planOf([1, 2]), [1, 2])))).toEqual([]));
});

describe('an offering', () => {
  const list = `offeringList-${idOf('clinic')}`;
  it.each([
    ['C8: defined, is listed', offeringDefined(), [], listed(offeringId, 0)],
    ['C7: deleted, is left out', offeringDeleted, [listed(offeringId, 0, '-1')], unlisted(offeringId, '0')],
    ['C7: restored, is back in its place', offeringRestored, [listed(offeringId, 0, '-1')], relisted(offeringId, '0')],
  ] as const)('%s', (_, event, history, follows) => {
    const [command, ...more] = following(policies, event);
    expect(streamsOf([command!, ...more])).toEqual([list]);
    on(command!)(history).emits([follows]);
  });
});

describe('what ends with itself', () => {
  it.each([
    ['H1: a session returned', returned(1)],
    ['E7: an appointment moved', moved('2027-02-03')],
    ['H1: a session forfeited', forfeited(0)],
    ['F1: remaining adjusted', remainingAdjusted(1, 2)],
    ['F2: expiry adjusted', expiryAdjusted(null, '2027-06-30')],
    ['H4: a package cancelled: appointments already booked stay as they are', cancelled],
  ])('%s', (_, event) => expect(following(policies, event)).toEqual([]));
});
