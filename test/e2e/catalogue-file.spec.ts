import type { Caller, Problem } from '../support/caller.js';
import { openClinic, type Clinic } from '../support/clinic.js';
import { startService, type Service } from '../support/service.js';

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

interface File {
  business: { name: string; currency: string };
  taxes: { key: string; name: string }[];
  services: { key: string; name: string; active: boolean }[];
  categories: { key: string; offerings: string[] }[];
  offerings: { key: string; name: string }[];
}

const PATH = '/v1/catalogue-file';
const yaml = { headers: { 'content-type': 'application/yaml' } };
const fileOf = (caller: Caller) => caller.get<File>(PATH);
const load = (caller: Caller, file: object) => caller.put<{ created: number; changed: number; unchanged: number }>(PATH, file);

const told = ({ errors = [] }: Problem) => errors.map((error) => `${(error as { line?: number }).line} ${error.field} ${error.code}`);

const WRITTEN = `
taxes:
  - { key: gst, name: GST, rate: '5' }
services:
  - key: massage
    name: Massage, 60 minutes
    durationMinutes: 60
    price: { amount: 9500, currency: CAD }
    taxes: [gst]
  - { key: yoga, name: Yoga, durationMinutes: 75, price: { amount: 2500, currency: CAD } }
providers:
  - { key: dana, name: Dana Roy, services: [massage, yoga] }
categories:
  - { key: passes, name: Passes, offerings: [ten-yoga] }
offerings:
  - key: five-massages
    name: Five massages
    status: active
    services: [{ service: massage, limit: 5 }]
    expiryRule: { kind: after, from: purchase, amount: 6, unit: months }
    payment: { method: paidUpfront, fee: { amount: 42000, currency: CAD }, taxes: [gst] }
  - key: ten-yoga
    name: Ten times yoga
    status: active
    services: [{ service: yoga, limit: 10 }]
    payment: { method: paidEachAppointment, fees: [{ service: yoga, fee: { amount: 2000, currency: CAD } }] }
`;

describe('a business from a file', () => {
  it('B1, C1, C8: is made whole, can sell, and is the same when it is loaded again', async () => {
    const owner = await (await service.createBusiness()).as('owner');
    const loaded = await owner.send('PUT', PATH, { ...yaml, body: WRITTEN });
    expect(loaded).toMatchObject({ status: 200, body: { created: 6, changed: 1, unchanged: 0 } });
    expect(await owner.send('PUT', PATH, { ...yaml, body: WRITTEN })).toMatchObject({ body: { created: 0, changed: 0, unchanged: 7 } });
    const { items } = await owner.get<{ items: { name: string; offeringId: string; status: string }[] }>('/v1/offerings');
    expect(items.map(({ name, status }) => `${name}: ${status}`).sort()).toEqual(['Five massages: active', 'Ten times yoga: active']);
    const { clientId } = await owner.post<{ clientId: string }>('/v1/clients', { name: 'Anna' });
    for (const { offeringId } of items) await owner.post('/v1/packages', { offeringId, clientId });
  });

  it('B1, C1, C8: exported and loaded into another business, that one exports the same', async () => {
    await clinic.offering({ name: 'Same name' });
    await clinic.offering({ name: 'Same name', ...clinic.eachAppointment('unlimited') });
    const last = await clinic.offering({ name: 'Été', expiryRule: { kind: 'after', from: 'firstUse', amount: 3, unit: 'weeks' } });
    const { categoryId } = await clinic.owner.post<{ categoryId: string }>('/v1/categories', { name: 'Passes' });
    const list = await clinic.owner.get<{ ungrouped: string[]; revision: string }>('/v1/offering-list');
    const arranged = { ungrouped: list.ungrouped.filter((id) => id !== last).reverse(), categories: [{ categoryId, offeringIds: [last] }] };
    await clinic.owner.put('/v1/offering-list', arranged, { 'if-match': `"${list.revision}"` });

    const file = await fileOf(clinic.owner);
    expect(file.offerings.map(({ key }) => key).sort()).toEqual(['ete', 'same-name', 'same-name-2']);
    expect(file.offerings.at(-1)?.key).toBe('ete');
    expect(file.categories).toMatchObject([{ key: 'passes', offerings: ['ete'] }]);
    const copy = await (await service.createBusiness({ name: 'Copy', timeZone: 'Asia/Tokyo' })).as('owner');
    await load(copy, file);
    expect(await fileOf(copy)).toEqual(file);
    expect(await load(copy, file)).toMatchObject({ created: 0, changed: 0 });
    expect(await load(clinic.owner, file)).toMatchObject({ created: 0, changed: 0 });
  });

  it('B2: a service that is hidden, or inactive, goes into no offering; one that has it keeps it', async () => {
    const owner = await (await service.createBusiness()).as('owner');
    const send = (body: string) => owner.send<Problem>('PUT', PATH, { ...yaml, body });
    const hiding = (how: string) => WRITTEN.replace('key: yoga,', `key: yoga, ${how},`);
    for (const how of ['publiclyDisplayed: false', 'active: false']) {
      const { status, body } = await send(hiding(how));
      expect([status, told(body)]).toEqual([400, ['25 /offerings/1/services/0/service SERVICE_NOT_OFFERABLE']]);
    }
    expect(await owner.get('/v1/services')).toMatchObject({ items: [] });
    await send(WRITTEN);
    expect(await send(hiding('publiclyDisplayed: false'))).toMatchObject({ status: 200, body: { changed: 1, unchanged: 6 } });
    expect(await send(hiding('publiclyDisplayed: false').replace('limit: 10', 'limit: 12'))).toMatchObject({ body: { changed: 1 } });
    const another = hiding('publiclyDisplayed: false').replace(
      '[{ service: massage, limit: 5 }]',
      '[{ service: massage, limit: 5 }, { service: yoga, limit: 1 }]',
    );
    expect(told((await send(another)).body)).toEqual(['19 /offerings/0/services/1/service SERVICE_NOT_OFFERABLE']);
  });

  it('B1: a key stands for the same thing for ever, also once it has another name', async () => {
    const owner = await (await service.createBusiness()).as('owner');
    const tax = (name: string) => ({ taxes: [{ key: 'gst', name, rate: '5' }] });
    expect(await load(owner, tax('GST'))).toMatchObject({ created: 1 });
    expect(await load(owner, tax('Federal tax'))).toMatchObject({ created: 0, changed: 1 });
    expect(await load(owner, tax('Federal tax'))).toMatchObject({ unchanged: 1 });
    expect((await fileOf(owner)).taxes).toEqual([{ key: 'gst', name: 'Federal tax', rate: '5' }]);
  });

  it('C5: what a file changes of a sold offering is refused, naming it, and nothing of the file is done', async () => {
    const { owner } = await openClinic(service);
    const service1 = { key: 's', name: 'S', durationMinutes: 30, price: clinic.money(1_000) };
    const offering = {
      key: 'o',
      name: 'O',
      status: 'active',
      services: [{ service: 's', limit: 2 }],
      payment: { method: 'paidUpfront', fee: clinic.money(1), taxes: [] },
    };
    await load(owner, { services: [service1], offerings: [offering] });
    const { items } = await owner.get<{ items: { offeringId: string }[] }>('/v1/offerings');
    const { clientId } = await owner.post<{ clientId: string }>('/v1/clients', { name: 'Anna' });
    await owner.post('/v1/packages', { clientId, offeringId: items[0]!.offeringId });
    const before = await fileOf(owner);
    const body = { services: [{ ...service1, name: 'T' }], offerings: [{ ...offering, services: [{ service: 's', limit: 3 }] }] };
    const { errors } = await owner.refused(400, 'PUT', PATH, { body });
    expect(errors).toMatchObject([{ field: '/offerings/0', code: 'OFFERING_LOCKED' }]);
    expect(await fileOf(owner)).toEqual(before);
  });
});

describe('a file that cannot be', () => {
  const refused = async (body: string): Promise<Problem> => {
    const before = await service.lastPosition();
    const problem = await clinic.owner.refused(400, 'PUT', PATH, { ...yaml, body });
    expect(await service.lastPosition()).toBe(before);
    return problem;
  };
  it('L1: every offending place is named, with its line', async () => {
    const file = WRITTEN.replace("rate: '5'", 'rate: 5')
      .replace('limit: 5', 'limit: none')
      .replace('key: dana, name: Dana Roy', 'key: dana, colour: red');
    expect(told(await refused(file)).sort()).toEqual(
      [
        '12 /providers/0/colour UNKNOWN_FIELD',
        '12 /providers/0/name REQUIRED',
        '19 /offerings/0/services/0/limit NOT_A_LIMIT',
        '3 /taxes/0/rate NOT_A_PERCENTAGE',
      ].sort(),
    );
  });
  it('L1: keys that lead nowhere or are there twice', async () => {
    const file = WRITTEN.replace('key: yoga', 'key: massage')
      .replace('[ten-yoga]', '[no, ten-yoga]')
      .replace('[massage, yoga]', '[massage]');
    expect(told(await refused(file)).sort()).toEqual([
      ...['10 /services/1/key REPEATED', '14 /categories/0/offerings/0 UNKNOWN_KEY'],
      ...['25 /offerings/1/services/0/service UNKNOWN_KEY', '26 /offerings/1/payment/fees/0/service UNKNOWN_KEY'],
    ]);
  });
  it('L1: what the rules refuse, before anything is done', async () => {
    const file = WRITTEN.replaceAll('currency: CAD', 'currency: USD');
    expect(told(await refused(file)).filter((error) => error.endsWith('WRONG_CURRENCY')).length).toBeGreaterThan(2);
    expect(
      told(await refused(`business: { name: A, timeZone: Asia/Tokyo, currency: USD, settings: ${JSON.stringify(SETTINGS)} }\n`)),
    ).toEqual(['1 /business/currency FIXED']);
  });
  it.each([
    ['what is no YAML', 'taxes: [\n', 'INVALID_INPUT'],
    ['a key of a map twice', 'taxes: []\ntaxes: []\n', 'INVALID_INPUT'],
    [
      'aliases without end',
      `a: &a [1]\n${Array.from(
        { length: 9 },
        (_, n) =>
          `b${n}: &b${n} [${Array(10)
            .fill(n === 0 ? '*a' : `*b${n - 1}`)
            .join(', ')}]`,
      ).join('\n')}\n`,
      'BROKEN_YAML',
    ],
  ])('L1: %s', async (_, body, code) => expect(await refused(body)).toMatchObject({ code }));
});

const SETTINGS = {
  clientsSeeInvoices: true,
  clientsMayBuyOnline: false,
  onNoShow: 'returned',
  onLateCancellation: 'returned',
  lateCancellationWindowMinutes: 60,
};
