import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ApiProblem, createClient, type Client } from '../../libs/api-client/index.js';
import { apiClientSource } from '../support/api-client-source.js';
import { type Clinic, openClinic } from '../support/clinic.js';
import { type Service, startService } from '../support/service.js';

let service: Service;
let clinic: Clinic;
let token: string;
let api: Client;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
  token = await clinic.business.token('owner');
  api = createClient({ baseUrl: service.urls[0]!, token });
});
afterAll(() => service?.stop());

const folder = new URL('../../libs/api-client/', import.meta.url);
const inFolder = (name: string) => new URL(name, folder);

const problemOf = async (call: Promise<unknown>): Promise<ApiProblem> => {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof ApiProblem) return thrown;
  throw new Error('It was not refused.', { cause: thrown });
};

it('L1: the typed client is what the document says; `npm run client` writes it anew', async () => {
  for (const [name, text] of Object.entries(apiClientSource(service.documented.document))) {
    if (process.env.WRITE_CLIENT) await writeFile(inFolder(name), text);
    expect(await readFile(inFolder(name), 'utf8')).toBe(text);
  }
});

it('L1, L2, L3, L4: a sale, a booking and a change through it, with keys, ETags, positions and problems', async () => {
  const { massage: serviceId, providerId, gst } = clinic.has;
  const registered = await api.call('clients.register', { body: { name: 'Anna Tremblay' }, idempotencyKey: 'anna' });
  expect((await api.call('clients.register', { body: { name: 'Anna Tremblay' }, idempotencyKey: 'anna' })).data).toEqual(registered.data);
  const { clientId } = registered.data;
  const reused = await problemOf(api.call('clients.register', { body: { name: 'Ben' }, idempotencyKey: 'anna' }));
  expect([reused.status, reused.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);

  const offered = await api.call('offerings.define', {
    body: {
      ...{ name: 'Five massages', status: 'active', services: [{ serviceId, limit: 5 }], expiryRule: { kind: 'none' } },
      payment: { method: 'paidUpfront', fee: { amount: 30_000, currency: 'CAD' }, taxIds: [gst] },
    },
  });
  const sold = await api.call('packages.sell', { body: { clientId, offeringId: offered.data.offeringId } });
  const { packageId } = sold.data;
  const booked = await api.call('appointments.book', { body: { clientId, serviceId, providerId, start: clinic.in(1), packageId } });
  expect(booked.data.session).toMatchObject({ remaining: 4, place: 'Session 1 of 5' });

  await service.settled();
  const read = await api.call('packages.read', { path: { packageId }, minPosition: booked.position });
  expect([read.etag, read.data.services[0]!.remaining]).toEqual([`"${read.data.revision}"`, 4]);
  const change = { path: { packageId, serviceId }, body: { remaining: 6 }, ifMatch: read.etag };
  const changed = await api.call('packages.adjustRemaining', change);
  expect(changed.data.services[0]!.remaining).toBe(6);
  const late = await problemOf(api.call('packages.adjustRemaining', { ...change, body: { remaining: 7 } }));
  expect([late.status, late.code, late.problem.type]).toEqual([412, 'PRECONDITION_FAILED', 'urn:punchcard:problem:precondition-failed']);
  expect(late.position).toBe(changed.position);

  const wrong = await problemOf(api.call('packages.sell', { body: { clientId, offeringId: 'five' } }));
  expect(wrong.problem.errors).toMatchObject([{ field: '/offeringId', code: 'NOT_AN_ID' }]);
  const { items } = (await api.call('packages.list', { query: { clientId, limit: 1 }, minPosition: booked.position })).data;
  expect(items.map((item) => item.packageId)).toEqual([packageId]);
  const pdf = await api.call('prints.invoicePdf', { path: { invoiceId: sold.data.invoiceId }, minPosition: sold.position });
  expect(Buffer.from(pdf.data.slice(0, 5)).toString()).toBe('%PDF-');
});

it('L6: follows what happens; a token that may not is told so', async () => {
  const { data } = await api.call('clients.register', { body: { name: 'Zoé' } });
  for await (const event of api.follow({ types: ['ClientRegistered'] })) if (event.data.clientId === data.clientId) break;
  const receptionist = createClient({ baseUrl: service.urls[0]!, token: () => clinic.business.token('receptionist') });
  expect((await problemOf(receptionist.follow().next())).code).toBe('FORBIDDEN');
});

it('works as its README says, in plain JavaScript', async () => {
  const readme = await readFile(inFolder('README.md'), 'utf8');
  const example = /^```js\n(.*?)^```/ms.exec(readme)![1]!;
  const env = { ...process.env, NODE_OPTIONS: '', PUNCHCARD_URL: service.urls[0]!, PUNCHCARD_TOKEN: await clinic.business.token('owner') };
  const args = ['--input-type=module', '--eval', example];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(folder), env });
  expect(stdout).toMatch(/^412 PRECONDITION_FAILED\nClientRegistered (true|false)\n$/);
});
