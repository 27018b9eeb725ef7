import type { Caller } from '../support/caller.js';
import { type Clinic, openClinic, type Page } from '../support/clinic.js';
import { type Service, startService } from '../support/service.js';

// What clients see and do by themselves, with a token of their own.

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

interface Seen {
  packageId: string;
  clientId: string;
  invoiceId: string | null;
  remaining: number | null;
  sharedWith: { name: string }[];
  sharedBy: { name: string } | null;
}
interface SeenAppointment {
  appointmentId: string;
  clientId: string;
  packageId: string | null;
  invoiceId: string | null;
  status: string;
  linkedClient: { name: string } | null;
}

/** A parent who shares their packages with their child and may manage the child's appointments; one package. */
const family = async () => {
  const [parentId, childId] = [await clinic.client('Anna Tremblay'), await clinic.client('Ben Tremblay')];
  await clinic.link(parentId, childId, { gives: { usePackages: true }, gets: { bookAndManageAppointments: true } });
  const sold = await clinic.sell({}, { clientId: parentId });
  const [parent, child] = [await clinic.business.as('client', parentId), await clinic.business.as('client', childId)];
  return { parentId, childId, sold, parent, child };
};
const booking = (more: object = {}) => ({
  ...{ serviceId: clinic.has.massage, providerId: clinic.has.providerId, start: clinic.in(3), ...more },
});
const book = (whose: Caller, more: object = {}) => whose.post<SeenAppointment>('/v1/me/appointments', booking(more));
const own = (whose: Caller) => whose.get<Page<Seen>>('/v1/me/packages');

it('I1, G4: own packages and shared ones, each with its notation; of a shared one never the invoice', async () => {
  const { sold, parent, child, parentId } = await family();
  const mine = await own(parent);
  expect(mine.items).toMatchObject([
    { packageId: sold.packageId, invoiceId: sold.invoiceId, remaining: 5, sharedWith: [{ name: 'Ben Tremblay' }], sharedBy: null },
  ]);
  const shared = { packageId: sold.packageId, clientId: parentId, invoiceId: null, sharedWith: [], sharedBy: { name: 'Anna Tremblay' } };
  expect((await own(child)).items).toMatchObject([shared]);
  expect(await child.get(`/v1/me/packages/${sold.packageId}`)).toMatchObject(shared);
  expect(Object.keys(mine.items[0]!)).not.toEqual(expect.arrayContaining(['total', 'refunded', 'externalReference']));
});

interface Entry {
  packageId: string;
  clientName: string;
  what: string;
  effect: number;
  remaining: number | null;
}
it('I1, J3: the statement of one owner: what was used of own packages, by whom, and what was left', async () => {
  const { sold, parent, parentId, child, childId } = await family();
  const booked = await book(child, { packageId: sold.packageId });
  await book(parent, { packageId: sold.packageId });
  await child.post(`/v1/me/appointments/${booked.appointmentId}/cancel`, {});
  await service.settled();
  const statement = (whose: Caller, path = 'me', query = '') => whose.get<Page<Entry>>(`/v1/${path}/statement${query}`);
  const told = ({ items }: Page<Entry>) => items.map(({ clientName, what, effect, remaining }) => [clientName, what, effect, remaining]);
  const all = [
    ['Anna Tremblay', 'sold', 5, 5],
    ['Ben Tremblay', 'consumed', -1, 4],
    ['Anna Tremblay', 'consumed', -1, 3],
    ['Ben Tremblay', 'returned', 1, 4],
  ];
  expect(told(await statement(parent))).toEqual(all);
  expect(told(await statement(clinic.owner, `clients/${parentId}`))).toEqual(all);
  expect((await statement(child)).items).toEqual([]); // it is the owner's
  const page = await statement(parent, 'me', '?limit=3&descending=true');
  expect(told(page)).toEqual(all.toReversed().slice(0, 3));
  expect(told(await statement(parent, 'me', `?limit=3&descending=true&cursor=${page.next}`))).toEqual(all.slice(0, 1));
  const today = clinic.day(0);
  expect(
    (await statement(parent, 'me', `?packageId=${sold.packageId}&onFrom=${clinic.day(-1)}&onUntil=${clinic.day(1)}`)).items,
  ).toHaveLength(4);
  expect((await statement(parent, 'me', `?onUntil=${clinic.day(-2)}`)).items).toEqual([]);
  expect((await statement(parent, 'me', `?onFrom=${today}&packageId=${childId}`)).items).toEqual([]);
});

it('I1: a linked client cannot read the invoice', async () => {
  const { sold, parent, child } = await family();
  expect(await parent.get(`/v1/me/invoices/${sold.invoiceId}`)).toMatchObject({ invoiceId: sold.invoiceId, total: 34_493 });
  for (const what of ['', '/invoice.html', '/invoice.pdf', '/receipt.html'])
    expect(await child.refused(404, 'GET', `/v1/me/invoices/${sold.invoiceId}${what}`)).toMatchObject({ code: 'NOT_FOUND' });
  expect((await child.get<Page<unknown>>('/v1/me/invoices')).items).toEqual([]);
  expect((await parent.get<Page<{ invoiceId: string }>>('/v1/me/invoices')).items).toMatchObject([{ invoiceId: sold.invoiceId }]);
});

it('I1: no invoice at all while the business hides them; what staff have noted on one is theirs', async () => {
  const { sold, parent } = await family();
  const off = { adjustment: clinic.money(-1_00), reason: 'complains a lot' };
  await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/adjustments`, off);
  const seen = await parent.get<{ overallAdjustments: { reason: string | null }[] }>(`/v1/me/invoices/${sold.invoiceId}`);
  expect(seen.overallAdjustments).toMatchObject([{ adjustment: clinic.money(-1_00), reason: null }]);
  await clinic.owner.patch('/v1/settings', { settings: { clientsSeeInvoices: false } });
  try {
    expect((await own(parent)).items).toMatchObject([{ invoiceId: null }]);
    expect(await parent.refused(404, 'GET', `/v1/me/invoices/${sold.invoiceId}`)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await parent.refused(403, 'GET', '/v1/me/invoices')).toMatchObject({ code: 'INVOICES_NOT_SHOWN' });
  } finally {
    await clinic.owner.patch('/v1/settings', { settings: { clientsSeeInvoices: true } });
  }
});

it('I1: the sessions of an own package are all shown, of a shared one those of oneself and of whom one may manage', async () => {
  const { sold, parent, child, parentId, childId } = await family();
  await book(parent, { packageId: sold.packageId });
  await book(child, { packageId: sold.packageId, start: clinic.in(4) });
  const sessions = async (whose: Caller) =>
    (await whose.get<Page<{ clientId: string; invoiceId: string | null }>>(`/v1/me/packages/${sold.packageId}/sessions`)).items;
  expect((await sessions(parent)).map(({ clientId, invoiceId }) => [clientId, invoiceId !== null])).toEqual([
    [parentId, true],
    [childId, false],
  ]);
  expect((await sessions(child)).map(({ clientId }) => clientId)).toEqual([childId]);
});

it('I2, E1: what can be picked at booking, with what an appointment then costs; for a linked client where permitted', async () => {
  const { sold, parent, child, parentId, childId } = await family();
  const asked = `/v1/me/packages/available?serviceId=${clinic.has.massage}&start=${clinic.in(3)}`;
  const found = await child.get<Page<Seen & { services: { feeNote: { text: string } }[] }>>(asked);
  expect(found.items).toMatchObject([{ packageId: sold.packageId, services: [{ feeNote: { text: 'Nothing more' } }] }]);
  expect((await parent.get<Page<Seen>>(`${asked}&clientId=${childId}`)).items).toMatchObject([{ packageId: sold.packageId }]);
  expect(await child.refused(403, 'GET', `${asked}&clientId=${parentId}`)).toMatchObject({ code: 'NOT_PERMITTED_BY_CLIENT' });
  expect(await book(child, { packageId: sold.packageId })).toMatchObject({
    ...{ clientId: childId, packageId: sold.packageId, session: { remaining: 4, place: 'Session 1 of 5' } },
  });
  expect(await book(parent, { clientId: childId })).toMatchObject({ clientId: childId, packageId: null, invoiceId: null });
  expect(await child.refused(403, 'POST', '/v1/me/appointments', { body: booking({ clientId: parentId }) })).toMatchObject({
    code: 'NOT_PERMITTED_BY_CLIENT',
  });
  const past = { body: booking({ start: clinic.in(-3) }) };
  expect(await child.refused(409, 'POST', '/v1/me/appointments', past)).toMatchObject({ code: 'IN_THE_PAST' });
});

it('I3, B2: from a package: its services that are displayed, with whom, then the time; the package is applied', async () => {
  const { sold, parent } = await family();
  const path = `/v1/me/packages/${sold.packageId}/bookable-services`;
  const { items } = await parent.get<{ items: { serviceId: string }[] }>(path);
  expect(items.map(({ serviceId }) => serviceId)).toEqual([clinic.has.massage]);
  const providers = await parent.get<Page<{ providerId: string; serviceIds: string[] }>>('/v1/me/providers');
  expect(providers.items).toMatchObject([{ providerId: clinic.has.providerId }]);
  expect(await book(parent, { packageId: sold.packageId })).toMatchObject({ packageId: sold.packageId, invoiceId: expect.any(String) });

  const displayed = async (publiclyDisplayed: boolean) => clinic.owner.patch(`/v1/services/${clinic.has.massage}`, { publiclyDisplayed });
  await displayed(false);
  try {
    expect((await parent.get<{ items: unknown[] }>(path)).items).toEqual([]);
    const services = await parent.get<Page<{ serviceId: string }>>('/v1/me/services');
    expect(services.items.map(({ serviceId }) => serviceId)).toEqual([clinic.has.facial]);
    const body = { ...booking({ packageId: sold.packageId, start: clinic.in(5) }) };
    expect(await parent.refused(409, 'POST', '/v1/me/appointments', { body })).toMatchObject({ code: 'SERVICE_HIDDEN' });
  } finally {
    await displayed(true);
  }
});

it('I5, G5: own appointments and those of linked clients, marked; cancelled where permitted, applied and removed until they start', async () => {
  const { sold, parent, child, parentId, childId } = await family();
  const [childs, parents] = [await book(child), await book(parent, { start: clinic.in(4) })];
  const seen = await parent.get<Page<SeenAppointment>>('/v1/me/appointments');
  expect(seen.items).toMatchObject([
    { appointmentId: childs.appointmentId, clientId: childId, invoiceId: null, linkedClient: { name: 'Ben Tremblay' } },
    { appointmentId: parents.appointmentId, clientId: parentId, invoiceId: expect.any(String), linkedClient: null },
  ]);
  expect((await child.get<Page<SeenAppointment>>('/v1/me/appointments')).items).toHaveLength(1);
  expect(await child.refused(404, 'GET', `/v1/me/appointments/${parents.appointmentId}`)).toMatchObject({ code: 'NOT_FOUND' });

  const at = (path: string) => `/v1/me/appointments/${childs.appointmentId}${path}`;
  expect(await child.post(at('/package'), { packageId: sold.packageId })).toMatchObject({ packageId: sold.packageId });
  expect(await child.delete(at('/package'))).toMatchObject({ packageId: null });
  expect(await parent.post(at('/cancel'), { reason: 'ill' })).toMatchObject({ status: 'cancelled' });
  const parentsCancel = `/v1/me/appointments/${parents.appointmentId}/cancel`;
  expect(await child.refused(403, 'POST', parentsCancel, { body: {} })).toMatchObject({ code: 'NOT_PERMITTED_BY_CLIENT' });
});

it('H2, E8: what has started is changed by staff, no more by its client', async () => {
  const { sold, parent, parentId } = await family();
  const started = await clinic.book(sold, { clientId: parentId, start: clinic.in(0) });
  const at = (path: string) => `/v1/me/appointments/${started.appointmentId}${path}`;
  expect(await parent.refused(409, 'POST', at('/cancel'), { body: {} })).toMatchObject({ code: 'APPOINTMENT_STARTED' });
  expect(await parent.refused(409, 'DELETE', at('/package'))).toMatchObject({ code: 'APPOINTMENT_STARTED' });
  expect(await parent.get(at(''))).toMatchObject({ status: 'booked', packageId: sold.packageId });
  expect(await clinic.end(started, 'cancel')).toMatchObject({ status: 'cancelled' });
});

it('A2, A3: a client reaches nothing else, and nothing of anybody else', async () => {
  const { parent } = await family();
  const { sold: others } = await family();
  const stranger = await clinic.book(others);
  for (const path of [
    ...[`packages/${others.packageId}`, `packages/${others.packageId}/sessions`, `packages/${others.packageId}/bookable-services`],
    ...[`appointments/${stranger.appointmentId}`, `invoices/${others.invoiceId}`],
  ])
    expect(await parent.refused(404, 'GET', `/v1/me/${path}`)).toMatchObject({ code: 'NOT_FOUND' });
  const body = booking({ packageId: others.packageId });
  expect((await parent.refused(409, 'POST', '/v1/me/appointments', { body })).code).toBe('PACKAGE_NOT_SHARED');

  const { paths } = service.documented.document;
  const [unknown, elsewhere] = ['00000000-0000-4000-8000-000000000000', (await openClinic(service)).business];
  const callers = {
    ...{ client: parent, receptionist: await clinic.as('receptionist'), auditor: await clinic.as('auditor') },
    ...{ expired: clinic.business.anybody({ authorization: `Bearer ${await clinic.business.token('owner', { expiresIn: -60 })}` }) },
    ...{ none: clinic.business.anybody(), 'another business': await elsewhere.as('client', unknown) },
  };
  const roleOf: Record<string, string> = { 'another business': 'client' };
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      const needs = operation['x-permissions']!;
      const address = path.replace(/\{\w+\}/g, unknown);
      for (const [who, caller] of Object.entries(callers)) {
        const { status } = await caller.send(method.toUpperCase(), address, method === 'get' ? {} : { body: { no: 'such field' } });
        const expected = who === 'none' || who === 'expired' ? 401 : permittedTo(roleOf[who] ?? who, needs) ? 'let in' : 403;
        expect({ who, method, path, status: status === 401 || status === 403 ? status : 'let in' }).toEqual({
          ...{ who, method, path, status: expected },
        });
      }
    }
});

/** By hand, so that a slip in the table of the code shows: what a client has begins with `own:`. */
const permittedTo = (role: string, needs: readonly string[]): boolean =>
  needs.some((permission) =>
    role === 'client' ? permission.startsWith('own:') : role === 'auditor' ? READS.test(permission) : RECEPTIONIST.has(permission),
  );
const READS = /^(?!own:).*:read$|^reports:/;
const RECEPTIONIST = new Set([
  ...['settings:read', 'catalogue:read', 'clients:read', 'clients:write', 'packages:read', 'packages:sell', 'packages:adjust'],
  ...['packages:cancel', 'appointments:read', 'appointments:write', 'invoices:read', 'payments:take', 'reports:usage'],
]);
