import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import type { Booked, Clinic, Invoice, Page, Sold } from '../support/clinic.js';
import { openClinic } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

withProjectorAlone((at) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  const available = (clientId: string, query = ''): Promise<Page<Sold>> =>
    clinic.owner.get<Page<Sold>>(`/v1/packages/available?clientId=${clientId}${query}`);
  const idsOf = ({ items }: Page<Sold>): string[] => items.map(({ packageId }) => packageId);
  const plus = (date: string, days: number): string => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);

  describe('selling', () => {
    it('D1, D3, D4: sells a package paid upfront, with its invoice, to be booked from at once', async () => {
      const sold = await clinic.sell();
      expect(sold).toMatchObject({
        ...{ name: 'Five massages', status: 'sold', paymentMethod: 'paidUpfront', currency: 'CAD', expiresOn: null, sessions: [] },
        services: [{ serviceId: clinic.has.massage, limit: 5, remaining: 5, adjustments: 0, used: 0, fee: null }],
      });
      expect((await clinic.book(sold)).session).toMatchObject({ remaining: 4, place: 'Session 1 of 5' });
      expect(await clinic.invoice(sold)).toMatchObject({
        ...{ kind: 'package', clientId: sold.clientId, packageId: sold.packageId, appointmentId: null, currency: 'CAD' },
        lines: [
          {
            description: 'Five massages',
            taxes: [
              { rate: '5', amount: clinic.money(1_500) },
              { rate: '9.975', amount: clinic.money(2_993) },
            ],
          },
        ],
        ...{ net: 30_000, tax: 4_493, total: 34_493, adjustments: 0, balance: 34_493 },
      });
    });

    it('D1, D3: assigns a package paid each appointment, with an invoice of zero for tracking', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      expect(sold).toMatchObject({ paymentMethod: 'paidEachAppointment', services: [{ fee: clinic.money(6_000), remaining: 5 }] });
      expect(await clinic.invoice(sold)).toMatchObject({
        kind: 'package',
        packageId: sold.packageId,
        net: 0,
        tax: 0,
        total: 0,
        balance: 0,
      });
    });

    it('D1: from an appointment, which is then linked to the sale and takes no session', async () => {
      const booked = await clinic.bookWithout();
      await clinic.service.settled();
      const sold = await clinic.sell({}, { clientId: booked.clientId, appointmentId: booked.appointmentId });
      expect(sold.services).toMatchObject([{ remaining: 5, used: 0 }]);
      expect(await clinic.appointment(booked)).toMatchObject({ soldPackageIds: [sold.packageId], packageId: null, consumptionId: null });
      expect(await clinic.invoice(sold)).toMatchObject({ appointmentId: booked.appointmentId });
      expect(await clinic.invoice(booked)).toMatchObject({ total: 9_198, balance: 9_198 });
      const another = await clinic.sell({}, { clientId: booked.clientId, appointmentId: booked.appointmentId });
      expect(await clinic.appointment(booked)).toMatchObject({ soldPackageIds: [sold.packageId, another.packageId] }); // it is linked to both
    });

    it.each([
      ['paid upfront: nothing is owing on its invoice', (): object => ({}), { net: 0, tax: 0, total: 0, balance: 0 }],
      [
        'paid each appointment: its invoice has the adjusted fee',
        () => clinic.eachAppointment(),
        { net: 6_000, tax: 899, total: 6_899, balance: 6_899 },
      ],
    ])('D1: applied to the appointment it is sold from, %s', async (_, said, expected) => {
      const booked = await clinic.bookWithout();
      await clinic.service.settled();
      const sale = { clientId: booked.clientId, appointmentId: booked.appointmentId, applyToAppointment: true };
      const sold = await clinic.sell(said(), sale);
      expect(sold).toMatchObject({
        services: [{ remaining: 4, used: 1 }],
        sessions: [{ appointmentId: booked.appointmentId, place: 'Session 1 of 5' }],
      });
      const [session] = sold.sessions;
      expect(await clinic.appointment(booked)).toMatchObject({
        ...{
          soldPackageIds: [sold.packageId],
          packageId: sold.packageId,
          consumptionId: session!.consumptionId,
          invoiceId: booked.invoiceId,
        },
      });
      expect(await clinic.invoice(booked)).toMatchObject({ ...expected, packageId: sold.packageId, packageInvoiceId: sold.invoiceId });
    });

    it('D1: not from an appointment of another client, nor applied to one that has a package or was cancelled', async () => {
      const offeringId = await clinic.offering();
      const booked = await clinic.bookWithout();
      const withPackage = await clinic.book(await clinic.sell());
      const cancelled = await clinic.bookWithout();
      await clinic.end(cancelled, 'cancel');
      await clinic.service.settled();
      const refusalOf = (clientId: string, { appointmentId }: Booked) =>
        clinic.owner.refused(409, 'POST', '/v1/packages', { body: { offeringId, clientId, appointmentId, applyToAppointment: true } });
      expect(await refusalOf(await clinic.client(), booked)).toMatchObject({ code: 'APPOINTMENT_OF_ANOTHER_CLIENT' });
      expect(await refusalOf(withPackage.clientId, withPackage)).toMatchObject({ code: 'APPOINTMENT_HAS_PACKAGE' });
      expect(await refusalOf(cancelled.clientId, cancelled)).toMatchObject({ code: 'APPOINTMENT_NOT_BOOKED' });
    });

    it('D5: the same request sent twice, or three times at once, sells once', async () => {
      const body = { offeringId: await clinic.offering(), clientId: await clinic.client() };
      const send = (key: string) => clinic.owner.post<Sold>('/v1/packages', body, { 'idempotency-key': key });
      const first = await send('twice');
      expect(await send('twice')).toMatchObject({ packageId: first.packageId, invoiceId: first.invoiceId });
      const atOnce = await Promise.all([send('at once'), send('at once'), send('at once')]);
      expect(new Set(atOnce.map(({ packageId }) => packageId)).size).toBe(1);
      await clinic.service.settled();
      const sold = await clinic.owner.get<Page<Sold>>(`/v1/packages?clientId=${body.clientId}`);
      expect(new Set(idsOf(sold))).toEqual(new Set([first.packageId, atOnce[0].packageId]));
      expect((await clinic.owner.get<Page<Invoice>>(`/v1/invoices?clientId=${body.clientId}`)).items).toHaveLength(2);
    });
  });

  describe('what can be booked', () => {
    it('E1: the available packages, first to expire on top, with what is left of them', async () => {
      const clientId = await clinic.client();
      const sell = async (said: object) => (await clinic.sell(said, { clientId })).packageId;
      const never = await sell({ services: [{ serviceId: clinic.has.facial, limit: 'unlimited' }] });
      const later = await sell({ expiryRule: { kind: 'after', from: 'purchase', amount: 2, unit: 'months' } });
      const soon = await sell({ ...clinic.eachAppointment(1), expiryRule: { kind: 'onDate', date: clinic.day(5) } });
      const firstUse = await sell({ expiryRule: { kind: 'after', from: 'firstUse', amount: 1, unit: 'days' } });
      await clinic.sell(); // another client's

      const found = await available(clientId);
      expect(idsOf(found).slice(0, 2)).toEqual([soon, later]);
      expect(new Set(idsOf(found).slice(2))).toEqual(new Set([never, firstUse]));
      expect(found.items[0]).toMatchObject({ expiresOn: clinic.day(5), services: [{ remaining: 1, fee: clinic.money(6_000) }] });
      expect(new Set(idsOf(await available(clientId, `&serviceId=${clinic.has.massage}`)))).toEqual(new Set([soon, later, firstUse]));
      expect(idsOf(await available(clientId, `&start=${clinic.in(6)}`))).not.toContain(soon);
      expect(idsOf(await available(clientId, `&start=${clinic.in(-2)}`))).toEqual([]); // before the sale
    });

    it('E1: none that is used up, expired or cancelled', async () => {
      const clientId = await clinic.client();
      const [usedUp, expired, cancelled] = await Promise.all([
        clinic.sell(clinic.eachAppointment(1), { clientId }),
        clinic.sell({}, { clientId }),
        clinic.sell({}, { clientId }),
      ]);
      expect(new Set(idsOf(await available(clientId)))).toEqual(new Set([usedUp.packageId, expired.packageId, cancelled.packageId]));
      await clinic.book(usedUp);
      await clinic.owner.put(`/v1/packages/${expired.packageId}/expiry`, { expiresOn: clinic.day(-1) });
      await clinic.owner.post(`/v1/packages/${cancelled.packageId}/cancel`, {});
      expect(idsOf(await available(clientId))).toEqual([]);
    });
  });

  describe('booking', () => {
    it('E2: each booking takes one session at once, and says which', async () => {
      const sold = await clinic.sell(clinic.eachAppointment(2));
      const [first, second] = [await clinic.book(sold), await clinic.book(sold, { start: clinic.in(2) })];
      expect(first).toMatchObject({ status: 'booked', packageId: sold.packageId, session: { remaining: 1, place: 'Session 1 of 2' } });
      expect(second).toMatchObject({ session: { remaining: 0, place: 'Session 2 of 2' } });
      const body = clinic.booking(sold, sold.packageId);
      expect(await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({
        code: 'NO_SESSIONS_LEFT',
        details: { serviceId: clinic.has.massage },
      });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 0, services: [{ remaining: 0, used: 2 }] });
      expect(await clinic.appointment(second)).toMatchObject({
        status: 'booked',
        packageId: sold.packageId,
        consumptionId: second.consumptionId,
      });
    });

    it('E2: unlimited never runs out, and its use is counted', async () => {
      const sold = await clinic.sell(clinic.eachAppointment('unlimited'));
      for (const place of ['Session 1', 'Session 2', 'Session 3'])
        expect((await clinic.book(sold)).session).toEqual({ remaining: null, expiresOn: null, place });
      expect(await clinic.package(sold)).toMatchObject({ remaining: null, services: [{ limit: 'unlimited', remaining: null, used: 3 }] });
    });

    it('E2: a service that is not in the package, or a package of another client, is refused', async () => {
      const sold = await clinic.sell();
      const refusalOf = (said: object) =>
        clinic.owner.refused(409, 'POST', '/v1/appointments', {
          body: clinic.booking({ clientId: sold.clientId, ...said }, sold.packageId),
        });
      expect(await refusalOf({ serviceId: clinic.has.facial })).toMatchObject({ code: 'SERVICE_NOT_IN_PACKAGE' });
      expect(await refusalOf({ clientId: await clinic.client() })).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
    });

    it('E3: until the last valid day, not before the sale', async () => {
      const sold = await clinic.sell({ expiryRule: { kind: 'after', from: 'purchase', amount: 3, unit: 'days' } });
      expect(sold.expiresOn).toBe(plus(sold.soldOn, 3));
      const noonOf = (date: string) => `${date}T17:00:00Z`; // in Toronto
      const refusalOf = (start: string) =>
        clinic.owner.refused(409, 'POST', '/v1/appointments', { body: clinic.booking({ clientId: sold.clientId, start }, sold.packageId) });
      expect(await clinic.book(sold, { start: noonOf(sold.expiresOn!) })).toMatchObject({ on: sold.expiresOn });
      expect(await refusalOf(noonOf(plus(sold.soldOn, 4)))).toMatchObject({
        code: 'PACKAGE_EXPIRED',
        details: { expiresOn: sold.expiresOn },
      });
      expect(await refusalOf(noonOf(plus(sold.soldOn, -1)))).toMatchObject({ code: 'BEFORE_SALE', details: { soldOn: sold.soldOn } });
    });

    it('E3: 23:30 on the last day, zone ahead of UTC', async () => {
      const abroad = await openClinic(clinic.service, { timeZone: 'Pacific/Auckland' });
      const sold = await abroad.sell({ expiryRule: { kind: 'onDate', date: '2031-03-31' } });
      expect(await abroad.book(sold, { start: '2031-03-31T23:30:00+13:00' })).toMatchObject({
        on: '2031-03-31',
        start: '2031-03-31T10:30:00.000Z',
      });
      const body = abroad.booking({ clientId: sold.clientId, start: '2031-03-31T11:00:00Z' }, sold.packageId);
      expect(await abroad.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({
        code: 'PACKAGE_EXPIRED',
        details: { on: '2031-04-01', expiresOn: '2031-03-31' },
      });
    });

    it('E3: from first use on, moved by an earlier one, and never so that it strands a later one', async () => {
      const sold = await clinic.sell({ expiryRule: { kind: 'after', from: 'firstUse', amount: 10, unit: 'days' } });
      expect(sold.expiresOn).toBeNull();
      const first = await clinic.book(sold, { start: clinic.in(20) });
      expect(first.session).toMatchObject({ expiresOn: plus(first.on, 10) });
      const last = await clinic.book(sold, { start: clinic.in(28) });
      const body = clinic.booking({ clientId: sold.clientId, start: clinic.in(15) }, sold.packageId);
      expect(await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({
        code: 'STRANDS_SESSION',
        details: { appointmentId: last.appointmentId },
      });
      await clinic.end(last, 'cancel');
      await clinic.end(first, 'cancel');
      expect(await clinic.package(sold)).toMatchObject({ expiresOn: null, remaining: 5 });
    });

    it('E4: without a package the regular fee and taxes are owing, each tax on the net, rounded half up', async () => {
      const booked = await clinic.bookWithout({ serviceId: clinic.has.facial });
      expect(booked).toMatchObject({ packageId: null, charge: { net: clinic.money(5_001), total: clinic.money(5_251) } });
      expect(await clinic.invoice(booked)).toMatchObject({
        ...{ kind: 'appointment', appointmentId: booked.appointmentId, clientId: booked.clientId, packageId: null, packageInvoiceId: null },
        lines: [{ taxes: [{ rate: '5', amount: clinic.money(250) }] }],
        ...{ net: 5_001, tax: 250, total: 5_251, balance: 5_251 },
      });
    });

    it('E4, C3: from a package paid upfront nothing is owing', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      expect(booked.charge).toMatchObject({ total: clinic.money(0) });
      expect(await clinic.invoice(booked)).toMatchObject({
        ...{ kind: 'appointment', packageId: sold.packageId, packageInvoiceId: sold.invoiceId, net: 0, tax: 0, total: 0, balance: 0 },
      });
    });

    it('E4, C4: from one paid each appointment the fee of the sale is owing, with the taxes of now', async () => {
      const { taxId } = await clinic.owner.post<{ taxId: string }>('/v1/taxes', { name: 'VAT', rate: '20' });
      const said = { name: 'Sauna', durationMinutes: 30, price: clinic.money(2_000), taxIds: [taxId] };
      const { serviceId } = await clinic.owner.post<{ serviceId: string }>('/v1/services', said);
      const { providerId } = await clinic.owner.post<{ providerId: string }>('/v1/providers', { name: 'Kim', serviceIds: [serviceId] });
      const sold = await clinic.sell({
        services: [{ serviceId, limit: 3 }],
        payment: { method: 'paidEachAppointment', fees: [{ serviceId, fee: clinic.money(1_505) }] },
      });
      const book = () =>
        clinic.owner.post<Booked>('/v1/appointments', {
          ...clinic.booking({ clientId: sold.clientId, serviceId }, sold.packageId),
          providerId,
        });
      expect(await clinic.invoice(await book())).toMatchObject({ net: 1_505, tax: 301, total: 1_806, packageInvoiceId: sold.invoiceId });
      await clinic.owner.patch(`/v1/taxes/${taxId}`, { rate: '10' });
      await clinic.owner.patch(`/v1/offerings/${sold.offeringId}`, {
        payment: { method: 'paidEachAppointment', fees: [{ serviceId, fee: clinic.money(9_999) }] },
      });
      expect(await clinic.invoice(await book())).toMatchObject({ net: 1_505, tax: 151, total: 1_656 });
    });

    it('D5, L2: the same booking sent twice takes one session', async () => {
      const sold = await clinic.sell();
      const body = clinic.booking(sold, sold.packageId);
      const send = () => clinic.owner.post<Booked>('/v1/appointments', body, { 'idempotency-key': `book ${sold.packageId}` });
      const [first, second] = await Promise.all([send(), send()]);
      expect(second.appointmentId).toBe(first.appointmentId);
      expect(await send()).toMatchObject({ appointmentId: first.appointmentId, session: first.session, invoiceId: first.invoiceId });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
      expect((await clinic.owner.get<Page<Booked>>(`/v1/appointments?packageId=${sold.packageId}`)).items).toHaveLength(1);
    });
  });

  it('A4: an appointment is on the local day of its start', async () => {
    const start = `${clinic.day(3)}T02:30:00Z`; // the evening before in Toronto
    const booked = await clinic.bookWithout({ start });
    expect(booked.on).toBe(localDateOf(start, 'America/Toronto'));
    expect(booked.on).toBe(plus(clinic.day(3), -1));
  });
});
