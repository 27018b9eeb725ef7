import { randomUUID } from 'node:crypto';
import { CALLER_ROLES, type CallerRole, type Permission, permitsAny } from '../../libs/auth/roles.js';
import type { Caller, Sent } from '../support/caller.js';
import { type Clinic, openClinic } from '../support/clinic.js';
import type { Operation } from '../support/documented.js';
import { type Service, startService } from '../support/service.js';

// L1: every operation of the document, and the refusals that it says of itself: each of them is seen, and no other is.

let service: Service;
let clinic: Clinic;
let things: Record<string, string>; // by the name in the path: something that is there
let callers: Map<CallerRole, Caller>;
let operations: Walked[];

interface Walked extends Operation {
  name: string;
  method: string;
  path: string;
}

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'silent' } });
  clinic = await openClinic(service);
  const sold = await clinic.sell();
  const otherClientId = await clinic.client();
  await clinic.link(sold.clientId, otherClientId);
  const booked = await clinic.book(sold);
  const payment = { amount: clinic.money(1), method: 'cash' };
  const { paymentId } = await clinic.owner.post<{ paymentId: string }>(`/v1/invoices/${sold.invoiceId}/payments`, payment);
  const { massage: serviceId, gst: taxId, providerId } = clinic.has;
  things = {
    ...{ clientId: sold.clientId, otherClientId, packageId: sold.packageId, offeringId: sold.offeringId, invoiceId: sold.invoiceId },
    ...{ appointmentId: booked.appointmentId, paymentId, serviceId, taxId, providerId },
  };
  const roles = CALLER_ROLES.map(
    async (role) => [role, await clinic.business.as(role, role === 'client' ? sold.clientId : undefined)] as const,
  );
  callers = new Map(await Promise.all(roles));
  operations = Object.entries(service.documented.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: operation.operationId,
      method: method.toUpperCase(),
      path,
    })),
  );
});
afterAll(() => service?.stop());

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
  const all = [query, ASKED[operationId]].filter(Boolean).join('&');
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? UNKNOWN) + (all && `?${all}`);
};

/** What one of several parameters must say. */
const ASKED: Record<string, string> = { 'packages.readAsOf': 'revision=0' };

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

/** Those that answered otherwise, each with what it answered. */
async function others(
  wanted: number,
  walked: Walked[],
  call: (operation: Walked) => Promise<{ status: number; body: unknown }>,
): Promise<string[]> {
  const found: string[] = [];
  for (const operation of walked) {
    const { status, body } = await call(operation);
    if (status !== wanted) found.push(`${operation.name}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  }
  return found;
}

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
  const small = commands.filter(
    (operation) => typeOf(operation) === 'application/json' && Object.keys(operation.requestBody!.content).length === 1,
  );
  expect(await others(413, small, (operation) => allowed(operation).send(operation.method, addressOf(operation), { body: large }))).toEqual(
    [],
  );
  const headers = { 'content-type': 'text/plain' };
  expect(
    await others(415, commands, (operation) => allowed(operation).send(operation.method, addressOf(operation), { body: '{}', headers })),
  ).toEqual([]);
});

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
  const named = about.filter(({ path }) => [...path.matchAll(/\{(\w+)\}/g)].every(([, name]) => things[name!]));
  expect(named.length).toBeGreaterThan(25);
  const stale = { 'if-match': '"999999"' };
  const call = (operation: Walked) =>
    allowed(operation).send(operation.method, addressOf(operation), sent(operation, { ...stale, 'idempotency-key': randomUUID() }));
  expect(await others(412, named, call)).toEqual([]);
});
