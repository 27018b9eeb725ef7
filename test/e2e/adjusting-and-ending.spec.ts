import { setTimeout as sleep } from 'node:timers/promises';
import { SellPackage } from '../../libs/command-handling/commands/package.commands.js';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import type { Booked, Clinic, Page, Sold } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';
import { plusDays } from '../support/wall-calendar.js';

interface Tag {
  what: string;
  actorId: string;
  actorRole: string;
  at: string;
  from: string | null;
  to: string | null;
  reason: string | null;
  appointmentId: string | null;
}

interface History {
  items: {
    eventId: string;
    type: string;
    revision: string;
    position: string;
    at: string;
    actorId: string;
    actorRole: string;
    reason: string | null;
    after: { status: string; expiresOn: string | null; services: { remaining: number | null; used: number }[] };
  }[];
}

withProjectorAlone((at) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  const tagsOf = async ({ packageId }: Sold): Promise<Tag[]> => {
    await clinic.service.settled();
    return (await clinic.owner.get<Page<Tag>>(`/v1/packages/${packageId}/audit-tags`)).items;
  };
  const outcomes = ({ sessions }: Sold): string[] => sessions.map(({ outcome }) => outcome);
  const asOf = ({ packageId }: Sold, query: string): Promise<Sold & { at: string }> =>
    clinic.owner.get<Sold & { at: string }>(`/v1/packages/${packageId}/as-of?${query}`);
  /** The package with all its sessions, as its events have it. */
  const state = async (sold: Sold): Promise<Sold> => {
    await clinic.service.settled();
    return asOf(sold, 'revision=1000');
  };
  const setRemaining = ({ packageId }: Sold, remaining: number, reason?: string): Promise<Sold> =>
    clinic.owner.put<Sold>(`/v1/packages/${packageId}/services/${clinic.has.massage}/remaining`, { remaining, reason });
  const setExpiry = ({ packageId }: Sold, expiresOn: string, reason?: string): Promise<Sold> =>
    clinic.owner.put<Sold>(`/v1/packages/${packageId}/expiry`, { expiresOn, reason });

  describe('adjusting', () => {
    it('F1: sets what remains, up and down to 0, on top of what is used', async () => {
      const sold = await clinic.sell();
      await clinic.book(sold);
      expect((await setRemaining(sold, 7)).services).toMatchObject([{ limit: 5, remaining: 7, adjustments: 3, used: 1 }]);
      expect((await clinic.book(sold, { start: clinic.in(2) })).session).toMatchObject({ remaining: 6, place: 'Session 2 of 8' });
      expect((await setRemaining(sold, 0)).services).toMatchObject([{ remaining: 0, adjustments: -3, used: 2 }]);
      const body = clinic.booking(sold, sold.packageId);
      expect(await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({ code: 'NO_SESSIONS_LEFT' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 0, services: [{ adjustments: -3 }] });
    });

    it('F1, F2: says so when it is no longer what the person saw, by what they say or by its ETag; to force it is to say so', async () => {
      const sold = await clinic.sell();
      const path = `/v1/packages/${sold.packageId}/services/${clinic.has.massage}/remaining`;
      const { revision } = await clinic.package(sold);
      await clinic.book(sold);
      expect(await clinic.owner.refused(409, 'PUT', path, { body: { remaining: 7, seen: 5 } })).toMatchObject({
        ...{ code: 'REMAINING_CHANGED', details: { remaining: 4, seen: 5 } },
      });
      const asSeen = { 'if-match': `"${revision}"` };
      expect(await clinic.owner.refused(412, 'PUT', path, { body: { remaining: 7 }, headers: asSeen })).toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      expect(await clinic.owner.put(path, { remaining: 7, seen: 5, force: true })).toMatchObject({ services: [{ remaining: 7 }] });
      expect(await clinic.owner.put(path, { remaining: 6, seen: 7 })).toMatchObject({ services: [{ remaining: 6, adjustments: 2 }] });

      const expiry = `/v1/packages/${sold.packageId}/expiry`;
      await clinic.owner.put(expiry, { expiresOn: clinic.day(30), seen: null });
      expect(await clinic.owner.refused(409, 'PUT', expiry, { body: { expiresOn: clinic.day(40), seen: null } })).toMatchObject({
        ...{ code: 'EXPIRY_CHANGED', details: { expiresOn: clinic.day(30), seen: null } },
      });
      expect(await clinic.owner.put(expiry, { expiresOn: clinic.day(40), seen: null, force: true })).toMatchObject({
        expiresOn: clinic.day(40),
      });
    });

    it('F1: not for unlimited, not on a cancelled package', async () => {
      const unlimited = await clinic.sell(clinic.eachAppointment('unlimited'));
      const cancelled = await clinic.sell();
      await clinic.owner.post(`/v1/packages/${cancelled.packageId}/cancel`, {});
      for (const [{ packageId }, code] of [
        [unlimited, 'UNLIMITED'],
        [cancelled, 'PACKAGE_CANCELLED'],
      ] as const) {
        const path = `/v1/packages/${packageId}/services/${clinic.has.massage}/remaining`;
        expect(await clinic.owner.refused(409, 'PUT', path, { body: { remaining: 3 } })).toMatchObject({ code });
      }
    });

    it('F2: sets the expiry to a date, also a past one; undone, it is what it was before', async () => {
      const sold = await clinic.sell();
      const { packageId } = sold;
      const booked = await clinic.book(sold);
      expect(await setExpiry(sold, clinic.day(40))).toMatchObject({ expiresOn: clinic.day(40) });
      expect(await setExpiry(sold, clinic.day(-3))).toMatchObject({ expiresOn: clinic.day(-3) });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId }); // strands nothing
      const restore = () => clinic.owner.post<Sold>(`/v1/packages/${packageId}/expiry/restore`, {});
      expect(await restore()).toMatchObject({ expiresOn: clinic.day(40) });
      expect(await restore()).toMatchObject({ expiresOn: null });
      expect(await clinic.owner.refused(409, 'POST', `/v1/packages/${packageId}/expiry/restore`, { body: {} })).toMatchObject({
        code: 'EXPIRY_NOT_ADJUSTED',
      });
    });

    it('F3: each adjustment is an audit tag: when, who, what from, what to, why, beside sale, use, return and cancellation', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'cancel');
      await clinic.service.settled();
      const receptionist = await clinic.as('receptionist');
      const path = `/v1/packages/${sold.packageId}`;
      await receptionist.put(`${path}/services/${clinic.has.massage}/remaining`, { remaining: 6, reason: 'Waited for an hour' });
      await receptionist.put(`${path}/expiry`, { expiresOn: '2030-02-28', reason: 'Moved away' });
      await receptionist.post(`${path}/expiry/restore`, { reason: 'Came back' });
      await receptionist.post(`${path}/cancel`, { reason: 'Asked for it' });

      const tags = await tagsOf(sold);
      expect(tags).toMatchObject([
        { what: 'sold', actorId: 'some-owner', actorRole: 'owner' },
        { what: 'sessionConsumed', from: '5', to: '4', appointmentId: booked.appointmentId, actorRole: 'owner' },
        { what: 'sessionReturned', from: '4', to: '5', appointmentId: booked.appointmentId },
        {
          what: 'remainingAdjusted',
          from: '5',
          to: '6',
          reason: 'Waited for an hour',
          actorId: 'some-receptionist',
          actorRole: 'receptionist',
        },
        { what: 'expiryAdjusted', from: null, to: '2030-02-28', reason: 'Moved away' },
        { what: 'expiryRestored', from: '2030-02-28', to: null, reason: 'Came back' },
        { what: 'cancelled', reason: 'Asked for it' },
      ]);
      expect(tags.map((tag) => tag.at)).toEqual(tags.map((tag) => tag.at).sort());
    });
  });

  describe('what becomes of a session', () => {
    it('H1, E9: a no-show returns it, and its invoice is adjusted to zero', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const booked = await clinic.book(sold);
      expect(await clinic.end(booked, 'no-show', { reason: 'Ill' })).toMatchObject({ status: 'noShow', outcome: 'returned' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5, services: [{ used: 0 }] });
      expect(await clinic.invoice(booked)).toMatchObject({ total: 6_899, adjustments: -6_899, balance: 0 });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'noShow', outcome: 'returned' });
    });

    it('H1, E9: forfeited when staff say so: it stays used and its invoice stands', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const booked = await clinic.book(sold);
      expect(await clinic.end(booked, 'no-show', { session: 'forfeited' })).toMatchObject({ status: 'noShow', outcome: 'forfeited' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4, services: [{ used: 1 }] });
      expect(outcomes(await state(sold))).toEqual(['forfeited']);
      expect(await clinic.invoice(booked)).toMatchObject({ adjustments: 0, balance: 6_899 });
    });

    it('H1: undone, the appointment uses a session again and its invoice stands', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'no-show');
      const undone = await clinic.end(booked, 'no-show/undo');
      expect(undone).toMatchObject({ status: 'booked', outcome: null, packageId: sold.packageId });
      expect(undone.consumptionId).not.toBe(booked.consumptionId);
      expect(outcomes(await state(sold))).toEqual(['returned', 'standing']);
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4, services: [{ used: 1 }] });
      expect(await clinic.invoice(booked)).toMatchObject({ adjustments: 0, balance: 6_899 });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', outcome: null, consumptionId: undone.consumptionId });
    });

    it('H1: undone after it was forfeited, the same session stands again', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'no-show', { session: 'forfeited' });
      expect(await clinic.end(booked, 'no-show/undo')).toMatchObject({ status: 'booked', consumptionId: booked.consumptionId });
      expect(outcomes(await state(sold))).toEqual(['standing']);
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', outcome: null, consumptionId: booked.consumptionId });
    });

    it('H1: undo after the session was booked again', async () => {
      const sold = await clinic.sell(clinic.eachAppointment(1));
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'no-show');
      await clinic.service.settled();
      await clinic.book(sold);
      const path = `/v1/appointments/${booked.appointmentId}/no-show/undo`;
      expect(await clinic.owner.refused(409, 'POST', path)).toMatchObject({ code: 'NO_SESSIONS_LEFT' });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'noShow', outcome: 'returned' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 0 });
    });

    it('H1: no-show, adjusted down, then undone', async () => {
      const sold = await clinic.sell(clinic.eachAppointment(1));
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'no-show');
      await clinic.service.settled();
      await setRemaining(sold, 0);
      const path = `/v1/appointments/${booked.appointmentId}/no-show/undo`;
      expect(await clinic.owner.refused(409, 'POST', path)).toMatchObject({ code: 'NO_SESSIONS_LEFT' });
      await setRemaining(sold, 1);
      expect(await clinic.end(booked, 'no-show/undo')).toMatchObject({ status: 'booked' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 0, services: [{ used: 1, adjustments: 0 }] });
    });

    it('H1, H4, E9: undone at the regular fee, when its package was cancelled since', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'complete');
      await clinic.end(booked, 'no-show');
      await clinic.service.settled();
      await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {});
      const path = `/v1/appointments/${booked.appointmentId}/no-show/undo`;
      const refused = await clinic.owner.refused(409, 'POST', path);
      expect(refused).toMatchObject({ code: 'PACKAGE_CANCELLED', detail: expect.stringContaining('regularFee: true') as string });
      const key = { 'idempotency-key': `undo ${booked.appointmentId}` };
      const undo = () => clinic.owner.post<Booked>(path, { regularFee: true }, key);
      expect(await undo()).toMatchObject({ status: 'completed', outcome: null, packageId: null, consumptionId: null });
      expect(await undo()).toMatchObject({ status: 'completed', packageId: null });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'completed', outcome: null, packageId: null, consumptionId: null });
      expect(await clinic.invoice(booked)).toMatchObject({ packageId: null, total: 9_198, adjustments: 0, balance: 9_198 });
      expect(await clinic.package(sold)).toMatchObject({ status: 'cancelled', remaining: 5, services: [{ used: 0 }] });
      expect(outcomes(await state(sold))).toEqual(['returned']);
    });

    it('H1: a forfeited session is not given up for the regular fee, nor is one whose invoice has credit', async () => {
      const [forfeited, paid] = [await clinic.book(await clinic.sell()), await clinic.book(await clinic.sell(clinic.eachAppointment()))];
      await clinic.service.settled();
      await clinic.owner.post(`/v1/invoices/${paid.invoiceId}/payments`, { amount: clinic.money(100), method: 'cash' });
      await clinic.end(forfeited, 'no-show', { session: 'forfeited' });
      await clinic.end(paid, 'no-show');
      await clinic.service.settled();
      const atRegularFee = ({ appointmentId }: Booked) =>
        clinic.owner.refused(409, 'POST', `/v1/appointments/${appointmentId}/no-show/undo`, { body: { regularFee: true } });
      expect(await atRegularFee(forfeited)).toMatchObject({ code: 'SESSION_FORFEITED' });
      expect(await atRegularFee(paid)).toMatchObject({ code: 'INVOICE_PAID' });
      for (const booked of [forfeited, paid]) expect(await clinic.end(booked, 'no-show/undo')).toMatchObject({ status: 'booked' });
    });

    it('H2, E9: cancelling returns it, without a package too the invoice goes to zero', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const booked = await clinic.book(sold);
      const alone = await clinic.bookWithout();
      for (const each of [booked, alone]) {
        expect(await clinic.end(each, 'cancel')).toMatchObject({ status: 'cancelled', outcome: 'returned' });
        expect(await clinic.invoice(each)).toMatchObject({ balance: 0 });
      }
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
    });

    it('H3: at most once per consumption, however often and however it is asked for', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.book(sold);
      await clinic.service.settled();
      const path = `/v1/appointments/${booked.appointmentId}/cancel`;
      await Promise.all(Array.from({ length: 4 }, () => clinic.owner.post(path, {})));
      expect(await clinic.owner.refused(409, 'POST', path, { body: { session: 'forfeited' } })).toMatchObject({ code: 'ENDED_OTHERWISE' });
      expect(await clinic.owner.refused(409, 'POST', `/v1/appointments/${booked.appointmentId}/no-show`, { body: {} })).toMatchObject({
        code: 'APPOINTMENT_NOT_BOOKED',
      });
      expect(outcomes(await state(sold))).toEqual(['returned', 'standing']);
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
    });

    it('H3: return into a cancelled package', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {});
      await clinic.end(booked, 'cancel');
      expect(await clinic.package(sold)).toMatchObject({ status: 'cancelled', remaining: 5 });
    });

    it('E3: a late return does not revive an expired package', async () => {
      const offeringId = await clinic.offering({ expiryRule: { kind: 'after', from: 'firstUse', amount: 10, unit: 'days' } });
      const input = {
        offeringId,
        clientId: await clinic.client(),
        appointmentId: null,
        applyToAppointment: false,
        externalReference: null,
        payment: null,
      };
      const sold = await clinic.service.at(clinic.in(-40), clinic.business, (caller) => new SellPackage(caller, input));
      const booked = await clinic.owner.post<Booked>(
        '/v1/appointments',
        clinic.booking({ clientId: input.clientId, start: clinic.in(-30) }, sold.packageId),
      );
      const expiresOn = plusDays(localDateOf(booked.start, clinic.has.timeZone), 10); // by the calendar: the clocks may change in between
      expect(booked.session).toMatchObject({ expiresOn });
      await clinic.end(booked, 'cancel');
      expect(await clinic.package(sold)).toMatchObject({ expiresOn, remaining: 5 });
      const body = clinic.booking({ clientId: input.clientId }, sold.packageId);
      expect(await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({ code: 'PACKAGE_EXPIRED' });
    });

    it('H4: a cancelled package can no longer be booked from, and what was booked stays', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      expect(await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, { reason: 'Moves away' })).toMatchObject({
        status: 'cancelled',
      });
      expect(await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {})).toMatchObject({ status: 'cancelled' }); // a repeat changes nothing
      const body = clinic.booking(sold, sold.packageId);
      expect(await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).toMatchObject({ code: 'PACKAGE_CANCELLED' });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId: sold.packageId });
      expect(await clinic.invoice(sold)).toMatchObject({ balance: 34_493 }); // what is unpaid stays owing
      expect((await tagsOf(sold)).filter(({ what }) => what === 'cancelled')).toHaveLength(1);
    });

    it('H1: what was completed by mistake can be marked a no-show, and undone to completed', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      expect(await clinic.end(booked, 'complete')).toMatchObject({ status: 'completed' });
      expect(await clinic.end(booked, 'no-show')).toMatchObject({ status: 'noShow', outcome: 'returned' });
      expect(await clinic.end(booked, 'no-show/undo')).toMatchObject({ status: 'completed', outcome: null });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'completed' });
    });
  });

  describe('as the business has set it', () => {
    const set = (settings: object) => clinic.owner.patch('/v1/settings', { settings });
    afterEach(() => set({ onNoShow: 'returned', onLateCancellation: 'returned', lateCancellationWindowMinutes: 1_440 }));

    it('H1: a no-show forfeits the session; staff can override at that moment', async () => {
      await set({ onNoShow: 'forfeited' });
      const sold = await clinic.sell();
      expect(await clinic.end(await clinic.book(sold), 'no-show')).toMatchObject({ outcome: 'forfeited' });
      expect(await clinic.end(await clinic.book(sold), 'no-show', { session: 'returned' })).toMatchObject({ outcome: 'returned' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
    });

    it('H2: a cancellation by the client inside the window forfeits it; before it, by staff, or overridden, it is returned', async () => {
      await set({ onLateCancellation: 'forfeited', lateCancellationWindowMinutes: 2 * 24 * 60 });
      const sold = await clinic.sell();
      const cancelled = async (days: number, said: object) =>
        clinic.end(await clinic.book(sold, { start: clinic.in(days) }), 'cancel', said);
      expect(await cancelled(1, { requestedBy: 'client' })).toMatchObject({ outcome: 'forfeited' });
      expect(await cancelled(3, { requestedBy: 'client' })).toMatchObject({ outcome: 'returned' });
      expect(await cancelled(1, { requestedBy: 'business' })).toMatchObject({ outcome: 'returned' });
      expect(await cancelled(1, { requestedBy: 'client', session: 'returned' })).toMatchObject({ outcome: 'returned' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
    });
  });

  describe('replaying', () => {
    it('K1: the whole history, with the balance after each event', async () => {
      const sold = await clinic.sell({ expiryRule: { kind: 'after', from: 'firstUse', amount: 1, unit: 'months' } });
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'cancel', { reason: 'Snow' });
      await clinic.service.settled();
      await setRemaining(sold, 2, 'A gift for another');
      const auditor = await clinic.as('auditor');
      const { items } = await auditor.get<History>(`/v1/packages/${sold.packageId}/history`);
      expect(items).toMatchObject([
        {
          type: 'PackageSold',
          revision: '0',
          actorRole: 'owner',
          after: { status: 'sold', expiresOn: null, services: [{ remaining: 5 }] },
        },
        { type: 'SessionConsumed', revision: '1', after: { expiresOn: booked.session!.expiresOn, services: [{ remaining: 4, used: 1 }] } },
        { type: 'SessionReturned', revision: '2', after: { expiresOn: null, services: [{ remaining: 5, used: 0 }] } },
        {
          type: 'RemainingAdjusted',
          revision: '3',
          reason: 'A gift for another',
          after: { services: [{ remaining: 2, adjustments: -3 }] },
        },
      ]);
      const positions = items.map(({ position }) => BigInt(position));
      expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
      expect(items[0]!.position).toBe(
        (await auditor.get<Page<{ position: string }>>(`/v1/packages/${sold.packageId}/audit-tags`)).items[0]!.position,
      );
    });

    it('K2: the package as it was after any event, and at any moment', async () => {
      const moments: string[] = [];
      const after = async (done: Promise<unknown>): Promise<void> => {
        await done;
        await clinic.service.settled();
        moments.push(new Date().toISOString());
        await sleep(2); // what happens next is later, by the clock of whoever carries it out
      };
      const sold = await clinic.sell();
      await after(Promise.resolve());
      await after(clinic.book(sold));
      await after(setRemaining(sold, 9));
      const { items } = await clinic.owner.get<History>(`/v1/packages/${sold.packageId}/history`);
      for (const [revision, remaining] of [5, 4, 9].entries()) {
        expect(await asOf(sold, `revision=${revision}`)).toMatchObject({
          revision: `${revision}`,
          services: [{ remaining }],
          at: items[revision]!.at,
        });
        expect((await asOf(sold, `at=${moments[revision]}`)).services[0]!.remaining).toBe(remaining);
      }
      expect(await asOf(sold, `at=${encodeURIComponent('2199-01-01T00:00:00+14:00')}`)).toMatchObject({ revision: '2' });
      const before = new Date(Date.parse(items[0]!.at) - 1).toISOString();
      await clinic.owner.refused(404, 'GET', `/v1/packages/${sold.packageId}/as-of?at=${before}`);
      for (const query of ['', '?revision=0&at=2027-01-01T00:00:00Z'])
        expect(await clinic.owner.refused(400, 'GET', `/v1/packages/${sold.packageId}/as-of${query}`)).toMatchObject({
          code: 'INVALID_INPUT',
        });
    });

    it('J5: history, package and list agree on what is left', async () => {
      const sold = await clinic.sell();
      await clinic.end(await clinic.book(sold), 'no-show', { session: 'forfeited' });
      await clinic.end(await clinic.book(sold), 'cancel');
      await clinic.service.settled();
      const { services, expiresOn } = await clinic.package(sold);
      const { items } = await clinic.owner.get<History>(`/v1/packages/${sold.packageId}/history`);
      const [refunded, pending] = [clinic.money(0), clinic.money(0)];
      expect(items.at(-1)!.after).toEqual({ status: 'sold', expiresOn, services, refunded, pending });
      expect(await state(sold)).toMatchObject({ services, expiresOn });
    });
  });
});
