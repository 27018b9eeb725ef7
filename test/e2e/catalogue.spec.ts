import type { Booked, Clinic, Page, Sold } from '../support/clinic.js';
import { openClinic } from '../support/clinic.js';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import { startService, type Service } from '../support/service.js';
import type { CallerRole } from '../../libs/auth/roles.js';

interface Offering {
  offeringId: string;
  name: string;
  status: string;
  locked: boolean;
  deleted: boolean;
  sold: number;
  priceText: string;
}

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

const unknown = '00000000-0000-4000-8000-000000000000';

describe('business, people, roles', () => {
  it('A1: settings can be read and changed; the currency can not', async () => {
    const { owner } = await openClinic(service);
    const settings = {
      ...{ clientsSeeInvoices: false, clientsMayBuyOnline: true, onNoShow: 'forfeited', onLateCancellation: 'forfeited' },
      ...{ lateCancellationWindowMinutes: 90, stripeAccount: 'acct_1032D82eZvKYlo2C' },
    };
    await owner.patch('/v1/settings', { name: 'Spa', timeZone: 'Asia/Tokyo', settings });
    expect(await owner.get('/v1/settings')).toMatchObject({ name: 'Spa', timeZone: 'Asia/Tokyo', currency: 'CAD', settings });
    await owner.patch('/v1/settings', { settings: { onNoShow: 'returned' } });
    expect(await owner.get('/v1/settings')).toMatchObject({ name: 'Spa', settings: { ...settings, onNoShow: 'returned' } });
    const { errors } = await owner.refused(400, 'PATCH', '/v1/settings', { body: { currency: 'USD', timeZone: 'Mars/Olympus' } });
    expect(errors?.map(({ field, code }) => [field, code]).sort()).toEqual([
      ['/currency', 'UNKNOWN_FIELD'],
      ['/timeZone', 'NOT_A_TIME_ZONE'],
    ]);
  });

  it('A1: what cannot be set is refused, each field named with what would do', async () => {
    const settings = { lateCancellationWindowMinutes: -1, stripeAccount: 'my account', onNoShow: 'kept', clientsSeeInvoices: 'yes' };
    const body = { name: ' ', timeZone: 'EST5', settings };
    const { errors } = await clinic.owner.refused(400, 'PATCH', '/v1/settings', { body });
    expect(errors?.map(({ field, code }) => [field, code]).sort()).toEqual([
      ['/name', 'NOT_A_TEXT'],
      ['/settings/clientsSeeInvoices', 'NOT_A_BOOLEAN'],
      ['/settings/lateCancellationWindowMinutes', 'NOT_AN_INTEGER'],
      ['/settings/onNoShow', 'NOT_ONE_OF'],
      ['/settings/stripeAccount', 'NOT_A_STRIPE_ACCOUNT'],
      ['/timeZone', 'NOT_A_TIME_ZONE'],
    ]);
    await clinic.owner.patch('/v1/settings', { settings: { stripeAccount: null } });
  });

  it('A1: changing the zone affects later decisions only', async () => {
    const moving = await openClinic(service, { timeZone: 'Pacific/Auckland' });
    const start = '2031-03-31T12:00:00Z'; // 1 April in Auckland, 31 March in Honolulu
    const expiryRule = { kind: 'onDate', date: '2031-04-01' } as const;
    const before = await moving.sell({ expiryRule });
    const booked = await moving.book(before, { start });
    expect(booked.on).toBe('2031-04-01');
    const [sold, invoice] = [await moving.package(before), await moving.numbered(booked)];
    await moving.owner.patch('/v1/settings', { timeZone: 'Pacific/Honolulu' });

    expect(await moving.package(before)).toEqual(sold);
    expect(await moving.invoice(booked)).toEqual(invoice);
    expect(await moving.appointment(booked)).toMatchObject({ on: '2031-04-01', start: '2031-03-31T12:00:00.000Z' });
    expect(await moving.book(before, { start })).toMatchObject({ on: '2031-03-31' });
    expect((await moving.sell()).soldOn).toBe(localDateOf(new Date().toISOString(), 'Pacific/Honolulu'));
  });

  const managers: CallerRole[] = ['owner', 'administrator'];
  const staff: CallerRole[] = [...managers, 'receptionist'];
  const readers: CallerRole[] = [...staff, 'auditor'];
  const overseers: CallerRole[] = [...managers, 'auditor'];
  const all: CallerRole[] = [...readers, 'client'];
  it.each([
    [
      'changing what is sold, and settings',
      managers,
      ['PATCH /settings', 'POST /taxes', 'PATCH /taxes/:id', 'POST /services', 'PATCH /services/:id'],
    ],
    [
      'the same',
      managers,
      [
        'POST /providers',
        'PATCH /providers/:id',
        'POST /offerings',
        'PATCH /offerings/:id',
        'DELETE /offerings/:id',
        'POST /offerings/:id/restore',
        'PUT /offering-list',
        'POST /categories',
        'PATCH /categories/:id',
        'DELETE /categories/:id',
      ],
    ],
    ['moving in', managers, ['POST /imports', 'PUT /catalogue-file']],
    ['what was moved in', overseers, ['GET /imports', 'GET /imports/:id', 'GET /imports/:id/bad-rows']],
    [
      'clients, selling, adjusting, cancelling',
      staff,
      ['POST /clients', 'PATCH /clients/:id', 'POST /packages', 'POST /packages/:id/cancel'],
    ],
    ['the same', staff, ['PUT /packages/:id/services/:id/remaining', 'PUT /packages/:id/expiry', 'POST /packages/:id/expiry/restore']],
    [
      'booking',
      staff,
      [
        'POST /appointments',
        'POST /appointments/:id/cancel',
        'POST /appointments/:id/complete',
        'POST /appointments/:id/no-show',
        'POST /appointments/:id/no-show/undo',
      ],
    ],
    [
      'reading',
      readers,
      [
        'GET /settings',
        'GET /taxes',
        'GET /services',
        'GET /providers',
        'GET /clients',
        'GET /offerings',
        'GET /offering-list',
        'GET /catalogue-file',
        'GET /packages',
        'GET /appointments',
        'GET /invoices',
      ],
    ],
    [
      'the same',
      readers,
      [
        'GET /packages/available',
        'GET /packages/:id',
        'GET /packages/:id/audit-tags',
        'GET /packages/:id/bookable-services',
        'GET /packages/:id/sessions',
        'GET /appointments/:id',
        'GET /invoices/:id',
        'GET /clients/:id',
      ],
    ],
    [
      'whole histories',
      overseers,
      ['GET /packages/:id/history', 'GET /packages/:id/as-of', 'GET /packages/:id/explanation', 'GET /invoices/:id/explanation'],
    ],
  ])('A2: %s: %j only', async (_, allowed, operations) => {
    for (const role of all) {
      const caller = await clinic.as(role);
      for (const operation of operations) {
        const [method, path] = operation.replaceAll(':id', unknown).split(' ') as [string, string];
        const { status } = await caller.send(method, `/v1${path}`, method === 'GET' ? {} : { body: { no: 'such field' } });
        expect({ role, operation, status: status === 403 ? 403 : 'let in' }).toEqual({
          ...{ role, operation },
          status: allowed.includes(role) ? 'let in' : 403,
        });
      }
    }
  });

  it('A2: says of every operation who may call it', () => {
    const { paths } = service.documented.document;
    for (const operations of Object.values(paths))
      for (const operation of Object.values(operations)) expect(operation['x-permissions']?.length).toBeGreaterThan(0);
  });

  it('A3: what is of another business is 404, and lists show nothing of it', async () => {
    const other = await openClinic(service);
    const sold = await clinic.sell();
    const booked = await clinic.book(sold);
    const { massage, gst, providerId } = clinic.has;
    const addresses = [
      ...[`taxes/${gst}`, `services/${massage}`, `providers/${providerId}`, `clients/${sold.clientId}`, `offerings/${sold.offeringId}`],
      ...[`packages/${sold.packageId}`, `packages/${sold.packageId}/history`, `packages/${sold.packageId}/as-of?revision=0`],
      ...[`packages/${sold.packageId}/bookable-services`, `packages/${sold.packageId}/sessions`],
      ...[`packages/${sold.packageId}/audit-tags`, `packages/available?clientId=${sold.clientId}`],
      ...[`appointments/${booked.appointmentId}`, `invoices/${sold.invoiceId}`, `invoices/${booked.invoiceId}`],
    ];
    for (const address of addresses) {
      await clinic.owner.get(`/v1/${address}`);
      expect(await other.owner.refused(404, 'GET', `/v1/${address}`)).toMatchObject({ code: 'NOT_FOUND' });
    }
    for (const [method, address, body] of [
      ['PATCH', `taxes/${gst}`, { name: 'Mine' }],
      ['PATCH', `services/${massage}`, { name: 'Mine' }],
      ['PATCH', `providers/${providerId}`, { name: 'Mine' }],
      ['PATCH', `clients/${sold.clientId}`, { name: 'Mine' }],
      ['PATCH', `offerings/${sold.offeringId}`, { name: 'Mine' }],
      ['DELETE', `offerings/${sold.offeringId}`, undefined],
      ['POST', `offerings/${sold.offeringId}/restore`, undefined],
      ['PUT', `packages/${sold.packageId}/expiry`, { expiresOn: '2030-01-01' }],
      ['PUT', `packages/${sold.packageId}/services/${massage}/remaining`, { remaining: 50 }],
      ['POST', `packages/${sold.packageId}/expiry/restore`, {}],
      ['POST', `packages/${sold.packageId}/cancel`, {}],
      ['POST', `appointments/${booked.appointmentId}/complete`, undefined],
      ['POST', `appointments/${booked.appointmentId}/cancel`, {}],
      ['POST', `appointments/${booked.appointmentId}/no-show`, {}],
      ['POST', `appointments/${booked.appointmentId}/no-show/undo`, undefined],
    ] as const)
      expect(await other.owner.refused(404, method, `/v1/${address}`, { body })).toMatchObject({ code: 'NOT_FOUND' });
    for (const list of ['packages', 'appointments', 'invoices', 'clients', 'offerings'])
      expect((await other.owner.get<Page<unknown>>(`/v1/${list}`)).items).toEqual([]);
  });

  it('A3: nothing begins in a business that is not there', async () => {
    const token = await clinic.business.token('owner', { business: '00000000-0000-4000-8000-000000000000' });
    const caller = clinic.business.anybody({ authorization: `Bearer ${token}` });
    const before = await service.lastPosition();
    for (const [path, body] of [
      ['clients', { name: 'Anna' }],
      ['taxes', { name: 'GST', rate: '5' }],
      ['providers', { name: 'Kim', serviceIds: [] }],
      ['categories', { name: 'Massages' }],
    ] as const)
      expect(await caller.refused(404, 'POST', `/v1/${path}`, { body })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await service.lastPosition()).toBe(before);
  });

  it('A3: a body that names things of another business is 404, naming every field', async () => {
    const other = await openClinic(service);
    const sold = await clinic.sell();
    const refusalOf = async (path: string, body: unknown) => {
      const { code, errors } = await other.owner.refused(404, 'POST', path, { body });
      return [code, errors?.map(({ field }) => field)];
    };
    expect(await refusalOf('/v1/appointments', clinic.booking(sold, sold.packageId))).toEqual([
      'NOT_FOUND',
      ['/clientId', '/serviceId', '/providerId', '/packageId'],
    ]);
    expect(await refusalOf('/v1/providers', { name: 'Kim', serviceIds: [clinic.has.massage] })).toEqual(['NOT_FOUND', ['/serviceIds/0']]);
    const cut = { name: 'Cut', durationMinutes: 30, price: clinic.money(1), taxIds: [clinic.has.gst] };
    expect(await refusalOf('/v1/services', cut)).toEqual(['NOT_FOUND', ['/taxIds/0']]);
    const ours = other.booking({ clientId: await other.client() }, sold.packageId);
    expect((await other.owner.refused(404, 'POST', '/v1/appointments', { body: ours })).code).toBe('NOT_FOUND');
    const sale = { offeringId: sold.offeringId, clientId: await other.client() };
    expect((await other.owner.refused(404, 'POST', '/v1/packages', { body: sale })).code).toBe('NOT_FOUND');
  });

  it.each(['JPY', 'KWD'])('A4: two taxes, %s: each on the net, rounded half up to the minor unit', async (currency) => {
    const [gst, qst] = [50, 100]; // 5 % of 1001 is 50.05, 9.975 % is 99.85
    const abroad = await openClinic(service, { currency, timeZone: 'Asia/Tokyo' });
    const { serviceId } = await abroad.owner.post<{ serviceId: string }>('/v1/services', {
      ...{ name: 'Cut', durationMinutes: 30, price: abroad.money(1_001), taxIds: [abroad.has.gst, abroad.has.qst] },
    });
    const { providerId } = await abroad.owner.post<{ providerId: string }>('/v1/providers', { name: 'Kim', serviceIds: [serviceId] });
    const clientId = await abroad.client();
    const booked = await abroad.owner.post<Booked>('/v1/appointments', { ...abroad.booking({ clientId, serviceId }), providerId });
    expect(await abroad.invoice(booked)).toMatchObject({
      ...{ currency, net: 1_001, tax: gst + qst, total: 1_001 + gst + qst },
      lines: [{ taxes: [{ amount: { amount: gst, currency } }, { amount: { amount: qst, currency } }] }],
    });
  });
});

describe('services and providers', () => {
  const serviceWith = async (said: object): Promise<string> =>
    (
      await clinic.owner.post<{ serviceId: string }>('/v1/services', {
        name: 'Bath',
        durationMinutes: 45,
        price: clinic.money(3_000),
        ...said,
      })
    ).serviceId;
  const providerOf = async (...serviceIds: string[]): Promise<string> =>
    (await clinic.owner.post<{ providerId: string }>('/v1/providers', { name: 'Kim Lee', serviceIds })).providerId;

  it('B1: are made, changed, hidden and put away, and listed by name', async () => {
    const serviceId = await serviceWith({ name: 'Zen bath', description: 'Warm' });
    await clinic.owner.patch(`/v1/services/${serviceId}`, {
      price: clinic.money(3_500),
      active: false,
      publiclyDisplayed: false,
      taxIds: [clinic.has.gst],
    });
    const changed = {
      name: 'Zen bath',
      description: 'Warm',
      price: clinic.money(3_500),
      active: false,
      publiclyDisplayed: false,
      taxIds: [clinic.has.gst],
    };
    expect(await clinic.owner.get(`/v1/services/${serviceId}`)).toMatchObject(changed);
    expect((await clinic.owner.get<Page<object>>('/v1/services?name=zen')).items).toMatchObject([changed]);
    const providerId = await providerOf(serviceId);
    await clinic.owner.patch(`/v1/providers/${providerId}`, { active: false, name: 'Kim Park' });
    expect(await clinic.owner.get(`/v1/providers/${providerId}`)).toMatchObject({
      name: 'Kim Park',
      active: false,
      serviceIds: [serviceId],
    });
  });

  it('B2: only an active, displayed service goes into an offering; hidden later it is still booked by staff, inactive by nobody', async () => {
    const hidden = await serviceWith({ publiclyDisplayed: false });
    const inactive = await serviceWith({ active: false });
    const body = { name: 'No', services: [hidden, inactive].map((serviceId) => ({ serviceId, limit: 1 })) };
    const { errors } = await clinic.owner.refused(400, 'POST', '/v1/offerings', { body });
    expect(errors?.map(({ field, code }) => [field, code])).toEqual([
      ['/services/0/serviceId', 'SERVICE_NOT_OFFERABLE'],
      ['/services/1/serviceId', 'SERVICE_NOT_OFFERABLE'],
    ]);

    const serviceId = await serviceWith({});
    const providerId = await providerOf(serviceId);
    const sold = await clinic.sell({ services: [{ serviceId, limit: 3 }] });
    const booking = { ...clinic.booking({ clientId: sold.clientId, serviceId }, sold.packageId), providerId };
    await clinic.owner.patch(`/v1/services/${serviceId}`, { publiclyDisplayed: false });
    expect(await clinic.owner.post('/v1/appointments', booking)).toMatchObject({ session: { remaining: 2 } });
    await clinic.owner.patch(`/v1/services/${serviceId}`, { active: false });
    expect((await clinic.owner.refused(409, 'POST', '/v1/appointments', { body: booking })).code).toBe('SERVICE_INACTIVE');
  });

  it('B1: a provider is booked only while active, and for what they give', async () => {
    const clientId = await clinic.client();
    const providerId = await providerOf(clinic.has.facial);
    const body = { ...clinic.booking({ clientId }), providerId };
    expect((await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).code).toBe('PROVIDER_DOES_NOT_GIVE_SERVICE');
    await clinic.owner.patch(`/v1/providers/${providerId}`, { active: false, serviceIds: [clinic.has.massage] });
    expect((await clinic.owner.refused(409, 'POST', '/v1/appointments', { body })).code).toBe('PROVIDER_INACTIVE');
  });
});

describe('offerings', () => {
  const change = (offeringId: string, body: object) => clinic.owner.patch<Offering>(`/v1/offerings/${offeringId}`, body);
  const read = (offeringId: string) => clinic.owner.get<Offering>(`/v1/offerings/${offeringId}`);

  it('C1: in one call', async () => {
    const { massage, facial, gst } = clinic.has;
    const said = {
      ...{ name: 'Everything', description: 'All\nof it', status: 'active', soldOnline: true, externalReference: 'E-1' },
      services: [
        { serviceId: massage, limit: 3 },
        { serviceId: facial, limit: 'unlimited' },
      ],
      expiryRule: { kind: 'after', from: 'firstUse', amount: 6, unit: 'weeks' },
      payment: { method: 'paidUpfront', fee: clinic.money(45_000), taxIds: [gst] },
    };
    const { offeringId } = await clinic.owner.post<Offering>('/v1/offerings', said);
    expect(await read(offeringId)).toMatchObject({ ...said, locked: false, deleted: false, sold: 0, priceText: '450.00 CAD plus taxes' });
  });

  it('C1: step by step; what is inactive may be unfinished', async () => {
    const { offeringId } = await clinic.owner.post<Offering>('/v1/offerings', { name: 'Steps' });
    expect(await read(offeringId)).toMatchObject({ status: 'inactive', services: [], payment: null, priceText: '' });
    const { errors } = await clinic.owner.refused(400, 'PATCH', `/v1/offerings/${offeringId}`, { body: { status: 'active' } });
    expect(errors?.map(({ field }) => field)).toEqual(['/services', '/payment']);
    await change(offeringId, clinic.eachAppointment());
    expect(await change(offeringId, { status: 'active' })).toMatchObject({ status: 'active' });
    expect(await read(offeringId)).toMatchObject({ priceText: '60.00 CAD each appointment' });
  });

  it('C2: every expiry rule, as it comes out of a sale', async () => {
    const rules = [
      [{ kind: 'none' }, () => null],
      [{ kind: 'onDate', date: '2031-02-28' }, () => '2031-02-28'],
      [{ kind: 'after', from: 'purchase', amount: 10, unit: 'days' }, (sold: Date) => new Date(sold.setUTCDate(sold.getUTCDate() + 10))],
      [{ kind: 'after', from: 'purchase', amount: 2, unit: 'weeks' }, (sold: Date) => new Date(sold.setUTCDate(sold.getUTCDate() + 14))],
      [{ kind: 'after', from: 'firstUse', amount: 1, unit: 'months' }, () => null],
    ] as const;
    for (const [expiryRule, expected] of rules) {
      const sold = await clinic.sell({ expiryRule });
      const expiresOn = expected(new Date(sold.soldOn));
      expect(sold).toMatchObject({ expiryRule, expiresOn: expiresOn instanceof Date ? expiresOn.toISOString().slice(0, 10) : expiresOn });
    }
  });

  it('C2: selling past a specific date is refused, on it is not', async () => {
    const clientId = await clinic.client();
    const past = await clinic.offering({ expiryRule: { kind: 'onDate', date: clinic.day(-2) } });
    const body = { offeringId: past, clientId };
    expect(await clinic.owner.refused(409, 'POST', '/v1/packages', { body })).toMatchObject({
      code: 'OFFERING_EXPIRED',
      details: { expiresOn: clinic.day(-2) },
    });
    expect(await clinic.sell({ expiryRule: { kind: 'onDate', date: clinic.day(1) } })).toMatchObject({ expiresOn: clinic.day(1) });
  });

  const lockedChanges: [string, () => object][] = [
    ['name', () => ({ name: 'Six massages' })],
    ['services', () => ({ services: [{ serviceId: clinic.has.massage, limit: 6 }] })],
    [
      'services',
      () => ({
        services: [
          { serviceId: clinic.has.massage, limit: 5 },
          { serviceId: clinic.has.facial, limit: 1 },
        ],
      }),
    ],
    ['payment.method', () => ({ payment: clinic.eachAppointment().payment })],
  ];

  it('C5: from the first sale on, name, services and payment method are locked, and the refusal names each', async () => {
    const { offeringId } = await clinic.sell();
    for (const [field, body] of lockedChanges)
      expect(await clinic.owner.refused(409, 'PATCH', `/v1/offerings/${offeringId}`, { body: body() })).toMatchObject({
        code: 'OFFERING_LOCKED',
        details: { fields: [field] },
      });
    const body = { name: 'All new', services: [], payment: null, status: 'inactive' };
    expect((await clinic.owner.refused(409, 'PATCH', `/v1/offerings/${offeringId}`, { body })).details).toEqual({
      fields: ['name', 'services', 'payment.method'],
    });
    expect(await read(offeringId)).toMatchObject({ name: 'Five massages', locked: true, sold: 1 });
  });

  it('C5: the rest can still change, for later sales only', async () => {
    const before = await clinic.sell();
    const changes = {
      ...{ description: 'New words', expiryRule: { kind: 'onDate', date: '2031-01-01' } },
      payment: { method: 'paidUpfront', fee: clinic.money(99_000), taxIds: [] },
    };
    await change(before.offeringId, changes);
    const after = await clinic.owner.post<Sold>('/v1/packages', { offeringId: before.offeringId, clientId: before.clientId });
    expect(await clinic.package(before)).toMatchObject({ description: '', expiresOn: null, total: 34_493 });
    expect(await clinic.package(after)).toMatchObject({ description: 'New words', expiresOn: '2031-01-01', total: 99_000 });
  });

  it('C5: the terms of a sale are pinned: whatever changes afterwards, package, invoices and lists stay as they are', async () => {
    const alone = await openClinic(service);
    const { owner } = alone;
    const { massage, facial, gst, qst } = alone.has;
    const services = [massage, facial].map((serviceId) => ({ serviceId, limit: 3 }));
    const upfront = await alone.sell({ services, expiryRule: { kind: 'after', from: 'firstUse', amount: 2, unit: 'months' } });
    const each = await alone.sell(alone.eachAppointment());
    const booked = [await alone.book(upfront), await alone.book(upfront, { serviceId: facial }), await alone.book(each)];
    const asSold = async () => ({
      packages: [await alone.package(upfront), await alone.package(each)],
      invoices: await Promise.all([upfront, each, ...booked].map((one) => alone.numbered(one))),
      listed: (await owner.get<Page<object>>('/v1/packages')).items,
      appointments: (await owner.get<Page<object>>('/v1/appointments')).items,
      terms: await Promise.all([upfront, each].map(({ packageId }) => owner.get(`/v1/packages/${packageId}/as-of?revision=0`))),
    });
    const before = await asSold();

    const changes = {
      description: 'New words',
      status: 'inactive',
      expiryRule: { kind: 'none' },
      externalReference: 'X',
    };
    await owner.patch(`/v1/offerings/${upfront.offeringId}`, {
      ...changes,
      soldOnline: true,
      payment: { method: 'paidUpfront', fee: alone.money(1), taxIds: [] },
    });
    await owner.patch(`/v1/offerings/${each.offeringId}`, {
      ...changes,
      payment: { method: 'paidEachAppointment', fees: [{ serviceId: massage, fee: alone.money(1) }] },
    });
    for (const serviceId of [massage, facial])
      await owner.patch(`/v1/services/${serviceId}`, { name: 'Renamed', price: alone.money(2), taxIds: [], publiclyDisplayed: false });
    for (const taxId of [gst, qst]) await owner.patch(`/v1/taxes/${taxId}`, { name: 'Other tax', rate: '99' });
    await owner.delete(`/v1/offerings/${upfront.offeringId}`);

    expect(await asSold()).toEqual(before);
    // What is booked from it later has the fee of the sale, and the service's taxes of that moment (C4).
    expect(await alone.invoice(await alone.book(each))).toMatchObject({ net: 6_000, tax: 0 });
  });

  it('C5: still locked after the only sale is cancelled', async () => {
    const { offeringId, packageId } = await clinic.sell();
    await clinic.owner.post(`/v1/packages/${packageId}/cancel`, {});
    expect(await clinic.owner.refused(409, 'PATCH', `/v1/offerings/${offeringId}`, { body: { name: 'Six' } })).toMatchObject({
      code: 'OFFERING_LOCKED',
      details: { fields: ['name'] },
    });
  });

  it('C6: an inactive or deleted one cannot be sold; packages sold before stay usable', async () => {
    const sold = await clinic.sell();
    const { offeringId, clientId } = sold;
    const refusal = () => clinic.owner.refused(409, 'POST', '/v1/packages', { body: { offeringId, clientId } });
    await change(offeringId, { status: 'inactive' });
    expect(await refusal()).toMatchObject({ code: 'OFFERING_INACTIVE' });
    expect(await clinic.book(sold)).toMatchObject({ session: { remaining: 4 } });
    await change(offeringId, { status: 'active' });
    await clinic.owner.delete(`/v1/offerings/${offeringId}`);
    expect(await refusal()).toMatchObject({ code: 'OFFERING_DELETED' });
    expect(await clinic.book(sold)).toMatchObject({ session: { remaining: 3 } });
  });

  it('C7: deleted ones are left out of the list unless asked for, and can be restored', async () => {
    const alone = await openClinic(service);
    const { owner } = alone;
    const offeringId = await alone.offering();
    const listed = async (query = '') => (await owner.get<Page<Offering>>(`/v1/offerings${query}`)).items.map(({ deleted }) => deleted);
    expect(await listed()).toEqual([false]);
    expect(await owner.delete(`/v1/offerings/${offeringId}`)).toMatchObject({ deleted: true });
    expect(await owner.delete(`/v1/offerings/${offeringId}`)).toMatchObject({ deleted: true }); // a repeat changes nothing
    expect([await listed(), await listed('?includeDeleted=true'), await listed('?status=active')]).toEqual([[], [true], []]);
    expect((await owner.refused(409, 'PATCH', `/v1/offerings/${offeringId}`, { body: { description: 'x' } })).code).toBe(
      'OFFERING_DELETED',
    );
    expect(await owner.post(`/v1/offerings/${offeringId}/restore`)).toMatchObject({ deleted: false });
    expect(await listed()).toEqual([false]);
  });

  it('C9: the list shows status, price, services and how many were sold, in the order in which they were made, in pages', async () => {
    const alone = await openClinic(service);
    for (const name of ['Gold', 'Bronze', 'Silver']) await alone.sell({ name });
    const names: string[] = [];
    for (let query = '?limit=2'; query;) {
      const { items, next } = await alone.owner.get<Page<Offering>>(`/v1/offerings${query}`);
      expect(items).toMatchObject(items.map(() => ({ status: 'active', sold: 1, priceText: '300.00 CAD plus taxes' })));
      names.push(...items.map(({ name }) => name));
      query = next === null ? '' : `?limit=2&cursor=${encodeURIComponent(next)}`;
    }
    expect(names).toEqual(['Gold', 'Bronze', 'Silver']);
  });
});
