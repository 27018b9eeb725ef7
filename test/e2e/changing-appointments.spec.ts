import type { Booked, Clinic, Sold } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

// E7, E8, E9 and the opposites of cancelling and completing: session, appointment and invoice agree after each.

withProjectorAlone((at) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  const refusal = async ({ appointmentId }: Pick<Booked, 'appointmentId'>, how: string, body?: object) => {
    await clinic.service.settled();
    const method = how === 'package' && body === undefined ? 'DELETE' : 'POST';
    return clinic.owner.refused(409, method, `/v1/appointments/${appointmentId}/${how}`, { body });
  };
  const move = (booked: Booked, days: number, said: object = {}) => clinic.end(booked, 'move', { start: clinic.in(days), ...said });
  const apply = (booked: Booked, { packageId }: Sold) => clinic.end(booked, 'package', { packageId });
  const remove = async ({ appointmentId }: Booked) => {
    await clinic.service.settled();
    return clinic.owner.delete<Booked>(`/v1/appointments/${appointmentId}/package`);
  };
  const sessionsOf = async (sold: Sold) => {
    const { sessions } = await clinic.owner.get<Sold>(`/v1/packages/${sold.packageId}/as-of?revision=1000`);
    return sessions.map(({ outcome, on }) => ({ outcome, on }));
  };
  const tagsOf = async ({ packageId }: Sold) =>
    (await clinic.owner.get<{ items: { what: string }[] }>(`/v1/packages/${packageId}/audit-tags`)).items.map(({ what }) => what);
  const withinDays = (amount: number, from: 'purchase' | 'firstUse') => ({
    expiryRule: { kind: 'after' as const, from, amount, unit: 'days' as const },
  });

  describe('moving', () => {
    it('E7: keeps the session, in one move', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      const moved = await move(booked, 3);
      expect(moved).toMatchObject({
        ...{ on: clinic.day(3), packageId: sold.packageId, consumptionId: booked.consumptionId },
        session: { remaining: 4, place: 'Session 1 of 5' },
      });
      expect(await clinic.appointment(booked)).toMatchObject({
        start: moved.start,
        on: clinic.day(3),
        consumptionId: booked.consumptionId,
      });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
      expect(await sessionsOf(sold)).toEqual([{ outcome: 'standing', on: clinic.day(3) }]);
      expect(await tagsOf(sold)).toEqual(['sold', 'sessionConsumed', 'sessionMoved']);
    });

    it('E7: to another provider, for as long as before or as long as told', async () => {
      const booked = await clinic.book(await clinic.sell());
      const { providerId } = await clinic.owner.post<{ providerId: string }>('/v1/providers', {
        name: 'Kim',
        serviceIds: [clinic.has.massage],
      });
      const moved = await clinic.end(booked, 'move', { start: booked.start, providerId });
      expect(moved).toMatchObject({ providerId, start: booked.start, end: booked.end });
      const start = clinic.in(2);
      const end = new Date(Date.parse(start) + 90 * 60_000).toISOString();
      expect(await clinic.end(booked, 'move', { start, end })).toMatchObject({ providerId, start, end });
      const body = {
        start,
        providerId: (await clinic.owner.post<{ providerId: string }>('/v1/providers', { name: 'Lou', serviceIds: [] })).providerId,
      };
      expect(await refusal(booked, 'move', body)).toMatchObject({ code: 'PROVIDER_DOES_NOT_GIVE_SERVICE' });
    });

    it('E7: to a time for which the package is not valid is refused, and changes nothing', async () => {
      const sold = await clinic.sell(withinDays(3, 'purchase'));
      const booked = await clinic.book(sold);
      expect(await refusal(booked, 'move', { start: clinic.in(5) })).toMatchObject({
        code: 'PACKAGE_EXPIRED',
        details: { expiresOn: sold.expiresOn, on: clinic.day(5) },
      });
      expect(await refusal(booked, 'move', { start: clinic.in(-3) })).toMatchObject({ code: 'BEFORE_SALE' });
      expect(await clinic.appointment(booked)).toMatchObject({ start: booked.start, packageId: sold.packageId });
    });

    it('E7, E9: or, when asked, falls back to the regular fee, and the session is returned', async () => {
      const sold = await clinic.sell(withinDays(3, 'purchase'));
      const booked = await clinic.book(sold);
      const moved = await move(booked, 5, { onInvalid: 'regularFee' });
      expect(moved).toMatchObject({ on: clinic.day(5), packageId: null, consumptionId: null, charge: { total: clinic.money(9_198) } });
      expect(await clinic.appointment(booked)).toMatchObject({ on: clinic.day(5), packageId: null, status: 'booked' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      expect(await clinic.invoice(booked)).toMatchObject({ packageId: null, packageInvoiceId: null, total: 9_198, balance: 9_198 });
      expect(await move(booked, 6, { onInvalid: 'regularFee' })).toMatchObject({ on: clinic.day(6) }); // an ordinary one now
    });

    it('E7: moving the first-use appointment', async () => {
      const sold = await clinic.sell(withinDays(10, 'firstUse'));
      const [first, last] = [await clinic.book(sold, { start: clinic.in(5) }), await clinic.book(sold, { start: clinic.in(14) })];
      expect(await clinic.package(sold)).toMatchObject({ expiresOn: clinic.day(15) });
      expect((await move(first, 6)).session).toMatchObject({ expiresOn: clinic.day(16) });
      expect(await refusal(first, 'move', { start: clinic.in(3) })).toMatchObject({
        code: 'STRANDS_SESSION',
        details: { appointmentId: last.appointmentId, expiresOn: clinic.day(13) },
      });
      expect((await move(first, 20)).session).toMatchObject({ expiresOn: clinic.day(24), place: 'Session 2 of 5' });
      expect(await clinic.package(sold)).toMatchObject({ expiresOn: clinic.day(24), remaining: 3 });
    });

    it('E7: without a package, also into the past; not what has taken place or will not', async () => {
      const booked = await clinic.bookWithout();
      expect(await move(booked, -2)).toMatchObject({ on: clinic.day(-2), packageId: null });
      expect(await clinic.appointment(booked)).toMatchObject({ on: clinic.day(-2) });
      await clinic.end(booked, 'complete');
      expect(await refusal(booked, 'move', { start: clinic.in(1) })).toMatchObject({ code: 'APPOINTMENT_NOT_BOOKED' });
      const cancelled = await clinic.book(await clinic.sell());
      await clinic.end(cancelled, 'cancel');
      expect(await refusal(cancelled, 'move', { start: clinic.in(1) })).toMatchObject({ code: 'APPOINTMENT_NOT_BOOKED' });
    });

    it('H4: also when its package was cancelled since: moving is no new use', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {});
      expect(await move(booked, 4)).toMatchObject({ on: clinic.day(4), packageId: sold.packageId });
      expect(await clinic.appointment(booked)).toMatchObject({ on: clinic.day(4), packageId: sold.packageId });
    });

    it.each([['with its session'], ['at the regular fee'], ['without a package']])(
      'L2: the same move sent twice is one: %s',
      async (how) => {
        const sold = await clinic.sell(withinDays(3, 'purchase'));
        const booked = how === 'without a package' ? await clinic.bookWithout() : await clinic.book(sold);
        await clinic.service.settled();
        const body = { start: clinic.in(how === 'at the regular fee' ? 5 : 2), onInvalid: 'regularFee' };
        const send = () =>
          clinic.owner.post<Booked>(`/v1/appointments/${booked.appointmentId}/move`, body, {
            'idempotency-key': `move ${booked.appointmentId}`,
          });
        const { position: _, ...first } = await send();
        expect(await send()).toMatchObject(first);
        expect(await clinic.package(sold)).toMatchObject({ remaining: how === 'with its session' ? 4 : 5 });
      },
    );

    it('L4: an appointment that has changed since the caller saw it is not moved', async () => {
      for (const booked of [await clinic.book(await clinic.sell()), await clinic.bookWithout()]) {
        await clinic.service.settled();
        const sent = { body: { start: clinic.in(2) }, headers: { 'if-match': '"7"' } };
        const path = `/v1/appointments/${booked.appointmentId}/move`;
        expect(await clinic.owner.refused(412, 'POST', path, sent)).toMatchObject({ code: 'PRECONDITION_FAILED' });
        expect(await clinic.owner.post(path, sent.body, { 'if-match': '"0"' })).toMatchObject({ on: clinic.day(2) });
      }
    });
  });

  describe('applying and removing a package', () => {
    it('E8, E9: applied, the appointment takes a session, and its invoice has nothing owing', async () => {
      const booked = await clinic.bookWithout();
      const sold = await clinic.sell({}, { clientId: booked.clientId });
      expect(await apply(booked, sold)).toMatchObject({
        ...{ packageId: sold.packageId, charge: { total: clinic.money(0) } },
        session: { remaining: 4, place: 'Session 1 of 5' },
      });
      const now = await clinic.appointment(booked);
      expect(now).toMatchObject({ status: 'booked', packageId: sold.packageId });
      expect(now.consumptionId).not.toBeNull();
      expect(await clinic.invoice(booked)).toMatchObject({ total: 0, balance: 0, packageInvoiceId: sold.invoiceId });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
    });

    it('E8: by staff also after completion', async () => {
      const booked = await clinic.bookWithout();
      await clinic.end(booked, 'complete');
      const sold = await clinic.sell(clinic.eachAppointment(), { clientId: booked.clientId });
      await apply(booked, sold);
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'completed', packageId: sold.packageId });
      expect(await clinic.invoice(booked)).toMatchObject({ net: 6_000, balance: 6_899 });
      await remove(booked);
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'completed', packageId: null });
      expect(await clinic.invoice(booked)).toMatchObject({ net: 8_000, balance: 9_198 });
    });

    it('E8, E9: removed, it has the regular fee again, and the package its session', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      expect(await remove(booked)).toMatchObject({ packageId: null, consumptionId: null, charge: { total: clinic.money(9_198) } });
      expect(await clinic.appointment(booked)).toMatchObject({ packageId: null, consumptionId: null, status: 'booked' });
      expect(await clinic.invoice(booked)).toMatchObject({ packageId: null, packageInvoiceId: null, total: 9_198, balance: 9_198 });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      expect(await refusal(booked, 'package')).toMatchObject({ code: 'APPOINTMENT_WITHOUT_PACKAGE' });
      await apply(booked, sold);
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
      await clinic.end(booked, 'cancel');
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      expect(await sessionsOf(sold)).toMatchObject([{ outcome: 'returned' }, { outcome: 'returned' }]);
    });

    it('E8: one at a time, of the client, with the service, valid then, and not to what will not take place', async () => {
      const sold = await clinic.sell();
      const [booked, another] = [await clinic.book(sold), await clinic.bookWithout()];
      const { packageId } = sold;
      expect(await refusal(booked, 'package', { packageId })).toMatchObject({ code: 'APPOINTMENT_HAS_PACKAGE' });
      expect(await refusal(another, 'package', { packageId })).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      const facial = await clinic.bookWithout({ clientId: sold.clientId, serviceId: clinic.has.facial });
      expect(await refusal(facial, 'package', { packageId })).toMatchObject({ code: 'SERVICE_NOT_IN_PACKAGE' });
      const past = await clinic.bookWithout({ clientId: sold.clientId, start: clinic.in(-3) });
      expect(await refusal(past, 'package', { packageId })).toMatchObject({ code: 'BEFORE_SALE' });
      const cancelled = await clinic.bookWithout({ clientId: sold.clientId });
      await clinic.end(cancelled, 'cancel');
      expect(await refusal(cancelled, 'package', { packageId })).toMatchObject({ code: 'APPOINTMENT_NOT_BOOKED' });
      await clinic.end(booked, 'no-show');
      expect(await refusal(booked, 'package')).toMatchObject({ code: 'APPOINTMENT_NOT_BOOKED' });
    });

    it('E8: apply to an already paid appointment', async () => {
      const booked = await clinic.bookWithout();
      const sold = await clinic.sell({}, { clientId: booked.clientId });
      await clinic.service.settled();
      const payments = `/v1/invoices/${booked.invoiceId}/payments`;
      await clinic.owner.post(payments, { amount: clinic.money(9_198), method: 'cash' });
      const { payments: taken } = await clinic.owner.get<{ payments: { paymentId: string }[] }>(`/v1/invoices/${booked.invoiceId}`);
      expect(await refusal(booked, 'package', { packageId: sold.packageId })).toMatchObject({ code: 'INVOICE_PAID' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      await clinic.owner.post(`${payments}/${taken[0]!.paymentId}/void`, {});
      await apply(booked, sold);
      expect(await clinic.invoice(booked)).toMatchObject({ total: 0, balance: 0, packageId: sold.packageId });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
    });

    it('L2: the same request sent twice has one effect', async () => {
      const booked = await clinic.bookWithout();
      const sold = await clinic.sell({}, { clientId: booked.clientId });
      const address = `/v1/appointments/${booked.appointmentId}/package`;
      const { packageId } = sold;
      await clinic.service.settled();
      const applied = await clinic.owner.post<Booked>(address, { packageId }, { 'idempotency-key': `apply ${packageId}` });
      expect(await clinic.owner.post<Booked>(address, { packageId }, { 'idempotency-key': `apply ${packageId}` })).toMatchObject({
        consumptionId: applied.consumptionId,
        session: applied.session,
      });
      await clinic.service.settled();
      const removal = () => clinic.owner.delete<Booked>(address, { 'idempotency-key': `remove ${packageId}` });
      const { charge } = await removal();
      expect(await removal()).toMatchObject({ packageId: null, charge });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
    });
  });

  describe('undoing a cancellation or a completion', () => {
    it('H2, E9: it takes a session again, and the invoice stands again', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'cancel');
      expect(await clinic.end(booked, 'rebook', {})).toMatchObject({ status: 'booked', outcome: null, session: { remaining: 4 } });
      const now = await clinic.appointment(booked);
      expect(now).toMatchObject({ status: 'booked', outcome: null, packageId: sold.packageId });
      expect(now.consumptionId).not.toBe(booked.consumptionId);
      expect(await clinic.invoice(booked)).toMatchObject({ total: 6_899, adjustments: 0, balance: 6_899 });
      await clinic.end(booked, 'cancel');
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      expect(await clinic.invoice(booked)).toMatchObject({ balance: 0 });
    });

    it('H2: the session that was forfeited stands again', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'cancel', { session: 'forfeited' });
      expect(await refusal(booked, 'rebook', { regularFee: true })).toMatchObject({ code: 'SESSION_FORFEITED' });
      expect(await clinic.end(booked, 'rebook', {})).toMatchObject({ status: 'booked', consumptionId: booked.consumptionId });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', outcome: null });
      expect(await sessionsOf(sold)).toMatchObject([{ outcome: 'standing' }]);
    });

    it('H2: when no session is left it is refused, and can be booked again at the regular fee', async () => {
      const sold = await clinic.sell(clinic.eachAppointment(1));
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'cancel');
      await clinic.service.settled();
      await clinic.book(sold);
      expect(await refusal(booked, 'rebook', {})).toMatchObject({ code: 'NO_SESSIONS_LEFT' });
      expect(await clinic.end(booked, 'rebook', { regularFee: true })).toMatchObject({ status: 'booked', packageId: null });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId: null, consumptionId: null });
      expect(await clinic.invoice(booked)).toMatchObject({ total: 9_198, adjustments: 0, balance: 9_198 });
      expect(await refusal(booked, 'rebook', {})).toMatchObject({ code: 'APPOINTMENT_NOT_CANCELLED' });
    });

    it('H2, E8, E9: its package removed a moment before it was cancelled, it is booked again without, at the regular fee', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.service.settled();
      if (clinic.service.policies === 'projector') await clinic.service.stopProjector(); // nothing of it has followed
      const path = `/v1/appointments/${booked.appointmentId}`;
      await clinic.owner.delete(`${path}/package`);
      await clinic.owner.post(`${path}/cancel`, {});
      expect(await clinic.owner.post(`${path}/rebook`, {})).toMatchObject({ status: 'booked', packageId: null, consumptionId: null });
      await clinic.service.startProjector();
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId: null, consumptionId: null });
      expect(await clinic.invoice(booked)).toMatchObject({ packageId: null, total: 9_198, adjustments: 0, balance: 9_198 });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      expect(await sessionsOf(sold)).toMatchObject([{ outcome: 'returned' }]);
    });

    it('H1, E8: the same of a no-show that is undone', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.service.settled();
      if (clinic.service.policies === 'projector') await clinic.service.stopProjector();
      const path = `/v1/appointments/${booked.appointmentId}`;
      await clinic.owner.delete(`${path}/package`);
      await clinic.owner.post(`${path}/no-show`, {});
      expect(await clinic.owner.post(`${path}/no-show/undo`)).toMatchObject({ status: 'booked', packageId: null, consumptionId: null });
      await clinic.service.startProjector();
      expect(await clinic.invoice(booked)).toMatchObject({ packageId: null, total: 9_198, adjustments: 0, balance: 9_198 });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
    });

    it('B2: not with a service that is inactive by now, nor with a provider who no longer gives it; a hidden one by staff', async () => {
      const { massage: serviceId, providerId } = clinic.has;
      const booked = [await clinic.book(await clinic.sell()), await clinic.bookWithout()];
      for (const each of booked) await clinic.end(each, 'cancel');
      const change = (what: string, to: object) => clinic.owner.patch(`/v1/${what}`, to);
      await change(`services/${serviceId}`, { active: false });
      for (const each of booked) expect(await refusal(each, 'rebook', {})).toMatchObject({ code: 'SERVICE_INACTIVE' });
      await change(`services/${serviceId}`, { active: true, publiclyDisplayed: false });
      await change(`providers/${providerId}`, { serviceIds: [clinic.has.facial] });
      for (const each of booked) expect(await refusal(each, 'rebook', {})).toMatchObject({ code: 'PROVIDER_DOES_NOT_GIVE_SERVICE' });
      await change(`providers/${providerId}`, { serviceIds: [serviceId, clinic.has.facial] });
      for (const each of booked) expect(await clinic.end(each, 'rebook')).toMatchObject({ status: 'booked' });
      await change(`services/${serviceId}`, { publiclyDisplayed: true });
    });

    it('H2, E9: without a package', async () => {
      const booked = await clinic.bookWithout();
      await clinic.end(booked, 'cancel');
      expect(await clinic.end(booked, 'rebook', {})).toMatchObject({ status: 'booked' });
      expect(await clinic.invoice(booked)).toMatchObject({ adjustments: 0, balance: 9_198 });
    });

    it('E8: what was completed by mistake is to come again', async () => {
      const booked = await clinic.book(await clinic.sell());
      await clinic.end(booked, 'complete');
      expect(await clinic.end(booked, 'complete/undo')).toMatchObject({ status: 'booked', packageId: booked.packageId });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked' });
      expect(await clinic.end(booked, 'cancel')).toMatchObject({ status: 'cancelled' });
      expect(await refusal(booked, 'complete/undo')).toMatchObject({ code: 'APPOINTMENT_NOT_BOOKED' });
    });
  });
});
