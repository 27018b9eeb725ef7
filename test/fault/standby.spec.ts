import { setTimeout as sleep } from 'node:timers/promises';
import { brokenChains, isUpToDate, readModelDifferences, wholeHistory } from '../support/afresh.js';
import { disagreements } from '../support/agreement.js';
import { startFleet, until, type Fleet, type Part } from '../support/fleet.js';
import { Load } from '../support/load.js';
import { createDatabase } from '../support/postgres.js';
import { openShop } from '../support/shop.js';

// One projector leads, one stands by; the events keep coming.

let database: Awaited<ReturnType<typeof createDatabase>>;
let fleet: Fleet;
let load: Load;

beforeEach(async () => {
  database = await createDatabase();
  fleet = await startFleet({ databaseUrl: database.url, projectors: 2 });
  load = new Load(fleet.desk, [fleet.apis[0]!.url]);
  await load.prepare(await openShop(fleet.desk, fleet.apis[0]!.url));
  load.start(4);
});
afterEach(async () => {
  await load?.stop();
  await fleet?.stop();
  await database?.drop();
});

const leader = async (): Promise<{ holder: string; epoch: string } | undefined> =>
  (await fleet.pool.query<{ holder: string; epoch: string }>('SELECT holder, epoch::text FROM read_models.leader')).rows[0];

const leads = async (part: Part): Promise<boolean> => (await leader())?.holder.startsWith(`projector-${part.pid}-`) ?? false;

/** The one that leads, then the one that stands by. */
const roles = async (): Promise<[Part, Part]> => {
  const [one, other] = fleet.projectors as [Part, Part];
  await until(async () => (await leads(one)) || (await leads(other)), 'one leads');
  return (await leads(one)) ? [one, other] : [other, one];
};

const expectAllAgrees = async (): Promise<void> => {
  await load.stop();
  await until(async () => isUpToDate(fleet.pool, fleet.reader.store), 'the read models are up to date');
  const { stored, events } = await wholeHistory(fleet.reader);
  expect(brokenChains(stored)).toEqual([]);
  expect(disagreements(events)).toEqual([]);
  expect(await readModelDifferences(fleet.pool, fleet.reader)).toEqual([]);
};

it('D3, K3: the one that stands by takes over when the leader is killed', async () => {
  const [first, second] = await roles();
  await sleep(500);
  await first.kill();
  await until(() => leads(second), 'the other leads');
  await sleep(500);
  await expectAllAgrees();
});

it('D3, K3: a leader that was paused and wakes does not write any more', async () => {
  const [first, second] = await roles();
  await sleep(500);
  first.pause();
  await until(() => leads(second), 'the other leads, as the first is silent for too long');
  const { epoch } = (await leader())!;
  first.wake();
  await sleep(2_000);
  await expectAllAgrees();
  expect(await leader()).toMatchObject({ epoch });
  expect(first.hasEnded).toBe(false); // it stands by
  await second.kill();
  await until(() => leads(first), 'the first leads again');
});
