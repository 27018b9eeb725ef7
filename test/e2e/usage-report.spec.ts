import { parse } from 'csv-parse/sync';
import { tableName } from '../../libs/projection-engine/sql-names.js';
import { packageUsage } from '../../projections/package-usage.projection.js';
import type { Booked, Page } from '../support/clinic.js';
import { type Clinic, openClinic, type Sold } from '../support/clinic.js';
import { unexplainedCells } from '../support/reports.js';
import { type Service, startService } from '../support/service.js';

interface Use extends Record<string, string | number | null> {
  entryId: string;
  what: string;
  effect: number;
  remaining: number | null;
  fee: number;
}
interface Totals {
  groups: ({ key: string; name: string } & Record<Figure, number>)[];
  total: Record<Figure, number>;
  next: string | null;
}
type Figure = 'entries' | 'taken' | 'returned' | 'forfeited' | 'adjusted' | 'effect' | 'fee';
const FEE = 6_899; // 60.00 with 5 % and 9.975 %

let service: Service;
let clinic: Clinic;
let sold: Sold; // Anna's, of which each appointment is charged
let held: Booked, cancelled: Booked, missed: Booked;

beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
  const child = await clinic.client('Ben Tremblay');
  sold = await clinic.sell(clinic.eachAppointment(5), { clientId: await clinic.client('Anna Tremblay') });
  await clinic.link(sold.clientId, child, { gives: { usePackages: true } });
  held = await clinic.book(sold, { start: clinic.in(2) });
  cancelled = await clinic.book({ ...sold, clientId: child }, { start: clinic.in(1) });
  missed = await clinic.book(sold, { start: clinic.in(40) });
  await clinic.end(cancelled, 'cancel');
  await clinic.end(missed, 'no-show', { session: 'forfeited' });
  await clinic.end(held, 'move', { start: clinic.in(3) });
  await clinic.end(held, 'complete');
  await clinic.owner.put(`/v1/packages/${sold.packageId}/services/${clinic.has.massage}/remaining`, { remaining: 6 });
  await clinic.book(await clinic.sell(), { start: clinic.in(5) });
  await service.history();
});
afterAll(() => service?.stop());

async function rowsOf(query: string, limit = 200): Promise<Use[]> {
  const rows: Use[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<Use> = await clinic.owner.get(`/v1/reports/usage?limit=${limit}${query}${cursor && `&cursor=${cursor}`}`);
    rows.push(...page.items);
    cursor = page.next;
  }
  return rows;
}
const ofAnna = () => `&packageId=${sold.packageId}`;
const totalsOf = (query: string) => clinic.owner.get<Totals>(`/v1/reports/usage/totals?limit=200&${query}`);

it('J3: a row per consumption, return and adjustment: effects, what remains and fees add up', async () => {
  const rows = await rowsOf(ofAnna());
  expect(rows.map(({ what, effect, remaining, fee }) => [what, effect, remaining, fee])).toEqual([
    ['consumed', -1, 4, FEE],
    ['consumed', -1, 3, FEE],
    ['consumed', -1, 2, FEE],
    ['returned', 1, 3, -FEE],
    ['forfeited', 0, 3, 0],
    ['adjusted', 3, 6, 0],
  ]);
  const whole = [...(await rowsOf(`${ofAnna()}&what=sold`)), ...rows];
  whole.reduce((left, { effect, remaining }) => {
    expect(remaining).toBe(left + effect);
    return left + effect;
  }, 0);
});

it('J3: when, who, whose, what, with whom, and what became of the appointment', async () => {
  const [first, second] = await rowsOf(ofAnna());
  const { start } = await clinic.appointment(held);
  expect(first).toMatchObject({
    ...{ date: clinic.day(3), appointmentStart: start, bookedAt: first!.recordedAt, appointmentId: held.appointmentId },
    ...{ clientName: 'Anna Tremblay', ownerName: 'Anna Tremblay', ownerId: sold.clientId, packageId: sold.packageId },
    ...{ offeringId: sold.offeringId, offeringName: 'Five massages', serviceId: clinic.has.massage, serviceName: 'Massage' },
    ...{ providerId: clinic.has.providerId, providerName: 'Dana Roy', appointmentStatus: 'completed', currency: 'CAD' },
  });
  expect(second).toMatchObject({ clientName: 'Ben Tremblay', ownerName: 'Anna Tremblay', appointmentStatus: 'cancelled' });
  expect((await rowsOf(ofAnna())).at(-1)).toMatchObject({
    ...{ date: clinic.day(0), appointmentStart: null, bookedAt: null, providerName: null, appointmentStatus: null },
  });
});

it('J3: filters', async () => {
  const count = async (query: string) => (await rowsOf(query)).length;
  expect(await count('')).toBe(7);
  expect(await count(`&ownerId=${sold.clientId}`)).toBe(6);
  expect(await count(`&clientId=${cancelled.clientId}`)).toBe(2);
  expect(await count(`&offeringId=${sold.offeringId}`)).toBe(6);
  expect(await count(`&serviceId=${clinic.has.facial}`)).toBe(0);
  expect(await count(`&providerId=${clinic.has.providerId}`)).toBe(6);
  expect(await count('&appointmentStatus=cancelled')).toBe(2);
  expect(await count('&appointmentStatus=noShow&what=forfeited')).toBe(1);
  expect(await count('&what=moved')).toBe(1);
  for (const sort of ['recordedAt', 'date']) {
    const these = async (query: string) => (await rowsOf(`&sort=${sort}${query}`)).map(({ what, date }) => [what, date]);
    expect(await these(`&dateFrom=${clinic.day(4)}&dateUntil=${clinic.day(5)}`)).toEqual([['consumed', clinic.day(5)]]);
    expect(await these(`&dateUntil=${clinic.day(0)}`)).toEqual([['adjusted', clinic.day(0)]]);
    expect(new Set(await these(`&dateFrom=${clinic.day(6)}`))).toEqual(
      new Set([
        ['consumed', clinic.day(40)],
        ['forfeited', clinic.day(40)],
      ]),
    );
  }
});

const SORTS = [
  'recordedAt',
  'date',
  'client',
  'owner',
  'offering',
  'service',
  'provider',
  'appointmentStatus',
  'what',
  'effect',
  'remaining',
  'fee',
];

it.each(SORTS)('J3, L5: sorted by %s both ways, in pages that leave nothing out', async (sort) => {
  const up = await rowsOf(`&sort=${sort}`, 2);
  const down = await rowsOf(`&sort=${sort}&descending=true`, 2);
  expect(new Set(up.map(({ entryId }) => entryId)).size).toBe(7);
  const column =
    {
      client: 'clientName',
      owner: 'ownerName',
      offering: 'offeringName',
      service: 'serviceName',
      provider: 'providerName',
    }[sort] ?? sort;
  const valuesOf = (rows: Use[]) => rows.map((row) => row[column]).filter((value) => value !== null);
  expect(valuesOf(down)).toEqual(valuesOf(up).toReversed());
});

it.each([false, true])(
  'J3: sorted by date, all rows are in the order of their dates, in pages and as a file, descending: %s',
  async (descending) => {
    const query = `&sort=date&descending=${descending}`;
    const rows = await rowsOf(query, 2);
    const dates = rows.map(({ date }) => String(date));
    expect(dates).toEqual(descending ? dates.toSorted().toReversed() : dates.toSorted());
    expect(rows.at(descending ? -1 : 0)).toMatchObject({ what: 'adjusted', date: clinic.day(0) }); // before those of the appointments to come
    expect(await rowsOf(query)).toEqual(rows);
    const { body } = await clinic.owner.send<string>('GET', `/v1/reports/usage.csv?${query}`);
    expect(parse<Record<string, string>>(body, { columns: true }).map(({ entryId }) => entryId)).toEqual(
      rows.map(({ entryId }) => entryId),
    );
  },
);

it.each(['day', 'month', 'client', 'owner', 'offering', 'service', 'provider', 'appointmentStatus', 'what'])(
  'J3: sub-totals by %s, and the grand total, are the sums of the rows',
  async (by) => {
    const rows = await rowsOf('');
    const sumsOf = (own: Use[]) => ({
      ...{ entries: own.length, taken: own.filter(({ what }) => what === 'consumed').length },
      ...{
        returned: own.filter(({ what }) => what === 'returned').length,
        forfeited: own.filter(({ what }) => what === 'forfeited').length,
      },
      adjusted: own.reduce((sum, { what, effect }) => sum + (what === 'adjusted' ? effect : 0), 0),
      ...{ effect: own.reduce((sum, { effect }) => sum + effect, 0), fee: own.reduce((sum, { fee }) => sum + fee, 0) },
    });
    const keyOf = (row: Use): string => {
      if (by === 'day' || by === 'month') return String(row.date).slice(0, by === 'day' ? 10 : 7);
      return String(row[by === 'appointmentStatus' || by === 'what' ? by : `${by}Id`] ?? 'none');
    };
    const { groups, total } = await totalsOf(`by=${by}`);
    expect(total).toEqual(sumsOf(rows));
    expect(new Set(groups.map(({ key }) => key))).toEqual(new Set(rows.map(keyOf)));
    for (const { key, name: _, ...figures } of groups) expect(figures).toEqual(sumsOf(rows.filter((row) => keyOf(row) === key)));
  },
);

describe('why a cell is what it is', () => {
  interface Explanation {
    items: { entryId: string; type: string; adds: number; sum: number }[];
    next: string | null;
  }
  const explained = (query: string, reader = clinic.owner): Promise<Explanation> =>
    reader.get<Explanation>(`/v1/reports/usage/explanation?${query}`);
  const steps = ({ items }: Explanation): [string, number, number][] => items.map(({ type, adds, sum }) => [type, adds, sum]);

  it('J3, J5, K1: every sub-total and the grand total is what its events add up to, over all pages', async () => {
    expect(await unexplainedCells(clinic.owner, 'usage')).toEqual([]);
    expect(await unexplainedCells(clinic.owner, 'usage', { limit: 1, query: '&what=sold' })).toEqual([]);
  });

  it('J3, K1: the events of a cell in the order in which they happened, for whoever may see the report', async () => {
    const fee = await explained(
      `figure=fee&by=month&key=${clinic.day(1).slice(0, 7)}&clientId=${cancelled.clientId}`,
      await clinic.as('receptionist'),
    );
    expect(fee).toMatchObject({ value: 0, currency: 'CAD', sum: 0, holds: true, next: null });
    expect(steps(fee)).toEqual([
      ['SessionConsumed', FEE, FEE],
      ['SessionReturned', -FEE, 0],
    ]);
    const effect = await explained(`figure=effect&by=provider&key=none&limit=5`);
    expect(effect).toMatchObject({ value: 3, currency: null, items: [{ stream: `package-${sold.packageId}`, packageId: sold.packageId }] });
    expect(steps(effect)).toEqual([['RemainingAdjusted', 3, 3]]);
    expect(steps(await explained('figure=forfeited&appointmentStatus=noShow'))).toEqual([['SessionForfeited', 1, 1]]);
    const remaining = await explained(`figure=effect&packageId=${sold.packageId}&what=sold`);
    expect(steps(remaining)).toEqual([['PackageSold', 5, 5]]);
  });

  it('L5: what is used meanwhile is in no page of what was begun before', async () => {
    const other = await openClinic(service);
    const theirs = await other.sell();
    for (const days of [1, 2, 3]) await other.book(theirs, { start: other.in(days) });
    let page = await explained('figure=taken&limit=2', other.owner);
    expect(page).toMatchObject({ value: 3, sum: 2, holds: true });
    await other.book(theirs, { start: other.in(4) });
    page = await explained(`figure=taken&limit=2&cursor=${page.next}`, other.owner);
    expect(page).toMatchObject({ value: 3, sum: 3, holds: true, next: null });
    expect(await explained('figure=taken&limit=2', other.owner)).toMatchObject({ value: 4 });
  });

  it('J3, L5: pages that go on when the clocks of the business were set anew are of the day on which they were begun', async () => {
    const other = await openClinic(service);
    const theirs = await other.sell();
    for (const hour of [15, 17]) await other.book(theirs, { start: `${other.day(1)}T${hour}:00:00.000Z` });
    const asked = `figure=taken&by=day&key=${other.day(1)}&limit=1`;
    const { next } = await explained(asked, other.owner);
    await other.owner.patch('/v1/settings', { timeZone: 'Pacific/Kiritimati' });
    expect(await explained(`${asked}&cursor=${next}`, other.owner)).toMatchObject({ value: 2, sum: 2, holds: true, next: null });
    expect(await explained(asked, other.owner)).toMatchObject({ value: 0 });
  });

  it('J5, K3: a row that was changed behind our back is named', async () => {
    const other = await openClinic(service);
    const booked = await other.book(await other.sell());
    await service.history();
    const change = `UPDATE ${tableName(packageUsage)} SET effect = -2 WHERE consumption_id = $1 RETURNING entry_id`;
    const { rows } = await service.pool.query<{ entry_id: string }>(change, [booked.consumptionId]);
    expect(await explained('figure=effect', other.owner)).toMatchObject({
      ...{ value: -2, sum: -1, holds: false, items: [{ type: 'SessionConsumed', adds: -1 }] },
      differing: [{ entryId: rows[0]!.entry_id, packageId: booked.packageId, reported: -2, explained: -1, columns: [] }],
    });
    await service.pool.query(`UPDATE ${tableName(packageUsage)} SET effect = -1, client_id = $2 WHERE consumption_id = $1`, [
      ...[booked.consumptionId, booked.packageId],
    ]);
    expect(await explained('figure=effect', other.owner)).toMatchObject({
      ...{ value: -1, sum: -1, holds: false, differing: [{ reported: -1, explained: -1, columns: ['clientId'] }] },
    });
  });

  it('A2, L1: who may not see the report, and what is not asked rightly', async () => {
    const path = '/v1/reports/usage/explanation';
    await (await clinic.as('client')).refused(403, 'GET', `${path}?figure=fee`);
    for (const [query, field, code] of [
      ['?figure=paid', '/figure', 'NOT_ONE_OF'],
      ['?figure=fee&by=owner', '/key', 'REQUIRED'],
      ['?figure=fee&by=provider&key=nobody', '/key', 'NOT_A_GROUP'],
      ['?figure=fee&by=what&key=slept', '/key', 'NOT_A_GROUP'],
      ['?figure=fee&asOf=1', '/asOf', 'UNKNOWN_FIELD'],
    ])
      expect(await clinic.owner.refused(400, 'GET', path + query)).toMatchObject({ errors: [{ field, code }] });
  });
});

it('J3: as a file it has the same rows', async () => {
  const rows = await rowsOf('&sort=date');
  const { body } = await clinic.owner.send<string>('GET', '/v1/reports/usage.csv?sort=date');
  const lines = parse<Record<string, string>>(body, { columns: true });
  expect(lines).toEqual(
    rows.map((row) =>
      Object.fromEntries(Object.entries({ ...row, fee: (row.fee / 100).toFixed(2) }).map(([name, value]) => [name, String(value ?? '')])),
    ),
  );
});

it('J3: the statement of one owner on paper, for staff and for the owner', async () => {
  const staff = await clinic.as('receptionist');
  const client = await clinic.business.as('client', sold.clientId);
  for (const [whose, path] of [
    [staff, `/v1/clients/${sold.clientId}/statement`],
    [client, '/v1/me/statement'],
  ] as const) {
    const { body: html, headers } = await whose.send<string>('GET', `${path}.html`);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect(
      html
        .replaceAll(/<[^>]+>/g, ' ')
        .replaceAll(/[\u2068\u2069]/g, '')
        .replaceAll(/\s+/g, ' '),
    ).toMatch(
      /Anna Tremblay .*Sessions used 2 .*Session given back, Ben Tremblay .*Adjusted .*\+3 6 .*Sessions left Massage \(Five massages\) 6/,
    );
    const pdf = await whose.send('GET', `${path}.pdf?packageId=${sold.packageId}&onFrom=${clinic.day(0)}&paper=Letter`);
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
  }
  expect((await staff.send<string>('GET', `/v1/clients/${sold.clientId}/statement.html?onFrom=${clinic.day(1)}`)).body).toContain(
    'Nothing was sold or used in this time.',
  );
  await staff.refused(404, 'GET', `/v1/clients/${sold.packageId}/statement.html`);
});

it('A2: all staff and the auditor, of their own business', async () => {
  for (const role of ['receptionist', 'auditor'] as const) await (await clinic.as(role)).get('/v1/reports/usage');
  for (const path of ['', '/totals?by=day', '.csv']) await (await clinic.as('client')).refused(403, 'GET', `/v1/reports/usage${path}`);
  const other = await openClinic(service);
  expect((await other.owner.get<Page<Use>>(`/v1/reports/usage?packageId=${sold.packageId}`)).items).toEqual([]);
  expect(await other.owner.get<Totals>('/v1/reports/usage/totals?by=day')).toMatchObject({ groups: [], total: { entries: 0, fee: 0 } });
});
