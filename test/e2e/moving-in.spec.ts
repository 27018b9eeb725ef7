import { randomUUID } from 'node:crypto';
import type { Caller, Problem } from '../support/caller.js';
import { openClinic, type Clinic, type Page, type Sold } from '../support/clinic.js';
import { badRowsOf, csvOf, ended, importOf, sendFile } from '../support/moving-in.js';
import { startService, type Service } from '../support/service.js';

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService({ apis: 2 });
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

type Listed = Sold & { imported: object | null; channel: string; externalReference: string | null };

const packagesOf = async (caller: Caller, clientId: string) => (await caller.get<Page<Listed>>(`/v1/packages?clientId=${clientId}`)).items;

describe('moving packages in', () => {
  it('L7: a row becomes a package with what is left of it, its offering is locked, its invoice is for tracking', async () => {
    const { owner } = clinic;
    const offeringId = await clinic.offering({ name: 'Ten massages', services: [{ serviceId: clinic.has.massage, limit: 10 }] });
    const clientId = await clinic.client('Anna Tremblay');
    const row = {
      reference: 'mb-1',
      offering: 'Ten massages',
      client: clientId,
      remaining: 4,
      soldOn: clinic.day(-100),
      amountPaid: '450.00',
    };
    expect(await importOf(owner, csvOf([row]))).toMatchObject({ status: 'completed', rows: 1, imported: 1, skipped: 0, failed: 0 });

    const [listed] = await packagesOf(owner, clientId);
    expect(listed).toMatchObject({
      ...{ offeringId, channel: 'import', soldOn: clinic.day(-100), externalReference: 'mb-1', remaining: 4, total: 0 },
      services: [{ limit: 10, remaining: 4, adjustments: -6, used: 0 }],
      imported: { source: 'import', reference: 'mb-1', amountPaid: clinic.money(45_000) },
    });
    expect(await owner.get(`/v1/offerings/${offeringId}`)).toMatchObject({ locked: true, sold: 1 });
    expect(await clinic.invoice(listed!)).toMatchObject({ total: 0, balance: 0, lines: [{ description: 'Ten massages' }] });
    expect(await clinic.book(listed!)).toMatchObject({ session: { remaining: 3, place: 'Session 1 of 4' } });
  });

  it('L7: names offerings and clients by id, reference or name; registers clients that are not there when asked, once each', async () => {
    const { owner } = clinic;
    await owner.post('/v1/offerings', {
      ...{ name: 'By reference', status: 'active', externalReference: 'OF-7', services: [{ serviceId: clinic.has.massage, limit: 3 }] },
      payment: { method: 'paidUpfront', fee: clinic.money(20_000), taxIds: [] },
    });
    const ben = await owner.post<{ clientId: string }>('/v1/clients', {
      name: 'Ben',
      email: 'Ben@example.org',
      externalReference: 'c-ben',
    });
    const row = (reference: string, client: string, more: object = {}) => ({
      reference,
      offering: 'OF-7',
      client,
      remaining: 2,
      soldOn: clinic.day(-9),
      ...more,
    });
    const rows = [
      ...[row('r-1', 'ben@EXAMPLE.org'), row('r-2', 'c-ben'), row('r-3', ben.clientId)],
      ...[row('r-4', 'chloe@example.org', { clientName: 'Chloé' }), row('r-5', 'Chloe@example.org', { clientName: 'Chloe T.' })],
      ...[row('r-6', 'c-dan', { clientName: 'Dan', clientEmail: 'dan@example.org' }), row('r-7', 'c-dan')], // named once, known from there on
    ];
    const refused = await importOf(owner, csvOf(rows));
    expect(refused).toMatchObject({ imported: 3, failed: 4 });
    expect(await badRowsOf(owner, refused)).toEqual([5, 6, 7, 8].map((line) => `${line} client UNKNOWN_CLIENT`));

    expect(await importOf(owner, csvOf(rows), '?createClients=true')).toMatchObject({ imported: 4, skipped: 3, failed: 0 });
    expect(await packagesOf(owner, ben.clientId)).toHaveLength(3);
    const named = async (name: string) => (await owner.get<Page<{ clientId: string; email: string }>>(`/v1/clients?name=${name}`)).items;
    const [chloe, ...others] = await named('chlo');
    expect([chloe?.email, others]).toEqual(['chloe@example.org', []]);
    expect(await packagesOf(owner, chloe!.clientId)).toHaveLength(2);
    expect(await named('Dan')).toMatchObject([{ email: 'dan@example.org', externalReference: 'c-dan' }, {}].slice(0, 1));
  });

  it('L7: references that differ in case are two clients; of a row that is refused, nobody is registered', async () => {
    const { owner } = clinic;
    const rows = [
      await aRow({ client: 'AB-1', clientName: 'Anna Case' }),
      await aRow({ client: 'ab-1', clientName: 'Ben Case' }),
      await aRow({ client: 'AB-2', clientName: 'Nobody Case', offering: await clinic.offering({ status: 'inactive' }) }),
    ];
    const done = await importOf(owner, csvOf(rows), '?createClients=true');
    expect(done).toMatchObject({ imported: 2, failed: 1 });
    const named = (await owner.get<Page<{ clientId: string; name: string }>>('/v1/clients?limit=200')).items;
    expect(
      named
        .map(({ name }) => name)
        .filter((name) => name.endsWith('Case'))
        .sort(),
    ).toEqual(['Anna Case', 'Ben Case']);
    for (const { clientId } of named.filter(({ name }) => name.endsWith('Case'))) expect(await packagesOf(owner, clientId)).toHaveLength(1);
  });

  it('L7: several services have a column each, unlimited ones too; an expiry that is said goes before the rule', async () => {
    const { massage, facial } = clinic.has;
    const services = [
      { serviceId: massage, limit: 5 },
      { serviceId: facial, limit: 'unlimited' as const },
    ];
    await clinic.offering({ name: 'Both', services, expiryRule: { kind: 'after', from: 'purchase', amount: 12, unit: 'months' } });
    const [anna, ben] = [await clinic.client(), await clinic.client('Ben')];
    const file = [
      ...[
        '\ufeffReference;Offering;Client;"remaining:Massage";remaining:Facial;soldOn;expiresOn',
        `x-1;Both;${anna};1;unlimited;2026-03-31;`,
      ],
      ...['', `x-2;Both;${ben};7;;2026-03-31;2030-01-31`, ';;;;;;'],
    ].join('\r\n');
    expect(await importOf(clinic.owner, file)).toMatchObject({ rows: 2, imported: 2, failed: 0 });
    expect(await packagesOf(clinic.owner, anna)).toMatchObject([
      { expiresOn: '2027-03-31', services: [{ remaining: 1, adjustments: -4 }, { remaining: null }] },
    ]);
    const [bens] = await packagesOf(clinic.owner, ben);
    expect(bens).toMatchObject({ expiresOn: '2030-01-31', services: [{ remaining: 7, adjustments: 2 }, { remaining: null }] });
    const { items } = await clinic.owner.get<Page<object>>(`/v1/packages/${bens!.packageId}/audit-tags`);
    expect(items).toMatchObject([
      ...[{ what: 'sold' }, { what: 'imported', reason: 'import: x-2' }],
      ...[
        { what: 'remainingAdjusted', from: '5', to: '7', reason: 'import' },
        { what: 'expiryAdjusted', to: '2030-01-31', reason: 'import' },
      ],
    ]);
  });
});

/** A row that is fine, and what differs from it. */
const aRow = async (over: Record<string, string | number> = {}) => ({
  ...{ reference: randomUUID(), offering: await clinic.offering(), client: await clinic.client(), remaining: 3 },
  ...{ soldOn: clinic.day(-3), expiresOn: '', amountPaid: '', currency: '', clientName: '', clientEmail: '', 'remaining:Facial': '' },
  ...over,
});

describe('bad rows', () => {
  it('L7: every problem of a row is named with its line and column, and stops no other row', async () => {
    const { owner } = clinic;
    const inactive = await clinic.offering({ status: 'inactive' });
    const deleted = await clinic.offering();
    await owner.delete(`/v1/offerings/${deleted}`);
    const passed = await clinic.offering({ expiryRule: { kind: 'onDate', date: clinic.day(-30) } });
    const { massage, facial } = clinic.has;
    const both = await clinic.offering({ services: [massage, facial].map((serviceId) => ({ serviceId, limit: 2 })) });
    const unlimited = await clinic.offering({ services: [{ serviceId: massage, limit: 'unlimited' }] });
    const plain = await aRow();
    const row = (over: Parameters<typeof aRow>[0] = {}) => ({ ...plain, reference: randomUUID(), ...over });
    const good = [row(), row({ reference: 'with\na line', offering: both, remaining: '', 'remaining:Facial': 1 })];
    const rows = [
      good[0]!,
      row({
        reference: '',
        offering: 'no such',
        client: 'nobody@example.org',
        soldOn: '2026-02-30',
        expiresOn: 'soon',
        amountPaid: '1.005',
      }),
      ...[row({ remaining: -1 }), row({ remaining: 'many' }), row({ remaining: 1_000_000 }), row({ remaining: '' })],
      ...[row({ remaining: 'unlimited' }), row({ offering: unlimited, remaining: 3 }), row({ 'remaining:Facial': 1 })],
      ...[row({ offering: both }), row({ soldOn: clinic.day(2) }), row({ expiresOn: clinic.day(-4) })],
      ...[row({ currency: 'USD', amountPaid: '12,50' }), row({ reference: good[0]!.reference })],
      ...[row({ offering: inactive }), row({ offering: deleted }), row({ offering: passed })],
      ...[row({ reference: 'x'.repeat(201) }), good[1]!, row({ offering: 'Five massages' }), row()],
    ];
    const done = await importOf(owner, csvOf(rows, ';'));
    expect(await badRowsOf(owner, done)).toEqual([
      ...[
        '3 reference REQUIRED',
        '3 offering UNKNOWN_OFFERING',
        '3 client UNKNOWN_CLIENT',
        '3 soldOn NOT_A_DATE',
        '3 expiresOn NOT_A_DATE',
      ],
      ...['3 amountPaid NOT_AN_AMOUNT', '4 remaining NOT_AN_INTEGER', '5 remaining NOT_AN_INTEGER', '6 remaining NOT_AN_INTEGER'],
      ...['7 remaining REQUIRED', '8 remaining NOT_UNLIMITED', '9 remaining UNLIMITED', '10 remaining:Facial NOT_IN_OFFERING'],
      ...['11 remaining AMBIGUOUS', '11 remaining:Facial REQUIRED', '12 soldOn IN_THE_FUTURE', '13 expiresOn BEFORE_SALE'],
      ...['14 currency WRONG_CURRENCY', '14 amountPaid NOT_AN_AMOUNT', '15 reference REPEATED'],
      ...['16 offering OFFERING_INACTIVE', '17 offering OFFERING_DELETED', '18 offering OFFERING_EXPIRED', '19 reference NOT_A_TEXT'],
      ...['20 reference NOT_A_TEXT', '20 remaining:Massage REQUIRED', '22 offering AMBIGUOUS'],
    ]);
    expect(done).toMatchObject({ status: 'completed', rows: 21, imported: 2, failed: 19 });
  });

  it('L7: a dry run says the same, and moves nothing in', async () => {
    const rows = [await aRow(), await aRow({ remaining: -1 }), await aRow({ client: 'new@example.org', clientName: 'New' })];
    const dry = await importOf(clinic.owner, csvOf(rows), '?dryRun=true&createClients=true');
    expect(dry).toMatchObject({ status: 'completed', imported: 2, failed: 1 });
    expect(await badRowsOf(clinic.owner, dry)).toEqual(['3 remaining NOT_AN_INTEGER']);
    expect(await packagesOf(clinic.owner, rows[0]!.client)).toEqual([]);
    expect(await clinic.owner.get(`/v1/offerings/${rows[0]!.offering}`)).toMatchObject({ locked: false, sold: 0 });
    expect(await importOf(clinic.owner, csvOf(rows), '?createClients=true')).toMatchObject({ imported: 2, skipped: 0, failed: 1 });
    expect(await importOf(clinic.owner, csvOf(rows), '?dryRun=true')).toMatchObject({ imported: 0, skipped: 2, failed: 1 });
  });

  it('L7: when asked, nothing after the first bad row is moved in', async () => {
    const rows = [await aRow(), await aRow(), await aRow({ soldOn: 'yesterday' }), await aRow(), await aRow({ remaining: -1 })];
    const done = await importOf(clinic.owner, csvOf(rows), '?onError=stop');
    expect(done).toMatchObject({ status: 'stoppedOnError', rows: 5, imported: 2, failed: 1 });
    expect(await badRowsOf(clinic.owner, done)).toEqual(['4 soldOn NOT_A_DATE']);
    expect(await packagesOf(clinic.owner, rows[3]!.client)).toEqual([]);
  });

  it('K4: of somebody who is forgotten nothing is moved in, as a dry run says, and nothing before it when asked to stop', async () => {
    const [known, gone] = [await aRow({ client: 'zephyrine@example.org', clientName: 'Zephyrine' }), await aRow()];
    expect(await importOf(clinic.owner, csvOf([known]), '?createClients=true')).toMatchObject({ imported: 1 });
    const { items } = await clinic.owner.get<Page<{ clientId: string }>>('/v1/clients?name=zephyrine');
    for (const clientId of [items[0]!.clientId, gone.client]) await clinic.owner.post(`/v1/clients/${clientId}/forget`);
    const more = [{ ...known, reference: randomUUID() }, gone];
    for (const how of ['?dryRun=true&createClients=true', '?createClients=true']) {
      const done = await importOf(clinic.owner, csvOf(more), how);
      expect(done).toMatchObject({ imported: 0, failed: 2 });
      expect((await badRowsOf(clinic.owner, done)).map((row) => row.split(' ').at(-1))).toEqual(['CLIENT_FORGOTTEN', 'CLIENT_FORGOTTEN']);
    }
    const stopped = await importOf(clinic.owner, csvOf([...more, await aRow()]), '?createClients=true&onError=stop');
    expect(stopped).toMatchObject({ status: 'stoppedOnError', imported: 0 });
  });

  it('L7: never twice: the same again is skipped, something else under its reference is refused, another source has its own', async () => {
    const row = await aRow();
    const file = csvOf([row]);
    expect(await importOf(clinic.owner, file)).toMatchObject({ imported: 1, skipped: 0 });
    expect(await importOf(clinic.owner, file)).toMatchObject({ imported: 0, skipped: 1 });
    expect(await importOf(await clinic.as('administrator'), file)).toMatchObject({ imported: 0, skipped: 1 });
    const other = await importOf(clinic.owner, csvOf([{ ...row, remaining: 2 }]));
    expect(await badRowsOf(clinic.owner, other)).toEqual(['2 reference ALREADY_IMPORTED']);
    expect(await packagesOf(clinic.owner, row.client)).toMatchObject([{ remaining: 3 }]);
    expect(await importOf(clinic.owner, file, '?source=oldsoft')).toMatchObject({ imported: 1 });
    expect(await packagesOf(clinic.owner, row.client)).toHaveLength(2);
  });

  it('L2, L7: files with the same rows at once, on two processes, have one effect', async () => {
    const offering = await clinic.offering();
    const rows = Array.from({ length: 30 }, (_, n) => ({
      ...{
        reference: `race-${n}`,
        offering,
        client: `racer-${n}@example.org`,
        clientName: `Racer ${n}`,
        remaining: 3,
        soldOn: clinic.day(-3),
      },
    }));
    const sent = await Promise.all([1, 2, 3].map(() => sendFile(clinic.owner, csvOf(rows), '?createClients=true')));
    const done = await Promise.all(sent.map(({ body }) => ended(clinic.owner, body.importId)));
    expect(done.map(({ imported, skipped, failed }) => [imported + skipped, failed])).toEqual([1, 2, 3].map(() => [30, 0]));
    expect(done.reduce((sum, { imported }) => sum + imported, 0)).toBe(30);
    const { items } = await clinic.owner.get<Page<Listed>>(`/v1/packages?offeringId=${offering}`);
    expect(items.map(({ externalReference }) => externalReference).sort()).toEqual(rows.map(({ reference }) => reference).sort());
    expect((await clinic.owner.get<Page<object>>('/v1/clients?name=Racer')).items).toHaveLength(30);
  });
});

describe('a file that is none', () => {
  const refused = async (status: number, body: string | Uint8Array, headers?: Record<string, string>): Promise<Problem> => {
    const answer = await sendFile(clinic.owner, body, '', headers);
    expect(answer.status).toBe(status);
    return answer.body as unknown as Problem;
  };
  const head = 'reference,offering,client,remaining,soldOn';

  it('L7: is refused with everything that is wrong with its columns', async () => {
    const { errors } = await refused(400, 'reference,colour,offering,Offering,remaining:No such\n1,2,3,4,5\n');
    expect(errors?.map(({ field, code }) => [field, code])).toEqual([
      ...[
        ['/colour', 'UNKNOWN_COLUMN'],
        ['/Offering', 'REPEATED'],
        ['/client', 'REQUIRED'],
        ['/soldOn', 'REQUIRED'],
      ],
    ]);
  });
  it.each([
    ['nothing', ''],
    ['columns without rows', `${head}\n`],
  ])('L7: %s', async (_, body) => expect(await refused(400, body)).toMatchObject({ errors: [{ code: 'EMPTY' }] }));
  it('L7: names the line from which it is broken', async () => {
    const body = `${head}\na,b,c,1,2026-01-01\n"a,b,c,1,2026-01-01\n`;
    expect(await refused(400, body)).toMatchObject({ errors: [{ line: 3, code: 'BROKEN_CSV' }] });
    expect(await refused(400, `${head}\n"a"b,c,d,1,2026-01-01\n`)).toMatchObject({ errors: [{ line: 2, code: 'BROKEN_CSV' }] });
    expect(await refused(400, `${head}\n${'x'.repeat(70_000)}\n`)).toMatchObject({ errors: [{ line: 2, code: 'BROKEN_CSV' }] });
  });
  it('L7: what is not UTF-8, or no CSV at all', async () => {
    expect(await refused(400, new Uint8Array([0x61, 0xff, 0x62]))).toMatchObject({ code: 'NOT_UTF8' });
    expect(await refused(400, `${head}\n\0`)).toMatchObject({ code: 'NOT_UNICODE' });
    expect(await refused(415, '{}', { 'content-type': 'application/json' })).toMatchObject({ code: 'MEDIA_TYPE_NOT_SUPPORTED' });
    expect(await refused(415, head, { 'content-type': 'text/plain' })).toMatchObject({ code: 'MEDIA_TYPE_NOT_SUPPORTED' });
    const elsewhere = await clinic.owner.send<Problem>('POST', '/v1/clients', { body: head, headers: { 'content-type': 'text/csv' } });
    expect(elsewhere).toMatchObject({ status: 415, body: { code: 'MEDIA_TYPE_NOT_SUPPORTED' } });
  });
  it('A2, A3: is taken from owners and administrators only, and seen by auditors too, in their own business', async () => {
    const { body } = await sendFile(clinic.owner, csvOf([await aRow()]));
    for (const role of ['receptionist', 'client', 'auditor'] as const)
      expect(await sendFile(await clinic.as(role), head)).toMatchObject({ status: 403 });
    expect(await (await clinic.as('auditor')).get(`/v1/imports/${body.importId}`)).toMatchObject({ importId: body.importId });
    const { owner: stranger } = await openClinic(service);
    for (const path of [`/v1/imports/${body.importId}`, `/v1/imports/${body.importId}/bad-rows`]) await stranger.refused(404, 'GET', path);
    expect(await stranger.get('/v1/imports')).toEqual({ items: [], next: null });
  });
  it('L2: the same key and file is one import, another file is 422', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const file = csvOf([await aRow()]);
    const [first, again] = [await sendFile(clinic.owner, file, '', headers), await sendFile(clinic.owner, file, '', headers)];
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect(await sendFile(clinic.owner, `${file}\n`, '', headers)).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await ended(clinic.owner, first.body.importId)).toMatchObject({ status: 'completed', imported: 1, attempt: 1 });
  });
});
