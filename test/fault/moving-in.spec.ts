import type { Recorded } from '../../libs/domain/kernel/event.js';
import { brokenChains, isUpToDate, readModelDifferences, wholeHistory } from '../support/afresh.js';
import { disagreements } from '../support/agreement.js';
import { startFleet, until, newKey, type Fleet, type PolicyMode, type Sent } from '../support/fleet.js';
import { csvOf } from '../support/moving-in.js';
import { createDatabase } from '../support/postgres.js';
import { openShop, paidEach, type Shop } from '../support/shop.js';

// The process that moves a file in is killed in the middle of it, and the file is sent again.

const ROWS = process.env.SOAK ? 10_000 : 300;
const KILLS = process.env.SOAK ? 5 : 2;
const PATIENCE = process.env.SOAK ? 3_600_000 : 600_000;

/** Every tenth client is there; every other row has one that is registered with it. */
const rowsOf = (offering: string, { clientId }: Shop) =>
  Array.from({ length: ROWS }, (_, n) => ({
    ...{ reference: `old-${n}`, offering, remaining: n % 7, soldOn: '2026-01-31', amountPaid: '350.00' },
    ...(n % 10 === 0 ? { client: clientId } : { client: `client-${n}@example.org`, clientName: `Client ${n}` }),
  }));

describe.each<PolicyMode>(['both', 'api'])('policies: %s', (policies) => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let fleet: Fleet;
  let sent: Sent;

  beforeAll(async () => {
    database = await createDatabase();
    fleet = await startFleet({ databaseUrl: database.url, policies });
    const { desk, apis } = fleet;
    const shop = await openShop(desk, apis[0]!.url);
    const { offeringId } = await desk.get(apis[0]!.url, paidEach(shop, 5));
    const path = '/imports?createClients=true';
    sent = {
      method: 'POST',
      path,
      body: csvOf([...rowsOf(offeringId!, shop), { reference: 'bad', offering: offeringId, soldOn: 'once' }]),
    };
  }, 120_000);
  afterAll(async () => {
    await fleet?.stop();
    await database?.drop();
  });

  const start = async (key = newKey()) => (await fleet.desk.get(fleet.apis[0]!.url, sent, key)).importId!;
  const saidOf = async (importId: string): Promise<Recorded[]> => {
    const { codec, store } = fleet.reader;
    return codec.decode(await store.readStream(`import-${importId}`));
  };
  const isEnded = async (importId: string) => (await saidOf(importId)).at(-1)?.type === 'ImportEnded';

  it(
    'L7: killed in the middle and sent again, every package is there once',
    async () => {
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const importId = await start();
        await until(
          async () => (await saidOf(importId)).length > 1 + kill || (await isEnded(importId)),
          'some rows are moved in',
          PATIENCE,
        );
        expect(await isEnded(importId)).toBe(false);
        await fleet.apis[0]!.kill();
        await fleet.apis[0]!.start();
      }
      const importId = await start();
      await until(() => isEnded(importId), 'all rows are moved in', PATIENCE);
      const [end] = (await saidOf(importId)).slice(-1) as Recorded<{ type: string; data: Record<string, number | string> }>[];
      expect(end!.data).toMatchObject({ outcome: 'completed', failed: 1 });
      expect(end!.data.skipped).toBeGreaterThan(0);
      expect(Number(end!.data.imported) + Number(end!.data.skipped)).toBe(ROWS);
    },
    PATIENCE,
  );

  it(
    'C5, D3, K3, L7: nothing is doubled, each has its invoice over nothing, streams and read models agree',
    async () => {
      const here = policies === 'api' ? 'elsewhere' : 'here';
      await until(async () => isUpToDate(fleet.pool, fleet.reader.store, here), 'the projector is up to date', PATIENCE);
      const { stored, events } = await wholeHistory(fleet.reader);
      const count = (type: string) => events.filter((event) => event.type === type).length;
      expect(['OfferingLocked', 'PackageSold', 'PackageImported', 'InvoiceIssued'].map(count)).toEqual([1, ROWS, ROWS, ROWS]);
      expect(count('ClientRegistered')).toBe(1 + (ROWS * 9) / 10);
      expect(
        new Set(events.filter(({ type }) => type === 'PackageImported').map(({ data }) => (data as { reference: string }).reference)).size,
      ).toBe(ROWS);
      expect(disagreements(events)).toEqual([]);
      expect(brokenChains(stored)).toEqual([]);
      expect(await readModelDifferences(fleet.pool, events)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'L2, L7: the same request sent again is the same import; it is taken up once it is silent',
    async () => {
      const key = newKey();
      const importId = await start(key);
      await fleet.apis[0]!.kill();
      await fleet.apis[0]!.start();
      expect(await start(key)).toBe(importId);
      expect(await isEnded(importId)).toBe(false);
      await until(
        async () => {
          expect(await start(key)).toBe(importId);
          return isEnded(importId);
        },
        'it is taken up and ends',
        PATIENCE,
      );
      expect((await saidOf(importId)).filter(({ type }) => type === 'ImportResumed')).toHaveLength(1);
    },
    PATIENCE,
  );
});
