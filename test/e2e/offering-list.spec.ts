import type { Clinic, OfferingSaid, Page } from '../support/clinic.js';
import { openClinic } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';
import { startService, type Service } from '../support/service.js';

interface List {
  ungrouped: string[];
  categories: { categoryId: string; name: string; offeringIds: string[] }[];
  revision: string | null;
}

interface Listed {
  offeringId: string;
  name: string;
  services: { serviceId: string; name: string; limit: unknown }[];
  category: { categoryId: string; name: string } | null;
  sold: number;
  priceText: string;
  status: string;
}

const make = async (clinic: Clinic, ...names: string[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const name of names) {
    ids.push(await clinic.offering({ name }));
    await clinic.service.settled(); // with policies in the projector, the order of two at once is anybody's
  }
  return ids;
};
const category = async ({ owner }: Clinic, name: string): Promise<string> =>
  (await owner.post<{ categoryId: string }>('/v1/categories', { name })).categoryId;
const read = ({ owner }: Clinic, query = ''): Promise<List> => owner.get<List>(`/v1/offering-list${query}`);
const ifMatch = ({ revision }: List) => ({ 'if-match': `"${revision}"` });
const arrange = async (clinic: Clinic, ungrouped: string[], ...categories: [string, string[]][]): Promise<List> =>
  clinic.owner.put<List>('/v1/offering-list', bodyOf(ungrouped, categories), ifMatch(await read(clinic)));
const bodyOf = (ungrouped: string[], categories: [string, string[]][]) => ({
  ungrouped,
  categories: categories.map(([categoryId, offeringIds]) => ({ categoryId, offeringIds })),
});
const listed = async ({ owner }: Clinic, query = ''): Promise<Listed[]> => (await owner.get<Page<Listed>>(`/v1/offerings${query}`)).items;
const namesOf = (items: Listed[]) => items.map(({ name, category: at }) => [name, at?.name ?? null]);

withProjectorAlone((at) => {
  it('C8: offerings and categories are put in any order in one call, and listed so', async () => {
    const clinic = await openClinic(at().service);
    expect(await read(clinic)).toEqual({ ungrouped: [], categories: [], revision: null });
    const [gold, silver, bronze] = (await make(clinic, 'Gold', 'Silver', 'Bronze')) as [string, string, string];
    const [metals, rest] = [await category(clinic, 'Metals'), await category(clinic, 'Rest')];
    expect(await read(clinic)).toMatchObject({
      ungrouped: [gold, silver, bronze],
      categories: [
        { categoryId: metals, name: 'Metals', offeringIds: [] },
        { categoryId: rest, name: 'Rest', offeringIds: [] },
      ],
    });

    const arranged = await arrange(clinic, [bronze], [rest, []], [metals, [silver, gold]]);
    expect(arranged).toMatchObject({
      ungrouped: [bronze],
      categories: [{ name: 'Rest' }, { name: 'Metals', offeringIds: [silver, gold] }],
    });
    expect(arranged).toMatchObject(await read(clinic));
    expect(namesOf(await listed(clinic))).toEqual([
      ['Bronze', null],
      ['Silver', 'Metals'],
      ['Gold', 'Metals'],
    ]);

    await clinic.owner.patch(`/v1/categories/${metals}`, { name: 'Precious' });
    await make(clinic, 'Iron');
    expect(namesOf(await listed(clinic))).toEqual([
      ['Bronze', null],
      ['Iron', null],
      ['Silver', 'Precious'],
      ['Gold', 'Precious'],
    ]);

    expect(await clinic.owner.delete(`/v1/categories/${metals}`)).toMatchObject({ categories: [{ categoryId: rest }] });
    expect(await clinic.owner.delete(`/v1/categories/${metals}`)).toMatchObject({ categories: [{ categoryId: rest }] }); // a repeat changes nothing
    expect(namesOf(await listed(clinic))).toEqual(['Bronze', 'Iron', 'Silver', 'Gold'].map((name) => [name, null]));
  });

  it('C7, C8: a deleted offering is left out, keeps its place, and is there again when it is restored', async () => {
    const clinic = await openClinic(at().service);
    const [one, two, three] = (await make(clinic, 'One', 'Two', 'Three')) as [string, string, string];
    const hands = await category(clinic, 'Hands');
    await arrange(clinic, [], [hands, [one, two, three]]);
    await clinic.owner.delete(`/v1/offerings/${two}`);
    await clinic.service.settled();
    expect((await read(clinic)).categories[0]!.offeringIds).toEqual([one, three]);
    expect((await read(clinic, '?includeDeleted=true')).categories[0]!.offeringIds).toEqual([one, two, three]);
    expect((await listed(clinic, '?includeDeleted=true')).map(({ name }) => name)).toEqual(['One', 'Two', 'Three']);

    await arrange(clinic, [], [hands, [three, one]]);
    await clinic.owner.post(`/v1/offerings/${two}/restore`);
    await clinic.service.settled();
    expect((await read(clinic)).categories[0]!.offeringIds).toEqual([three, one, two]);
    expect(namesOf(await listed(clinic))).toEqual(['Three', 'One', 'Two'].map((name) => [name, 'Hands']));
  });
});

describe('the list', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service?.stop());
  /** A business with nothing in its list yet. */
  const aClinic = (): Promise<Clinic> => openClinic(service);

  it('C8: two people dragging at once: the second is told', async () => {
    const clinic = await aClinic();
    const [one, other] = (await make(clinic, 'One', 'Other')) as [string, string];
    const seen = await read(clinic);
    const put = (ids: string[]) => clinic.owner.send<List>('PUT', '/v1/offering-list', { body: bodyOf(ids, []), headers: ifMatch(seen) });
    const answers = await Promise.all([put([other, one]), put([other, one])]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const { body, headers } = answers.find(({ status }) => status === 200)!;
    expect(headers.get('etag')).toBe(`"${body.revision}"`);
    await clinic.owner.put('/v1/offering-list', bodyOf([one, other], []), ifMatch(body)); // having seen that, on it goes
    expect(
      (await clinic.owner.refused(412, 'PUT', '/v1/offering-list', { body: bodyOf([other, one], []), headers: ifMatch(seen) })).code,
    ).toBe('PRECONDITION_FAILED');
  });

  it('C8: who does not say what they saw is told to', async () => {
    const clinic = await aClinic();
    const [one] = await make(clinic, 'One');
    expect(await clinic.owner.refused(400, 'PUT', '/v1/offering-list', { body: bodyOf([one!], []) })).toMatchObject({
      errors: [{ field: '/If-Match', in: 'header', code: 'REQUIRED' }],
    });
  });

  it('C8: unknown, missing and doubled ids are refused, each named, and nothing is stored', async () => {
    const clinic = await aClinic();
    const [one, other] = (await make(clinic, 'One', 'Other')) as [string, string];
    const [hands, feet] = [await category(clinic, 'Hands'), await category(clinic, 'Feet')];
    const elsewhere = (await make(await aClinic(), 'Another business'))[0]!;
    const seen = await read(clinic);
    const body = bodyOf([one, elsewhere], [[hands, [one]], [hands, []]]); // prettier-ignore
    const { errors } = await clinic.owner.refused(400, 'PUT', '/v1/offering-list', { body, headers: ifMatch(seen) });
    expect(
      errors?.map(({ field, code, message }) => [field, code, [one, other, elsewhere, hands, feet].find((id) => message.includes(id))]),
    ).toEqual([
      ['/categories/1/categoryId', 'REPEATED', hands],
      ['/ungrouped/1', 'UNKNOWN', elsewhere],
      ['/categories/0/offeringIds/0', 'REPEATED', one],
      ['/categories', 'MISSING', feet],
      ['/ungrouped', 'MISSING', other],
    ]);
    expect(await read(clinic)).toEqual(seen);
  });

  it('C9: each with status, price, services by name, category, and how many were sold', async () => {
    const clinic = await aClinic();
    const { massage, facial } = clinic.has;
    const said: OfferingSaid = {
      name: 'Both',
      services: [
        { serviceId: massage, limit: 3 },
        { serviceId: facial, limit: 'unlimited' },
      ],
    };
    const { offeringId } = await clinic.sell(said);
    await clinic.owner.post('/v1/packages', { offeringId, clientId: await clinic.client() });
    await clinic.owner.patch(`/v1/services/${facial}`, { name: 'Deep facial' });
    const shown = {
      ...{ offeringId, name: 'Both', status: 'active', priceText: '300.00 CAD plus taxes', sold: 2, category: null, locked: true },
      services: [
        { serviceId: massage, name: 'Massage', limit: 3 },
        { serviceId: facial, name: 'Deep facial', limit: 'unlimited' },
      ],
    };
    expect(await listed(clinic)).toMatchObject([shown]);
    expect(await clinic.owner.get(`/v1/offerings/${offeringId}`)).toMatchObject(shown);
  });

  it('C9: filtered by status, category, and text anywhere in name or description; in pages', async () => {
    const clinic = await aClinic();
    const { owner } = clinic;
    const [spring, summer, autumn, winter] = (await make(clinic, 'Spring', 'Summer', 'Autumn', 'Winter')) as [
      string,
      string,
      string,
      string,
    ];
    const [warm, cold] = [await category(clinic, 'Warm'), await category(clinic, 'Cold')];
    await arrange(clinic, [spring], [cold, [winter, autumn]], [warm, [summer]]);
    await owner.patch(`/v1/offerings/${winter}`, { description: '100% WARMTH_' });
    await owner.patch(`/v1/offerings/${summer}`, { status: 'inactive' });
    const found = async (query: string) => (await listed(clinic, query)).map(({ name }) => name);

    expect(await found('')).toEqual(['Spring', 'Winter', 'Autumn', 'Summer']);
    expect(await found('?status=inactive')).toEqual(['Summer']);
    expect(await found(`?categoryId=${cold}`)).toEqual(['Winter', 'Autumn']);
    expect(await found(`?categoryId=${cold}&text=tumn`)).toEqual(['Autumn']);
    expect(await found('?ungrouped=true')).toEqual(['Spring']);
    expect(await found('?ungrouped=false')).toEqual(['Winter', 'Autumn', 'Summer']);
    expect(await found('?text=warm')).toEqual(['Winter']);
    expect(await found(`?text=${encodeURIComponent('0%')}`)).toEqual(['Winter']);
    expect(await found(`?text=${encodeURIComponent('a_t')}`)).toEqual([]); // no wildcards
    const pages: string[][] = [];
    for (let query = '?limit=3'; query;) {
      const { items, next } = await owner.get<Page<Listed>>(`/v1/offerings${query}`);
      pages.push(items.map(({ name }) => name));
      query = next === null ? '' : `?limit=3&cursor=${encodeURIComponent(next)}`;
    }
    expect(pages).toEqual([['Spring', 'Winter', 'Autumn'], ['Summer']]);
  });

  it('L2: the same arrangement and the same category sent twice have one effect', async () => {
    const clinic = await aClinic();
    const [one, other] = (await make(clinic, 'One', 'Other')) as [string, string];
    const key = { 'idempotency-key': 'hands' };
    const first = await clinic.owner.post<{ categoryId: string }>('/v1/categories', { name: 'Hands' }, key);
    expect(await clinic.owner.post('/v1/categories', { name: 'Hands' }, key)).toEqual(first);
    const headers = { ...ifMatch(await read(clinic)), 'idempotency-key': 'arrange' };
    const body = bodyOf([other, one], [[first.categoryId, []]]);
    const arranged = await clinic.owner.put('/v1/offering-list', body, headers);
    expect(await clinic.owner.put('/v1/offering-list', body, headers)).toEqual(arranged);
  });
});
