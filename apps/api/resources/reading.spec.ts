import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import type { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { openReadModels, type ReadModels } from '../../../libs/projection-engine/read-models.js';
import { migrate } from '../../../libs/projection-engine/schema.js';
import { serviceList } from '../../../projections/service-list.projection.js';
import { taxList, type TaxRow } from '../../../projections/tax-list.projection.js';
import { createDatabase } from '../../../test/support/postgres.js';
import type { CallContext } from '../http/call.js';
import { Reading } from './reading.js';

const business = randomUUID();
const call: CallContext = { business, actor: { id: 'somebody', role: 'owner' }, correlationId: randomUUID() };
const NAMES = ['GST', 'HST', 'PST', 'QST'];

describe('A page of a list', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let pool: Pool;
  let readModels: ReadModels;
  let reading: Reading;

  beforeAll(async () => {
    database = await createDatabase();
    pool = new Pool({ connectionString: database.url, max: 2, options: '-c TimeZone=UTC' });
    await migrate(pool, [taxList, serviceList]);
    readModels = await openReadModels(pool, [taxList, serviceList]);
    reading = new Reading(readModels);
    await pool.query(
      `INSERT INTO read_models.tax_list_v1 (business_id, tax_id, name, rate, revision)
       SELECT $1, gen_random_uuid(), name, '5', 7 FROM unnest($2::text[]) AS name`,
      [business, NAMES],
    );
  });
  afterAll(async () => {
    await readModels.close();
    await pool.end();
    await database.drop();
  });

  const page = (cursor: string | undefined, by: keyof TaxRow = 'name', descending = false) =>
    reading.page(taxList, call, { limit: 3, cursor }, { by, descending });
  const refusalOf = (refused: Promise<unknown>) =>
    refused.then(
      () => 'taken',
      (error: InvalidInput) => error.errors,
    );

  it('L5: goes on where the one before it ended', async () => {
    const first = await page(undefined);
    expect(first.items.map(({ name }) => name)).toEqual(['GST', 'HST', 'PST']);
    const second = await page(first.next!);
    expect(second).toMatchObject({ items: [{ name: 'QST', revision: '7' }], next: null });
  });

  it('L3: waits for its own read model, whatever has become of the others, and not without end', async () => {
    await pool.query("UPDATE read_models.checkpoints SET position = 42 WHERE projection = 'tax_list'");
    const freshAs = (minPosition: bigint) => reading.page(taxList, { ...call, minPosition }, {}, { by: 'name' });
    expect((await freshAs(42n)).items).toHaveLength(NAMES.length);
    await expect(freshAs(43n)).rejects.toMatchObject({
      ...{ status: 503, code: 'NOT_YET_FRESH' },
      extras: { headers: { 'retry-after': '1' }, details: { minPosition: '43' } },
    });
  });

  it('is not begun in the middle of another order, nor at a place that is none', async () => {
    const { next } = await page(undefined);
    const forged = Buffer.from(JSON.stringify(['many', randomUUID()])).toString('base64url');
    const { next: inRevisions } = await page(undefined, 'revision');
    const notACursor = [expect.objectContaining({ field: '/cursor', in: 'query', code: 'NOT_A_CURSOR' })];
    expect(await refusalOf(page(next!, 'name', true))).toEqual(notACursor);
    expect(await refusalOf(page(next!, 'revision'))).toEqual(notACursor);
    expect(await refusalOf(page('abc'))).toEqual(notACursor);
    expect(await refusalOf(page(next!.slice(0, 8)))).toEqual(notACursor);
    expect(await refusalOf(page(inRevisions!.slice(0, 8) + forged, 'revision'))).toEqual(notACursor);
  });

  it('L5: of what was read as a whole goes on where the one before it ended, whatever came meanwhile', async () => {
    const [b, c, d, z] = [2, 3, 4, 5].map((n) => ({ name: n < 4 ? 'GST' : 'HST', id: `00000000-0000-4000-8000-00000000000${n}` }));
    const whole = (list: object[], cursor?: string) =>
      reading.pageOf('letters', list as { name: string; id: string }[], { limit: 2, cursor }, ({ name: value, id }) => ({ value, id }));
    const { items, next } = whole([d!, c!, b!]);
    expect(items).toEqual([b, c]);
    const a = { name: 'ABC', id: z!.id };
    expect(whole([a, d!, c!, b!, z!], next!)).toEqual({ items: [d, z], next: null });
    const { next: ofAnotherList } = await page(undefined);
    for (const cursor of [ofAnotherList!, 'abc', next!.slice(0, 8)]) expect(() => whole([d!], cursor)).toThrow('not valid');
  });

  it('L5: rows without a value come last in either order, and each row is on one page', async () => {
    const references = ['a', 'b', 'c', null, null, null, null];
    await pool.query(
      `INSERT INTO read_models.service_list_v1
       SELECT $1, gen_random_uuid(), 'Service', '', 60, '{"amount":1,"currency":"CAD"}', '[]', true, true, reference, 0 FROM unnest($2::text[]) AS reference`,
      [business, references],
    );
    for (const descending of [false, true])
      for (const limit of [2, 3, 4, 10]) {
        const seen: { serviceId: string; externalReference: string | null }[] = [];
        for (let cursor: string | undefined, more = true; more;) {
          const { items, next } = await reading.page(serviceList, call, { limit, cursor }, { by: 'externalReference', descending });
          expect(items.length).toBeLessThanOrEqual(limit);
          seen.push(...items);
          [cursor, more] = [next ?? undefined, next !== null];
        }
        const values = descending ? ['c', 'b', 'a', null, null, null, null] : references;
        expect(seen.map(({ externalReference }) => externalReference)).toEqual(values);
        expect(new Set(seen.map(({ serviceId }) => serviceId)).size).toBe(references.length);
      }
  });
});
