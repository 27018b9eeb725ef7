import { setTimeout as sleep } from 'node:timers/promises';
import { AdjustRemaining } from '../../libs/command-handling/commands/package.commands.js';
import type { Caller } from '../support/caller.js';
import { openClinic, type Clinic, type Page, type Sold } from '../support/clinic.js';
import { startService, type Service } from '../support/service.js';

interface Listed extends Omit<Sold, 'position' | 'sessions'> {
  revision: string;
  sharedWith: { name: string }[];
}
interface AsOf {
  position: string | null;
  at: string;
  today: string;
}
interface Explanation {
  value: number | null;
  currency: string | null;
  items: { type: string; adds: number; sum: number; position: string; reason: string | null }[];
  asOf?: AsOf;
}

/** What the list of packages and the sales report gave, and when. */
interface Moment {
  position: string;
  instant: string;
  lists: Record<string, Listed[]>;
  sales: { items: unknown[]; byStatus: unknown; byClient: unknown };
}

const ORDERS = ['sort=soldOn', 'sort=name&descending=true', 'sort=expiresOn', 'status=sold&remainingAtMost=4'];

let service: Service;
let clinic: Clinic;

beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
});
afterAll(() => service.stop());

/** All pages of a list, two items on each. */
async function everyPage(reader: Caller, query: string): Promise<Listed[]> {
  const items: Listed[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<Listed> = await reader.get<Page<Listed>>(`/v1/packages?limit=2&${query}${cursor && `&cursor=${cursor}`}`);
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

const listed = async (reader: Caller, asOf?: string): Promise<Record<string, Listed[]>> => {
  const suffix = asOf === undefined ? '' : `&asOf=${encodeURIComponent(asOf)}`;
  return Object.fromEntries(await Promise.all(ORDERS.map(async (order) => [order, await everyPage(reader, order + suffix)] as const)));
};

/** J2: rows, sub-totals and the grand total. */
const sales = async (reader: Caller, asOf?: string): Promise<Moment['sales']> => {
  const suffix = asOf === undefined ? '' : `&asOf=${encodeURIComponent(asOf)}`;
  const { items } = await reader.get<Page<unknown>>(`/v1/reports/sales?sort=client${suffix}`);
  const totals = async (by: string) => {
    const { groups, total } = await reader.get<{ groups: unknown; total: unknown }>(`/v1/reports/sales/totals?by=${by}${suffix}`);
    return { groups, total };
  };
  return { items, byStatus: await totals('status'), byClient: await totals('client') };
};

const setRemaining = ({ packageId }: Sold, remaining: number, reason?: string): Promise<Sold> =>
  clinic.owner.put<Sold>(`/v1/packages/${packageId}/services/${clinic.has.massage}/remaining`, { remaining, reason });

describe('the list of packages and the sales report as they were', () => {
  const moments: Moment[] = [];
  let sold: Sold;

  const noteDown = async (): Promise<void> => {
    const position = String(await service.lastPosition());
    const reader = clinic.owner.with({ 'punchcard-min-position': position });
    const [lists, sold] = [await listed(reader), await sales(reader)];
    moments.push({ position, instant: new Date().toISOString(), lists, sales: sold });
    await sleep(2); // what happens next is later
  };

  beforeAll(async () => {
    const { owner } = clinic;
    await noteDown();
    sold = await clinic.sell();
    await noteDown();
    const [other, third] = [
      await clinic.sell({ name: 'Three massages' }),
      await clinic.sell({ expiryRule: { kind: 'onDate', date: '2190-01-31' } }),
    ];
    await noteDown();
    await clinic.book(sold);
    await setRemaining(other, 2, 'a gift');
    await noteDown();
    const child = await clinic.client('Ben Tremblay');
    await clinic.link(sold.clientId, child, { gives: { usePackages: true } });
    await noteDown();
    await owner.patch(`/v1/clients/${child}`, { name: 'Benjamin Tremblay' });
    await noteDown();
    await clinic.link(sold.clientId, child, { gives: { usePackages: false } });
    await owner.post(`/v1/packages/${third.packageId}/cancel`, { reason: 'moves away' });
    await owner.put(`/v1/packages/${other.packageId}/expiry`, { expiresOn: '2189-01-31' });
    await owner.post(`/v1/invoices/${other.invoiceId}/payments`, { amount: clinic.money(5_000), method: 'cash' });
    await noteDown();
    await clinic.sell();
    await noteDown();
  });

  const expectTheSame = async (which = moments): Promise<void> => {
    const auditor = await clinic.as('auditor');
    await Promise.all(
      which.flatMap(({ position, instant, lists, sales: sold }) =>
        [position, instant].map(async (asOf) => {
          expect(await listed(auditor, asOf)).toEqual(lists);
          expect(await sales(auditor, asOf)).toEqual(sold);
        }),
      ),
    );
  };

  it('K2, J2: asked for by position and by instant, it gives what it gave then: names, links and order too, and so does the sales report', async () => {
    expect(moments.map(({ lists }) => lists['sort=soldOn']!.length)).toEqual([0, 1, 3, 3, 3, 3, 3, 4]);
    const sharedWith = moments.map(
      ({ lists }) => lists['sort=soldOn']!.find(({ packageId }) => packageId === sold.packageId)?.sharedWith[0]?.name,
    );
    expect(sharedWith).toEqual([...Array<undefined>(4), 'Ben Tremblay', 'Benjamin Tremblay', undefined, undefined]);
    await expectTheSame();
  });

  it('K2: says which past it is of, and stays within it from page to page', async () => {
    const { position, instant } = moments[3]!;
    const first = await clinic.owner.get<Page<Listed> & { asOf: AsOf }>(`/v1/packages?limit=1&asOf=${instant}`);
    expect(first.asOf).toEqual({ position, at: instant, today: clinic.day(0) });
    const same = await clinic.owner.get<Page<Listed>>(`/v1/packages?limit=5&asOf=${position}&cursor=${first.next}`);
    expect(same.items).toHaveLength(2);
    for (const otherwise of ['', `&asOf=${moments[4]!.position}`])
      expect(await clinic.owner.refused(400, 'GET', `/v1/packages?limit=1&cursor=${first.next}${otherwise}`)).toMatchObject({
        errors: [{ field: '/cursor', code: 'NOT_A_CURSOR' }],
      });
    expect(await clinic.owner.get('/v1/packages')).not.toHaveProperty('asOf');
  });

  it('K2: before anything had happened there is nothing, and of what is to come nobody knows', async () => {
    const { owner } = clinic;
    const ever = encodeURIComponent('2001-01-01T01:00:00+02:00');
    expect(await owner.get(`/v1/packages?asOf=${ever}`)).toEqual({
      ...{ items: [], next: null },
      asOf: { position: null, at: '2000-12-31T23:00:00.000Z', today: '2000-12-31' },
    });
    expect(await owner.get(`/v1/packages?asOf=0`)).toMatchObject({ items: [] });
    expect(await owner.refused(400, 'GET', `/v1/packages?asOf=2199-01-01T00:00:00Z`)).toMatchObject({
      errors: [{ field: '/asOf', code: 'TO_COME', in: 'query' }],
    });
    for (const wrong of ['yesterday', '-1', '2027-02-30T00:00:00Z', '2027-01-31', '12345678901234567890'])
      expect(await owner.refused(400, 'GET', `/v1/packages?asOf=${wrong}`)).toMatchObject({
        errors: [{ field: '/asOf', code: 'NOT_A_POSITION_OR_INSTANT', in: 'query' }],
      });
    const { business } = await openClinic(service);
    const stranger = await business.as('owner');
    expect(await stranger.get(`/v1/packages?asOf=${moments.at(-1)!.position}`)).toMatchObject({ items: [] });
  });

  it('L3: a position that the read models have not reached is waited for, within bounds', async () => {
    expect(await clinic.owner.refused(503, 'GET', `/v1/packages?asOf=${10n ** 17n}`)).toMatchObject({ code: 'NOT_YET_FRESH' });
  });

  it('A2: the past is for those who may see the history', async () => {
    const receptionist = await clinic.as('receptionist');
    expect(await receptionist.get('/v1/packages')).toMatchObject({ items: expect.any(Array) as unknown });
    expect(await receptionist.refused(403, 'GET', `/v1/packages?asOf=${moments[1]!.position}`)).toMatchObject({
      ...{ code: 'FORBIDDEN', detail: 'The role "receptionist" may not ask how things were (asOf).' },
      details: { needs: ['history:read'] },
    });
  });

  it('K2, J2: the same once more, whatever has happened since, also after a rebuild', async () => {
    await setRemaining(sold, 9);
    await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(10_000), method: 'cash' });
    await clinic.owner.patch(`/v1/clients/${sold.clientId}`, { name: 'Anna Roy' });
    const those = ['package_list', 'package_sales', 'client_links', 'directory'];
    await expectTheSame(moments.slice(-3));
    await service.projector('rebuild', ...those);
    await expectTheSame(moments.slice(-5));
    expect(await service.projector('verify', ...those)).not.toContain('differ');
  });
});

describe('with clocks that differ', () => {
  it('K2: a package at a moment is as the clocks of the business had it: what comes after an event is never before it', async () => {
    const own = await openClinic(service);
    const [sold, other] = [await own.sell(), await own.sell()];
    const minutes = (n: number) => own.in(n / (24 * 60));
    const adjustedAt = (now: string, { packageId }: Sold, to: number) =>
      service.at(now, own.business, (caller) => {
        const adjustment = { packageId, serviceId: own.has.massage, to, seen: undefined, force: false, reason: null };
        return new AdjustRemaining(caller, adjustment);
      });
    await adjustedAt(minutes(60), other, 4); // by a host whose clock is an hour ahead
    await adjustedAt(minutes(10), sold, 3); // after it, by one whose clock is right
    const remainingAt = async (at: string): Promise<number | null> =>
      (await own.owner.get<Sold>(`/v1/packages/${sold.packageId}/as-of?at=${at}`)).services[0]!.remaining;
    expect(await remainingAt(minutes(30))).toBe(5);
    expect(await remainingAt(minutes(61))).toBe(3);
  });
});

describe('explained', () => {
  const explained = (of: string, query: string, reader = clinic.owner): Promise<Explanation> =>
    reader.get<Explanation>(`/v1/${of}/explanation?${query}`);
  const steps = ({ items }: Explanation): [string, number, number][] => items.map(({ type, adds, sum }) => [type, adds, sum]);

  it('K1, J5: why three are left, why nothing is owing: the events that add up to it, now and as of then', async () => {
    const sold = await clinic.sell();
    const { massage } = clinic.has;
    await clinic.end(await clinic.book(sold), 'cancel');
    await clinic.book(sold);
    const before = await service.lastPosition();
    await setRemaining(sold, 3, 'one too many');
    await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(34_493), method: 'cash' });
    const remaining = await explained(`packages/${sold.packageId}`, `figure=remaining&serviceId=${massage}`, await clinic.as('auditor'));
    expect(remaining).toMatchObject({ figure: 'remaining', serviceId: massage, value: 3, currency: null });
    expect(steps(remaining)).toEqual([
      ...[
        ['PackageSold', 5, 5],
        ['SessionConsumed', -1, 4],
        ['SessionReturned', 1, 5],
        ['SessionConsumed', -1, 4],
      ],
      ['RemainingAdjusted', -1, 3],
    ]);
    expect(remaining.items.at(-1)!.reason).toBe('one too many');
    const then = await explained(`packages/${sold.packageId}`, `figure=remaining&serviceId=${massage}&asOf=${before}`);
    expect(then).toMatchObject({ value: 4, asOf: { position: String(before) } });
    expect(steps(then)).toEqual(steps(remaining).slice(0, -1));
    const balance = await explained(`invoices/${sold.invoiceId}`, 'figure=balance');
    expect(balance).toMatchObject({ value: 0, currency: 'CAD' });
    expect(steps(balance)).toEqual([
      ['InvoiceIssued', 34_493, 34_493],
      ['PaymentReceived', -34_493, 0],
    ]);
    expect(await explained(`invoices/${sold.invoiceId}`, `figure=balance&asOf=${before}`)).toMatchObject({ value: 34_493 });
    expect(await explained(`invoices/${sold.invoiceId}`, 'figure=tax')).toMatchObject({ value: 4_493 });
    expect(await explained(`packages/${sold.packageId}`, 'figure=refunded')).toMatchObject({ value: 0, currency: 'CAD', items: [] });
  });

  it('E3, F2, K1: why it ends on that day: what set and moved it, now and as of then', async () => {
    const sold = await clinic.sell({ expiryRule: { kind: 'after', from: 'firstUse', amount: 30, unit: 'days' } });
    const path = `/v1/packages/${sold.packageId}/expiry`;
    await clinic.book(sold, { start: clinic.in(5) });
    const before = await service.lastPosition();
    await clinic.owner.put(path, { expiresOn: clinic.day(60), reason: 'Was ill' });
    await clinic.book(sold, { start: clinic.in(6) });
    interface Explained {
      expiresOn: string | null;
      items: { type: string; from: string | null; to: string | null; reason: string | null }[];
    }
    const explainedBy = (query = '') => clinic.owner.get<Explained>(`${path}/explanation${query}`);
    const now = await explainedBy();
    expect(now).toMatchObject({
      ...{ packageId: sold.packageId, expiresOn: clinic.day(60) },
      items: [
        { type: 'PackageSold', from: null, to: null },
        { type: 'SessionConsumed', from: null, to: clinic.day(35) },
        { type: 'ExpiryAdjusted', from: clinic.day(35), to: clinic.day(60), reason: 'Was ill' },
      ],
    });
    expect((await clinic.package(sold)).expiresOn).toBe(now.items.at(-1)!.to);
    const then = await explainedBy(`?asOf=${before}`);
    expect(then).toMatchObject({ expiresOn: clinic.day(35), asOf: { position: String(before) } });
    expect(then.items).toEqual(now.items.slice(0, 2));
    await (await clinic.as('receptionist')).refused(403, 'GET', `${path}/explanation`);
    await clinic.owner.refused(404, 'GET', `${path}/explanation?asOf=0`);
  });

  it('A2, L1: who may not see the history, what is not there and what is not asked rightly is told', async () => {
    const { owner } = clinic;
    const sold = await clinic.sell();
    const path = `/v1/packages/${sold.packageId}/explanation`;
    await (await clinic.as('receptionist')).refused(403, 'GET', `${path}?figure=refunded`);
    expect(await owner.refused(400, 'GET', `${path}?figure=remaining`)).toMatchObject({
      errors: [{ field: '/serviceId', code: 'REQUIRED' }],
    });
    expect(await owner.refused(400, 'GET', `${path}?figure=luck`)).toMatchObject({ errors: [{ field: '/figure', code: 'NOT_ONE_OF' }] });
    await owner.refused(404, 'GET', `${path}?figure=used&serviceId=${clinic.has.facial}`);
    await owner.refused(404, 'GET', `${path}?figure=refunded&asOf=0`);
    await owner.refused(404, 'GET', `/v1/invoices/${sold.packageId}/explanation?figure=paid`);
    const stranger = await (await openClinic(service)).business.as('owner');
    await stranger.refused(404, 'GET', `${path}?figure=refunded`);
    await stranger.refused(404, 'GET', `/v1/invoices/${sold.invoiceId}/explanation?figure=paid`);
  });
});
