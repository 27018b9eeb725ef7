import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { brokenChains, isUpToDate, readModelDifferences, wholeHistory } from './afresh.js';
import { disagreements } from './agreement.js';
import { startFleet, until, type Desk, type Fleet, type newKey, type PolicyMode, type Sent } from './fleet.js';
import { createDatabase } from './postgres.js';
import { booking, openShop, paidEach, paidUpfront, sale, type Shop } from './shop.js';

// What the tests have in common that kill a process in the middle of an operation.

/** What goes before the operation that dies. */
export interface Making extends Shop {
  desk: Desk;
  offering(more?: object): Promise<string>;
  offeringPaidUpfront(): Promise<string>;
  sold(more?: object): Promise<string>; // of an offering with these terms
  soldUpfront(): Promise<string>; // and half paid
  booked(packageId?: string): Promise<string>;
  done(sent: Sent): Promise<void>;
}

export type Key = ReturnType<typeof newKey>;

/** A request, and where the process dies that carries it out. */
export interface Doomed {
  desk: Desk;
  sent: Sent;
  key: Key;
  dyingAt: string;
}

/** As FAILPOINT names them. */
export const placesOf = (doomed: readonly Doomed[]): string =>
  doomed.map(({ dyingAt, key: { correlationId } }) => `${dyingAt}@${correlationId}`).join();

export const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

/** The service for the tests of one `describe`; `env`: of APIs and projectors, once they start. */
export function serviceWith(policies: PolicyMode, env: () => Record<string, string> = () => ({})) {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let fleet: Fleet;
  let shop: Shop;
  const events: Recorded[] = [];
  const named = new Set<string>(); // every id that an event names
  const effects = new Map<string, string[]>(); // correlation id → types of events
  let reading: Promise<void> = Promise.resolve();
  const url = () => fleet.apis[0]!.url;

  beforeAll(async () => {
    database = await createDatabase();
    fleet = await startFleet({ databaseUrl: database.url, policies, env: env() });
    shop = await openShop(fleet.desk, url());
  }, 300_000);
  afterAll(async () => {
    await fleet?.stop();
    await database?.drop();
  });

  const readOn = async (): Promise<void> => {
    const { store, codec } = fleet.reader;
    for await (const batch of store.readAll({ after: events.at(-1)?.position })) for (const event of await codec.decode(batch)) note(event);
  };
  const note = (event: Recorded): void => {
    const { type, data, metadata } = event;
    events.push(event);
    for (const id of JSON.stringify(data).match(ID) ?? []) named.add(id);
    if (type !== 'InvoiceNumbered') effects.set(metadata.$correlationId, [...(effects.get(metadata.$correlationId) ?? []), type]);
  };
  /** All that has happened. */
  const history = async (): Promise<readonly Recorded[]> => {
    reading = reading.then(readOn);
    await reading;
    return events;
  };

  const makingOf = (desk: Desk, shop: Shop): Making => {
    const get = (sent: Sent) => desk.get(url(), sent);
    const offeringPaidUpfront = async () => (await get(paidUpfront(shop))).offeringId!;
    const offering = async (more: object = {}) => (await get(paidEach(shop, 5, more))).offeringId!;
    const happened = (what: string, isIt: (event: Recorded) => boolean) => until(async () => (await history()).some(isIt), what);
    return {
      ...{ ...shop, desk, offering, offeringPaidUpfront },
      sold: async (more) => (await get(sale(shop, await offering(more)))).packageId!,
      soldUpfront: async () => {
        const payment = { amount: { amount: 20_000, currency: 'CAD' }, method: 'cash' };
        return (await get(sale(shop, await offeringPaidUpfront(), { payment }))).packageId!;
      },
      booked: async (packageId) => {
        const { appointmentId, invoiceId } = await get(booking(shop, packageId));
        await happened('it is booked', ({ stream }) => stream === `appointment-${appointmentId}`);
        await happened('it has its invoice', ({ stream }) => stream === `invoice-${invoiceId}`);
        return appointmentId!;
      },
      done: async (sent) => void (await get(sent)),
    };
  };

  const die = async (requests: readonly Omit<Doomed, 'dyingAt'>[], failpoint: string): Promise<string[]> => {
    const api = fleet.doomed('apps/api/main.js', failpoint);
    await api.start();
    const [projector] = policies === 'both' ? fleet.projectors.filter(({ hasEnded }) => !hasEnded) : [];
    projector?.pause(); // else it takes over, before a slow API has come to the place where it dies
    const answers = requests.map(({ desk, sent, key }) =>
      desk.send(api.url, sent, key).then(
        ({ status }) => `it answered ${status}`,
        () => 'no answer',
      ),
    );
    await api.ended().finally(() => projector?.wake());
    return Promise.all(answers);
  };

  return {
    fleet: () => fleet,
    url,
    history,
    making: () => makingOf(fleet.desk, shop),
    /** The same in a business of its own. */
    makingElsewhere: async (): Promise<Making> => {
      const desk = await fleet.openDesk();
      return makingOf(desk, await openShop(desk, url()));
    },
    /** Sends it to an API that dies there. Gives what came back. */
    send: async (sent: Sent, key: Key, { dyingAt }: { dyingAt: string }): Promise<string> => {
      const [answer] = await die([{ desk: fleet.desk, sent, key }], dyingAt);
      return answer!;
    },
    /** Sends them to one API, at once; each is cut off at its place, and then the API dies. Gives what came back. */
    sendAll: (doomed: readonly Doomed[]): Promise<string[]> => die(doomed, placesOf(doomed)),
    /** Types of what was appended because of a request, by whomever; but for the numbers of its invoices, which come when they come. */
    effect: async ({ correlationId }: Key): Promise<string[]> => {
      await history();
      return [...(effects.get(correlationId) ?? [])];
    },
    /** Ids in an answer that no event names: of what never happened. */
    invented: async (answer: object): Promise<string[]> => {
      await history();
      return (JSON.stringify(answer).match(ID) ?? []).filter((id) => !named.has(id));
    },
    /** Until nothing has happened for so many milliseconds. */
    stillFor: async (ms: number): Promise<void> => {
      for (let known = -1; known < (await history()).length; await sleep(ms)) known = (await history()).length;
    },
    /** There are more events than so many. */
    beyond: (events: number, patience?: number) =>
      until(async () => (await history()).length > events, `there are more than ${events} events`, patience),
    /** Everything that follows has followed, and was read. */
    followed: (patience?: number) => followed(fleet, policies, patience),
    /** The same, and all streams agree. */
    agreed: (patience?: number) => agreed(fleet, policies, patience),
    /** The same, and the read models too. */
    settled: (patience?: number) => settled(fleet, policies, patience),
  };
}

const followed = ({ reader, pool }: Pick<Fleet, 'reader' | 'pool'>, policies: PolicyMode, patience?: number): Promise<void> =>
  until(async () => isUpToDate(pool, reader.store, policies === 'api' ? 'elsewhere' : 'here'), 'the projector is up to date', patience);

/** Everything was carried out, nothing is parked, and all streams agree. */
async function agreed({ reader, pool }: Fleet, policies: PolicyMode, patience?: number): Promise<void> {
  await followed({ reader, pool }, policies, patience);
  const { stored, events } = await wholeHistory(reader);
  expect(disagreements(events)).toEqual([]);
  expect(brokenChains(stored)).toEqual([]);
  const { rows: parked } = await pool.query('SELECT policy, stream, parked FROM policies.todo WHERE parked IS NOT NULL');
  expect(parked).toEqual([]);
}

/** The same, and the read models agree too. */
async function settled(fleet: Fleet, policies: PolicyMode, patience?: number): Promise<void> {
  await agreed(fleet, policies, patience);
  expect(await readModelDifferences(fleet.pool, fleet.reader)).toEqual([]);
}
