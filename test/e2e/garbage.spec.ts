import fc from 'fast-check';
import type { Problem } from '../support/caller.js';
import { type Clinic, openClinic } from '../support/clinic.js';
import type { Operation } from '../support/documented.js';
import { type Service, startService } from '../support/service.js';

// Every operation of the document, sent what fits its schema but for a field or two, and what fits nothing. The caller
// checks that no answer is a 500 or shows the inside, and that each is as documented.

let service: Service;
let clinic: Clinic;
let ids: string[];
beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'silent' } });
  clinic = await openClinic(service);
  const sold = await clinic.sell(clinic.eachAppointment('unlimited'));
  const booked = await clinic.book(sold);
  const { gst, massage, facial, providerId } = clinic.has;
  ids = [gst, massage, facial, providerId, sold.packageId, sold.offeringId, sold.clientId, sold.invoiceId, booked.appointmentId];
});
afterAll(() => service?.stop());

type Schema = Record<string, unknown>;
const RUNS = process.env.SOAK ? 250 : 12; // for each operation

const wrong = fc.oneof(
  fc.constantFrom<unknown>(null, '', ' ', 0, -1, 0.5, 1e21, -0, true, [], {}, [[]], { amount: 1 }, 'x'.repeat(3_000), '\ud800', 'a\u0000b'),
  fc.constantFrom<unknown>(
    '2027-02-30',
    '0000-01-01',
    '9999-12-31T23:59:60Z',
    '+275760-09-13T00:00:00Z',
    'unlimited',
    Number.MAX_SAFE_INTEGER,
  ),
  fc.constantFrom<unknown>("'; DROP TABLE x; --", '%00', '../../etc', '__proto__', 'constructor', '𝒳'.repeat(100), '\u202e', '1e999'),
  fc.jsonValue({ maxDepth: 3 }),
);

/** What fits a schema, now and then with something else in its place. */
const near = (schema: Schema): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: fitting(schema) }, { weight: 1, arbitrary: wrong });

const fitting = (schema: Schema): fc.Arbitrary<unknown> => {
  const { $ref, oneOf, anyOf, allOf, enum: values, type, format, pattern, properties = {}, required = [], items = {} } = schema;
  if (typeof $ref === 'string') return near(service.documented.document.components.schemas[$ref.split('/').at(-1)!]!);
  const choices = (oneOf ?? anyOf ?? allOf) as Schema[] | undefined;
  if (choices) return fc.oneof(...choices.map(near));
  if (Array.isArray(values)) return fc.constantFrom<unknown>(...(values as unknown[]));
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => near({ ...schema, type: one as string })));
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer': {
      const { minimum = 0, maximum = 1_000 } = schema as { minimum?: number; maximum?: number };
      return fc.oneof(fc.constantFrom(minimum, maximum), fc.integer({ min: minimum, max: Math.min(maximum, minimum + 100) }));
    }
    case 'array':
      return fc.array(near(items as Schema), { maxLength: 4 });
    case 'object': {
      const fields = Object.entries(properties as Record<string, Schema>).map(([name, field]) => [name, near(field)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: required as string[] });
    }
    default:
      return textOf(String(format ?? pattern));
  }
};

const textOf = (form: string): fc.Arbitrary<string> => {
  if (form === 'uuid') return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: fc.uuid() });
  if (form === 'date') return fc.constantFrom('1900-01-01', '2024-02-29', clinic.day(0), clinic.day(30), '2199-12-31');
  if (form === 'date-time') return fc.constantFrom('1900-01-01T00:00:00Z', clinic.in(0), clinic.in(2), '2199-12-31T23:59:59.999-12:00');
  if (form === 'email') return fc.constantFrom('anna@example.com', 'nobody');
  if (form === '^[A-Z]{3}$') return fc.constantFrom('CAD', 'XXX');
  if (form.startsWith('^(100')) return fc.constantFrom('0', '100', '9.975');
  return fc.string({ maxLength: 20, unit: 'grapheme' });
};

const asText = (value: unknown): string =>
  encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/\p{Cs}/gu, '\ufffd'));

const request = (path: string, { parameters, requestBody }: Operation) => {
  const schema = requestBody?.content['application/json']?.schema;
  const of = (place: string) =>
    parameters.filter((parameter) => parameter.in === place).map(({ name, schema }) => [name, near(schema)] as const);
  return fc.record({
    address: fc
      .record(Object.fromEntries(of('path')))
      .map((values) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => asText(values[name]).slice(0, 90) || 'x')),
    query: fc.record(Object.fromEntries(of('query')), { requiredKeys: [] }),
    body: schema ? near(schema) : fc.option(wrong, { nil: undefined, freq: 10 }),
  });
};

it('L1: whatever is sent to any operation, the answer is as documented, and never a 500', async () => {
  const answers = new Map<number, number>();
  for (const [path, operations] of Object.entries(service.documented.document.paths))
    for (const [method, operation] of Object.entries(operations))
      await fc.assert(
        fc.asyncProperty(request(path, operation), async ({ address, query, body }) => {
          const asked = Object.entries(query).map(([name, value]) => `${name}=${asText(value)}`);
          const sent = method === 'get' ? {} : { body: body === undefined ? undefined : JSON.stringify(body) };
          const { status, body: answer } = await clinic.owner.send<Problem>(
            method.toUpperCase(),
            [address, asked.join('&')].filter(Boolean).join('?'),
            sent,
          );
          answers.set(status, (answers.get(status) ?? 0) + 1);
          if (status >= 400) expect(answer).toMatchObject({ status, code: expect.stringMatching(/^[A-Z0-9_]+$/) });
        }),
        { numRuns: RUNS },
      );
  expect([...answers.keys()]).toEqual(expect.arrayContaining([200, 201, 400, 404, 409])); // it gets past the door
}, 300_000); // ms: two cores may have much else to do

it('L3: after all that the read models still follow', async () => {
  expect(await clinic.owner.get('/v1/settings')).toMatchObject({ currency: 'CAD' });
  const { rows } = await service.pool.query("SELECT projection, poison FROM read_models.checkpoints WHERE state = 'poisoned'");
  expect(rows).toEqual([]);
});
