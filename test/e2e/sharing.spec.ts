import { randomUUID } from 'node:crypto';
import type { Caller as CommandCaller } from '../../libs/command-handling/command.js';
import { BookAppointment, CancelAppointment, type AppointmentAnswer } from '../../libs/command-handling/commands/appointment.commands.js';
import { linkIdOf } from '../../libs/domain/client-link/client-link.state.js';
import type { Booked, Clinic, Invoice, Linked, Page, Sold } from '../support/clinic.js';
import { openClinic } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

interface LinkedClient {
  clientId: string;
  name: string;
  relationship: string;
}
type Shown = Sold & { sharedWith: LinkedClient[]; sharedBy: LinkedClient | null };
type Contact = LinkedClient & { email: string | null };

const nothing = { bookAndManageAppointments: false, completeIntakeForms: false, receiveNotificationCopies: false, usePackages: false };

withProjectorAlone((at) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  const usePackages = { usePackages: true };
  const packageIds = ({ items }: Page<Sold>) => new Set(items.map(({ packageId }) => packageId));
  /** A parent who lets their child use their packages, and one package. */
  const family = async () => {
    const [parent, child] = [await clinic.client('Anna Tremblay'), await clinic.client('Ben Tremblay')];
    await clinic.link(parent, child, { gives: usePackages });
    return { parent, child, sold: await clinic.sell({}, { clientId: parent }) };
  };
  const refusedBooking = (sold: Sold, clientId: string) =>
    clinic.owner.refused(409, 'POST', '/v1/appointments', { body: clinic.booking({ clientId }, sold.packageId) });
  const ofSeries = (sold: Sold, clientId: string) => ({
    ...{ clientId, packageId: sold.packageId, serviceId: clinic.has.massage, providerId: clinic.has.providerId },
    starts: [clinic.in(1), clinic.in(2)],
  });
  const usedBy = async (sold: Sold) => (await clinic.package(sold)).services[0]!.used;

  describe('links', () => {
    it('G1, G2: two clients are linked; each sees the other as what they are to them', async () => {
      const [parent, child] = [await clinic.client('Anna Tremblay'), await clinic.client('Ben Tremblay')];
      const gives = { ...nothing, usePackages: true };
      const gets = { ...nothing, bookAndManageAppointments: true };
      const annas = { clientId: parent, otherClientId: child, relationship: 'child', otherRelationship: 'parent', gives, gets };
      expect(await clinic.link(parent, child, { gives: usePackages, gets: { bookAndManageAppointments: true } })).toMatchObject(annas);
      expect(await clinic.owner.get(`/v1/clients/${parent}/links`)).toEqual({
        items: [{ ...annas, otherName: 'Ben Tremblay', revision: '0' }],
        next: null,
      });
      expect(await clinic.owner.get(`/v1/clients/${child}/links/${parent}`)).toEqual({
        ...{ clientId: child, otherClientId: parent, otherName: 'Anna Tremblay', relationship: 'parent', otherRelationship: 'child' },
        ...{ gives: gets, gets: gives, revision: '0' },
      });
    });

    it('G1: the label of each side can be said, and changed by itself', async () => {
      const [one, other] = [await clinic.client(), await clinic.client()];
      const said = { relationship: 'guardian', otherRelationship: 'child' } as const;
      expect(await clinic.link(one, other, said)).toMatchObject(said);
      expect(await clinic.owner.patch(`/v1/clients/${other}/links/${one}`, { relationship: 'partner' })).toMatchObject({
        ...{ clientId: other, relationship: 'partner', otherRelationship: 'guardian' },
      });
    });

    it('G2: a permission is given and taken away without touching the others', async () => {
      const { parent, child } = await family();
      const path = `/v1/clients/${parent}/links/${child}`;
      const changed = await clinic.owner.patch<Linked>(path, { gives: { completeIntakeForms: true } });
      expect(changed.gives).toEqual({ ...nothing, usePackages: true, completeIntakeForms: true });
      expect((await clinic.owner.patch<Linked>(path, { gives: { usePackages: false } })).gives).toEqual({
        ...{ ...nothing, completeIntakeForms: true },
      });
      expect((await clinic.owner.get<Linked>(path)).gives).toEqual({ ...nothing, completeIntakeForms: true });
    });

    it('G3: unlinked, there is no link; linked anew, nothing is permitted that is not said', async () => {
      const { parent, child } = await family();
      const path = `/v1/clients/${parent}/links/${child}`;
      expect(await clinic.owner.delete(path)).toMatchObject({ clientId: parent, otherClientId: child });
      expect(await clinic.owner.delete(path)).toMatchObject({ clientId: parent, otherClientId: child });
      expect(await clinic.owner.refused(404, 'GET', path)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await clinic.owner.refused(404, 'PATCH', path, { body: {} })).toMatchObject({ code: 'NOT_FOUND' });
      expect(await clinic.owner.get(`/v1/clients/${child}/links`)).toEqual({ items: [], next: null });
      expect(await clinic.link(parent, child)).toMatchObject({ gives: nothing, gets: nothing });
    });

    it('L2, L4: keys and ETags hold for links too', async () => {
      const { parent, child } = await family();
      const path = `/v1/clients/${parent}/links/${child}`;
      const { headers } = await clinic.owner.send('GET', path);
      const change = (key: string, etag: string) =>
        clinic.owner.send('PATCH', path, { body: { gives: nothing }, headers: { 'idempotency-key': key, 'if-match': etag } });
      const key = randomUUID();
      expect(await change(key, headers.get('etag')!)).toMatchObject({ status: 200, body: { gives: nothing } });
      expect(await change(key, headers.get('etag')!)).toMatchObject({ status: 200, body: { gives: nothing } });
      expect(await change(randomUUID(), headers.get('etag')!)).toMatchObject({ status: 412 });
      const body = { gives: usePackages };
      expect(await clinic.owner.refused(422, 'PATCH', path, { body, headers: { 'idempotency-key': key } })).toMatchObject({
        code: 'IDEMPOTENCY_KEY_REUSED',
      });
    });

    it('A3: both are clients of this business, and two', async () => {
      const [client, unknown] = [await clinic.client(), randomUUID()];
      const stranger = await (await openClinic(clinic.service)).client();
      const refusal = (status: number, one: string, other: string) =>
        clinic.owner.refused(status, 'PUT', `/v1/clients/${one}/links/${other}`, { body: { relationship: 'partner' } });
      expect((await refusal(404, client, stranger)).errors).toMatchObject([{ field: '/otherClientId', in: 'path', code: 'NOT_FOUND' }]);
      expect((await refusal(404, unknown, stranger)).errors).toMatchObject([{ field: '/clientId' }, { field: '/otherClientId' }]);
      expect(await refusal(409, client, client)).toMatchObject({ code: 'LINK_WITH_ONESELF' });
    });
  });

  describe('using the package of another', () => {
    it('G3: parent buys, child books; the appointment is the one of the child, the package the one of the parent', async () => {
      const { parent, child, sold } = await family();
      const booked = await clinic.book(sold, { clientId: child });
      expect(booked).toMatchObject({ clientId: child, packageId: sold.packageId, session: { remaining: 4, place: 'Session 1 of 5' } });
      expect(await clinic.appointment(booked)).toMatchObject({ clientId: child, packageId: sold.packageId, status: 'booked' });
      expect(await clinic.invoice(booked)).toMatchObject({ clientId: child, packageInvoiceId: sold.invoiceId, total: 0 });
      expect(await clinic.package(sold)).toMatchObject({ clientId: parent, services: [{ remaining: 4, used: 1 }] });
    });

    it('G3: the event names the revision of the link that it read', async () => {
      const { parent, child, sold } = await family();
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gets: usePackages });
      await clinic.book(sold, { clientId: child });
      const [, consumed] = await clinic.service.store.readStream(`package-${sold.packageId}`);
      expect(consumed!.metadata.read).toMatchObject({ [`clientLink-${linkIdOf(parent, child)}`]: '1' });
    });

    it('G3: all packages of the owner, also those bought later', async () => {
      const { parent, child } = await family();
      for (const said of [{}, clinic.eachAppointment('unlimited')])
        expect(await clinic.book(await clinic.sell(said, { clientId: parent }), { clientId: child })).toMatchObject({ status: 'booked' });
    });

    it('G3: not without the permission, nor against its direction', async () => {
      const { parent, child, sold } = await family();
      expect(await refusedBooking(sold, await clinic.client())).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      const childs = await clinic.sell({}, { clientId: child });
      expect(await refusedBooking(childs, parent)).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      const friend = await clinic.client();
      await clinic.link(parent, friend, { gives: { bookAndManageAppointments: true, completeIntakeForms: true } });
      expect(await refusedBooking(sold, friend)).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
    });

    it('G3: not transitive', async () => {
      const { parent, child, sold } = await family();
      const [partner, grandchild] = [await clinic.client(), await clinic.client()];
      await clinic.link(parent, partner, { relationship: 'partner', gives: usePackages });
      await clinic.link(child, grandchild, { gives: usePackages });
      await clinic.link(partner, child, { gives: usePackages });
      expect(await refusedBooking(sold, grandchild)).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      expect(await usedBy(sold)).toBe(0);
    });

    it('G3: taken away, there is no new use; what is booked stays, and is returned when cancelled', async () => {
      const { parent, child, sold } = await family();
      const booked = await clinic.book(sold, { clientId: child });
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: { usePackages: false } });
      expect(await refusedBooking(sold, child)).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId: sold.packageId });
      expect(await usedBy(sold)).toBe(1);
      await clinic.end(booked, 'cancel');
      expect(await usedBy(sold)).toBe(0);
    });

    it('G3, E7: taken away, what is booked can still be moved; a package cannot be applied', async () => {
      const { parent, child, sold } = await family();
      const [booked, without] = [await clinic.book(sold, { clientId: child }), await clinic.bookWithout({ clientId: child })];
      await clinic.appointment(without);
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: { usePackages: false } });
      const start = clinic.in(4);
      expect(await clinic.end(booked, 'move', { start })).toMatchObject({ start, packageId: sold.packageId });
      const path = `/v1/appointments/${without.appointmentId}/package`;
      expect(await clinic.owner.refused(409, 'POST', path, { body: { packageId: sold.packageId } })).toMatchObject({
        code: 'PACKAGE_NOT_SHARED',
      });
      expect(await usedBy(sold)).toBe(1);
    });

    it('G3: cancelled, it is not booked again from a package that is no longer shared', async () => {
      const { parent, child, sold } = await family();
      const booked = await clinic.book(sold, { clientId: child });
      await clinic.end(booked, 'cancel');
      await clinic.owner.delete(`/v1/clients/${parent}/links/${child}`);
      await clinic.service.settled();
      const path = `/v1/appointments/${booked.appointmentId}/rebook`;
      expect(await clinic.owner.refused(409, 'POST', path, { body: {} })).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      expect(await usedBy(sold)).toBe(0);
    });

    it('G3, E5: a series uses the package of another; its sessions name the revision of the link that was read', async () => {
      const { parent, child, sold } = await family();
      const { items } = await clinic.owner.post<{ items: Booked[] }>('/v1/series', ofSeries(sold, child));
      expect(items).toMatchObject([{ packageId: sold.packageId }, { packageId: sold.packageId }]);
      await clinic.service.settled();
      const [, ...taken] = await clinic.service.store.readStream(`package-${sold.packageId}`);
      expect(taken.map(({ type }) => type)).toEqual(['SessionConsumed', 'SessionConsumed', 'SeriesTaken']);
      for (const { metadata } of taken) expect(metadata.read).toMatchObject({ [`clientLink-${linkIdOf(parent, child)}`]: '0' });
      expect(await usedBy(sold)).toBe(2);
    });

    it('G3, E5: taken away between the preview and the booking, a series of the package of another is refused, as without a link', async () => {
      const { parent, child, sold } = await family();
      const body = ofSeries(sold, child);
      const preview = await clinic.owner.post<{ items: Booked[] }>('/v1/series/preview', body);
      expect(preview.items.map(({ packageId }) => packageId)).toEqual([sold.packageId, sold.packageId]);
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: { usePackages: false } });
      for (const said of [body, ofSeries(sold, await clinic.client())])
        for (const path of ['/v1/series', '/v1/series/preview'])
          expect(await clinic.owner.refused(409, 'POST', path, { body: said })).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      expect(await usedBy(sold)).toBe(0);
      expect((await clinic.owner.get<Page<Booked>>(`/v1/appointments?clientId=${child}`)).items).toEqual([]);
    });

    it('G3: unlinked, there is no new use, until it is permitted again', async () => {
      const { parent, child, sold } = await family();
      await clinic.owner.delete(`/v1/clients/${child}/links/${parent}`);
      expect(await refusedBooking(sold, child)).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      await clinic.link(child, parent, { relationship: 'parent', gets: usePackages });
      expect(await clinic.book(sold, { clientId: child })).toMatchObject({ status: 'booked' });
    });

    it('G3: undoing a no-show is new use when its session was returned', async () => {
      const { parent, child, sold } = await family();
      const booked = await clinic.book(sold, { clientId: child });
      await clinic.end(booked, 'no-show');
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: { usePackages: false } });
      const path = `/v1/appointments/${booked.appointmentId}/no-show/undo`;
      await clinic.service.settled();
      expect(await clinic.owner.refused(409, 'POST', path)).toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: usePackages });
      expect(await clinic.end(booked, 'no-show/undo')).toMatchObject({ status: 'booked', packageId: sold.packageId });
      expect(await usedBy(sold)).toBe(1);
    });

    it('G3: but not when it was forfeited: that session was never given back', async () => {
      const { parent, child, sold } = await family();
      const booked = await clinic.book(sold, { clientId: child });
      await clinic.end(booked, 'no-show', { session: 'forfeited' });
      await clinic.owner.delete(`/v1/clients/${parent}/links/${child}`);
      expect(await clinic.end(booked, 'no-show/undo')).toMatchObject({ status: 'booked' });
      expect(await usedBy(sold)).toBe(1);
    });

    it('G3, L2: the same booking sent again after the permission was taken away is the booking that was made', async () => {
      const { parent, child, sold } = await family();
      const book = () => clinic.owner.post<Booked>('/v1/appointments', body, { 'idempotency-key': key });
      const [key, body] = [randomUUID(), clinic.booking({ clientId: child }, sold.packageId)];
      const first = await book();
      await clinic.owner.delete(`/v1/clients/${parent}/links/${child}`);
      expect(await book()).toMatchObject({ appointmentId: first.appointmentId, consumptionId: first.consumptionId });
      expect(await usedBy(sold)).toBe(1);
    });
  });

  describe('booking and managing for another', () => {
    const now = () => new Date().toISOString();
    const asClient = (clientId: string, caller: CommandCaller): CommandCaller => ({
      ...{ ...caller, actor: { id: `user-of-${clientId}`, role: 'client' }, clientId },
    });
    const bookedBy = (booker: string, clientId: string, packageId: string | null = null): Promise<AppointmentAnswer> => {
      const input = { ...clinic.booking({ clientId }), end: null, packageId, externalReference: null };
      return clinic.service.at(now(), clinic.business, (caller) => new BookAppointment(asClient(booker, caller), input));
    };
    const cancelledBy = (booker: string, { appointmentId }: Booked): Promise<AppointmentAnswer> => {
      const input = { appointmentId, session: null, reason: null, requestedBy: 'client' as const };
      return clinic.service.at(now(), clinic.business, (caller) => new CancelAppointment(asClient(booker, caller), input));
    };
    const notPermitted = { code: 'NOT_PERMITTED_BY_CLIENT' };

    it('G3: the booker is the client, or someone whom that client lets', async () => {
      const { parent, child } = await family();
      expect(await bookedBy(child, child)).toMatchObject({ clientId: child, status: 'booked' });
      await expect(bookedBy(parent, child)).rejects.toMatchObject(notPermitted);
      await clinic.owner.patch(`/v1/clients/${child}/links/${parent}`, { gives: { bookAndManageAppointments: true } });
      expect(await bookedBy(parent, child)).toMatchObject({ clientId: child });
      await expect(bookedBy(child, parent)).rejects.toMatchObject(notPermitted);
      await clinic.owner.patch(`/v1/clients/${child}/links/${parent}`, { gives: { bookAndManageAppointments: false } });
      await expect(bookedBy(parent, child)).rejects.toMatchObject(notPermitted);
    });

    it('G3: whoever may use a package may not therefore book for its owner', async () => {
      const { parent, child, sold } = await family();
      expect(await bookedBy(child, child, sold.packageId)).toMatchObject({ packageId: sold.packageId });
      await expect(bookedBy(child, parent, sold.packageId)).rejects.toMatchObject(notPermitted);
    });

    it("G3: book for the owner from one's own package", async () => {
      const { parent, child } = await family();
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: { bookAndManageAppointments: true } });
      const childs = await clinic.sell({}, { clientId: child });
      // The child lets the parent use nothing: that the child itself books does not count, it is the parent's appointment.
      await expect(bookedBy(child, parent, childs.packageId)).rejects.toMatchObject({ code: 'PACKAGE_NOT_SHARED' });
      expect(await usedBy(childs)).toBe(0);
      await clinic.owner.patch(`/v1/clients/${child}/links/${parent}`, { gives: usePackages });
      expect(await bookedBy(child, parent, childs.packageId)).toMatchObject({ clientId: parent, packageId: childs.packageId });
      expect(await usedBy(childs)).toBe(1);
    });

    it('G5: cancelling for them takes the same permission, and counts as cancelled by the client', async () => {
      const { parent, child } = await family();
      const booked = await clinic.bookWithout({ clientId: child, start: clinic.in(0.01) });
      await clinic.service.settled();
      await expect(cancelledBy(parent, booked)).rejects.toMatchObject(notPermitted);
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gets: { bookAndManageAppointments: true } });
      expect(await cancelledBy(parent, booked)).toMatchObject({ status: 'cancelled' });
      const last = (await clinic.service.store.readStream(`appointment-${booked.appointmentId}`)).at(-1)!;
      expect(last).toMatchObject({ type: 'AppointmentCancelled', data: { late: true }, metadata: { actor: { role: 'client' } } });
      expect(last.metadata.read).toHaveProperty([`clientLink-${linkIdOf(parent, child)}`]);
    });

    it('H2, G5: their own appointments clients cancel without asking anybody', async () => {
      const child = await clinic.client();
      const booked = await clinic.bookWithout({ clientId: child });
      await clinic.service.settled();
      expect(await cancelledBy(child, booked)).toMatchObject({ status: 'cancelled' });
    });
  });

  describe('lists', () => {
    it('G4: the owner sees with whom a package is shared, the linked client by whom', async () => {
      const { parent, child, sold } = await family();
      const own = await clinic.sell({}, { clientId: child });
      const sharedWith = [{ clientId: child, name: 'Ben Tremblay', relationship: 'child' }];
      const sharedBy = { clientId: parent, name: 'Anna Tremblay', relationship: 'parent' };

      expect(await clinic.package(sold)).toMatchObject({ sharedWith, sharedBy: null });
      for (const path of [`/v1/packages?clientId=${parent}`, `/v1/clients/${parent}/packages`, `/v1/packages/available?clientId=${parent}`])
        expect((await clinic.owner.get<Page<Shown>>(path)).items).toMatchObject([
          { packageId: sold.packageId, sharedWith, sharedBy: null },
        ]);
      for (const path of [`/v1/clients/${child}/packages`, `/v1/packages/available?clientId=${child}`]) {
        const { items } = await clinic.owner.get<Page<Shown>>(path);
        expect(new Map(items.map((item) => [item.packageId, { with: item.sharedWith, by: item.sharedBy }]))).toEqual(
          new Map([
            [sold.packageId, { with: [], by: sharedBy }],
            [own.packageId, { with: [], by: null }],
          ]),
        );
      }
      await clinic.owner.delete(`/v1/clients/${child}/links/${parent}`);
      expect(await clinic.package(sold)).toMatchObject({ sharedWith: [], sharedBy: null });
      expect(packageIds(await clinic.owner.get<Page<Shown>>(`/v1/clients/${child}/packages`))).toEqual(new Set([own.packageId]));
    });

    it('E1, G3: shared packages are available too, first to expire on top', async () => {
      const { parent, child, sold: never } = await family();
      const soon = await clinic.sell({ expiryRule: { kind: 'onDate', date: clinic.day(5) } }, { clientId: parent });
      const later = await clinic.sell({ expiryRule: { kind: 'onDate', date: clinic.day(9) } }, { clientId: child });
      const stranger = await clinic.sell();
      const available = (query = '') => clinic.owner.get<Page<Shown>>(`/v1/packages/available?clientId=${child}${query}`);
      expect((await available()).items.map(({ packageId }) => packageId)).toEqual([soon, later, never].map(({ packageId }) => packageId));
      expect(packageIds(await available(`&start=${clinic.in(7)}`))).toEqual(new Set([later.packageId, never.packageId]));
      expect((await available(`&serviceId=${clinic.has.facial}`)).items).toEqual([]);
      const first = await available('&limit=1');
      const second = await available(`&limit=2&cursor=${first.next}`);
      expect([...packageIds(first), ...packageIds(second)]).toEqual([soon, later, never].map(({ packageId }) => packageId));
      const [also, seen] = [await clinic.sell({}, { clientId: child }), [] as string[]];
      for (let next: string | null = ''; next !== null;) {
        const page: Page<Shown> = await available(`&limit=1${next && `&cursor=${next}`}`);
        seen.push(...packageIds(page));
        ({ next } = page);
      }
      expect(seen).toEqual([soon.packageId, later.packageId, ...[never.packageId, also.packageId].sort()]); // those that never expire last
      expect(packageIds(await available())).not.toContain(stranger.packageId);
    });

    it('G5: who receives copies, whom an invoice is mailed to, who completes whose forms', async () => {
      const client = async (name: string, email: string | null) =>
        (await clinic.owner.post<{ clientId: string }>('/v1/clients', { name, email })).clientId;
      const [child, parent, guardian] = [
        await client('Ben', 'ben@example.com'),
        await client('Anna', 'anna@example.com'),
        await client('Zoé', null),
      ];
      const copiesAndForms = { receiveNotificationCopies: true, completeIntakeForms: true };
      await clinic.link(child, parent, { relationship: 'parent', gives: copiesAndForms });
      await clinic.link(child, guardian, { relationship: 'guardian', gives: { receiveNotificationCopies: true } });
      const asked = async (who: string, what: string) => (await clinic.owner.get<Page<Contact>>(`/v1/clients/${who}/${what}`)).items;

      const [anna, zoe] = [
        { clientId: parent, name: 'Anna', relationship: 'parent', email: 'anna@example.com' },
        { clientId: guardian, name: 'Zoé', relationship: 'guardian', email: null },
      ];
      expect(await asked(child, 'notification-recipients')).toEqual([zoe, anna]);
      expect(await asked(parent, 'notification-recipients')).toEqual([]);
      expect(await asked(child, 'intake-form-completers')).toEqual([anna]);
      expect(await asked(parent, 'intake-forms-of-others')).toMatchObject([{ clientId: child, name: 'Ben', relationship: 'child' }]);
      expect(await asked(guardian, 'intake-forms-of-others')).toEqual([]);

      const { invoiceId } = await clinic.bookWithout({ clientId: child });
      await clinic.invoice({ invoiceId });
      expect(await clinic.owner.get<Invoice>(`/v1/invoices/${invoiceId}/mail-to`)).toEqual({
        addresses: [
          { clientId: child, name: 'Ben', email: 'ben@example.com', because: 'client' },
          { clientId: parent, name: 'Anna', email: 'anna@example.com', because: 'notificationCopies' },
        ],
      });
    });

    it('G5, I5: the appointments of those who let the client manage them stand among their own, marked', async () => {
      const { parent, child } = await family();
      const [own, childs] = [
        await clinic.bookWithout({ clientId: parent, start: clinic.in(2) }),
        await clinic.bookWithout({ clientId: child, start: clinic.in(1) }),
      ];
      await clinic.appointment(childs);
      const listed = async (clientId: string, query = '') =>
        (
          await clinic.owner.get<Page<Booked & { linkedClient: LinkedClient | null }>>(`/v1/clients/${clientId}/appointments${query}`)
        ).items.map(({ appointmentId, linkedClient }) => [appointmentId, linkedClient]);
      expect(await listed(parent)).toEqual([[own.appointmentId, null]]);
      await clinic.owner.patch(`/v1/clients/${child}/links/${parent}`, { gives: { bookAndManageAppointments: true } });
      const ben = { clientId: child, name: 'Ben Tremblay', relationship: 'child' };
      expect(await listed(parent)).toEqual([
        [childs.appointmentId, ben],
        [own.appointmentId, null],
      ]);
      expect(await listed(parent, `?descending=true&before=${clinic.in(1.5)}&status=booked`)).toEqual([[childs.appointmentId, ben]]);
      expect(await listed(child)).toEqual([[childs.appointmentId, null]]);
    });

    it('G3, K1: the history of a link says who changed what, and when it was taken away', async () => {
      const { parent, child } = await family();
      await clinic.owner.patch(`/v1/clients/${parent}/links/${child}`, { gives: { usePackages: false } });
      await clinic.owner.delete(`/v1/clients/${parent}/links/${child}`);
      const { items } = await clinic.owner.get<Page<{ type: string; actorRole: string; after: Linked | null }>>(
        `/v1/clients/${child}/links/${parent}/history`,
      );
      expect(items.map(({ type, actorRole, after }) => [type, actorRole, after?.gets.usePackages])).toEqual([
        ['ClientsLinked', 'owner', true],
        ['LinkChanged', 'owner', false],
        ['ClientsUnlinked', 'owner', undefined],
      ]);
    });

    it('A3: nothing of a client of another business', async () => {
      const { parent, child, sold } = await family();
      const elsewhere = await openClinic(clinic.service);
      for (const what of [
        'links',
        `links/${child}`,
        `links/${child}/history`,
        'packages',
        'appointments',
        'notification-recipients',
        'intake-form-completers',
        'intake-forms-of-others',
      ])
        expect(await elsewhere.owner.refused(404, 'GET', `/v1/clients/${parent}/${what}`)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await elsewhere.owner.refused(404, 'GET', `/v1/invoices/${sold.invoiceId}/mail-to`)).toMatchObject({ code: 'NOT_FOUND' });
    });
  });
});
