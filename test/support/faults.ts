import type { Recorded } from '../../libs/domain/kernel/event.js';
import { brokenChains, isUpToDate, readModelDifferences, wholeHistory } from './afresh.js';
import { disagreements } from './agreement.js';
import { startFleet, until, type Fleet, type newKey, type PolicyMode, type Sent } from './fleet.js';
import { createDatabase } from './postgres.js';
import { booking, openShop, paidEach, paidUpfront, sale, type Shop } from './shop.js';

// What the tests have in common that kill a process in the middle of an operation.

/** What goes before the operation that dies. */
export interface Making extends Shop {
  offering(): Promise<string>;
  offeringPaidUpfront(): Promise<string>;
  sold(): Promise<string>;
  soldUpfront(): Promise<string>; // and half paid
  booked(packageId?: string): Promise<string>;
  done(sent: Sent): Promise<void>;
}

export type Key = ReturnType<typeof newKey>;

/** The service for the tests of one `describe`. */
export function serviceWith(policies: PolicyMode) {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let fleet: Fleet;
  let shop: Shop;
  const events: Recorded[] = [];
  let reading: Promise<void> = Promise.resolve();
  const url = () => fleet.apis[0]!.url;

  beforeAll(async () => {
    database = await createDatabase();
    fleet = await startFleet({ databaseUrl: database.url, policies });
    shop = await openShop(fleet.desk, url());
  }, 120_000);
  afterAll(async () => {
    await fleet?.stop();
    await database?.drop();
  });

  const readOn = async (): Promise<void> => {
    const { store, codec } = fleet.reader;
    for await (const batch of store.readAll({ after: events.at(-1)?.position })) events.push(...(await codec.decode(batch)));
  };
  /** All that has happened. */
  const history = async (): Promise<readonly Recorded[]> => {
    reading = reading.then(readOn);
    await reading;
    return events;
  };

  return {
    fleet: () => fleet,
    url,
    history,
    making: (): Making => {
      const { get } = fleet.desk;
      const offeringPaidUpfront = async () => (await get(url(), paidUpfront(shop))).offeringId!;
      const offering = async () => (await get(url(), paidEach(shop))).offeringId!;
      return {
        ...shop,
        offering,
        offeringPaidUpfront,
        sold: async () => (await get(url(), sale(shop, await offering()))).packageId!,
        soldUpfront: async () => {
          const { offeringId } = await get(url(), paidUpfront(shop));
          const payment = { amount: { amount: 20_000, currency: 'CAD' }, method: 'cash' };
          return (await get(url(), sale(shop, offeringId!, { payment }))).packageId!;
        },
        booked: async (packageId) => {
          const { appointmentId } = await get(url(), booking(shop, packageId));
          await until(async () => (await history()).some(({ stream }) => stream === `appointment-${appointmentId}`), 'it is booked');
          return appointmentId!;
        },
        done: async (sent) => void (await get(url(), sent)),
      };
    },
    /** Sends it to an API that dies there. Gives what came back. */
    send: async (sent: Sent, key: Key, { dyingAt }: { dyingAt: string }): Promise<string> => {
      const doomed = fleet.doomed('apps/api/main.js', dyingAt);
      await doomed.start();
      const answer = fleet.desk.send(doomed.url, sent, key).then(
        ({ status }) => `it answered ${status}`,
        () => 'no answer',
      );
      await doomed.ended();
      return answer;
    },
    /** Types of what was appended because of a request, by whomever; but for the numbers of its invoices, which come when they come. */
    effect: async ({ correlationId }: Key): Promise<string[]> =>
      (await history())
        .filter(({ type, metadata }) => metadata.$correlationId === correlationId && type !== 'InvoiceNumbered')
        .map(({ type }) => type),
    settled: (patience?: number) => settled(fleet, policies, patience),
  };
}

/** Everything was carried out, nothing is parked, and all streams and read models agree. */
async function settled({ reader, pool }: Fleet, policies: PolicyMode, patience?: number): Promise<void> {
  const here = policies === 'api' ? 'elsewhere' : 'here';
  await until(async () => isUpToDate(pool, reader.store, here), 'the projector is up to date', patience);
  const { stored, events } = await wholeHistory(reader);
  expect(disagreements(events)).toEqual([]);
  expect(brokenChains(stored)).toEqual([]);
  expect(await readModelDifferences(pool, events)).toEqual([]);
  const { rows: parked } = await pool.query('SELECT policy, stream, parked FROM policies.todo WHERE parked IS NOT NULL');
  expect(parked).toEqual([]);
}
