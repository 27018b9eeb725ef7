import type { Problem } from '../support/caller.js';
import { type Booked, type Clinic, openClinic, type Page, type Sold } from '../support/clinic.js';
import { type Service, startService } from '../support/service.js';

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

describe('who calls', () => {
  it('A3: 401 without a valid token, whatever is asked for', async () => {
    const { business } = clinic;
    const foreign = await business.token('owner', { secret: 'another secret, of somebody else entirely' });
    const [head, payload] = (await business.token('receptionist')).split('.');
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const cases: [Record<string, string>, string][] = [
      [{}, 'TOKEN_MISSING'],
      [{ authorization: 'Basic b3duZXI6' }, 'TOKEN_MALFORMED'],
      [bearer('a.b.c'), 'TOKEN_MALFORMED'],
      [bearer(await business.token('owner', { expiresIn: -60 })), 'TOKEN_EXPIRED'],
      [bearer(foreign), 'TOKEN_INVALID'],
      [bearer(`${head}.${payload}.`), 'TOKEN_INVALID'],
    ];
    for (const [headers, code] of cases)
      for (const [method, path] of [
        ['GET', '/v1/packages'],
        ['POST', '/v1/packages'],
        ['GET', '/v1/nothing'],
      ] as const)
        expect(await business.anybody(headers).refused(401, method, path)).toMatchObject({ code });
  });

  it('A3: a token of a business that does not exist finds nothing', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    const stranger = clinic.business.anybody({ authorization: `Bearer ${await clinic.business.token('owner', { business: id })}` });
    expect(await stranger.refused(404, 'GET', '/v1/settings')).toMatchObject({ code: 'NOT_FOUND' });
    expect((await stranger.get<Page<Sold>>('/v1/packages')).items).toEqual([]);
    const body = { name: 'Cut', durationMinutes: 30, price: clinic.money(1) };
    expect(await stranger.refused(404, 'POST', '/v1/services', { body })).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('the document', () => {
  it('L1: leads everywhere that it points to', () => {
    const { document } = service.documented;
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(200);
    const components = document.components as unknown as Record<string, object>;
    for (const [, kind, name] of references) expect(components[kind!]).toHaveProperty(name!);
  });

  it('L1: has an operation for each address that answers, with an id of its own', async () => {
    const operations = Object.values(service.documented.document.paths).flatMap((path) => Object.values(path));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.length).toBeGreaterThan(35);
    const page = await fetch(`${service.urls[0]}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('L1: errors are problem details with a stable code and the id under which they are logged', async () => {
    const correlationId = '5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a10';
    const { headers, body } = await clinic.owner.send<Problem>('GET', '/v1/packages/5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a11', {
      headers: { 'x-correlation-id': correlationId },
    });
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({ type: 'urn:punchcard:problem:not-found', status: 404, code: 'NOT_FOUND', correlationId });
  });
});

describe('idempotency', () => {
  const commands: [string, () => Promise<[string, string, unknown]>][] = [
    ['a client', async () => ['POST', '/v1/clients', { name: 'Zoé' }]],
    ['a tax', async () => ['POST', '/v1/taxes', { name: 'HST', rate: '13' }]],
    ['a service', async () => ['POST', '/v1/services', { name: 'Cut', durationMinutes: 30, price: clinic.money(1) }]],
    ['an offering', async () => ['POST', '/v1/offerings', { name: 'Steps' }]],
    ['a sale', async () => ['POST', '/v1/packages', { offeringId: await clinic.offering(), clientId: await clinic.client() }]],
    ['a booking', async () => ['POST', '/v1/appointments', clinic.booking({ clientId: await clinic.client() })]],
    [
      'an adjustment',
      async () => ['PUT', `/v1/packages/${(await clinic.sell()).packageId}/services/${clinic.has.massage}/remaining`, { remaining: 3 }],
    ],
    ['an expiry', async () => ['PUT', `/v1/packages/${(await clinic.sell()).packageId}/expiry`, { expiresOn: '2031-01-01' }]],
    ['a cancellation', async () => ['POST', `/v1/appointments/${(await clinic.bookWithout()).appointmentId}/cancel`, {}]],
  ];

  it.each(commands)('L2: %s: the same key and body gives the same answer and one effect, another body is 422', async (_, given) => {
    const [method, path, body] = await given();
    const headers = { 'idempotency-key': `a key for ${path}` };
    const first = await clinic.owner.send<Record<string, unknown>>(method, path, { body, headers });
    expect(first.status).toBeLessThan(300);
    const after = await service.lastPosition();
    const again = await clinic.owner.send<Record<string, unknown>>(method, path, { body, headers });
    expect([again.status, again.body]).toEqual([first.status, { ...first.body, position: again.body.position }]);
    const other = { ...(body as object), ...(method === 'PUT' ? { reason: 'Another' } : { externalReference: 'Another' }) };
    const changed = path.endsWith('cancel') ? { reason: 'Another' } : path === '/v1/taxes' ? { name: 'HST', rate: '14' } : other;
    const { code } = await clinic.owner.refused(422, method, path, { body: changed, headers });
    expect(code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await service.lastPosition()).toBe(after);
  });

  it('L2: keys of one caller are not those of another', async () => {
    const headers = { 'idempotency-key': 'shared' };
    const receptionist = await clinic.as('receptionist');
    const [first, second] = [
      await clinic.owner.post<{ clientId: string }>('/v1/clients', { name: 'One' }, headers),
      await receptionist.post<{ clientId: string }>('/v1/clients', { name: 'Two' }, headers),
    ];
    expect(second.clientId).not.toBe(first.clientId);
  });

  it('L2: a refused command is decided anew when it is repeated', async () => {
    const sold = await clinic.sell(clinic.eachAppointment(1));
    const booked = await clinic.book(sold);
    const sent = { body: clinic.booking(sold, sold.packageId), headers: { 'idempotency-key': 'in the end' } };
    expect((await clinic.owner.refused(409, 'POST', '/v1/appointments', sent)).code).toBe('NO_SESSIONS_LEFT');
    await clinic.end(booked, 'cancel');
    expect(await clinic.owner.post<Booked>('/v1/appointments', sent.body, sent.headers)).toMatchObject({ session: { remaining: 0 } });
  });

  it('L2: a repeat gives the answer of then, also when the package has moved on', async () => {
    const sold = await clinic.sell();
    const headers = { 'idempotency-key': 'the first of two' };
    const body = clinic.booking(sold, sold.packageId);
    const first = await clinic.owner.post<Booked>('/v1/appointments', body, headers);
    await clinic.book(sold, { start: clinic.in(3) });
    const { position: _, ...again } = await clinic.owner.post<Booked>('/v1/appointments', body, headers);
    expect(first).toMatchObject(again);
  });

  describe('the late repeat', () => {
    /** Sends it once; gives what sends the very same again, which must be answered as the first time. */
    const sent = async (method: string, path: string, body?: object, more: Record<string, string> = {}) => {
      const headers = { ...more, 'idempotency-key': `late ${method} ${path} ${JSON.stringify(body)}` };
      const first = await clinic.owner.send<Booked>(method, path, { body, headers });
      expect(first.status).toBeLessThan(300);
      return async () => {
        const before = await service.lastPosition();
        const again = await clinic.owner.send<Booked>(method, path, { body, headers });
        expect([again.status, again.body]).toEqual([first.status, first.body]);
        expect(await service.lastPosition()).toBe(before);
      };
    };
    const at = ({ appointmentId }: Booked, how: string) => `/v1/appointments/${appointmentId}/${how}`;

    it('L2: of a move does not move it back, when it uses its package no more', async () => {
      const booked = await clinic.book(await clinic.sell());
      const again = await sent('POST', at(booked, 'move'), { start: clinic.in(2) });
      await service.settled();
      await clinic.owner.delete(at(booked, 'package'));
      const { start } = await clinic.end(booked, 'move', { start: clinic.in(3) });
      await again();
      expect(await clinic.appointment(booked)).toMatchObject({ start, packageId: null });
    });

    it('L2: answers as it was then: still booked, though it is completed by now', async () => {
      const booked = await clinic.bookWithout();
      const again = await sent('POST', at(booked, 'move'), { start: clinic.in(2) });
      await clinic.end(booked, 'complete');
      await again();
    });

    it('L2: of what had nothing to do does nothing, though there would be something to do by now', async () => {
      const booked = await clinic.bookWithout();
      await clinic.end(booked, 'cancel');
      const again = await sent('POST', at(booked, 'cancel'), {});
      await clinic.end(booked, 'rebook');
      await again();
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked' });

      const [parent, child] = [await clinic.client(), await clinic.client()];
      const link = `/v1/clients/${parent}/links/${child}`;
      const said = { relationship: 'child', gives: { usePackages: true } };
      await clinic.owner.put(link, said);
      const same = await sent('PUT', link, said);
      await clinic.owner.patch(link, { gives: { usePackages: false } });
      await same();
      expect(await clinic.owner.get(link)).toMatchObject({ gives: { usePackages: false } });
    });

    it('L2, L4: is not held against an ETag that the first has changed', async () => {
      const booked = await clinic.book(await clinic.sell());
      await clinic.end(booked, 'no-show');
      await service.settled();
      const { headers } = await clinic.owner.send('GET', `/v1/appointments/${booked.appointmentId}`);
      const again = await sent('POST', at(booked, 'no-show/undo'), undefined, { 'if-match': headers.get('etag')! });
      await service.settled();
      await again();
    });

    it('L2: of another request is told so, also if it asks for what is so already', async () => {
      const booked = await clinic.bookWithout();
      const headers = { 'idempotency-key': 'for one thing only' };
      await clinic.owner.post(at(booked, 'complete'), undefined, headers);
      const other = await clinic.bookWithout();
      await clinic.end(other, 'complete');
      expect((await clinic.owner.refused(422, 'POST', at(other, 'complete'), { headers })).code).toBe('IDEMPOTENCY_KEY_REUSED');
    });
  });
});

describe('positions', () => {
  it('L3: commands answer with the new state and the position, which is in the header too and reads what was written', async () => {
    for (let n = 0; n < 10; n += 1) {
      const { status, headers, body } = await clinic.owner.send<{ clientId: string; position: string }>('POST', '/v1/clients', {
        body: { name: `C${n}` },
      });
      expect([status, headers.get('punchcard-position')]).toEqual([201, body.position]);
      const read = await clinic.owner.get<object>(`/v1/clients/${body.clientId}`, { 'punchcard-min-position': body.position });
      expect(read).toMatchObject({ name: `C${n}` });
    }
  });

  it('L3: the position of a command covers what follows from it', async () => {
    const sold = await clinic.sell();
    expect(await clinic.owner.get(`/v1/invoices/${sold.invoiceId}`, { 'punchcard-min-position': sold.position })).toMatchObject({
      total: 34_493,
    });
  });

  it('L3: a refusal tells how far to read to see why', async () => {
    const sold = await clinic.sell(clinic.eachAppointment(1));
    const { position } = await clinic.book(sold);
    const { status, headers, body } = await clinic.owner.send<Problem>('POST', '/v1/appointments', {
      body: clinic.booking(sold, sold.packageId),
    });
    expect([status, body.code]).toEqual([409, 'NO_SESSIONS_LEFT']);
    const looked = headers.get('punchcard-position')!;
    expect(BigInt(looked)).toBeGreaterThan(BigInt(sold.position));
    expect(BigInt(looked)).toBeLessThanOrEqual(BigInt(position));
    expect(await clinic.owner.get(`/v1/packages/${sold.packageId}`, { 'punchcard-min-position': looked })).toMatchObject({ remaining: 0 });
  });

  it('L3: one who is refused since somebody else was faster, and whose session came back, can read that it did', async () => {
    const booked = await clinic.bookWithout();
    const packages = await Promise.all([1, 2, 3].map(() => clinic.sell({}, { clientId: booked.clientId })));
    const path = `/v1/appointments/${booked.appointmentId}/package`;
    await Promise.all(
      packages.map(async ({ packageId }) => {
        const { status, headers } = await clinic.owner.send('POST', path, { body: { packageId } });
        const read = await clinic.owner.get(`/v1/packages/${packageId}`, { 'punchcard-min-position': headers.get('punchcard-position')! });
        expect(read).toMatchObject({ remaining: status < 300 ? 4 : 5 });
      }),
    );
  });

  it('L4: If-Match is honoured: 412 when the thing has changed since, and nothing happens', async () => {
    const sold = await clinic.sell();
    const path = `/v1/packages/${sold.packageId}`;
    const seen = await clinic.owner.send('GET', path);
    const etag = seen.headers.get('etag')!;
    expect(etag).toMatch(/^"\d+"$/);
    await clinic.owner.put(`${path}/expiry`, { expiresOn: '2031-01-01' }, { 'if-match': etag });
    const sent = { body: { expiresOn: '2032-01-01' }, headers: { 'if-match': etag } };
    expect((await clinic.owner.refused(412, 'PUT', `${path}/expiry`, sent)).code).toBe('PRECONDITION_FAILED');
    expect(await clinic.package(sold)).toMatchObject({ expiresOn: '2031-01-01' });
  });

  it('L3: 503 NOT_YET_FRESH, in bounded time, while nobody follows the events; what needs no freshness is answered', async () => {
    const before = await clinic.owner.get<Page<Sold>>('/v1/packages');
    await service.stopProjector();
    const { position } = await clinic.owner.post<{ position: string }>('/v1/clients', { name: 'Late' });
    const started = performance.now();
    const { status, headers, body } = await clinic.owner.send<Problem>('GET', '/v1/clients');
    expect({ ...body, status }).toMatchObject({ status: 503, code: 'NOT_YET_FRESH', details: { minPosition: position } });
    expect(headers.get('retry-after')).toBe('1');
    expect(performance.now() - started).toBeLessThan(15_000);
    expect((await clinic.owner.get<Page<Sold>>('/v1/packages', { 'punchcard-min-position': '0' })).items).toHaveLength(before.items.length);
    await service.startProjector();
    expect((await clinic.owner.get<Page<object>>('/v1/clients?name=Late')).items).toHaveLength(1);
  });
});

describe('lists', () => {
  it('L5: pages stay stable while data changes: nothing twice, nothing left out', async () => {
    const alone = await openClinic(service);
    const names = ['Ada', 'Bea', 'Cleo', 'Dora', 'Eve'];
    for (const name of [...names].reverse()) await alone.client(name);
    const seen: string[] = [];
    let query = '?limit=2';
    do {
      const { items, next } = await alone.owner.get<Page<{ name: string }>>(`/v1/clients${query}`);
      seen.push(...items.map(({ name }) => name));
      await alone.client('Aaron'); // before all of them
      query = next === null ? '' : `?limit=2&cursor=${encodeURIComponent(next)}`;
    } while (query);
    expect(seen).toEqual(names);
  });

  it('J1, J4: are filtered', async () => {
    const alone = await openClinic(service);
    const [one, two] = [await alone.sell(), await alone.sell({ name: 'Others', expiryRule: { kind: 'onDate', date: '2031-01-01' } })];
    const [first, second] = [await alone.book(one), await alone.book(two, { start: alone.in(5) })];
    await alone.end(second, 'cancel');
    const listed = async (list: string) => (await alone.owner.get<Page<Sold & Booked>>(`/v1/${list}`)).items;
    const packages = async (query: string) => (await listed(`packages?${query}`)).map(({ packageId }) => packageId);
    const appointments = async (query: string) => (await listed(`appointments?${query}`)).map(({ appointmentId }) => appointmentId);
    expect(await packages(`clientId=${one.clientId}`)).toEqual([one.packageId]);
    expect(await packages(`offeringId=${two.offeringId}`)).toEqual([two.packageId]);
    expect(await packages('expiringBefore=2031-01-02')).toEqual([two.packageId]);
    expect(await packages('remainingAtMost=4')).toEqual([one.packageId]);
    expect(await packages('sort=name&descending=true')).toEqual([two.packageId, one.packageId]);
    expect(await packages('status=active&sort=remaining')).toEqual([one.packageId, two.packageId]);
    expect(await packages('text=OTHER')).toEqual([two.packageId]);
    expect(await packages('text=tremb&status=sold')).toHaveLength(2);
    expect(await packages('text=nobody')).toEqual([]);
    await alone.owner.put(`/v1/packages/${one.packageId}/services/${alone.has.massage}/remaining`, { remaining: 0 });
    expect(await packages('status=usedUp')).toEqual([one.packageId]);
    await alone.owner.put(`/v1/packages/${two.packageId}/expiry`, { expiresOn: alone.day(-1) });
    expect(await packages('status=expired')).toEqual([two.packageId]);
    expect(await packages('status=active')).toEqual([]);
    expect(await appointments('status=cancelled')).toEqual([second.appointmentId]);
    expect(await appointments(`packageId=${one.packageId}`)).toEqual([first.appointmentId]);
    expect(await appointments(`offeringId=${one.offeringId}`)).toEqual([first.appointmentId]);
    expect(await appointments(`from=${alone.in(3)}`)).toEqual([second.appointmentId]);
    expect(await appointments(`before=${alone.in(3)}`)).toEqual([first.appointmentId]);
    expect(await appointments('descending=true')).toEqual([second.appointmentId, first.appointmentId]);
    expect(await listed(`invoices?kind=package&clientId=${one.clientId}`)).toMatchObject([{ invoiceId: one.invoiceId }]);
  });
});
