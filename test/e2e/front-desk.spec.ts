import type { Money } from '../../libs/domain/kernel/shapes.js';
import { Clinic, openClinic, type Booked, type Invoice, type OfferingSaid, type Page, type Sold } from '../support/clinic.js';
import { unexplained } from '../support/explained.js';
import { type Service, startService } from '../support/service.js';

interface Bookable {
  serviceId: string;
  remaining: number | null;
  feeNote: { text: string; charge: { net: Money; total: Money } };
}
interface Session {
  appointmentId: string;
  serviceName: string;
  start: string;
  outcome: string;
  place: string | null;
}

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

describe('what the front desk looks up', () => {
  const bookable = ({ packageId }: Pick<Sold, 'packageId'>, query = '') =>
    clinic.owner.get<{ expiresOn: string | null; items: Bookable[] }>(`/v1/packages/${packageId}/bookable-services${query}`);
  const idsOf = ({ items }: Page<Booked>): string[] => items.map(({ appointmentId }) => appointmentId);

  it('E1: each available package says what an appointment costs with it: nothing more, or the fee of its sale with the taxes of now', async () => {
    const clientId = await clinic.client();
    const upfront = await clinic.sell({ expiryRule: { kind: 'onDate', date: clinic.day(5) } }, { clientId });
    const eachTime = await clinic.sell(clinic.eachAppointment(), { clientId });
    const { items } = await clinic.owner.get<Page<Sold & { services: Bookable[] }>>(`/v1/packages/available?clientId=${clientId}`);
    expect(items).toMatchObject([
      {
        ...{ packageId: upfront.packageId, expiresOn: clinic.day(5) },
        services: [{ remaining: 5, feeNote: { text: 'Nothing more', charge: { total: clinic.money(0) } } }],
      },
      {
        ...{ packageId: eachTime.packageId, expiresOn: null },
        services: [
          {
            remaining: 5,
            feeNote: { text: '60.00 CAD plus taxes', charge: { net: clinic.money(6_000), taxes: [{ name: 'GST' }, { name: 'QST' }] } },
          },
        ],
      },
    ]);
    const booked = await clinic.book(eachTime);
    expect(booked.charge).toEqual(items[1]!.services[0]!.feeNote.charge);
  });

  it('E1, B2: starting from a package, its services that can be booked', async () => {
    const { massage, facial } = clinic.has;
    const price = clinic.money(4_000);
    const { serviceId: yoga } = await clinic.owner.post<{ serviceId: string }>('/v1/services', {
      name: 'Yoga',
      durationMinutes: 60,
      price,
    });
    const services = [massage, facial, yoga].map((serviceId) => ({ serviceId, limit: serviceId === massage ? 1 : ('unlimited' as const) }));
    const sold = await clinic.sell({ services, expiryRule: { kind: 'after', from: 'purchase', amount: 3, unit: 'days' } });
    const servicesIn = async (query = '') => (await bookable(sold, query)).items.map(({ serviceId }) => serviceId);
    expect(await servicesIn()).toEqual([massage, facial, yoga]);
    expect(await bookable(sold)).toMatchObject({ expiresOn: clinic.day(3), items: [{ remaining: 1 }, { remaining: null }, {}] });

    await clinic.book(sold); // the only massage
    await clinic.owner.patch(`/v1/services/${yoga}`, { active: false });
    expect(await servicesIn()).toEqual([facial]);
    await clinic.owner.patch(`/v1/services/${facial}`, { publiclyDisplayed: false }); // staff still book it
    expect(await servicesIn(`?start=${clinic.in(2)}`)).toEqual([facial]);
    expect(await servicesIn(`?start=${clinic.in(5)}`)).toEqual([]); // expired by then
    expect(await servicesIn(`?start=${clinic.in(-2)}`)).toEqual([]); // before the sale
    await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {});
    expect(await servicesIn()).toEqual([]);
    await clinic.owner.patch(`/v1/services/${facial}`, { publiclyDisplayed: true });
  });

  it('E2: the sessions of a package by when they are, each with its place, page by page', async () => {
    const sold = await clinic.sell();
    const [third, first, second] = [
      await clinic.book(sold, { start: clinic.in(3) }),
      await clinic.book(sold, { start: clinic.in(1) }),
      await clinic.book(sold, { start: clinic.in(2) }),
    ];
    await clinic.end(first, 'cancel');
    await clinic.end(second, 'no-show', { session: 'forfeited' });
    const sessions = (query = '') => clinic.owner.get<Page<Session>>(`/v1/packages/${sold.packageId}/sessions${query}`);
    expect(await sessions()).toMatchObject({
      items: [
        { appointmentId: first.appointmentId, serviceName: 'Massage', start: first.start, outcome: 'returned', place: null },
        { appointmentId: second.appointmentId, start: second.start, outcome: 'forfeited', place: 'Session 1 of 5' },
        { appointmentId: third.appointmentId, start: third.start, outcome: 'standing', place: 'Session 2 of 5' },
      ],
      next: null,
    });
    const page = await sessions('?limit=2');
    expect((await sessions(`?limit=2&cursor=${page.next}`)).items).toMatchObject([{ appointmentId: third.appointmentId }]);
    expect((await sessions('?outcome=standing')).items).toMatchObject([{ appointmentId: third.appointmentId }]);
    expect((await sessions(`?serviceId=${clinic.has.facial}`)).items).toEqual([]);
  });

  it('E5, J1: appointments of a series, and those of a day of the business', async () => {
    const abroad = await openClinic(service, { timeZone: 'Pacific/Kiritimati' }); // 14 hours ahead of UTC
    const { massage: serviceId, providerId } = abroad.has;
    const clientId = await abroad.client();
    const rule = { start: '2031-03-01T09:00:00+14:00', every: 'day', count: 3 };
    const { seriesId, items } = await abroad.owner.post<{ seriesId: string; items: Booked[] }>('/v1/series', {
      ...{ clientId, serviceId, providerId, rule },
    });
    const [march1, march2, march3] = items.map(({ appointmentId }) => appointmentId);
    const late = await abroad.bookWithout({ clientId, start: '2031-03-01T23:59:00+14:00' });
    const found = async (query: string) => idsOf(await abroad.owner.get<Page<Booked>>(`/v1/appointments?${query}`));
    expect(await found(`seriesId=${seriesId}`)).toEqual([march1, march2, march3]);
    expect(await found('onFrom=2031-03-01&onUntil=2031-03-01')).toEqual([march1, late.appointmentId]);
    expect(await found('onFrom=2031-03-02')).toEqual([march2, march3]);
    expect(await found(`onFrom=2031-03-01&from=2031-03-01T10:00:00Z&status=booked&providerId=${providerId}`)).toEqual([march2, march3]);
    const ofClient = await abroad.owner.get<Page<Booked>>(`/v1/clients/${clientId}/appointments?onUntil=2031-03-01&descending=true`);
    expect(idsOf(ofClient)).toEqual([late.appointmentId, march1]);
  });

  it('H4: a package that is cancelled lists the appointments that are paid and so did not move to the regular fee', async () => {
    const sold = await clinic.sell(clinic.eachAppointment());
    const [paid, unpaid] = [await clinic.book(sold, { start: clinic.in(2) }), await clinic.book(sold, { start: clinic.in(3) })];
    const { paymentId } = await clinic.owner.post<{ paymentId: string }>(`/v1/invoices/${paid.invoiceId}/payments`, {
      ...{ amount: clinic.money(6_899), method: 'cash' },
    });
    await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, { appointments: 'regularFee' });
    expect(await clinic.package(sold)).toMatchObject({
      notMoved: [{ appointmentId: paid.appointmentId, consumptionId: paid.consumptionId, invoiceId: paid.invoiceId }],
    });
    expect(await clinic.appointment(unpaid)).toMatchObject({ packageId: null });

    await clinic.owner.post(`/v1/invoices/${paid.invoiceId}/payments/${paymentId}/void`, {}); // the desk sees to it
    await clinic.owner.delete(`/v1/appointments/${paid.appointmentId}/package`);
    expect(await clinic.package(sold)).toMatchObject({ notMoved: [], remaining: 5 });
    expect(await clinic.invoice(paid)).toMatchObject({ total: 9_198, balance: 9_198 });
  });
});

// One day, told from morning to evening. Whoever is at the desk is a receptionist; the owner sets up what is sold, and refunds.
describe('a day at the front desk', () => {
  let house: Clinic; // as the owner has it
  let desk: Clinic; // as the receptionist has it
  beforeAll(async () => {
    house = await openClinic(service);
    desk = new Clinic(service, house.business, await house.as('receptionist'), house.has);
    await house.owner.patch('/v1/settings', { settings: { onLateCancellation: 'forfeited', lateCancellationWindowMinutes: 24 * 60 } });
  });

  const TEN_MINUTES = 1 / 144; // days
  const TOTAL = 34_493; // five massages upfront, 300.00 with both taxes
  const REGULAR = 9_198; // a massage, 80.00 with both taxes

  /** From an offering of the owner's, at the desk. */
  const sell = async (clientId: string, said: OfferingSaid = {}, sale: object = {}): Promise<Sold> =>
    desk.owner.post<Sold>('/v1/packages', { offeringId: await house.offering(said), clientId, ...sale });
  const pay = ({ invoiceId }: { invoiceId: string }, amount: number) =>
    desk.owner.post<{ balance: number; paymentId: string }>(`/v1/invoices/${invoiceId}/payments`, {
      ...{ amount: desk.money(amount), method: 'cardTerminal' },
    });
  const available = async (clientId: string): Promise<string[]> =>
    (await desk.owner.get<Page<Sold>>(`/v1/packages/available?clientId=${clientId}`)).items.map(({ packageId }) => packageId);
  const sessionsOf = async ({ packageId }: Sold): Promise<Session[]> =>
    (await desk.owner.get<Page<Session>>(`/v1/packages/${packageId}/sessions`)).items;
  const refused = ({ appointmentId }: Booked, how: string, body: object) =>
    desk.owner.refused(409, 'POST', `/v1/appointments/${appointmentId}/${how}`, { body });

  it('E4, E9, D2: somebody walks in, pays the regular fee, and comes again', async () => {
    const walkIn = await desk.client('Wanda Low');
    expect(await available(walkIn)).toEqual([]);
    const booked = await desk.bookWithout({ clientId: walkIn, start: desk.in(0) });
    expect(booked).toMatchObject({ charge: { total: desk.money(REGULAR) }, packageId: null });
    expect(await pay(booked, REGULAR)).toMatchObject({ balance: 0 });
    expect(await desk.end(booked, 'complete')).toMatchObject({ status: 'completed' });
  });

  it('D1, D2, E8: another walks in, and buys a package for it: a part is paid now, the rest later', async () => {
    const walkIn = await desk.client('Walter High');
    const booked = await desk.bookWithout({ clientId: walkIn, start: desk.in(TEN_MINUTES) });
    const from = { appointmentId: booked.appointmentId, applyToAppointment: true };
    const sold = await sell(walkIn, {}, { ...from, payment: { amount: desk.money(10_000), method: 'cash' } });
    expect(await desk.invoice(booked)).toMatchObject({ total: 0, balance: 0, packageInvoiceId: sold.invoiceId });
    expect(await desk.invoice(sold)).toMatchObject({ total: TOTAL, balance: TOTAL - 10_000 });
    expect(await pay(sold, TOTAL - 10_000)).toMatchObject({ balance: 0 });
    expect(await sessionsOf(sold)).toMatchObject([{ appointmentId: booked.appointmentId, place: 'Session 1 of 5' }]);
    expect(await available(walkIn)).toEqual([sold.packageId]);
  });

  it('G3, G4: a family shares a package; one of them no longer, who keeps what is booked', async () => {
    const [mother, child, partner] = [await desk.client('Anna Tremblay'), await desk.client('Ben Tremblay'), await desk.client('Carl Roy')];
    const sold = await sell(mother);
    await desk.link(mother, child, { gives: { usePackages: true } });
    await desk.link(mother, partner, { relationship: 'partner', gives: { usePackages: true } });
    for (const member of [mother, child, partner]) expect(await available(member)).toEqual([sold.packageId]);
    expect((await desk.book(sold, { clientId: child, start: desk.in(2) })).session).toMatchObject({ remaining: 4 });
    const his = await desk.book(sold, { clientId: partner, start: desk.in(1) });
    expect(his.session).toMatchObject({ remaining: 3, place: 'Session 1 of 5' });

    await desk.owner.patch(`/v1/clients/${mother}/links/${partner}`, { gives: { usePackages: false } });
    expect(await available(partner)).toEqual([]);
    const body = desk.booking({ clientId: partner }, sold.packageId);
    expect(await desk.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
    expect(await desk.end(his, 'move', { start: desk.in(3) })).toMatchObject({ packageId: sold.packageId });
    expect((await sessionsOf(sold)).map(({ place }) => place)).toEqual(['Session 1 of 5', 'Session 2 of 5']);
  });

  it('E5: a series is longer than the package: the preview says so, the rest is at the regular fee', async () => {
    const client = await desk.client('Serge Long');
    const sold = await sell(client, house.eachAppointment(3));
    const { massage: serviceId, providerId } = desk.has;
    const rule = { start: desk.in(1), every: 'week', count: 5 };
    const body = { clientId: client, packageId: sold.packageId, serviceId, providerId, rule };
    const { items: planned } = await desk.owner.post<{ items: { shortage: string | null }[] }>('/v1/series/preview', body);
    expect(planned.map(({ shortage }) => shortage)).toEqual([null, null, null, 'NO_SESSIONS_LEFT', 'NO_SESSIONS_LEFT']);
    const { seriesId } = await desk.owner.post<{ seriesId: string }>('/v1/series', body);
    const { items } = await desk.owner.get<Page<Booked>>(`/v1/appointments?seriesId=${seriesId}`);
    expect(items.map(({ packageId }) => packageId === sold.packageId)).toEqual([true, true, true, false, false]);
    const invoices = await Promise.all(items.map((booked) => desk.invoice(booked)));
    expect(invoices.map(({ balance }) => balance)).toEqual([6_899, 6_899, 6_899, REGULAR, REGULAR]);
    expect(await desk.package(sold)).toMatchObject({ remaining: 0 });
    expect(await available(client)).toEqual([]);
  });

  it('H1: somebody does not come; it was a mistake; and the next time it counts', async () => {
    const sold = await sell(await desk.client('Nora Show'));
    const booked = await desk.book(sold, { start: desk.in(0) });
    expect(await desk.end(booked, 'no-show')).toMatchObject({ status: 'noShow', outcome: 'returned' });
    expect(await desk.package(sold)).toMatchObject({ remaining: 5 });
    expect(await desk.end(booked, 'no-show/undo')).toMatchObject({ status: 'booked' });
    expect(await desk.package(sold)).toMatchObject({ remaining: 4 });
    expect(await desk.end(booked, 'no-show', { session: 'forfeited', reason: 'The third time' })).toMatchObject({ outcome: 'forfeited' });
    expect(await desk.package(sold)).toMatchObject({ remaining: 4 });
    expect((await sessionsOf(sold)).map(({ outcome }) => outcome).toSorted()).toEqual(['forfeited', 'returned']);
  });

  it('H2: a client cancels late and forfeits, but for a good reason does not', async () => {
    const sold = await sell(await desk.client('Lara Late'), house.eachAppointment());
    const [late, sick, early] = [await desk.book(sold), await desk.book(sold), await desk.book(sold, { start: desk.in(9) })];
    const soon = { start: desk.in(0.5) };
    for (const booked of [late, sick]) await desk.end(booked, 'move', soon);
    const cancel = (booked: Booked, said: object = {}) => desk.end(booked, 'cancel', { requestedBy: 'client', ...said });
    expect(await cancel(late)).toMatchObject({ status: 'cancelled', outcome: 'forfeited' });
    expect(await cancel(sick, { session: 'returned', reason: 'In hospital' })).toMatchObject({ outcome: 'returned' });
    expect(await cancel(early)).toMatchObject({ outcome: 'returned' });
    expect(await desk.package(sold)).toMatchObject({ remaining: 4 });
    expect(await desk.invoice(late)).toMatchObject({ balance: 6_899 }); // forfeited, it stands
    expect(await desk.invoice(sick)).toMatchObject({ total: 6_899, adjustments: -6_899, balance: 0 });
    expect(await desk.end(early, 'rebook')).toMatchObject({ status: 'booked', session: { remaining: 3 } });
    expect(await desk.invoice(early)).toMatchObject({ balance: 6_899 });
  });

  it('E7, E8, F2: somebody reschedules across the expiry: at the regular fee, or with an expiry that the desk sets', async () => {
    const sold = await sell(await desk.client('Max Later'), { expiryRule: { kind: 'after', from: 'purchase', amount: 7, unit: 'days' } });
    const booked = await desk.book(sold, { start: desk.in(5) });
    const tooLate = { start: desk.in(10) };
    expect(await refused(booked, 'move', tooLate)).toMatchObject({ code: 'PACKAGE_EXPIRED', details: { expiresOn: desk.day(7) } });
    const moved = await desk.end(booked, 'move', { ...tooLate, onInvalid: 'regularFee' });
    expect(moved).toMatchObject({ on: desk.day(10), packageId: null, charge: { total: desk.money(REGULAR) } });
    expect(await desk.package(sold)).toMatchObject({ remaining: 5 });

    await desk.owner.put(`/v1/packages/${sold.packageId}/expiry`, { expiresOn: desk.day(14), seen: sold.expiresOn, reason: 'Was ill' });
    expect(await desk.end(booked, 'package', { packageId: sold.packageId })).toMatchObject({
      session: { remaining: 4, expiresOn: desk.day(14) },
    });
    expect(await desk.invoice(booked)).toMatchObject({ total: 0, balance: 0 });
  });

  it.each([
    ['outstandingBalance', { adjustments: 0, refunded: 10_000, balance: 10_000 }],
    ['noOutstandingBalance', { adjustments: -10_000, refunded: 10_000, balance: 0 }],
  ])('H4, H5: a package is cancelled and refunded in part, with %s', async (outcome, expected) => {
    const sold = await sell(await desk.client('Rita Fund'), {}, { payment: { amount: desk.money(TOTAL), method: 'cardTerminal' } });
    const past = await desk.book(sold, { start: desk.in(0) });
    await desk.end(past, 'complete');
    const path = `/v1/packages/${sold.packageId}`;
    const refund = { amount: desk.money(10_000), outcome, method: 'cardTerminal', notes: 'Moves away' };
    await desk.owner.refused(403, 'POST', `${path}/refunds`, { body: refund }); // the owner's business
    expect(await house.owner.refused(409, 'POST', `${path}/refunds`, { body: refund })).toMatchObject({ code: 'PACKAGE_NOT_CANCELLED' });
    await desk.owner.post(`${path}/cancel`, { reason: 'Moves away' });
    expect(await desk.owner.get(`${path}/suggested-refund`)).toMatchObject({ paid: desk.money(TOTAL), refunded: desk.money(0) });
    await house.owner.post(`${path}/refunds`, refund);
    expect(await desk.invoice(sold)).toMatchObject({ total: TOTAL, paid: TOTAL, ...expected });
    expect(await desk.package(sold)).toMatchObject({ status: 'cancelled', refunded: 10_000, remaining: 4 });
    expect(await desk.appointment(past)).toMatchObject({ status: 'completed', packageId: sold.packageId });
  });

  it('K1, F3, J5: in the evening, the histories explain every number on the screen', async () => {
    const invoices = await desk.owner.get<Page<Invoice>>('/v1/invoices?limit=200');
    expect(invoices.items.length).toBeGreaterThan(20);
    expect(await unexplained(house.owner)).toEqual([]);
  });
});
