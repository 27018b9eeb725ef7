import { Temporal } from 'temporal-polyfill';
import type { Booked, Clinic, Page, Sold } from '../support/clinic.js';
import { openClinic } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

interface Item {
  appointmentId: string;
  invoiceId: string;
  start: string;
  on: string;
  packageId: string | null;
  shortage: string | null;
  charge: { total: { amount: number } };
  session: { remaining: number | null; expiresOn: string | null; place: string | null } | null;
}
interface Series {
  seriesId: string;
  items: Item[];
}

withProjectorAlone((at) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  const body = ({ packageId, clientId }: Partial<Sold>, said: object) => ({
    ...{ clientId, packageId, serviceId: clinic.has.massage, providerId: clinic.has.providerId, ...said },
  });
  const daily = (count: number, first = 1) => ({ rule: { start: clinic.in(first), every: 'day', count } });
  const book = (sold: Partial<Sold>, said: object) => clinic.owner.post<Series>('/v1/series', body(sold, said));
  const preview = (sold: Partial<Sold>, said: object) => clinic.owner.post<Series>('/v1/series/preview', body(sold, said));
  const refused = (sold: Partial<Sold>, said: object, status = 409) =>
    clinic.owner.refused(status, 'POST', '/v1/series', { body: body(sold, said) });
  const planOf = ({ items }: Series) =>
    items.map(({ start, packageId, shortage, session, charge }) => ({ start, packageId, shortage, session, charge }));
  const appointmentsOf = async ({ clientId }: Sold) => {
    await clinic.service.settled();
    return (await clinic.owner.get<Page<Booked & { seriesId: string }>>(`/v1/appointments?clientId=${clientId}`)).items;
  };

  it('E5: takes the sessions that are left, in date order, and books the rest at the regular fee; the preview says so before', async () => {
    const sold = await clinic.sell(clinic.eachAppointment(2));
    const before = await preview(sold, daily(4));
    expect(await clinic.package(sold)).toMatchObject({ remaining: 2 });
    expect(await appointmentsOf(sold)).toEqual([]);
    const series = await book(sold, daily(4));
    expect(
      series.items.map(({ packageId, shortage, session, charge }) => [
        packageId,
        shortage,
        session?.remaining,
        session?.place,
        charge.total.amount,
      ]),
    ).toEqual([
      [sold.packageId, null, 1, 'Session 1 of 2', 6_899],
      [sold.packageId, null, 0, 'Session 2 of 2', 6_899],
      [null, 'NO_SESSIONS_LEFT', undefined, undefined, 9_198],
      [null, 'NO_SESSIONS_LEFT', undefined, undefined, 9_198],
    ]);
    expect(planOf(before).map(({ start: _, ...item }) => item)).toEqual(planOf(series).map(({ start: _, ...item }) => item));
    const booked = await appointmentsOf(sold);
    expect(booked.map(({ appointmentId, seriesId, packageId }) => [appointmentId, seriesId, packageId])).toEqual(
      series.items.map((item) => [item.appointmentId, series.seriesId, item.packageId]),
    );
    for (const item of series.items)
      expect(await clinic.invoice(item)).toMatchObject({ total: item.charge.total.amount, appointmentId: item.appointmentId });
    expect(await clinic.package(sold)).toMatchObject({ remaining: 0 });
  });

  it('E5: series crosses the expiry with sessions left', async () => {
    const sold = await clinic.sell({ expiryRule: { kind: 'onDate', date: clinic.day(2) } });
    const { items } = await book(sold, daily(4));
    expect(items.map(({ on, packageId, shortage }) => [on, packageId, shortage])).toEqual([
      [clinic.day(1), sold.packageId, null],
      [clinic.day(2), sold.packageId, null],
      [clinic.day(3), null, 'PACKAGE_EXPIRED'],
      [clinic.day(4), null, 'PACKAGE_EXPIRED'],
    ]);
    expect(await clinic.package(sold)).toMatchObject({ remaining: 3 });
  });

  it('E3, E5: with an expiry that counts from first use, its own first session decides', async () => {
    const sold = await clinic.sell({ expiryRule: { kind: 'after', from: 'firstUse', amount: 8, unit: 'days' } });
    const { items } = await book(sold, { rule: { start: clinic.in(3), every: 'week', count: 3 } });
    expect(items.map(({ shortage, session }) => [shortage, session?.expiresOn])).toEqual([
      [null, clinic.day(11)],
      [null, clinic.day(11)],
      ['PACKAGE_EXPIRED', undefined],
    ]);
  });

  it('E5: with onShortage refuse nothing is booked, and the dates without a session are named', async () => {
    const sold = await clinic.sell(clinic.eachAppointment(2));
    const refusal = await refused(sold, { ...daily(3), onShortage: 'refuse' });
    expect(refusal).toMatchObject({ code: 'SERIES_SHORT', details: { dates: [{ on: clinic.day(3), shortage: 'NO_SESSIONS_LEFT' }] } });
    expect(await appointmentsOf(sold)).toEqual([]);
    expect(await clinic.package(sold)).toMatchObject({ remaining: 2 });
    expect((await book(sold, { ...daily(2), onShortage: 'refuse' })).items).toHaveLength(2);
  });

  it('E5: by dates, in their order, and without a package', async () => {
    const clientId = await clinic.client();
    const { items } = await book({ clientId }, { starts: [clinic.in(9), clinic.in(2), clinic.in(5)], durationMinutes: 30 });
    expect(items.map(({ on, packageId, shortage }) => [on, packageId, shortage])).toEqual(
      [2, 5, 9].map((days) => [clinic.day(days), null, null]),
    );
    expect(await appointmentsOf({ clientId } as Sold)).toHaveLength(3);
  });

  it('D5, E5: the same request sent twice books one series', async () => {
    const sold = await clinic.sell();
    const sent = body(sold, daily(7));
    const send = () => clinic.owner.post<Series>('/v1/series', sent, { 'idempotency-key': `series ${sold.packageId}` });
    const [first, second] = await Promise.all([send(), send()]);
    expect(second).toMatchObject({ seriesId: first.seriesId, items: first.items });
    await clinic.book({ packageId: sold.packageId, clientId: sold.clientId }).catch(() => undefined);
    expect((await send()).items).toEqual(first.items);
    expect(await appointmentsOf(sold)).toHaveLength(7);
    expect(await clinic.package(sold)).toMatchObject({ remaining: 0 });
  });

  it('E5: two hundred at once', async () => {
    const sold = await clinic.sell(clinic.eachAppointment(150));
    const sent = { body: body(sold, daily(200)), headers: { 'idempotency-key': `two hundred ${sold.packageId}` } };
    let answer = await clinic.owner.send<Series>('POST', '/v1/series', sent);
    while (answer.status === 503) answer = await clinic.owner.send<Series>('POST', '/v1/series', sent); // a busy machine: as its answer says
    const { items } = answer.body;
    expect(items.filter(({ packageId }) => packageId !== null)).toHaveLength(150);
    await clinic.service.settled();
    expect(await clinic.package(sold)).toMatchObject({ remaining: 0, services: [{ used: 150 }] });
  });

  it('E5: what cannot be a series is told, and nothing is booked', async () => {
    const sold = await clinic.sell();
    const start = clinic.in(1);
    const codeOf = async (said: object) => (await refused(sold, said, 400)).errors?.map(({ field, code }) => `${field} ${code}`);
    expect(await codeOf({})).toEqual(['/starts ONE_OF']);
    expect(await codeOf({ rule: { start, every: 'day' } })).toEqual(['/rule/until ONE_OF']);
    expect(await codeOf({ rule: { start, every: 'day', until: '2100-01-01' } })).toEqual(['/rule NOT_A_SERIES']);
    expect(await codeOf({ rule: { start, every: 'year', count: 2 } })).toEqual(['/rule/every NOT_ONE_OF']);
    const spellings = ['2031-03-23T09:00:00.000Z', '2031-03-24T09:00:00Z', '2031-03-23T10:00:00+01:00', '2031-03-24T04:00:00-05:00'];
    expect(await codeOf({ starts: spellings })).toEqual(['/starts/2 TWICE', '/starts/3 TWICE']); // the same instants
    expect(await refused({ ...sold, clientId: await clinic.client() }, daily(2))).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
    await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {});
    expect(await refused(sold, daily(2))).toMatchObject({ code: 'PACKAGE_CANCELLED' });
  });

  it('E5: keeps the time on the wall of the business across a change of its clocks', async () => {
    const abroad = await openClinic(clinic.service, { timeZone: 'Europe/Berlin' });
    const said = { clientId: await abroad.client(), serviceId: abroad.has.massage, providerId: abroad.has.providerId };
    const rule = { start: '2031-03-23T10:00:00+01:00', every: 'week', until: '2031-04-06' };
    const { items } = await abroad.owner.post<Series>('/v1/series/preview', { ...said, rule });
    const walls = items.map(({ start }) => Temporal.Instant.from(start).toZonedDateTimeISO('Europe/Berlin').toPlainTime().toString());
    expect(walls).toEqual(['10:00:00', '10:00:00', '10:00:00']);
    expect(items.map(({ start }) => start)).toEqual(['2031-03-23T09:00:00.000Z', '2031-03-30T08:00:00.000Z', '2031-04-06T08:00:00.000Z']);
  });
});
