import { disagreements } from '../support/agreement.js';
import { type Booked, type Clinic, openClinic, type Page, type Sold } from '../support/clinic.js';
import { type Service, startService } from '../support/service.js';

// Two API processes on one store; calls take turns on them.

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService({ apis: 2 });
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

const PACKAGES = 20;
const CALLERS = 6;

const times = <T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => make(n)));
const oneSession = async (offeringId: string): Promise<Sold> =>
  clinic.owner.post<Sold>('/v1/packages', { offeringId, clientId: await clinic.client() });

it('E6: of many callers racing for the last session over two processes, exactly one gets it, for each of many packages', async () => {
  const offeringId = await clinic.offering(clinic.eachAppointment(1));
  const packages = await times(PACKAGES, () => oneSession(offeringId));
  const races = packages.map((sold) =>
    times(CALLERS, () =>
      clinic.owner.send<Booked & { code?: string; detail?: string }>('POST', '/v1/appointments', {
        body: clinic.booking(sold, sold.packageId),
      }),
    ),
  );
  for (const [n, answers] of (await Promise.all(races)).entries()) {
    const sold = packages[n]!;
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toMatchObject([{ body: { packageId: sold.packageId, session: { remaining: 0, place: 'Session 1 of 1' } } }]);
    for (const { status, body } of answers.filter((answer) => !won.includes(answer)))
      expect({ ...body, status }).toMatchObject({
        ...{ status: 409, code: 'NO_SESSIONS_LEFT', detail: 'No session of Massage is left in this package.' },
        details: { serviceId: clinic.has.massage },
      });
    expect(await clinic.package(sold)).toMatchObject({ remaining: 0, services: [{ used: 1 }] });
    const { items } = await clinic.owner.get<Page<Booked>>(`/v1/appointments?packageId=${sold.packageId}`);
    expect(items.map(({ appointmentId }) => appointmentId)).toEqual(won.map(({ body }) => body.appointmentId));
  }
});

it('D2: of two payments that together would overpay, on a process each, one is refused', async () => {
  const invoices = await times(PACKAGES, async () => (await clinic.sell()).invoiceId); // of 344.93 each
  const body = { amount: clinic.money(20_000), method: 'cash' };
  const pay = (invoiceId: string) => clinic.owner.send<{ code?: string }>('POST', `/v1/invoices/${invoiceId}/payments`, { body });
  const races = await Promise.all(invoices.map((invoiceId) => Promise.all([pay(invoiceId), pay(invoiceId)])));
  for (const [n, answers] of races.entries()) {
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toMatchObject([{ status: 409, body: { code: 'OVERPAID', details: { balance: clinic.money(14_493) } } }]);
    expect(await clinic.invoice({ invoiceId: invoices[n]! })).toMatchObject({ paid: 20_000, balance: 14_493 });
  }
});

it('L2: the same request at once on both processes has one effect and one answer', async () => {
  const sold = await clinic.sell();
  const body = clinic.booking(sold, sold.packageId);
  const answers = await times(6, () => clinic.owner.post<Booked>('/v1/appointments', body, { 'idempotency-key': 'on both' }));
  expect(new Set(answers.map(({ appointmentId }) => appointmentId)).size).toBe(1);
  expect(await clinic.package(sold)).toMatchObject({ remaining: 4 });
});

it('C5: a sale on one process and an edit on the other: the sale has the terms of before or of after, whole', async () => {
  const [clientId, ids] = [await clinic.client(), await times(5, () => clinic.offering())];
  await Promise.all(
    ids.map(async (offeringId) => {
      const [sale, edit] = await Promise.all([
        clinic.owner.send<Sold>('POST', '/v1/packages', { body: { offeringId, clientId } }),
        clinic.owner.send<{ name: string }>('PATCH', `/v1/offerings/${offeringId}`, { body: { name: 'Five rubs' } }),
      ]);
      expect(sale.status).toBe(201);
      expect(sale.body.name).toBe(edit.status === 200 ? 'Five rubs' : 'Five massages');
    }),
  );
});

it('H1: of many who undo one no-show at once over two processes, all are told of the one session that it uses again', async () => {
  const packages = await times(5, async () => clinic.sell());
  await Promise.all(
    packages.map(async (sold) => {
      const booked = await clinic.book(sold);
      await clinic.end(booked, 'no-show');
      const undo = () => clinic.owner.send<Booked & { code?: string }>('POST', `/v1/appointments/${booked.appointmentId}/no-show/undo`);
      const answers = await times(CALLERS, undo);
      const [first, ...others] = answers.filter(({ status }) => status === 200);
      for (const { body } of [first!, ...others])
        expect(body).toMatchObject({ status: 'booked', outcome: null, consumptionId: first!.body.consumptionId });
      for (const { status, body } of answers.filter((answer) => answer.status !== 200))
        expect({ ...body, status }).toMatchObject({ status: 409, code: 'NOT_A_NO_SHOW' }); // it came after all was done
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', consumptionId: first!.body.consumptionId });
      const { sessions } = await clinic.owner.get<Sold>(`/v1/packages/${sold.packageId}/as-of?revision=1000`);
      expect(sessions.map(({ outcome }) => outcome)).toEqual(['returned', 'standing']); // none was taken and given back
    }),
  );
});

it('F1: what remains is set while sessions are booked: whoever saw another number is told, and nothing is lost', async () => {
  const packages = await times(5, async () => clinic.sell());
  await Promise.all(
    packages.map(async (sold) => {
      const path = `/v1/packages/${sold.packageId}/services/${clinic.has.massage}/remaining`;
      const [booking, adjusting] = await Promise.all([
        clinic.owner.send('POST', '/v1/appointments', { body: clinic.booking(sold, sold.packageId) }),
        clinic.owner.send<{ code?: string; details?: object }>('PUT', path, { body: { remaining: 8, seen: 5 } }),
      ]);
      expect(booking.status).toBe(201);
      if (adjusting.status === 200) return expect(await clinic.package(sold)).toMatchObject({ remaining: 7 });
      expect({ ...adjusting.body, status: adjusting.status }).toMatchObject({
        ...{ status: 409, code: 'REMAINING_CHANGED', details: { remaining: 4, seen: 5 } },
      });
      expect(await clinic.owner.put<Sold>(path, { remaining: 8, seen: 5, force: true })).toMatchObject({ services: [{ remaining: 8 }] });
    }),
  );
});

it('H4: two refunds at once over two processes never exceed what was paid; one that fits beside the other is given', async () => {
  const paid = { amount: clinic.money(34_493), method: 'cash' as const };
  const refund = ({ packageId }: Sold, amount: number) =>
    clinic.owner.send<{ code?: string }>('POST', `/v1/packages/${packageId}/refunds`, {
      body: { amount: clinic.money(amount), outcome: 'noOutstandingBalance', method: 'cash' },
    });
  for (const [amounts, statuses, refunded] of [
    [[20_000, 20_000], [201, 409], 20_000],
    [[10_000, 20_000], [201, 201], 30_000],
  ] as const) {
    const sold = await clinic.sell({}, { payment: paid });
    await clinic.owner.post(`/v1/packages/${sold.packageId}/cancel`, {});
    const answers = await Promise.all(amounts.map((amount) => refund(sold, amount)));
    expect(answers.map(({ status }) => status).sort()).toEqual(statuses);
    for (const { body } of answers.filter(({ status }) => status === 409)) expect(body).toMatchObject({ code: 'REFUND_ABOVE_PAID' });
    expect(await clinic.package(sold)).toMatchObject({ refunded });
    expect(await clinic.invoice(sold)).toMatchObject({ refunded, adjustments: -refunded, balance: 0 });
  }
});

it('H4: a refund and a reinstating at once: one of them is refused', async () => {
  const paid = { amount: clinic.money(34_493), method: 'cash' as const };
  const packages = await times(4, () => clinic.sell({}, { payment: paid }));
  for (const sold of packages) {
    const path = `/v1/packages/${sold.packageId}`;
    await clinic.owner.post(`${path}/cancel`, {});
    const body = { amount: clinic.money(10_000), outcome: 'outstandingBalance', method: 'cash' };
    const [refund, reinstating] = await Promise.all([
      clinic.owner.send<{ code?: string }>('POST', `${path}/refunds`, { body }),
      clinic.owner.send<{ code?: string }>('POST', `${path}/reinstate`, { body: {} }),
    ]);
    const refunded = refund.status === 201;
    expect([refund.body.code, reinstating.body.code]).toEqual(
      refunded ? [undefined, 'PACKAGE_REFUNDED'] : ['PACKAGE_NOT_CANCELLED', undefined],
    );
    expect(await clinic.package(sold)).toMatchObject(
      refunded ? { status: 'cancelled', refunded: 10_000 } : { status: 'sold', refunded: 0 },
    );
  }
});

it('E6: a return and a booking at once never make or lose a session', async () => {
  const packages = await times(5, async () => clinic.sell(clinic.eachAppointment(2)));
  await Promise.all(
    packages.map(async (sold) => {
      const [first] = [await clinic.book(sold), await clinic.book(sold)];
      const cancelling = clinic.end(first, 'cancel');
      const answers = await times(3, () => clinic.owner.send('POST', '/v1/appointments', { body: clinic.booking(sold, sold.packageId) }));
      await cancelling;
      const won = answers.filter(({ status }) => status === 201).length;
      expect(won).toBeLessThanOrEqual(1);
      expect(await clinic.package(sold)).toMatchObject({ remaining: 1 - won, services: [{ used: 1 + won }] });
    }),
  );
});

describe('one appointment, of which two want something else at once, over two processes', () => {
  const OF_EACH = 6;
  type Reply = Awaited<ReturnType<typeof send>>;
  const send = (method: string, path: string, body?: object) =>
    clinic.owner.send<Booked & { code?: string; items?: { packageId: string | null; consumptionId: string | null }[] }>(method, path, {
      body,
    });
  const at = ({ appointmentId }: Booked, how: string, body: object = {}) => send('POST', `/v1/appointments/${appointmentId}/${how}`, body);
  const remove = ({ appointmentId }: Booked) => send('DELETE', `/v1/appointments/${appointmentId}/package`);
  const move = (booked: Booked, days: number) => at(booked, 'move', { start: clinic.in(days) });
  const done = ({ status }: Reply): boolean => status < 300;
  const said = ({ status, body }: Reply) => (status < 300 ? 'done' : body.code);
  const sessionsOf = async ({ packageId }: Sold) =>
    (await clinic.owner.get<Sold>(`/v1/packages/${packageId}/as-of?revision=1000`)).sessions;

  const eachWithPackage = async (race: (booked: Booked, sold: Sold) => Promise<void>): Promise<void> => {
    const packages = await times(OF_EACH, async () => clinic.sell());
    await Promise.all(packages.map(async (sold) => race(await clinic.book(sold), sold)));
  };

  it('H2: of many who book it again, all are told of the one session that it uses', () =>
    eachWithPackage(async (booked, sold) => {
      await clinic.end(booked, 'cancel');
      const answers = await times(CALLERS, () => at(booked, 'rebook'));
      const { consumptionId } = answers.find(done)!.body;
      for (const { body } of answers.filter(done)) expect(body).toMatchObject({ status: 'booked', outcome: null, consumptionId });
      for (const answer of answers.filter((one) => !done(one))) expect(said(answer)).toBe('APPOINTMENT_NOT_CANCELLED'); // it came after all was done
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', consumptionId });
      expect((await sessionsOf(sold)).map(({ outcome }) => outcome)).toEqual(['returned', 'standing']); // none was taken and given back
    }));

  it('H2: booked again from its package and at the regular fee: one of the two', () =>
    eachWithPackage(async (booked, sold) => {
      await clinic.end(booked, 'cancel');
      const [from, regular] = await Promise.all([at(booked, 'rebook'), at(booked, 'rebook', { regularFee: true })]);
      expect([from, regular].filter(done)).toHaveLength(1);
      expect(['APPOINTMENT_CHANGED', 'APPOINTMENT_NOT_CANCELLED']).toContain(said(done(from) ? regular : from));
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId: done(from) ? sold.packageId : null });
      expect(await clinic.package(sold)).toMatchObject({ remaining: done(from) ? 4 : 5 });
    }));

  it('E8: two packages are applied: it uses one, and the other has its session back', async () => {
    await times(OF_EACH, async () => {
      const booked = await clinic.bookWithout();
      const packages = await times(2, () => clinic.sell({}, { clientId: booked.clientId }));
      const answers = await Promise.all(packages.map(({ packageId }) => at(booked, 'package', { packageId })));
      const [applied] = answers.filter(done);
      expect(answers.filter(done)).toHaveLength(1);
      expect(['APPOINTMENT_CHANGED', 'APPOINTMENT_HAS_PACKAGE']).toContain(said(answers.find((one) => !done(one))!));
      const { packageId } = applied!.body;
      expect(await clinic.appointment(booked)).toMatchObject({ packageId, consumptionId: applied!.body.consumptionId });
      for (const sold of packages) expect(await clinic.package(sold)).toMatchObject({ remaining: sold.packageId === packageId ? 4 : 5 });
    });
  });

  it('E8, H2: a package is applied while it is cancelled: the package has all its sessions afterwards', async () => {
    await times(OF_EACH, async () => {
      const booked = await clinic.bookWithout();
      const sold = await clinic.sell({}, { clientId: booked.clientId });
      const [apply, cancel] = await Promise.all([at(booked, 'package', { packageId: sold.packageId }), at(booked, 'cancel')]);
      expect(said(cancel)).toBe('done');
      expect(['done', 'APPOINTMENT_CHANGED', 'APPOINTMENT_NOT_BOOKED']).toContain(said(apply));
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'cancelled', packageId: done(apply) ? sold.packageId : null });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
    });
  });

  it('E7, E8: a package is applied while it is moved, to another provider or for longer: it uses a session for where it is, or none', async () => {
    const { providerId } = await clinic.owner.post<{ providerId: string }>('/v1/providers', {
      name: 'Kim',
      serviceIds: [clinic.has.massage],
    });
    await times(OF_EACH, async (n) => {
      const booked = await clinic.bookWithout();
      const sold = await clinic.sell({}, { clientId: booked.clientId });
      const end = new Date(Date.parse(booked.end) + 30 * 60_000).toISOString();
      const to = { start: booked.start, ...(n % 2 === 0 ? { providerId } : { end }) };
      const [apply, moved] = await Promise.all([at(booked, 'package', { packageId: sold.packageId }), at(booked, 'move', to)]);
      expect(['done', 'APPOINTMENT_CHANGED']).toContain(said(apply));
      expect(['done', 'APPOINTMENT_CHANGED']).toContain(said(moved));
      const now = await clinic.appointment(booked);
      expect(now).toMatchObject(done(moved) ? to : { start: booked.start, end: booked.end });
      const standing = (await sessionsOf(sold)).filter(({ outcome }) => outcome === 'standing');
      expect(standing.map(({ consumptionId }) => consumptionId)).toEqual(now.packageId === null ? [] : [now.consumptionId]);
      if (done(apply)) expect(now.packageId).toBe(sold.packageId);
    });
  });

  it('E8, H1: its package is removed while it is marked as a no-show: the session comes back once', () =>
    eachWithPackage(async (booked, sold) => {
      const [removal, noShow] = await Promise.all([remove(booked), at(booked, 'no-show')]);
      expect(said(noShow)).toBe('done');
      expect(['done', 'APPOINTMENT_CHANGED', 'APPOINTMENT_NOT_BOOKED']).toContain(said(removal));
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'noShow', packageId: done(removal) ? null : sold.packageId });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
      expect((await sessionsOf(sold)).map(({ outcome }) => outcome)).toEqual(['returned']);
    }));

  it('E8, H2: its package is removed while it is cancelled and booked again: it stands with a session, or at the regular fee', () =>
    eachWithPackage(async (booked, sold) => {
      const again = async () => [await at(booked, 'cancel'), await at(booked, 'rebook')].map(said);
      const [removal, answers] = await Promise.all([remove(booked), again()]);
      expect(answers).toEqual(['done', 'done']);
      const now = await clinic.appointment(booked);
      expect(now.status).toBe('booked');
      const regular = now.packageId === null;
      if (regular) expect(said(removal)).toBe('done');
      expect(await clinic.invoice(booked)).toMatchObject({ total: regular ? 9_198 : 0, packageId: now.packageId });
      expect(await clinic.package(sold)).toMatchObject({ remaining: regular ? 5 : 4 });
    }));

  it('E7, H2: it is moved while it is cancelled: the session comes back', () =>
    eachWithPackage(async (booked, sold) => {
      const [moved, cancel] = await Promise.all([move(booked, 3), at(booked, 'cancel')]);
      expect(said(cancel)).toBe('done');
      expect(['done', 'APPOINTMENT_NOT_BOOKED', 'SESSION_NOT_STANDING']).toContain(said(moved));
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'cancelled' });
      expect(await clinic.package(sold)).toMatchObject({ remaining: 5 });
    }));

  it('E7: it is moved twice: it is where its session is', () =>
    eachWithPackage(async (booked, sold) => {
      const answers = await Promise.all([move(booked, 3), move(booked, 5)]);
      expect(answers.map(said)).toEqual(['done', 'done']);
      const now = await clinic.appointment(booked);
      expect(answers.map(({ body }) => body.start)).toContain(now.start);
      expect(await sessionsOf(sold)).toMatchObject([{ outcome: 'standing', on: now.on }]);
    }));

  it('E5, E6: a series and a booking want the last sessions: none is sold twice, and both answers are true', async () => {
    await times(OF_EACH, async () => {
      const { packageId, clientId, ...sold } = await clinic.sell(clinic.eachAppointment(2));
      const { start, ...single } = clinic.booking({ clientId }, packageId);
      const series = { ...single, rule: { start, every: 'day', count: 3 } };
      const [many, one] = await Promise.all([send('POST', '/v1/series', series), send('POST', '/v1/appointments', { ...single, start })]);
      expect(said(many)).toBe('done');
      expect(['done', 'NO_SESSIONS_LEFT']).toContain(said(one));
      const inSeries = many.body.items!.flatMap(({ consumptionId }) => consumptionId ?? []);
      expect(inSeries).toHaveLength(done(one) ? 1 : 2);
      const taken = [...inSeries, ...(done(one) ? [one.body.consumptionId] : [])];
      const sessions = await sessionsOf({ ...sold, packageId, clientId });
      expect(sessions.map(({ consumptionId }) => consumptionId).sort()).toEqual(taken.sort());
      expect(await clinic.package({ packageId })).toMatchObject({ remaining: 0, services: [{ used: 2 }] });
    });
  });

  it('E2, E9, H3: afterwards sessions, appointments and invoices agree', async () => {
    expect(disagreements(await clinic.service.history())).toEqual([]);
  });
});
