import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createApp } from './app.js';
import type { Problem } from './http/problems.js';
import type { Parts } from './parts.js';
import { BUSINESS, noParts, openShop, testConfig, tokenOf, unguarded } from './testing/shop.js';
import type { Shop } from './testing/shop.js';
import type { CallerRole } from '../../libs/auth/roles.js';

const offerId = '5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a10';
const offer = {
  name: 'Five',
  services: [{ serviceId: offerId, limit: 5 }],
  expiry: { kind: 'none' },
  fee: { amount: 5000, currency: 'CAD' },
};

interface Sent {
  as?: CallerRole | 'nobody';
  method?: string;
  headers?: Record<string, string>;
  body?: unknown; // text is sent as it is
}

const call = async ({ url }: Shop, path: string, { as = 'owner', method, headers, body }: Sent = {}): Promise<Response> =>
  fetch(url + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(as !== 'nobody' && { authorization: `Bearer ${await tokenOf(as)}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });

/** The problem detail of an answer that must be one. */
const problemIn = async (answer: Response, status: number): Promise<Problem> => {
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const problem = (await answer.json()) as Problem;
  expect(answer.status).toBe(status);
  expect(problem).toMatchObject({
    status,
    type: `urn:punchcard:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: expect.any(String),
    detail: expect.any(String),
    instance: new URL(answer.url).pathname,
    correlationId: answer.headers.get('x-correlation-id'),
  });
  expect(JSON.stringify(problem)).not.toMatch(/node_modules|\.[jt]s:\d|at \w+ \(/);
  return problem;
};

describe('The door', () => {
  let shop: Shop;
  beforeAll(async () => void (shop = await openShop()));
  afterAll(() => shop.app.close());

  const refused = async (path: string, sent: Sent, status: number): Promise<Problem> => problemIn(await call(shop, path, sent), status);
  const errorsOf = ({ errors = [] }: Problem): Record<string, string> => Object.fromEntries(errors.map(({ field, code }) => [field, code]));

  describe('asks who calls', () => {
    it.each([
      ['no token', {}, 'TOKEN_MISSING', 'Bearer realm="punchcard"'],
      ['another scheme', { authorization: 'Basic eDp5' }, 'TOKEN_MALFORMED', /error="invalid_token"/],
      ['what is no token', { authorization: 'Bearer x' }, 'TOKEN_MALFORMED', /error="invalid_token"/],
      ['two tokens', { authorization: 'Bearer x y' }, 'TOKEN_MALFORMED', /error="invalid_token"/],
    ])('A3: 401 for %s', async (_, headers, code, challenge) => {
      const answer = await call(shop, '/v1/offers/hello', { as: 'nobody', headers });
      expect(await problemIn(answer, 401)).toMatchObject({ code });
      expect(answer.headers.get('www-authenticate')).toEqual(expect.stringMatching(challenge));
    });

    it('A3: 401 for an expired token, also if it was good a moment ago', async () => {
      const authorization = `Bearer ${await tokenOf('owner', { expiresIn: -10 })}`;
      expect(await refused('/v1/offers/hello', { as: 'nobody', headers: { authorization } }, 401)).toMatchObject({ code: 'TOKEN_EXPIRED' });
    });

    it('A3: 401 also for an address that is not there: it is nobody’s business', async () => {
      await refused('/v1/nothing', { as: 'nobody' }, 401);
      await refused('/v1/offers', { as: 'nobody', method: 'DELETE' }, 401);
    });

    it('A3: 403 for what the role may not do', async () => {
      expect(await refused('/v1/offers', { as: 'receptionist', body: offer }, 403)).toMatchObject({
        code: 'FORBIDDEN',
        details: { role: 'receptionist', needs: ['catalogue:write'] },
      });
      for (const as of ['auditor', 'client'] as const) await refused('/v1/offers', { as, body: offer }, 403);
    });

    it('lets anybody have what is public', async () => {
      expect((await call(shop, '/v1/offers/open', { as: 'nobody' })).status).toBe(200);
    });

    it('does not open with an operation that says nothing of who may call it', async () => {
      const connectUnguarded = async (): Promise<Parts> => ({ ...noParts, modules: [unguarded] });
      await expect(createApp(testConfig(), { connect: connectUnguarded })).rejects.toThrow(
        'GET /v1/gates says neither @Allow(…) nor @Public().',
      );
    });
  });

  describe('checks in order', () => {
    const broken = '{"name":';

    it('401 before 403 before 400 before what a rule says', async () => {
      await refused('/v1/offers', { as: 'nobody', body: broken }, 401);
      await refused('/v1/offers', { as: 'auditor', body: broken }, 403);
      await refused('/v1/offers', { body: broken }, 400);
      await refused(`/v1/offers/${offerId}/refuse`, { body: {} }, 400);
      await refused(`/v1/offers/${offerId}/refuse`, { body: { code: 'NO_SESSIONS_LEFT' } }, 409);
    });

    it('401 and 403 before a body that is too large has even arrived', async () => {
      const body = JSON.stringify({ name: 'x'.repeat(200_000) });
      await refused('/v1/offers', { as: 'nobody', body }, 401);
      await refused('/v1/offers', { as: 'auditor', body }, 403);
    });
  });

  describe('refuses bad input', () => {
    it('L1: with every offending field', async () => {
      const sent = {
        ...offer,
        name: 5,
        colour: 'red',
        services: [{ serviceId: 'x', limit: 0.5 }],
        fee: { amount: -1, currency: 'CAD' },
        zone: 'Mars/Olympus',
      };
      const problem = await refused('/v1/offers', { body: sent }, 400);
      expect(problem.code).toBe('INVALID_INPUT');
      expect(errorsOf(problem)).toEqual({
        '/colour': 'UNKNOWN_FIELD',
        '/name': 'NOT_A_TEXT',
        '/services/0/serviceId': 'NOT_AN_ID',
        '/services/0/limit': 'NOT_A_LIMIT',
        '/fee/amount': 'NOT_AN_INTEGER',
        '/zone': 'NOT_A_TIME_ZONE',
      });
    });

    it.each<[string, unknown, string]>([
      ['broken JSON', '{"name":', 'BROKEN_JSON'],
      ['two documents', '{}{}', 'BROKEN_JSON'],
      ['comments', '{} // x', 'BROKEN_JSON'],
      ['what is not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'NOT_UTF8'],
      ['an array', '[]', 'INVALID_INPUT'],
      ['a number', '5', 'INVALID_INPUT'],
      ['nothing', '', 'INVALID_INPUT'],
    ])('a body that is %s', async (_, body, code) => {
      expect(await refused('/v1/offers', { body }, 400)).toMatchObject({ code });
    });

    it.each([
      ['a lone surrogate', '{"name":"\\ud800"}', '/name', 'NOT_UNICODE'],
      ['a lone surrogate in a name', '{"a\\udfff":1}', '/a\ufffd', 'UNKNOWN_FIELD'],
      ['NUL', '{"name":"a\\u0000"}', '/name', 'NOT_UNICODE'],
      ['an integer that is not safe', '{"fee":{"amount":9007199254740993}}', '/fee/amount', 'UNSAFE_NUMBER'],
      ['a number beyond all bounds', '{"fee":{"amount":1e999}}', '/fee/amount', 'UNSAFE_NUMBER'],
      ['__proto__', '{"__proto__":{"role":"owner"}}', '/__proto__', 'UNKNOWN_FIELD'],
      ['constructor', '{"fee":{"constructor":{}}}', '/fee/constructor', 'UNKNOWN_FIELD'],
      ['a nesting without end', `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, `/a${'/0'.repeat(15)}`, 'TOO_DEEP'],
    ])('%s anywhere in a body', async (_, body, field, code) => {
      expect(errorsOf(await refused('/v1/offers', { body }, 400))).toEqual({ [field]: code });
    });

    it('a field in the body of a command that takes none', async () => {
      const withdraw = `/v1/offers/${offerId}/withdraw`;
      expect(errorsOf(await refused(withdraw, { as: 'receptionist', body: { colour: 'red' } }, 400))).toEqual({
        '/colour': 'UNKNOWN_FIELD',
      });
      for (const body of [undefined, {}])
        expect((await call(shop, withdraw, { as: 'receptionist', method: 'POST', body })).status).toBe(201);
    });

    it('10,000 services in an offering', async () => {
      const services = Array.from({ length: 10_000 }, () => 1);
      expect(errorsOf(await refused('/v1/offers', { body: { ...offer, services } }, 400))).toEqual({ '/services': 'NOT_A_LIST' });
    });

    it('a body that is too large, or of another type', async () => {
      expect(await refused('/v1/offers', { body: JSON.stringify({ name: 'x'.repeat(70_000) }) }, 413)).toMatchObject({
        code: 'BODY_TOO_LARGE',
      });
      for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense'])
        expect(await refused('/v1/offers', { body: '{}', headers: { 'content-type': type } }, 415)).toMatchObject({
          code: 'MEDIA_TYPE_NOT_SUPPORTED',
        });
    });

    it('an id in the path that is none, and a query that is not known', async () => {
      expect(await refused('/v1/offers/x', {}, 400)).toMatchObject({ errors: [{ field: '/offerId', in: 'path', code: 'NOT_AN_ID' }] });
      expect(await refused('/v1/offers?limit=0&page=2', {}, 400)).toMatchObject({
        errors: [
          { field: '/page', in: 'query', code: 'UNKNOWN_FIELD' },
          { field: '/limit', in: 'query', code: 'NOT_AN_INTEGER' },
        ],
      });
    });

    it.each([
      ['idempotency-key', 'x'.repeat(256), 'NOT_A_KEY'],
      ['idempotency-key', 'é', 'NOT_A_KEY'],
      ['if-match', '7', 'NOT_AN_ETAG'],
      ['if-match', 'W/"7"', 'NOT_AN_ETAG'],
      ['if-match', '"7", "8"', 'NOT_AN_ETAG'],
      ['punchcard-min-position', '-1', 'NOT_A_POSITION'],
      ['punchcard-min-position', '9'.repeat(30), 'NOT_A_POSITION'],
    ])('the header %s: %s', async (name, value, code) => {
      const sent = name === 'punchcard-min-position' ? {} : { body: offer };
      expect(await refused('/v1/offers', { ...sent, headers: { [name]: value } }, 400)).toMatchObject({ errors: [{ in: 'header', code }] });
    });

    it('an address that is none, is too long, is nowhere, or takes other methods', async () => {
      await refused('/v1/%', {}, 400);
      await refused(`/v1/offers/${'x'.repeat(200)}`, {}, 414);
      expect(await refused('/v1/nothing', {}, 404)).toMatchObject({ code: 'NO_SUCH_ADDRESS' });
      const answer = await call(shop, `/v1/offers/${offerId}/refuse`, { method: 'DELETE' });
      expect(await problemIn(answer, 405)).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
      expect(answer.headers.get('allow')).toBe('POST');
    });

    it('L1: HEAD does none of the work of a GET', async () => {
      expect((await call(shop, `/v1/offers/${offerId}`, { method: 'HEAD' })).status).toBe(405);
      expect((await call(shop, '/health/live', { method: 'HEAD' })).status).toBe(200);
    });
  });

  describe('answers', () => {
    it.each([
      ['NO_SESSIONS_LEFT', 409],
      ['PRECONDITION_FAILED', 412],
      ['IDEMPOTENCY_KEY_REUSED', 422],
    ])('a refusal %s with %i', async (code, status) => {
      const answer = await call(shop, `/v1/offers/${offerId}/refuse`, { body: { code }, headers: { 'if-match': '"7"' } });
      expect(await problemIn(answer, status)).toMatchObject({ code, detail: 'A rule says no.', details: { offerId, ifMatch: '7' } });
      expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
    });

    it('404 for what is not there', async () => {
      expect(await refused(`/v1/offers/${offerId}`, {}, 404)).toMatchObject({ code: 'NOT_FOUND', details: { what: 'offer', id: offerId } });
    });

    it('503 while a part is away', async () => {
      const answer = await call(shop, '/v1/offers/unreachable');
      const problem = await problemIn(answer, 503);
      expect(problem.code).toBe('UNAVAILABLE');
      expect(JSON.stringify(problem)).not.toContain('10.0.0.7');
      expect(answer.headers.get('retry-after')).toBe('1');
    });

    it('503 while all connections of a pool are taken', async () => {
      const answer = await call(shop, '/v1/offers/crowded');
      expect((await problemIn(answer, 503)).code).toBe('TOO_BUSY');
      expect(answer.headers.get('retry-after')).toBe('1');
    });

    it('500 for what should not have happened, the reason in the log only', async () => {
      const answer = await call(shop, '/v1/offers/broken');
      const problem = await problemIn(answer, 500);
      expect(JSON.stringify(problem)).not.toContain('secret inside');
      expect(shop.logLines).toContainEqual(
        expect.objectContaining({
          level: 'error',
          correlationId: problem.correlationId,
          route: '/v1/offers/broken',
          err: expect.objectContaining({ message: 'secret inside' }),
        }),
      );
      expect(JSON.stringify(shop.logLines)).not.toContain('Bearer');
    });

    it('L3: with the position and the ETag of what it answers', async () => {
      const answer = await call(shop, '/v1/offers', { body: offer, headers: { 'idempotency-key': 'a key' } });
      expect([answer.status, answer.headers.get('punchcard-position'), answer.headers.get('etag')]).toEqual([201, '42', '"7"']);
      expect(await answer.json()).toMatchObject({ name: 'Five', key: 'a key', position: '42' });
    });

    it('with its correlation id: the caller’s own, the trace’s, or a new one', async () => {
      const idOf = async (headers: Record<string, string>): Promise<string | null> =>
        (await call(shop, '/v1/offers/hello', { headers })).headers.get('x-correlation-id');
      expect(await idOf({ 'x-correlation-id': offerId.toUpperCase() })).toBe(offerId);
      expect(await idOf({ traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })).toBe(
        '4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
      );
      const made = await idOf({ 'x-correlation-id': 'Anna Smith' });
      expect(made).toMatch(/^[0-9a-f-]{36}$/);
      expect(await idOf({})).not.toBe(made);
    });

    it('with the headers that keep browsers careful, also when it refuses', async () => {
      for (const path of ['/v1/offers/hello', '/v1/nothing', '/v1/%'])
        expect(Object.fromEntries((await call(shop, path)).headers)).toMatchObject({
          'content-security-policy': "default-src 'none';frame-ancestors 'none'",
          'strict-transport-security': expect.stringContaining('max-age'),
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
        });
    });

    it('a caller of one business as nobody else', async () => {
      const list = (await (await call(shop, '/v1/offers?limit=5&status=active', { as: 'client' })).json()) as object;
      expect(list).toEqual({
        items: [],
        query: { limit: 5, status: ['active'] },
        business: BUSINESS,
        actor: { id: 'some-client', role: 'client' },
      });
    });
  });

  describe('withstands', () => {
    const raw = async (text: string): Promise<string> => {
      const { hostname, port } = new URL(shop.url);
      const socket = connect(Number(port), hostname);
      let answer = '';
      socket.on('data', (data) => (answer += String(data)));
      socket.on('error', () => undefined);
      socket.write(text);
      await once(socket, 'close');
      return answer;
    };

    it.each([
      ['what is not HTTP', 'nonsense\r\n\r\n', 'HTTP/1.1 400', 'BAD_REQUEST'],
      ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431', 'HEADERS_TOO_LARGE'],
      ['a length that is none', 'POST /v1/offers HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n', 'HTTP/1.1 400', 'BAD_REQUEST'],
      [
        'two lengths',
        'POST /v1/offers HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
        'HTTP/1.1 400',
        'BAD_REQUEST',
      ],
    ])('%s', async (_, text, status, code) => {
      const answer = await raw(text);
      expect(answer).toMatch(new RegExp(`^${status} `));
      expect(answer).toContain('Content-Type: application/problem+json');
      expect(answer).toContain(`"code":"${code}"`);
    });

    it('a caller who hangs up in the middle of a body', async () => {
      const { hostname, port } = new URL(shop.url);
      const socket = connect(Number(port), hostname);
      const authorization = `Authorization: Bearer ${await tokenOf('owner')}`;
      socket.write(
        `POST /v1/offers HTTP/1.1\r\nHost: x\r\n${authorization}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"na`,
      );
      await delay(50);
      socket.destroy();
      expect((await call(shop, '/v1/offers/hello')).status).toBe(200);
    });
  });

  describe('describes itself', () => {
    it('L1: in an OpenAPI document', async () => {
      const document = (await (await call(shop, '/openapi.json', { as: 'nobody' })).json()) as Document;
      const { post } = document.paths['/v1/offers']!;
      expect(document.openapi).toBe('3.1.0');
      expect(post).toMatchObject({ operationId: 'offers.create', 'x-permissions': ['catalogue:write'], security: [{ token: [] }] });
      expect(Object.keys(post.responses)).toEqual(['201', '400', '401', '403', '404', '409', '413', '415', '422', '429', '500', '503']);
      expect(post.parameters.map(({ name }) => name)).toEqual(['Idempotency-Key', 'X-Correlation-Id']);
      expect(document.components.schemas.OfferBody).toMatchObject({
        required: ['name', 'services', 'expiry', 'fee'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 20 },
          description: { type: ['string', 'null'] },
          services: { type: 'array', minItems: 1, maxItems: 50, items: { $ref: '#/components/schemas/SoldServiceBody' } },
          expiry: {
            oneOf: [{ $ref: '#/components/schemas/NoExpiryBody' }, { $ref: '#/components/schemas/ExpiryOnDateBody' }],
            discriminator: { propertyName: 'kind' },
          },
          fee: { $ref: '#/components/schemas/MoneyBody' },
        },
      });
    });

    it('L1: in which a body may be left out when nothing must be said in it', async () => {
      const { paths } = (await (await call(shop, '/openapi.json', { as: 'nobody' })).json()) as Document;
      expect(paths['/v1/offers']?.post.requestBody).toMatchObject({ required: true });
      expect(paths['/v1/offers/{offerId}/withdraw']?.post.requestBody).toMatchObject({ required: false });
    });

    it('L1: that says of a body what the door says of it', async () => {
      const document = (await (await call(shop, '/openapi.json', { as: 'nobody' })).json()) as object;
      const ajv = new Ajv2020({ strict: false });
      addFormats.default(ajv);
      ajv.addSchema(document, 'api');
      const described = ajv.compile({ $ref: 'api#/components/schemas/OfferBody' });
      const taxIds = [offerId];
      const bodies = [
        offer,
        { ...offer, description: null, taxIds, rate: '9.975', startsAt: '2027-01-31T09:30:00Z', online: true },
        { ...offer, services: [{ serviceId: offerId, limit: 'unlimited', fee: { amount: 0, currency: 'KWD' } }] },
        { ...offer, expiry: { kind: 'on', date: '2027-01-31' } },
        {},
        { ...offer, name: null },
        { ...offer, name: 'x'.repeat(21) },
        { ...offer, colour: 'red' },
        { ...offer, services: [] },
        { ...offer, services: [{ serviceId: offerId, limit: 0 }] },
        { ...offer, services: [{ serviceId: offerId, limit: 1, colour: 'red' }] },
        { ...offer, expiry: { kind: 'on' } },
        { ...offer, expiry: { kind: 'never' } },
        { ...offer, fee: { amount: -1, currency: 'CAD' } },
        { ...offer, taxIds: [...taxIds, ...taxIds] },
        { ...offer, rate: '100.1' },
        { ...offer, startsAt: 'soon' },
      ];
      for (const body of bodies)
        expect({ body, taken: described(body) }).toEqual({ body, taken: (await call(shop, '/v1/offers', { body })).status === 201 });
    });

    it('whose every reference leads somewhere', async () => {
      const text = await (await call(shop, '/openapi.json', { as: 'nobody' })).text();
      const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => [kind!, name!] as const);
      const { components } = JSON.parse(text) as { components: Record<string, Record<string, unknown>> };
      expect(references.length).toBeGreaterThan(20);
      for (const [kind, name] of references) expect(components[kind]).toHaveProperty(name);
    });

    it('on pages that load nothing from elsewhere', async () => {
      const page = await call(shop, '/', { as: 'nobody' });
      expect(new URL(page.url).pathname).toBe('/docs');
      const html = await page.text();
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
      for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) expect((await call(shop, path!, { as: 'nobody' })).status).toBe(200);
      expect(html).not.toContain('http');
    });

    it('in metrics by route, never by address', async () => {
      await call(shop, `/v1/offers/${offerId}`);
      const text = await (await call(shop, '/metrics', { as: 'nobody' })).text();
      expect(text).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/v1\/offers\/:offerId",status="404"\} \d+/);
      expect(text).toContain('process_resident_memory_bytes');
      expect(text).not.toContain(offerId);
    });
  });
});

interface Document {
  openapi: string;
  paths: Record<string, Record<'get' | 'post', { parameters: { name: string }[]; requestBody?: object; responses: object }>>;
  components: { schemas: Record<string, object> };
}

describe('The door, set up otherwise,', () => {
  const open: Shop[] = [];
  const opened = async (...how: Parameters<typeof openShop>): Promise<Shop> => {
    const shop = await openShop(...how);
    open.push(shop);
    return shop;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map(({ app }) => app.close()));
  });

  it('lets each caller in so many times a minute', async () => {
    const shop = await opened({ rateLimit: 3 });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await call(shop, '/v1/offers/hello')).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const answer = await call(shop, '/v1/offers/hello');
    expect(await problemIn(answer, 429)).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call(shop, '/v1/offers/hello', { as: 'auditor' })).status).toBe(200);
  });

  it('answers what takes too long', async () => {
    const shop = await opened({ requestTimeoutMs: 250 });
    const answer = await call(shop, '/v1/offers/slow');
    expect(await problemIn(answer, 503)).toMatchObject({ code: 'TIMED_OUT' });
    await delay(300); // the late answer goes nowhere
    expect((await call(shop, '/v1/offers/hello')).status).toBe(200);
  });

  it('says whether it is ready, part by part', async () => {
    let away = false;
    const check = async (): Promise<void> => {
      if (away) throw new Error('connect ECONNREFUSED postgres://user:pass@10.0.0.7');
    };
    const shop = await opened({}, { checks: { postgres: check, eventStore: async () => undefined } });
    expect(await (await call(shop, '/health/live', { as: 'nobody' })).json()).toEqual({ status: 'live' });
    expect(await (await call(shop, '/health/ready', { as: 'nobody' })).json()).toEqual({
      status: 'ready',
      parts: { postgres: 'ok', eventStore: 'ok' },
    });
    away = true;
    const problem = await problemIn(await call(shop, '/health/ready', { as: 'nobody' }), 503);
    expect(problem).toMatchObject({ code: 'NOT_READY', details: { parts: { postgres: 'unavailable', eventStore: 'ok' } } });
    expect(JSON.stringify(problem)).not.toContain('10.0.0.7');
  });

  it('answers what has come in before it closes, and lets go of its parts last', async () => {
    const closed: string[] = [];
    const shop = await openShop({}, { close: async () => void closed.push('parts') });
    const server = shop.app.getHttpServer();
    server.on('request', (_, response: ServerResponse) => response.on('finish', () => closed.push(`answered ${response.statusCode}`)));
    const slow = call(shop, '/v1/offers/slow');
    await once(server, 'request');
    await shop.app.close();
    expect((await slow).status).toBe(200);
    expect(closed).toEqual(['answered 200', 'parts']);
    await expect(call(shop, '/v1/offers/hello')).rejects.toThrow();
  });

  it('logs slow calls, and every call only when asked to', async () => {
    const quiet = await opened({ slowMs: 290, logLevel: 'info' });
    await call(quiet, '/v1/offers/hello');
    await call(quiet, '/v1/offers/slow');
    await delay(200);
    expect(quiet.logLines.filter(({ route }) => route)).toEqual([
      expect.objectContaining({ level: 'warn', route: '/v1/offers/slow', status: 200 }),
    ]);
    const wordy = await opened({ logLevel: 'debug' });
    await call(wordy, '/v1/offers/hello?text=Anna');
    await delay(200);
    expect(wordy.logLines.filter(({ route }) => route)).toEqual([
      expect.objectContaining({ level: 'debug', route: '/v1/offers/hello', status: 200 }),
    ]);
    expect(JSON.stringify(wordy.logLines)).not.toMatch(/Anna|Bearer|eyJ/);
  });

  it('has its metrics on a port of their own', async () => {
    const shop = await opened({ metricsPort: 0, logLevel: 'info' });
    expect(await problemIn(await call(shop, '/metrics'), 404)).toMatchObject({ code: 'NO_SUCH_ADDRESS' });
    const { port } = shop.logLines.map(({ metrics }) => metrics as { port: number } | undefined).find((at) => at)!;
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('http_request_duration_seconds');
  });
});
