import type { Money } from '../../libs/domain/kernel/shapes.js';
import { type Booked, type Clinic, openClinic, type Page, type Sold } from '../support/clinic.js';
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
