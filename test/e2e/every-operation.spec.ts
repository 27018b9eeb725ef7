import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { CALLER_ROLES, type CallerRole, type Permission, permitsAny } from '../../libs/auth/roles.js';
import { clientLink, linkIdOf } from '../../libs/domain/client-link/client-link.state.js';
import type { Answer, Caller, Sent } from '../support/caller.js';
import type { Clinic } from '../support/clinic.js';
import type { Operation } from '../support/documented.js';
import { csvOf, sendFile } from '../support/moving-in.js';
import { buy, openOnlineShop, takingCards, type OnlineShop } from '../support/online-shop.js';
import type { Program } from '../support/program.js';
import { provocations, type Told } from '../support/provocations.js';
import { type Service, startService } from '../support/service.js';
import { startStripe, type LocalStripe } from '../support/stripe.js';

// L1: every operation of the document, and every status that it says of itself: each of them is seen, held against the document, and no other is.

let stripe: LocalStripe;
let service: Service;
let limited: Program; // an API without keys of Stripe, that takes two calls of each caller
let doomed: Awaited<ReturnType<Service['startApiToCut']>>; // one that loses event store and Postgres
let clinic: Clinic;
let told: ReturnType<typeof provocations>;
const done = new Map<string, Told>();
let things: Record<string, string>; // by the name in the path: something that is there
let callers: Map<CallerRole, Caller>;
let operations: Walked[];

interface Walked extends Operation {
  name: string;
  method: string;
  path: string;
}

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** What no test can bring about at will. */
const UNSEEN = {
  'audit.seals 500': 'it shows what is stored as it is: what cannot be read is 503',
  'audit.export 500': 'the same',
  'catalogueFile.load 409': 'all that a rule refuses is named as a field (400), unless it changes between that look and what is stored',
};

beforeAll(async () => {
  stripe = await startStripe();
  service = await startService({
    env: { ...takingCards(stripe), LOG_LEVEL: 'silent', IMPORT_LIMIT_BYTES: '1024', REQUEST_TIMEOUT_MS: '120000' },
  });
  let shop: OnlineShop;
  [shop, limited, doomed] = await Promise.all([
    openOnlineShop(service, stripe),
    service.startApi({ RATE_LIMIT_PER_MINUTE: '2', STRIPE_SECRET_KEY: '' }),
    service.startApiToCut({ REQUEST_TIMEOUT_MS: '5000' }),
  ]);
  clinic = shop.clinic;
  const sold = await clinic.sell({}, { clientId: shop.clientId });
  const otherClientId = await clinic.client();
  await clinic.link(sold.clientId, otherClientId);
  const booked = await clinic.book(sold);
  const { purchaseId } = await buy(shop.client, shop.offeringId);
  const { importId } = (
    await sendFile(
      clinic.owner,
      csvOf([{ reference: 'r', offering: shop.offeringId, client: sold.clientId, remaining: 1, soldOn: clinic.day(-1) }]),
    )
  ).body;
  const payment = { amount: clinic.money(1), method: 'cash' };
  const { paymentId } = await clinic.owner.post<{ paymentId: string }>(`/v1/invoices/${sold.invoiceId}/payments`, payment);
  const { massage: serviceId, gst: taxId, providerId } = clinic.has;
  things = {
    ...{ clientId: sold.clientId, otherClientId, packageId: sold.packageId, offeringId: sold.offeringId, invoiceId: sold.invoiceId },
    ...{ appointmentId: booked.appointmentId, paymentId, serviceId, taxId, providerId, purchaseId, importId },
  };
  const roles = CALLER_ROLES.map(
    async (role) => [role, await clinic.business.as(role, role === 'client' ? sold.clientId : undefined)] as const,
  );
  callers = new Map(await Promise.all(roles));
  const full = await (await service.createBusiness()).as('owner');
  const categories = Array.from({ length: 500 }, (_, n) => ({ key: `c${n}`, name: `Category ${n}`, offerings: [] }));
  await full.put('/v1/catalogue-file', { categories });
  told = provocations({ ...shop, stripe, packageId: sold.packageId, full, keyless: clinic.owner.at(limited.ready) });
  operations = Object.entries(service.documented.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: operation.operationId,
      method: method.toUpperCase(),
      path,
    })),
  );
}, 180_000);
afterAll(async () => {
  doomed?.cut();
  await Promise.all([limited?.stop(), doomed?.stop()]);
  await service?.stop();
  await stripe?.stop();
});

const isCommand = ({ method }: Walked) => method !== 'GET';
const isGuarded = (operation: Walked) => 'x-permissions' in operation;
const says = (status: number) => (operation: Walked) => String(status) in operation.responses;
const roleOf = (operation: Walked, may: boolean) =>
  CALLER_ROLES.find((role) => permitsAny(role, (operation['x-permissions'] ?? []) as Permission[]) === may)!;
const allowed = (operation: Walked): Caller => callers.get(roleOf(operation, true))!;

/** Its address, with these ids where it names them, and the least that it must be asked. */
const addressOf = ({ operationId, path, parameters }: Walked, ids: Record<string, string> = things) => {
  const asked = parameters.filter(({ in: where, required }) => where === 'query' && required);
  const query = asked.map(({ name, schema }) => `${name}=${encodeURIComponent(String(sampleOf(schema, name)))}`).join('&');
  const all = [query, ASKED[operationId]?.()].filter(Boolean).join('&');
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? UNKNOWN) + (all && `?${all}`);
};

/** What one of several parameters must say. */
const ASKED: Record<string, () => string> = {
  'packages.readAsOf': () => 'revision=0',
  'packages.explain': () => `serviceId=${things.serviceId}`,
};

/** The least that a schema takes; ids are of things that are there. */
function sampleOf(schema: Record<string, unknown>, name = ''): unknown {
  const {
    $ref,
    enum: values,
    oneOf,
    anyOf,
    allOf,
    type,
    format,
    minimum,
    properties,
    required,
    items,
    minItems,
  } = schema as {
    [key: string]: never;
  } & { type?: string; items?: Record<string, unknown>; properties?: Record<string, Record<string, unknown>>; required?: string[] };
  if ($ref) return sampleOf(service.documented.document.components.schemas[String($ref).split('/').at(-1)!]!, name);
  if (values) return (values as unknown[])[0];
  const one = (oneOf ?? anyOf ?? allOf) as Record<string, unknown>[] | undefined;
  if (one) return sampleOf(one[0]!, name);
  const kind = [type].flat()[0];
  if (kind === 'object') return Object.fromEntries((required ?? []).map((field) => [field, sampleOf(properties![field]!, field)]));
  if (kind === 'array') return minItems ? [sampleOf(items!, name.replace(/s$/, ''))] : [];
  if (kind === 'integer') return minimum ?? 1;
  if (kind === 'boolean') return false;
  if (format === 'uuid') return things[name] ?? UNKNOWN;
  if (format === 'date') return '2031-01-01';
  if (format === 'date-time') return clinic.in(1);
  if (format === 'email') return 'anna@clinic.example';
  return SAMPLES[name] ?? 'x';
}
const SAMPLES: Record<string, string> = {
  currency: 'CAD',
  rate: '5',
  timeZone: 'UTC',
  successUrl: 'https://clinic.example/',
  cancelUrl: 'https://clinic.example/',
};

const typeOf = ({ requestBody }: Walked) => Object.keys(requestBody?.content ?? {})[0];
const sent = (operation: Walked, headers: Record<string, string> = {}): Sent => {
  const type = typeOf(operation);
  if (!type) return { headers };
  if (type !== 'application/json') return { body: 'x', headers: { 'content-type': type, ...headers } };
  return { body: sampleOf(operation.requestBody!.content[type]!.schema), headers };
};

/** What is told of it is sent, with these headers. */
const tell = (operation: Walked, { ids, body, headers, by }: Told, more: Record<string, string> = {}): Promise<Answer<unknown>> => {
  const said = sent(operation, { ...headers, ...more });
  const address = addressOf(operation, { ...things, ...ids });
  return (by ?? allowed(operation)).send(operation.method, address, body === undefined ? said : { ...said, body });
};
const doing = async ({ name }: Walked): Promise<Told> => (await told.does[name]?.()) ?? {};
/** As it was told when it did something: for whoever is not to get that far. */
const again = async (operation: Walked): Promise<Told> => done.get(operation.name) ?? doing(operation);

/** Those that answered otherwise, each with what it answered. */
async function others(
  wanted: number,
  walked: Walked[],
  call: (operation: Walked) => Promise<{ status: number; body: unknown }>,
): Promise<string[]> {
  const found = await besideOneAnother(walked, async (operation) => {
    const { status, body } = await call(operation);
    return status === wanted ? [] : [`${operation.name}: ${status} ${JSON.stringify(body).slice(0, 300)}`];
  });
  return found.flat();
}

/** Those of each resource one after the other; the catalogue is one, of which all say how its list is. */
async function besideOneAnother<Found>(walked: Walked[], look: (operation: Walked) => Promise<Found>): Promise<Found[]> {
  const laneOf = ({ name }: Walked) => (CATALOGUE.test(name) ? 'catalogue' : name.split('.')[0]!);
  const found: Found[] = [];
  const walk = async (lane: string) => {
    for (const operation of walked.filter((each) => laneOf(each) === lane)) found.push(await look(operation));
  };
  await Promise.all([...new Set(walked.map(laneOf))].map(walk));
  return found;
}
const CATALOGUE = /^(offerings|offeringList|catalogueFile)\./;

it('L1, L3, L4: each does what it is there for; what a command answers of a thing has the ETag under which it is read', async () => {
  const wrong = await besideOneAnother(operations.filter(isGuarded), async (operation) => {
    const { name } = operation;
    const telling = await doing(operation);
    if (name !== 'stripe.connect') done.set(name, telling); // connected once, it stores nothing more
    const { status, body, headers } = await tell(operation, telling);
    if (status >= 300) return [`${name}: ${status} ${JSON.stringify(body).slice(0, 300)}`];
    if (!isCommand(operation) || !hasETag(operation) || GOES_ON.has(name)) return [];
    if (FOLLOWING.has(name)) return headers.has('etag') ? [`${name}: ${headers.get('etag')}`] : [];
    const read = operations.find((each) => !isCommand(each) && each.path === readAt(operation))!;
    const now = await tell(read, { ids: { ...telling.ids, ...(body as Record<string, string>) }, by: telling.by });
    const [etag, later] = [headers.get('etag'), now.headers.get('etag')];
    return etag !== null && etag === later ? [] : [`${name}: ${etag}, ${read.name}: ${later}`];
  });
  expect(wrong.flat()).toEqual([]);
  expect(operations.filter((operation) => isCommand(operation) && hasETag(operation)).length).toBeGreaterThan(45);
});
const GOES_ON = new Set(['imports.take']); // by itself
/** What package or invoice decides, and the appointment follows: somebody else may have changed that by then, so no ETag is sure to be of what is answered. */
const FOLLOWING = new Set([
  ...['appointments.move', 'appointments.rebook', 'appointments.undoNoShow', 'appointments.applyPackage', 'appointments.removePackage'],
  ...['own.applyPackage', 'own.removePackage'],
]);

const hasETag = ({ responses }: Walked) => Object.values(responses).some(({ headers }) => 'ETag' in (headers ?? {}));

/** Where the thing is read that a command is about: what stands in its address, or what it begins. */
const readAt = ({ name, path }: Walked): string => {
  if (READ_ELSEWHERE[name]) return READ_ELSEWHERE[name];
  const reads = operations.filter((read) => !isCommand(read) && hasETag(read)).map((read) => read.path);
  const around = reads.filter((read) => `${path}/`.startsWith(`${read}/`)).sort((a, b) => b.length - a.length);
  return around[0] ?? reads.find((read) => read.startsWith(`${path}/{`))!;
};
const READ_ELSEWHERE: Record<string, string> = {
  ...{ 'offeringList.create': '/v1/offering-list', 'offeringList.rename': '/v1/offering-list', 'offeringList.remove': '/v1/offering-list' },
  ...{ 'purchases.startCheckout': '/v1/purchases/{purchaseId}', 'ownPurchases.startCheckout': '/v1/me/purchases/{purchaseId}' },
};

it('L1: 409 is seen of each that a rule can refuse, and said of no other', async () => {
  const refusable = operations.filter((operation) => says(409)(operation) && !(`${operation.name} 409` in UNSEEN));
  expect(refusable.map(({ name }) => name).sort()).toEqual(Object.keys(told.refused).sort());
  expect(await others(409, refusable, async (operation) => tell(operation, await told.refused[operation.name]!()))).toEqual([]);
});

it('L2: 422 is seen of each that takes a key, when that was used for another request', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const used = (caller: Caller) => caller.post('/v1/clients', { name: 'Anna' }, key);
  await Promise.all([used(clinic.owner), tell(named('own.cancel'), await doing(named('own.cancel')), key)]);
  const keyed = operations.filter(says(422));
  const call = async (operation: Walked) => {
    const telling = await doing(operation);
    if (telling.by) await used(telling.by);
    return tell(operation, telling, key);
  };
  expect(await others(422, keyed, call)).toEqual([]);
});
const named = (name: string) => operations.find((operation) => operation.name === name)!;

it('L1: 401 without a token, and 403 for a role that may not, are said of each and seen of each', async () => {
  const guarded = operations.filter(isGuarded);
  expect(operations.filter(says(401))).toEqual(guarded);
  expect(operations.filter(says(403))).toEqual(guarded);
  const nobody = clinic.business.anybody();
  expect(await others(401, guarded, (operation) => nobody.send(operation.method, addressOf(operation)))).toEqual([]);
  expect(
    await others(403, guarded, (operation) => callers.get(roleOf(operation, false))!.send(operation.method, addressOf(operation))),
  ).toEqual([]);
});

it('L1: 400 is seen of each', async () => {
  const wrong = (operation: Walked): Record<string, string> =>
    isCommand(operation) ? { 'idempotency-key': 'x'.repeat(256) } : { 'punchcard-min-position': 'x' };
  const walked = operations.filter((operation) => isGuarded(operation) && operation.name !== 'audit.publicKeys'); // it takes nothing
  expect(
    await others(400, walked, (operation) =>
      allowed(operation).send(operation.method, addressOf(operation), sent(operation, wrong(operation))),
    ),
  ).toEqual([]);
});

it('L1: 413 and 415 are seen of each that takes a body, and said of no other', async () => {
  const commands = operations.filter((operation) => isGuarded(operation) && isCommand(operation));
  expect(operations.filter((operation) => isGuarded(operation) && says(415)(operation))).toEqual(commands);
  const large = JSON.stringify({ name: 'x'.repeat(300_000) });
  const tooLarge = (operation: Walked) =>
    operation.name === 'catalogueFile.load'
      ? announced(operation, 8 * 1024 * 1024 + 1)
      : allowed(operation).send(operation.method, addressOf(operation), { ...sent(operation), body: large });
  expect(await others(413, commands, tooLarge)).toEqual([]);
  const headers = { 'content-type': 'text/plain' };
  expect(
    await others(415, commands, (operation) => allowed(operation).send(operation.method, addressOf(operation), { body: '{}', headers })),
  ).toEqual([]);
});

/** Says that so many bytes come, and sends none: whoever is refused while sending may not hear it. */
const announced = async (operation: Walked, bytes: number): Promise<{ status: number; body: unknown }> => {
  const path = addressOf(operation);
  const asked = request(service.urls[0] + path, { method: operation.method });
  asked.setHeader('authorization', `Bearer ${await clinic.business.token('owner')}`);
  asked.setHeader('content-type', typeOf(operation) ?? 'application/json');
  asked.setHeader('content-length', bytes);
  asked.flushHeaders();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const [status, body] = [answer.statusCode!, await json(answer)];
  asked.destroy();
  const headers = new Headers({ 'content-type': answer.headers['content-type']! });
  service.documented.check({ method: operation.method, path: path.split('?')[0]!, status, headers, body }, undefined);
  return { status, body };
};

it('A3, L1: 404 is seen of each that is about something', async () => {
  const about = operations.filter((operation) => isGuarded(operation) && operation.path.includes('{'));
  const unknown = async (operation: Walked) => allowed(operation).send(operation.method, addressOf(operation, {}), sent(operation));
  expect(await others(404, about, unknown)).toEqual([]);
});

it('A3, L1: 404 is seen of those that need their business or what the query names, and said of no other', async () => {
  const rest = operations.filter((operation) => isGuarded(operation) && !isCommand(operation) && !operation.path.includes('{'));
  const seen: string[] = [];
  for (const operation of rest) {
    const role = roleOf(operation, true);
    const token = await clinic.business.token(role, { business: UNKNOWN, clientId: role === 'client' ? UNKNOWN : undefined });
    const stranger = clinic.business.anybody({ authorization: `Bearer ${token}`, 'punchcard-min-position': '0' });
    const ids = operation.parameters.filter(({ in: where, schema }) => where === 'query' && schema.format === 'uuid');
    const address = addressOf(operation);
    const ofToday = operation.parameters.some(({ name, schema }) => name === 'status' && (schema.enum as string[]).includes('expired'));
    const { status } = await stranger.send('GET', ofToday ? `${address}${address.includes('?') ? '&' : '?'}status=expired` : address);
    const named = ids.map(({ name }) => `${name}=${UNKNOWN}`).join('&');
    const unknown = await allowed(operation).send('GET', `${address.split('?')[0]}?${named}`);
    if (status === 404 || unknown.status === 404) seen.push(operation.name);
  }
  expect(rest.filter(says(404)).map(({ name }) => name)).toEqual(seen);
  const beginning = operations.filter((operation) => isCommand(operation) && isGuarded(operation) && !operation.path.includes('{'));
  const strangers = async (operation: Walked) => {
    const role = roleOf(operation, true);
    const token = await clinic.business.token(role, { business: UNKNOWN, clientId: role === 'client' ? UNKNOWN : undefined });
    return tell(operation, { ...(await again(operation)), by: clinic.business.anybody({ authorization: `Bearer ${token}` }) });
  };
  expect(await others(404, beginning, strangers)).toEqual([]);
});

it('L4: what can be read as one thing has an ETag', () => {
  const ones = operations.filter(({ method, path }) => method === 'GET' && /\{\w+\}$/.test(path));
  const shapes = service.documented.document.components.schemas as Record<string, { required?: string[] } | undefined>;
  const without = ones.filter(({ responses }) => {
    const content = responses['200']?.content as Record<string, { schema: { $ref?: string } }> | undefined;
    const name = content?.['application/json']?.schema.$ref?.split('/').at(-1);
    return !name || !shapes[name]?.required?.includes('revision');
  });
  expect(without.map(({ name }) => name)).toEqual([]);
});

it('L4: If-Match is honoured by every command about a thing that is there, and said of no other', async () => {
  const about = operations.filter((operation) => isGuarded(operation) && says(412)(operation));
  expect(about.length).toBeGreaterThan(25);
  expect(await others(412, about, async (operation) => tell(operation, await again(operation), { 'if-match': '"999999"' }))).toEqual([]);
});

it('L1: 429 is seen of each', async () => {
  const guarded = operations.filter(isGuarded);
  const call = (operation: Walked) => allowed(operation).at(limited.ready).send(operation.method, addressOf(operation));
  await Promise.all([...guarded, ...guarded].map(call)); // nobody has more than two left
  expect(await others(429, guarded, call)).toEqual([]);
});

it('L1: 503 is seen of each, once event store and Postgres are away', async () => {
  doomed.cut();
  expect(await othersAt(doomed.ready, 503)).toEqual([]);
});

it('L1: 500 is seen of each, once what is stored is broken', async () => {
  done.set('stripe.connect', await doing(named('stripe.connect')));
  await service.history(); // all that follows has followed
  await service.stopProjector();
  for (const name of ['read_models', 'commands', 'event_feed', 'audit'])
    await service.pool.query(`ALTER SCHEMA ${name} RENAME TO gone_${name}`);
  const readers = await othersAt(service.urls[0], 500); // of the events themselves
  const { clientId, otherClientId, packageId, invoiceId } = things;
  for (const stream of [`package-${packageId}`, `invoice-${invoiceId}`, `${clientLink.category}-${linkIdOf(clientId!, otherClientId!)}`]) {
    const last = (await service.store.lastOf(stream))!; // and then one that a newer version has written
    await service.store.append(stream, last.revision, [{ ...last, id: randomUUID(), metadata: { ...last.metadata, version: 99 } }]);
  }
  expect(readers.length).toBeLessThan(15);
  expect(await othersAt(service.urls[0], 500, ({ name }) => readers.some((reader) => reader.startsWith(`${name}:`)))).toEqual([]);
});

/** Those that answer otherwise at an API that has lost what it needs. */
const othersAt = async (url: unknown, status: number, such: (operation: Walked) => boolean = isGuarded): Promise<string[]> => {
  const guarded = operations.filter((operation) => isGuarded(operation) && such(operation) && !(`${operation.name} ${status}` in UNSEEN));
  const telling = new Map(await Promise.all(guarded.map(async (operation) => [operation, await again(operation)] as const)));
  const call = (operation: Walked) => {
    const { by = allowed(operation), ...rest } = telling.get(operation)!;
    return tell(operation, { ...rest, by: by.at(url, { isBroken: status === 500 }) }, { 'idempotency-key': randomUUID() });
  };
  return (await Promise.all(guarded.map((operation) => others(status, [operation], call)))).flat();
};

it('L1: every status that is said of an operation was seen of it, and no other', () => {
  const { seen } = service.documented;
  const wrong = operations.filter(isGuarded).flatMap(({ name, responses }) => {
    const said = Object.keys(responses).map(Number);
    const unseen = said.filter((status) => !seen.get(name)?.has(status) && !(`${name} ${status}` in UNSEEN));
    return unseen.map((status) => `${name} ${status}`);
  });
  expect(wrong).toEqual([]);
});
