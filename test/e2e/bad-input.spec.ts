import type { Caller, Problem, Sent } from '../support/caller.js';
import { type Clinic, openClinic, type Sold } from '../support/clinic.js';
import { type Service, startService } from '../support/service.js';

// Whatever is wrong is told with a stable code and every offending field, and nothing is appended.

let service: Service;
let clinic: Clinic;
let client: Caller; // who has what was sold
let sold: Sold;
let appointmentId: string;
let anotherClientId: string;
let paymentId: string;
beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'silent', IMPORT_LIMIT_BYTES: `${FILE_LIMIT}` } });
  clinic = await openClinic(service);
  sold = await clinic.sell();
  client = await clinic.business.as('client', sold.clientId);
  ({ appointmentId } = await clinic.book(sold));
  anotherClientId = await clinic.client();
  const payment = { amount: clinic.money(1), method: 'cash' };
  ({ paymentId } = await clinic.owner.post<{ paymentId: string }>(`/v1/invoices/${sold.invoiceId}/payments`, payment));
});
afterAll(() => service?.stop());

const FILE_LIMIT = 2_000; // bytes
const CATALOGUE = '/v1/catalogue-file'; // takes more than others

type Fields = Record<string, string>;
const fieldsOf = (errors: Problem['errors'] = []): Fields => Object.fromEntries(errors.map(({ field, code }) => [field, code]));
const unknown = '00000000-0000-4000-8000-000000000000';

/** Whoever may: the client what is their own, and the owner all else. */
const whoMay = (path: string): Caller => (path.startsWith('/v1/me/') ? client : clinic.owner);

const told = async (status: number, method: string, path: string, sent: Sent = {}, caller = whoMay(path)): Promise<Problem> => {
  const problem = await caller.refused(status, method, path, sent);
  expect(problem).toMatchObject({ status, type: `urn:punchcard:problem:${problem.code.toLowerCase().replaceAll('_', '-')}` });
  return problem;
};

const refused: typeof told = async (...asked) => {
  const before = await service.lastPosition();
  const problem = await told(...asked);
  expect(await service.lastPosition()).toBe(before);
  return problem;
};

const commands = (): [string, string, object][] => [
  ['PATCH', '/v1/settings', { name: 'Spa' }],
  ['POST', '/v1/taxes', { name: 'HST', rate: '13' }],
  ['PATCH', `/v1/taxes/${clinic.has.gst}`, { name: 'HST' }],
  ['POST', '/v1/services', { name: 'Cut', durationMinutes: 30, price: clinic.money(1) }],
  ['PATCH', `/v1/services/${clinic.has.massage}`, { name: 'Rub' }],
  ['POST', '/v1/providers', { name: 'Kim', serviceIds: [] }],
  ['PATCH', `/v1/providers/${clinic.has.providerId}`, { name: 'Kim' }],
  ['POST', '/v1/clients', { name: 'Zoé' }],
  ['PATCH', `/v1/clients/${sold.clientId}`, { name: 'Zoé' }],
  ['PUT', `/v1/clients/${sold.clientId}/links/${anotherClientId}`, { relationship: 'partner' }],
  ['PATCH', `/v1/clients/${sold.clientId}/links/${anotherClientId}`, { gives: { usePackages: true } }],
  ['POST', '/v1/offerings', { name: 'Ten' }],
  ['PATCH', `/v1/offerings/${sold.offeringId}`, { description: 'Ten' }],
  ['POST', '/v1/packages', { offeringId: sold.offeringId, clientId: sold.clientId }],
  ['POST', `/v1/packages/${sold.packageId}/cancel`, {}],
  ['POST', `/v1/packages/${sold.packageId}/reinstate`, {}],
  ['POST', `/v1/packages/${sold.packageId}/refunds`, { amount: clinic.money(1), method: 'cash', outcome: 'outstandingBalance' }],
  ['PUT', `/v1/packages/${sold.packageId}/expiry`, { expiresOn: '2031-01-01' }],
  ['POST', `/v1/packages/${sold.packageId}/expiry/restore`, {}],
  ['PUT', `/v1/packages/${sold.packageId}/services/${clinic.has.massage}/remaining`, { remaining: 3 }],
  ['POST', '/v1/appointments', clinic.booking(sold, sold.packageId)],
  ['POST', `/v1/appointments/${appointmentId}/cancel`, {}],
  ['POST', `/v1/appointments/${appointmentId}/rebook`, {}],
  ['POST', `/v1/appointments/${appointmentId}/no-show`, {}],
  ['POST', `/v1/appointments/${appointmentId}/no-show/undo`, {}],
  ['POST', `/v1/appointments/${appointmentId}/move`, { start: clinic.in(2) }],
  ['POST', `/v1/appointments/${appointmentId}/package`, { packageId: sold.packageId }],
  ['POST', '/v1/me/appointments', { serviceId: clinic.has.massage, providerId: clinic.has.providerId, start: clinic.in(2) }],
  ['POST', `/v1/me/appointments/${appointmentId}/cancel`, {}],
  ['POST', `/v1/me/appointments/${appointmentId}/package`, { packageId: sold.packageId }],
  ['POST', `/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(1), method: 'cash' }],
  ['POST', `/v1/invoices/${sold.invoiceId}/payments/${paymentId}/void`, {}],
  ['POST', `/v1/invoices/${sold.invoiceId}/adjustments`, { adjustment: clinic.money(-1) }],
  ['POST', `/v1/invoices/${sold.invoiceId}/refunds`, { amount: clinic.money(1), method: 'cash', outcome: 'outstandingBalance' }],
  ['POST', `/v1/invoices/${sold.invoiceId}/checkouts`, returns],
  ['POST', '/v1/stripe/onboarding', { returnUrl: 'https://clinic.example/', refreshUrl: 'https://clinic.example/' }],
  ['PUT', CATALOGUE, { taxes: [] }],
];
const returns = { successUrl: 'https://clinic.example/thanks', cancelUrl: 'https://clinic.example/shop' };

const withoutBody = (): [string, string][] => [
  ['POST', `/v1/appointments/${appointmentId}/complete`],
  ['POST', `/v1/appointments/${appointmentId}/complete/undo`],
  ['DELETE', `/v1/appointments/${appointmentId}/package`],
  ['DELETE', `/v1/me/appointments/${appointmentId}/package`],
  ['POST', `/v1/offerings/${sold.offeringId}/restore`],
  ['DELETE', `/v1/offerings/${sold.offeringId}`],
  ['POST', `/v1/purchases/${unknown}/cancel`],
  ['DELETE', `/v1/clients/${sold.clientId}/links/${anotherClientId}`],
];

describe('every command refuses', () => {
  let before: bigint;
  beforeEach(async () => (before = await service.lastPosition()));
  afterEach(async () => expect(await service.lastPosition()).toBe(before)); // of all of them, nothing is appended

  it('L1: unknown fields', async () => {
    for (const [method, path, body] of commands())
      expect(fieldsOf((await told(400, method, path, { body: { ...body, colour: 'red', 'a/b': 1 } })).errors)).toEqual({
        '/colour': 'UNKNOWN_FIELD',
        '/a~1b': 'UNKNOWN_FIELD',
      });
    for (const [method, path] of withoutBody())
      expect(fieldsOf((await told(400, method, path, { body: { colour: 'red' } })).errors)).toEqual({ '/colour': 'UNKNOWN_FIELD' });
  });

  it.each([
    ['broken JSON', '{"name":', 'BROKEN_JSON'],
    ['two documents', '{}{}', 'BROKEN_JSON'],
    ['what is not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'NOT_UTF8'],
    ['a list', '[{}]', 'INVALID_INPUT'],
    ['null', 'null', 'INVALID_INPUT'],
    ['a text', '"name"', 'INVALID_INPUT'],
    ['a lone surrogate', '{"name":"\\ud83d"}', 'INVALID_INPUT'],
    ['a prototype', '{"__proto__":{"role":"owner"}}', 'INVALID_INPUT'],
    ['a nesting without end', `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'INVALID_INPUT'],
  ])('L1: %s', async (_, body, code) => {
    for (const [method, path] of [...commands(), ...withoutBody()]) expect(await told(400, method, path, { body })).toMatchObject({ code });
  });

  it('L1: what is too large, or of another type', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(300_000) });
    for (const [method, path] of commands().filter(([, each]) => each !== CATALOGUE)) {
      expect(await told(413, method, path, { body: large })).toMatchObject({ code: 'BODY_TOO_LARGE' });
      const headers = { 'content-type': 'text/plain' };
      expect(await told(415, method, path, { body: '{}', headers })).toMatchObject({ code: 'MEDIA_TYPE_NOT_SUPPORTED' });
    }
  });

  it('L1: headers that cannot be', async () => {
    for (const [method, path, body] of commands())
      for (const [name, value, code] of [
        ['idempotency-key', 'é', 'NOT_A_KEY'],
        ['idempotency-key', 'x'.repeat(256), 'NOT_A_KEY'],
        ['if-match', 'seven', 'NOT_AN_ETAG'],
      ] as const)
        expect(await told(400, method, path, { body, headers: { [name]: value } })).toMatchObject({ errors: [{ in: 'header', code }] });
  });

  it('A3: expired tokens and wrong roles, before anything else is looked at', async () => {
    const { business } = clinic;
    const expired = business.anybody({ authorization: `Bearer ${await business.token('owner', { expiresIn: -60 })}` });
    const auditor = await clinic.as('auditor');
    for (const [method, path] of [...commands(), ...withoutBody()]) {
      expect(await told(401, method, path, { body: '{"broken":' }, expired)).toMatchObject({ code: 'TOKEN_EXPIRED' });
      expect(await told(403, method, path, { body: '{"broken":' }, auditor)).toMatchObject({ code: 'FORBIDDEN' });
    }
  });

  it('L1: ids that are none, and such as name nothing', async () => {
    for (const [method, path, body] of commands().filter(([, each]) => /[0-9a-f]{8}-/.test(each))) {
      const { errors } = await told(400, method, path.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ABC'), { body });
      expect(errors?.map((error) => error.in)).toEqual(errors?.map(() => 'path'));
      expect(errors?.length).toBe(path.match(/[0-9a-f]{8}-/g)?.length);
      expect(await told(404, method, path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, unknown), { body })).toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});

describe('every offending field is named', () => {
  const cases: [string, string, string, () => object, Fields][] = [
    [
      'wrong types in a service',
      'POST',
      '/v1/services',
      () => ({ name: 5, durationMinutes: '60', price: 'dear', taxIds: 'gst', active: 'yes', publiclyDisplayed: 1, description: null }),
      {
        ...{ '/name': 'NOT_A_TEXT', '/durationMinutes': 'NOT_AN_INTEGER', '/price': 'NOT_AN_OBJECT', '/taxIds': 'NOT_A_LIST' },
        ...{ '/active': 'NOT_A_BOOLEAN', '/publiclyDisplayed': 'NOT_A_BOOLEAN', '/description': 'NOT_A_TEXT' },
      },
    ],
    [
      'fractional money of an unknown currency',
      'POST',
      '/v1/services',
      () => ({ name: 'Cut', durationMinutes: 30, price: { amount: 0.5, currency: 'cad' } }),
      { '/price/amount': 'NOT_AN_INTEGER', '/price/currency': 'NOT_A_CURRENCY' },
    ],
    [
      'negative money, and more than the currency of the business',
      'POST',
      '/v1/services',
      () => ({ name: 'Cut', durationMinutes: 30, price: { amount: -1, currency: 'CAD' } }),
      { '/price/amount': 'NOT_AN_INTEGER' },
    ],
    [
      'money in another currency',
      'POST',
      '/v1/services',
      () => ({ name: 'Cut', durationMinutes: 30, price: { amount: 1, currency: 'USD' } }),
      { '/price/currency': 'WRONG_CURRENCY' },
    ],
    [
      'what is missing from an offering',
      'POST',
      '/v1/offerings',
      () => ({ services: [{}], expiryRule: { kind: 'after' }, payment: { method: 'paidUpfront' } }),
      {
        ...{ '/name': 'REQUIRED', '/services/0/serviceId': 'REQUIRED', '/services/0/limit': 'REQUIRED', '/expiryRule/from': 'REQUIRED' },
        ...{ '/expiryRule/amount': 'REQUIRED', '/expiryRule/unit': 'REQUIRED', '/payment/fee': 'REQUIRED', '/payment/taxIds': 'REQUIRED' },
      },
    ],
    [
      'variants that are none, and limits',
      'POST',
      '/v1/offerings',
      () => ({
        ...{ name: ' ', expiryRule: { kind: 'never' }, payment: { method: 'paidLater' } },
        services: [0, -1, 1.5, '5', null, 100_001].map((limit) => ({ serviceId: clinic.has.massage, limit })),
      }),
      {
        ...{ '/name': 'NOT_A_TEXT', '/expiryRule/kind': 'NOT_ONE_OF', '/payment/method': 'NOT_ONE_OF' },
        ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((n) => [`/services/${n}/limit`, 'NOT_A_LIMIT'])),
      },
    ],
    [
      'impossible dates',
      'POST',
      '/v1/offerings',
      () => ({ name: 'Ten', expiryRule: { kind: 'onDate', date: '2027-02-29' } }),
      { '/expiryRule/date': 'NOT_A_DATE' },
    ],
    [
      'a service twice, and a fee for one that is not in it',
      'POST',
      '/v1/offerings',
      () => ({
        name: 'Ten',
        services: [1, 2].map((limit) => ({ serviceId: clinic.has.massage, limit })),
        payment: { method: 'paidEachAppointment', fees: [{ serviceId: clinic.has.facial, fee: { amount: 1, currency: 'USD' } }] },
      }),
      {
        ...{ '/services/1/serviceId': 'REPEATED', '/payment/fees/0/fee/currency': 'WRONG_CURRENCY' },
        ...{ '/payment/fees/0/serviceId': 'NOT_IN_OFFERING', '/payment/fees': 'REQUIRED' },
      },
    ],
    [
      '10,000 services in an offering',
      'POST',
      '/v1/offerings',
      () => ({ name: 'All', services: Array.from({ length: 10_000 }, () => 1) }),
      { '/services': 'NOT_A_LIST' },
    ],
    [
      'impossible zones and settings',
      'PATCH',
      '/v1/settings',
      () => ({ timeZone: 'Mars/Olympus', settings: { onNoShow: 'lost', lateCancellationWindowMinutes: -1, clientsSeeInvoices: null } }),
      {
        ...{ '/timeZone': 'NOT_A_TIME_ZONE', '/settings/onNoShow': 'NOT_ONE_OF', '/settings/clientsSeeInvoices': 'NOT_A_BOOLEAN' },
        '/settings/lateCancellationWindowMinutes': 'NOT_AN_INTEGER',
      },
    ],
    [
      'a float as percentage',
      'POST',
      '/v1/taxes',
      () => ({ name: 'x'.repeat(101), rate: 9.975 }),
      { '/name': 'NOT_A_TEXT', '/rate': 'NOT_A_PERCENTAGE' },
    ],
    ['a percentage beyond 100', 'POST', '/v1/taxes', () => ({ name: 'HST', rate: '100.1' }), { '/rate': 'NOT_A_PERCENTAGE' }],
    [
      'lone surrogates, NUL and lines in names',
      'POST',
      '/v1/clients',
      () => ({ name: 'a\ud800', email: 'nobody', phone: 'a\u0000', externalReference: 'two\nlines' }),
      { '/name': 'NOT_UNICODE', '/phone': 'NOT_UNICODE' },
    ],
    [
      'what is no e-mail, and lines in names',
      'POST',
      '/v1/clients',
      () => ({ name: 'Anna\nTremblay', email: 'nobody', phone: '', externalReference: 7 }),
      { '/name': 'NOT_A_TEXT', '/email': 'NOT_AN_EMAIL', '/phone': 'NOT_A_TEXT', '/externalReference': 'NOT_A_TEXT' },
    ],
    [
      'a link of no kind, with permissions that are none',
      'PUT',
      `/v1/clients/${unknown}/links/${unknown}`,
      () => ({ relationship: 'friend', otherRelationship: null, gives: { usePackages: 'yes', packageIds: [] }, gets: true }),
      {
        ...{ '/relationship': 'NOT_ONE_OF', '/otherRelationship': 'NOT_ONE_OF', '/gives/usePackages': 'NOT_A_BOOLEAN' },
        ...{ '/gives/packageIds': 'UNKNOWN_FIELD', '/gets': 'NOT_AN_OBJECT' },
      },
    ],
    [
      'a sale of nothing to nobody',
      'POST',
      '/v1/packages',
      () => ({ clientId: 'Anna', offeringId: null, appointmentId: 'x', applyToAppointment: 'yes' }),
      { '/clientId': 'NOT_AN_ID', '/offeringId': 'NOT_AN_ID', '/appointmentId': 'NOT_AN_ID', '/applyToAppointment': 'NOT_A_BOOLEAN' },
    ],
    [
      'a payment of nothing, in no way, with the sale',
      'POST',
      '/v1/packages',
      () => ({
        clientId: sold.clientId,
        offeringId: sold.offeringId,
        payment: { amount: clinic.money(0), method: 'cash', reference: 7 },
      }),
      { '/payment/amount/amount': 'NOT_AN_INTEGER', '/payment/reference': 'NOT_A_TEXT' },
    ],
    [
      'a payment by card that leads nowhere, of what is none',
      'POST',
      '/v1/packages',
      () => ({
        clientId: sold.clientId,
        offeringId: sold.offeringId,
        payment: { amount: clinic.money(0), method: 'stripe', successUrl: 'javascript:alert(1)', reference: 'x' },
      }),
      {
        ...{ '/payment/amount/amount': 'NOT_AN_INTEGER', '/payment/successUrl': 'NOT_A_WEB_ADDRESS', '/payment/cancelUrl': 'REQUIRED' },
        '/payment/reference': 'UNKNOWN_FIELD',
      },
    ],
    [
      'a checkout to nowhere',
      'POST',
      '/v1/invoices/ID/checkouts',
      () => ({ successUrl: `https://clinic.example/${'x'.repeat(2_000)}`, cancelUrl: 'ftp://clinic.example/', amount: clinic.money(-1) }),
      { '/successUrl': 'NOT_A_WEB_ADDRESS', '/cancelUrl': 'NOT_A_WEB_ADDRESS', '/amount/amount': 'NOT_AN_INTEGER' },
    ],
    [
      'a checkout that no origin allows',
      'POST',
      '/v1/invoices/ID/checkouts',
      () => returns,
      { '/successUrl': 'ORIGIN_NOT_ALLOWED', '/cancelUrl': 'ORIGIN_NOT_ALLOWED' },
    ],
    [
      'a refund of less than nothing, without outcome',
      'POST',
      '/v1/invoices/ID/refunds',
      () => ({ amount: clinic.money(-1), method: 'barter', notes: 7 }),
      { '/amount/amount': 'NOT_AN_INTEGER', '/method': 'NOT_ONE_OF', '/outcome': 'REQUIRED', '/notes': 'NOT_A_TEXT' },
    ],
    [
      'moments that are none',
      'POST',
      '/v1/appointments',
      () => ({ ...clinic.booking(sold), start: '2027-02-30T10:00:00Z', end: 'tomorrow', providerId: clinic.has.providerId.toUpperCase() }),
      { '/start': 'NOT_AN_INSTANT', '/end': 'NOT_AN_INSTANT', '/providerId': 'NOT_AN_ID' },
    ],
    [
      'an end before the start',
      'POST',
      '/v1/appointments',
      () => ({ ...clinic.booking({ clientId: sold.clientId, start: '2027-02-20T10:00:00Z' }), end: '2027-02-20T10:00:00+00:00' }),
      { '/end': 'NOT_AFTER_START' },
    ],
  ];

  it('L1: of a catalogue file', async () => {
    const body = {
      business: { name: '', timeZone: 'Mars/Olympus', currency: 'cad', settings: { onNoShow: 'lost' } },
      taxes: [{ key: 'gst', name: 5, rate: 9.975 }],
      services: [{ key: 'cut', name: 'Cut', durationMinutes: 0, price: { amount: 1.5, currency: 'CAD' }, taxes: 'gst', active: 'yes' }],
      providers: [{ name: 'Kim', services: [1] }],
      categories: {},
      offerings: [
        { key: 'ten', services: [{ service: 'cut', limit: 0 }], expiryRule: { kind: 'never' }, payment: { method: 'paidLater' } },
      ],
    };
    expect(fieldsOf((await refused(400, 'PUT', CATALOGUE, { body })).errors)).toEqual({
      ...{ '/business/name': 'NOT_A_TEXT', '/business/timeZone': 'NOT_A_TIME_ZONE', '/business/currency': 'NOT_A_CURRENCY' },
      ...{ '/business/settings/onNoShow': 'NOT_ONE_OF', '/business/settings/clientsSeeInvoices': 'REQUIRED' },
      ...{ '/business/settings/clientsMayBuyOnline': 'REQUIRED', '/business/settings/onLateCancellation': 'REQUIRED' },
      ...{
        '/business/settings/lateCancellationWindowMinutes': 'REQUIRED',
        '/taxes/0/name': 'NOT_A_TEXT',
        '/taxes/0/rate': 'NOT_A_PERCENTAGE',
      },
      ...{ '/services/0/active': 'NOT_A_BOOLEAN', '/services/0/durationMinutes': 'NOT_AN_INTEGER' },
      ...{ '/services/0/price/amount': 'NOT_AN_INTEGER', '/services/0/taxes': 'NOT_A_LIST' },
      ...{ '/providers/0/key': 'REQUIRED', '/providers/0/services/0': 'NOT_A_TEXT', '/categories': 'NOT_A_LIST' },
      ...{ '/offerings/0/name': 'REQUIRED', '/offerings/0/services/0/limit': 'NOT_A_LIMIT' },
      ...{ '/offerings/0/expiryRule/kind': 'NOT_ONE_OF', '/offerings/0/payment/method': 'NOT_ONE_OF' },
    });
  });

  it.each(cases)('L1: %s', async (_, method, path, body, fields) => {
    expect(fieldsOf((await refused(400, method, path.replace('ID', sold.invoiceId), { body: body() })).errors)).toEqual(fields);
  });

  it('L1: what names things that are not there is 404 with each of them', async () => {
    const booking = { ...clinic.booking({ clientId: unknown, serviceId: unknown }), providerId: unknown };
    for (const [path, body, fields] of [
      ['/v1/appointments', booking, ['/clientId', '/serviceId', '/providerId']],
      ['/v1/packages', { clientId: unknown, offeringId: sold.offeringId }, ['/clientId']],
      ['/v1/providers', { name: 'Kim', serviceIds: [clinic.has.massage, unknown] }, ['/serviceIds/1']],
      ['/v1/offerings', { name: 'Ten', services: [{ serviceId: unknown, limit: 1 }] }, ['/services/0/serviceId']],
      [
        '/v1/offerings',
        { name: 'Ten', payment: { method: 'paidUpfront', fee: clinic.money(1), taxIds: [unknown] } },
        ['/payment/taxIds/0'],
      ],
    ] as const) {
      const { code, errors } = await refused(404, 'POST', path, { body });
      expect([code, errors?.map(({ field }) => field)]).toEqual(['NOT_FOUND', fields]);
    }
    for (const body of [{ ...clinic.booking(sold), packageId: unknown }])
      expect(await refused(404, 'POST', '/v1/appointments', { body })).toMatchObject({ code: 'NOT_FOUND' });
    for (const body of [
      { clientId: sold.clientId, offeringId: unknown },
      { clientId: sold.clientId, offeringId: sold.offeringId, appointmentId: unknown },
    ])
      expect(await refused(404, 'POST', '/v1/packages', { body })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('L5: queries that cannot be', async () => {
    for (const [path, fields] of [
      [
        'packages?limit=0&sort=price&remainingAtMost=-1',
        { '/limit': 'NOT_AN_INTEGER', '/sort': 'NOT_ONE_OF', '/remainingAtMost': 'NOT_AN_INTEGER' },
      ],
      [
        'packages?colour=red&clientId=x&expiringBefore=soon',
        { '/colour': 'UNKNOWN_FIELD', '/clientId': 'NOT_AN_ID', '/expiringBefore': 'NOT_A_DATE' },
      ],
      ['packages?cursor=xyz', { '/cursor': 'NOT_A_CURSOR' }],
      ['packages/available', { '/clientId': 'REQUIRED' }],
      ['appointments?from=now&descending=1', { '/from': 'NOT_AN_INSTANT', '/descending': 'NOT_A_BOOLEAN' }],
      [
        'appointments?onFrom=today&onUntil=2027-02-30&seriesId=7',
        { '/onFrom': 'NOT_A_DATE', '/onUntil': 'NOT_A_DATE', '/seriesId': 'NOT_AN_ID' },
      ],
      [`packages/${sold.packageId}/sessions?outcome=lost&cursor=xyz`, { '/outcome': 'NOT_ONE_OF' }],
      [`packages/${sold.packageId}/sessions?cursor=xyz`, { '/cursor': 'NOT_A_CURSOR' }],
      [`packages/${sold.packageId}/bookable-services?start=soon`, { '/start': 'NOT_AN_INSTANT' }],
      ['invoices?from=2027-13-01&limit=1e3', { '/from': 'NOT_A_DATE', '/limit': 'NOT_AN_INTEGER' }],
      ['invoices?number=2027-12', { '/number': 'NOT_AN_INVOICE_NUMBER' }],
      ['me/packages?sort=price&limit=201', { '/sort': 'NOT_ONE_OF', '/limit': 'NOT_AN_INTEGER' }],
      ['me/packages?cursor=xyz', { '/cursor': 'NOT_A_CURSOR' }],
      [
        'me/packages/available?start=soon&serviceId=x&clientId=y',
        { '/start': 'NOT_AN_INSTANT', '/serviceId': 'NOT_AN_ID', '/clientId': 'NOT_AN_ID' },
      ],
      [`me/packages/${sold.packageId}/sessions?outcome=lost`, { '/outcome': 'NOT_ONE_OF' }],
      [`me/packages/${sold.packageId}/bookable-services?start=soon`, { '/start': 'NOT_AN_INSTANT' }],
      ['me/appointments?from=now&colour=red', { '/from': 'NOT_AN_INSTANT', '/colour': 'UNKNOWN_FIELD' }],
      ['me/services?name=', { '/name': 'NOT_A_TEXT' }],
      ['me/providers?limit=0', { '/limit': 'NOT_AN_INTEGER' }],
      ['me/invoices?cursor=xyz', { '/cursor': 'NOT_A_CURSOR' }],
      ['purchases?status=open&clientId=x', { '/status': 'NOT_ONE_OF', '/clientId': 'NOT_AN_ID' }],
      [`packages/${sold.packageId}/as-of?revision=-1`, { '/revision': 'NOT_AN_INTEGER' }],
    ] as const) {
      const { errors } = await refused(400, 'GET', `/v1/${path}`);
      expect([path, fieldsOf(errors)]).toEqual([path, fields]);
      for (const error of errors!) expect(error.in).toBe('query');
    }
  });
});

describe('a file of packages', () => {
  const IMPORTS = '/v1/imports';
  const HEAD = 'reference,offering,client,remaining,soldOn';
  const csv = (body: string | Uint8Array, headers: Record<string, string> = {}): Sent => ({
    body,
    headers: { 'content-type': 'text/csv', ...headers },
  });

  it.each<[string, number, Sent, string]>([
    ['that is none', 400, {}, 'NO_FILE'],
    ['that is JSON', 415, { body: '{}' }, 'MEDIA_TYPE_NOT_SUPPORTED'],
    ['that is too large', 413, csv(`${HEAD}\n${'a,b,c,1,2026-01-01\n'.repeat(FILE_LIMIT / 10)}`), 'BODY_TOO_LARGE'],
    ['that is not UTF-8', 400, csv(new Uint8Array([0x61, 0xff])), 'NOT_UTF8'],
    ['that is empty', 400, csv(''), 'INVALID_INPUT'],
    ['without rows', 400, csv(HEAD), 'INVALID_INPUT'],
    ['that is broken', 400, csv(`${HEAD}\n"a`), 'INVALID_INPUT'],
    ['with a key that is none', 400, csv(`${HEAD}\na,b,c,1,d`, { 'idempotency-key': 'é' }), 'INVALID_INPUT'],
  ])('L1, L7: %s', async (_, status, sent, code) => {
    expect(await refused(status, 'POST', IMPORTS, sent)).toMatchObject({ code });
  });

  it('L1, L7: every column and every wish that cannot be is named', async () => {
    const { errors } = await refused(400, 'POST', IMPORTS, csv('reference,colour,offering,Offering\n1,2,3,4\n'));
    expect(fieldsOf(errors)).toEqual({
      ...{ '/colour': 'UNKNOWN_COLUMN', '/Offering': 'REPEATED', '/client': 'REQUIRED', '/soldOn': 'REQUIRED', '/remaining': 'REQUIRED' },
    });
    const wishes = await refused(
      400,
      'POST',
      `${IMPORTS}?dryRun=perhaps&createClients=1&onError=weep&source=${'x'.repeat(101)}&colour=red`,
      csv(`${HEAD}\na,b,c,1,d`),
    );
    expect(wishes.errors?.map((error) => error.in)).toEqual(wishes.errors?.map(() => 'query'));
    expect(fieldsOf(wishes.errors)).toEqual({
      ...{ '/dryRun': 'NOT_A_BOOLEAN', '/createClients': 'NOT_A_BOOLEAN', '/onError': 'NOT_ONE_OF', '/source': 'NOT_A_TEXT' },
      '/colour': 'UNKNOWN_FIELD',
    });
  });

  it('A3, L7: of others it says nothing', async () => {
    for (const path of [`${IMPORTS}/${unknown}`, `${IMPORTS}/${unknown}/bad-rows`])
      expect(await refused(404, 'GET', path)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await refused(400, 'GET', `${IMPORTS}/ABC`)).errors).toMatchObject([{ in: 'path', code: 'NOT_AN_ID' }]);
    const { business } = clinic;
    const expired = business.anybody({ authorization: `Bearer ${await business.token('owner', { expiresIn: -60 })}` });
    expect(await refused(401, 'POST', IMPORTS, csv('broken'), expired)).toMatchObject({ code: 'TOKEN_EXPIRED' });
    expect(await refused(403, 'POST', IMPORTS, csv('broken'), await clinic.as('auditor'))).toMatchObject({ code: 'FORBIDDEN' });
  });
});
