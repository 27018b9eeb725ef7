import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { ClientLinkEvent } from '../../libs/domain/client-link/client-link.events.js';
import { clientLink, gives, linkIdOf } from '../../libs/domain/client-link/client-link.state.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { startFleet, type Fleet, type Sent } from '../support/fleet.js';
import { createDatabase } from '../support/postgres.js';
import { booking, openShop, paidEach, registerClient, sale, type Shop } from '../support/shop.js';

// The permission to use packages is taken away on one API process while sessions are taken on another.

const ROUNDS = process.env.SOAK ? 1_000 : 30;
const AT_ONCE = 6;
const PATIENCE = process.env.SOAK ? 900_000 : 600_000;

let database: Awaited<ReturnType<typeof createDatabase>>;
let fleet: Fleet;
let shop: Shop;

beforeAll(async () => {
  database = await createDatabase();
  fleet = await startFleet({ databaseUrl: database.url, apis: 2 });
  shop = await openShop(fleet.desk, fleet.apis[0]!.url);
});
afterAll(async () => {
  await fleet?.stop();
  await database?.drop();
});

const [here, there] = [() => fleet.apis[0]!.url, () => fleet.apis[1]!.url];

interface Family {
  parent: string;
  child: string;
  packageId: string;
}

const permitting = ({ parent, child }: Family, usePackages: boolean): Sent => ({
  method: 'PUT',
  path: `/clients/${parent}/links/${child}`,
  body: { relationship: 'child', gives: { usePackages } },
});
const childs = ({ child, packageId }: Family): Sent => booking({ ...shop, clientId: child }, packageId);

/** A parent with a package who lets the child use it; both API processes know them. */
async function family(offeringId: string): Promise<Family> {
  const [parent, child] = [await registerClient(fleet.desk, here()), await registerClient(fleet.desk, here())];
  const { packageId } = await fleet.desk.get(here(), sale({ clientId: parent }, offeringId));
  const made = { parent, child, packageId: packageId! };
  await fleet.desk.get(here(), permitting(made, true));
  for (const url of [here(), there()]) await fleet.desk.get(url, childs(made));
  return made;
}

const rounds = <Outcome>(round: (family: Family) => Promise<Outcome>): Promise<Outcome[]> => {
  const limit = pLimit(AT_ONCE);
  return Promise.all(Array.from({ length: ROUNDS }, () => limit(async () => round(await family(offeringId)))));
};
let offeringId: string;
beforeAll(async () => {
  offeringId = (await fleet.desk.get(here(), paidEach(shop, 'unlimited'))).offeringId!;
});

const streamOf = async <Event extends { type: string; data: unknown }>(stream: string): Promise<Recorded<Event>[]> => {
  const { store, codec } = fleet.reader;
  return (await codec.decode(await store.readStream(stream))) as Recorded<Event>[];
};

/** Sessions that another took than the owner, and of them those that rest on a link that did not permit it. */
async function sessionsOf({ parent, child, packageId }: Family) {
  const link = `clientLink-${linkIdOf(parent, child)}`;
  const links = await streamOf<ClientLinkEvent>(link);
  const permitted = (revision: string | undefined): boolean =>
    revision !== undefined &&
    gives(links.slice(0, Number(revision) + 1).reduce(clientLink.evolve, clientLink.initial), parent, 'usePackages');
  const taken = (await streamOf<PackageEvent>(`package-${packageId}`)).filter(({ type }) => type === 'SessionConsumed');
  return { taken: taken.length, wrong: taken.filter(({ metadata }) => !permitted(metadata.read?.[link])) };
}

it(
  'G3: a consume started after an acknowledged revoke fails',
  async () => {
    const outcomes = await rounds(async (made) => {
      await fleet.desk.get(here(), permitting(made, false));
      const { status, body } = await fleet.desk.send(there(), childs(made));
      return { status, code: body.code, ...(await sessionsOf(made)) };
    });
    for (const outcome of outcomes) expect(outcome).toEqual({ status: 409, code: 'PACKAGE_NOT_SHARED', taken: 2, wrong: [] });
  },
  PATIENCE,
);

it(
  'G3: racing with a revoke, a session is taken by the link that permitted it, or not at all',
  async () => {
    const outcomes = await rounds(async (made) => {
      const soon = async (url: string, sent: Sent) => {
        await sleep(Math.random() * (Math.random() < 0.5 ? 6 : 200)); // sometimes so long that one is over, also on a slow machine
        return fleet.desk.send(url, sent);
      };
      const [revoked, booked] = await Promise.all([soon(here(), permitting(made, false)), soon(there(), childs(made))]);
      expect(revoked.status).toBe(200);
      return { booked, ...(await sessionsOf(made)) };
    });
    for (const { booked, taken, wrong } of outcomes) {
      expect(wrong).toEqual([]);
      expect({ status: booked.status, taken }).toEqual(booked.status === 201 ? { status: 201, taken: 3 } : { status: 409, taken: 2 });
    }
    // Both happen, or it was no race.
    const won = outcomes.filter(({ booked }) => booked.status === 201).length;
    expect(won).toBeGreaterThan(0);
    expect(won).toBeLessThan(outcomes.length);
  },
  PATIENCE,
);
