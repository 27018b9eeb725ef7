import { pino } from 'pino';
import type { Fault } from '../../libs/audit/fault.js';
import { sealKeyOf } from '../../libs/audit/seal.js';
import { migrateSealing, sealAll } from '../../libs/audit/sealing.js';
import { StoredHistory } from '../../libs/audit/stored-history.js';
import { verify as verifyHistory } from '../../libs/audit/verify.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import { Projector } from '../../libs/projection-engine/projector.js';
import { isScrubbed } from '../../libs/projection-engine/scrub.js';
import { storeFeed } from '../../libs/projection-engine/store-feed.js';
import { verify } from '../../libs/projection-engine/verify.js';
import { brokenChains, isUpToDate, readModelDifferences, wholeHistory } from '../support/afresh.js';
import { commandLine } from '../support/command-line.js';
import { newKey, startFleet, until, type Desk, type Fleet, type Sent } from '../support/fleet.js';
import { tablesWith } from '../support/in-tables.js';
import { copyDatabase, createDatabase } from '../support/postgres.js';
import { booking, cancellation, openShop, paidUpfront, sale, type Shop } from '../support/shop.js';

// Forgetting a client, whatever happens meanwhile: many who sell and book, processes that die in between, and a restore of backups from before.

const MARK = 'Zephyrine'; // stands in every text about the client, and in nothing else
const KEY = sealKeyOf('33'.repeat(32));
const PATIENCE = 600_000; // ms, most of it for processes to start

type Database = Awaited<ReturnType<typeof createDatabase>>;

const forgetting = (clientId: string): Sent => ({ method: 'POST', path: `/clients/${clientId}/forget` });
const renaming = (clientId: string, n: number): Sent => ({ method: 'PATCH', path: `/clients/${clientId}`, body: { name: `${MARK} ${n}` } });

/** A shop whose client has a name, a package and an appointment that was cancelled for a reason. */
async function openHerShop(desk: Desk, url: string): Promise<Shop & { offeringId: string; packageId: string }> {
  const shop = await openShop(desk, url);
  const { clientId } = await desk.get(url, { method: 'POST', path: '/clients', body: { name: `${MARK} Dupont` } });
  const hers = { ...shop, clientId: clientId! };
  const { offeringId } = await desk.get(url, paidUpfront(hers, 200));
  const { packageId } = await desk.get(url, sale(hers, offeringId!));
  const { appointmentId } = await desk.get(url, booking(hers, packageId));
  await desk.get(url, cancellation(appointmentId!, { reason: `${MARK} is ill` }));
  return { ...hers, offeringId: offeringId!, packageId: packageId! };
}

async function expectForgotten(fleet: Fleet, clientId: string): Promise<void> {
  await until(async () => {
    const { rowCount } = await fleet.pool.query('SELECT FROM policies.forgotten WHERE client_id = $1 AND scrubbed_at IS NOT NULL', [
      clientId,
    ]);
    return rowCount === 1 && isUpToDate(fleet.pool, fleet.reader.store);
  }, 'the client is scrubbed');
  const { stored, events } = await wholeHistory(fleet.reader);
  expect(events.filter(({ type, stream }) => type === 'ClientForgotten' && stream === `client-${clientId}`)).toHaveLength(1);
  expect(brokenChains(stored)).toEqual([]);
  expect(await readModelDifferences(fleet.pool, fleet.reader)).toEqual([]);
  await until(async () => (await tablesWith(fleet.pool, MARK)).length === 0, 'no table names the client');
}

/** Seals what there is. Gives how to find out later what does not hold. */
async function sealedNow({ reader: { store, codec, clock }, pool }: Fleet): Promise<() => Promise<Fault[]>> {
  await migrateSealing(pool);
  await sealAll({ store, codec, pool, clock }, { key: KEY });
  return async () => (await verifyHistory(new StoredHistory(store), { publicKeys: [KEY.publicKey] })).flatMap(({ faults }) => faults);
}

describe('with processes that go on', () => {
  let database: Database;
  let fleet: Fleet;
  let shop: Awaited<ReturnType<typeof openHerShop>>;
  beforeAll(async () => {
    database = await createDatabase();
    fleet = await startFleet({ databaseUrl: database.url, apis: 2 });
  }, PATIENCE);
  afterAll(async () => {
    await fleet?.stop();
    await database?.drop();
  });
  beforeEach(async () => {
    shop = await openHerShop(fleet.desk, fleet.apis[0]!.url);
  }, PATIENCE);

  it(
    'K4: a client who is forgotten while eight sell, book and rename is forgotten, and then nothing new is theirs',
    async () => {
      const { desk, apis } = fleet;
      let over = false;
      const said: string[] = [];
      const write = async (n: number): Promise<void> => {
        for (let k = n; !over; k += 8) {
          const sent = [sale(shop, shop.offeringId), booking(shop, shop.packageId, 1 + (k % 50)), renaming(shop.clientId, k)][k % 3]!;
          const { status, body } = await desk.send(apis[k % 2]!.url, sent);
          said.push(status < 300 ? 'done' : String(body.code));
        }
      };
      const writers = Array.from({ length: 8 }, (_, n) => write(n));
      await until(() => said.length > 20, 'the writers are at it');
      await desk.get(apis[0]!.url, forgetting(shop.clientId));
      await until(() => said.slice(-16).every((one) => one === 'CLIENT_FORGOTTEN') && said.length > 60, 'everything new is refused');
      over = true;
      await Promise.all(writers);
      expect(said.filter((one) => !['done', 'CLIENT_FORGOTTEN', 'BUSY', 'TOO_BUSY'].includes(one))).toEqual([]);
      await expectForgotten(fleet, shop.clientId);
    },
    PATIENCE,
  );

  it(
    'K4: an API that dies once it is said, and a projector that dies too, leave nothing undone',
    async () => {
      const doomed = fleet.doomed('apps/api/main.js', 'after:ClientForgotten');
      await doomed.start();
      const as = newKey();
      await desk(doomed.url, as).catch(() => undefined);
      await doomed.ended();
      await fleet.projectors[0]!.kill();
      await fleet.projectors[0]!.start();
      await expectForgotten(fleet, shop.clientId);
      expect(await desk(fleet.apis[0]!.url, as)).toMatchObject({ status: 200, body: { clientId: shop.clientId } });
    },
    PATIENCE,
  );

  it(
    'K4: a client who is forgotten during a rebuild, with old and new code side by side, is in nothing that is left',
    async () => {
      const sealed = await sealedNow(fleet);
      const newer = (await allProjections()).filter(isScrubbed).map((projection) => ({ ...projection, version: projection.version + 1 }));
      const stopping = new AbortController();
      const { store, codec } = fleet.reader;
      const options = {
        databaseUrl: database.url,
        feed: storeFeed(store, codec, 'of the test'),
        projections: newer,
        logger: pino({ level: 'silent' }),
      };
      const deployed = new Projector(options).run(stopping.signal);
      deployed.catch(() => undefined); // heard at the end
      const rebuilding = commandLine(fleet, ['rebuild', '--all'], 'rebuild:folding:paused');
      try {
        await until(
          async () =>
            (
              await fleet.pool.query(
                `SELECT FROM read_models.builders WHERE holder LIKE 'rebuild-%' AND beat < clock_timestamp() - interval '2.5 s'`,
              )
            ).rowCount! > 0,
          'the rebuild is paused in the midst of it',
        );
        await desk(fleet.apis[0]!.url, newKey());
        rebuilding.goOn();
        expect([await rebuilding.ended, rebuilding.said()]).toEqual([0, expect.stringContaining('client_list: version')]);
        await until(async () => {
          const { rows } = await fleet.pool.query('SELECT projection FROM read_models.live_builds GROUP BY 1 HAVING count(*) = 2');
          return rows.length === newer.length;
        }, 'both versions are live');
        await expectForgotten(fleet, shop.clientId);
        const verified = await verify(options, new AbortController().signal);
        expect(verified.map(({ differences, problem }) => ({ differences, problem }))).toEqual(
          newer.map(() => ({ differences: 0, problem: null })),
        );
        expect(await sealed()).toEqual([]);
      } finally {
        rebuilding.kill('SIGKILL');
        stopping.abort();
        await deployed;
      }
    },
    PATIENCE,
  );
  const desk = (url: string, as: ReturnType<typeof newKey>) => fleet.desk.send(url, forgetting(shop.clientId), as);
});

describe('after a restore', () => {
  const made: Database[] = [];
  const fleets: Fleet[] = [];
  const keeping = (database: Database): Database => {
    made.push(database);
    return database;
  };
  afterEach(async () => {
    for (const fleet of fleets.splice(0)) await fleet.stop();
    for (const database of made.splice(0)) await database.drop();
  });

  // The steps of docs/backup-and-restore.md: Postgres first, the event store second, the keys last; restored in the same order.
  it.each([
    ['is not in the events that were restored', 'before'] as const,
    ...(process.env.SOAK ? [['is in the events that were restored', 'after'] as const] : []),
  ])(
    'K4: a forgetting that came after the backup of Postgres, and %s, is done again before anybody is answered',
    async (_, storeBackedUp) => {
      const [database, events] = [keeping(await createDatabase()), keeping(await createDatabase())];
      const first = await startFleet({ databaseUrl: database.url, eventsUrl: events.url });
      const { desk } = first;
      const shop = await openHerShop(desk, first.apis[0]!.url);
      await until(() => isUpToDate(first.pool, first.reader.store), 'the read models are up to date');
      await first.stop();
      const postgresBackup = keeping(await copyDatabase(database.url)); // step 1
      const earlyEvents = keeping(await copyDatabase(events.url)); // step 2, at the earliest

      const second = await startFleet({ databaseUrl: database.url, eventsUrl: events.url });
      await desk.get(second.apis[0]!.url, forgetting(shop.clientId));
      await expectForgotten(second, shop.clientId);
      const { rows: keys } = await second.pool.query('SELECT to_json(k) AS key FROM personal_keys.keys k'); // step 3
      await second.stop();
      const eventsBackup = storeBackedUp === 'before' ? earlyEvents : keeping(await copyDatabase(events.url));

      const restored = await startFleet({ databaseUrl: postgresBackup.url, eventsUrl: eventsBackup.url, apis: 0, projectors: 0 });
      fleets.push(restored);
      expect(await tablesWith(restored.pool, MARK)).not.toEqual([]);
      await restored.pool.query('TRUNCATE personal_keys.keys');
      await restored.pool.query(
        'INSERT INTO personal_keys.keys SELECT (json_populate_record(NULL::personal_keys.keys, key)).* FROM json_array_elements($1) AS key',
        [JSON.stringify(keys.map(({ key }: { key: unknown }) => key))],
      );
      const api = restored.doomed('apps/api/main.js', 'before:Nothing');
      await api.start();
      expect(await desk.send(api.url, booking(shop, shop.packageId))).toMatchObject({ status: 503, body: { code: 'FORGETTING' } });
      await restored.doomed('apps/projector/main.js', 'before:Nothing').start();
      await until(async () => (await fetch(`${api.url}/health/ready`)).ok, 'the API is ready');
      expect(await tablesWith(restored.pool, MARK)).toEqual([]);
      expect(await desk.send(api.url, booking(shop, shop.packageId))).toMatchObject({ status: 409, body: { code: 'CLIENT_FORGOTTEN' } });
      await expectForgotten(restored, shop.clientId);
    },
    PATIENCE,
  );
});
