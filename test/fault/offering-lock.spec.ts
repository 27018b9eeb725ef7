import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { startFleet, type Fleet, type Reply, type Sent } from '../support/fleet.js';
import { createDatabase } from '../support/postgres.js';
import { openShop, paidEach, sale, type Shop } from '../support/shop.js';

// An edit of a locked field against the first sale, over two API processes: no package is sold on terms that the offering no longer had.

const OFFERINGS = process.env.SOAK ? 1_000 : 120;
const AT_ONCE = 24;

let database: Awaited<ReturnType<typeof createDatabase>>;
let fleet: Fleet;
let shop: Shop;

beforeAll(async () => {
  database = await createDatabase();
  fleet = await startFleet({ databaseUrl: database.url, apis: 2, projectors: 0, policies: 'projector' }); // what follows a sale is not asked here
  shop = await openShop(fleet.desk, fleet.apis[0]!.url);
});
afterAll(async () => {
  await fleet?.stop();
  await database?.drop();
});

interface Sold {
  name: string;
  paymentMethod: string;
  services: { serviceId: string; limit: number }[];
}

/** Changes of each locked field, and whether a package has the new terms. */
const edits: [string, (shop: Shop) => object, (sold: Sold) => boolean][] = [
  ['name', () => ({ name: 'Other massages' }), ({ name }) => name === 'Other massages'],
  ['services', ({ serviceId }) => ({ services: [{ serviceId, limit: 9 }] }), ({ services }) => services[0]!.limit === 9],
  [
    'payment.method',
    () => ({ payment: { method: 'paidUpfront', fee: { amount: 50_000, currency: 'CAD' }, taxIds: [] } }),
    ({ paymentMethod }) => paymentMethod === 'paidUpfront',
  ],
];

/** Two at the same moment, but for a few milliseconds, on an API process each. */
const race = (edit: Sent, sell: Sent): Promise<[Reply, Reply]> => {
  const [one, other] = Math.random() < 0.5 ? fleet.apis : [...fleet.apis].reverse();
  const soon = async (url: string, sent: Sent) => {
    await sleep(Math.random() * (Math.random() < 0.5 ? 6 : 200)); // sometimes so long that one is over, also on a slow machine
    return fleet.desk.send(url, sent);
  };
  return Promise.all([soon(one!.url, edit), soon(other!.url, sell)]);
};

it.each(edits)(
  'C5: %s changes before the first sale, or not any more',
  async (field, change, isNew) => {
    const limit = pLimit(AT_ONCE);
    const rounds = Array.from({ length: Math.ceil(OFFERINGS / edits.length) }, () =>
      limit(async () => {
        const { offeringId } = await fleet.desk.get(fleet.apis[0]!.url, paidEach(shop));
        const [edited, sold] = await race(
          { method: 'PATCH', path: `/offerings/${offeringId}`, body: change(shop) },
          sale(shop, offeringId!),
        );
        return { edited, sold };
      }),
    );
    const outcomes = await Promise.all(rounds);
    for (const { edited, sold } of outcomes) {
      expect(sold.status).toBe(201);
      expect({ edited: edited.status === 200, newTerms: isNew(sold.body as unknown as Sold) }).toEqual(
        edited.status === 200 ? { edited: true, newTerms: true } : { edited: false, newTerms: false },
      );
      if (edited.status !== 200)
        expect(edited).toMatchObject({ status: 409, body: { code: 'OFFERING_LOCKED', details: { fields: [field] } } });
    }
    // Both happen, or it was no race.
    const won = outcomes.filter(({ edited }) => edited.status === 200).length;
    expect(won).toBeGreaterThan(0);
    expect(won).toBeLessThan(outcomes.length);
  },
  300_000,
);
