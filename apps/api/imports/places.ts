import type { Facts } from '../../../libs/command-handling/facts.js';
import type { BusinessDescription } from '../../../libs/domain/business/business.events.js';
import { client } from '../../../libs/domain/client/client.js';
import { importedIdOf } from '../../../libs/domain/kernel/ids.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import type { ReadModels } from '../../../libs/projection-engine/read-models.js';
import { clientList } from '../../../projections/client-list.projection.js';
import { offeringList, type OfferingRow } from '../../../projections/offering-list.projection.js';
import { serviceList, type ServiceRow } from '../../../projections/service-list.projection.js';
import { isEmail, isId } from '../validation/formats.js';

const PAGE = 500;

/** What rows name by id, reference or name, as it was when the work on the file began. */
export interface Places {
  business: string;
  currency: string;
  today: string; // local date of the business
  offerings: (named: string) => readonly Offered[];
  services: (named: string) => ReadonlySet<string>; // ids
  serviceName: (serviceId: string) => string;
}

/** What a row must know of an offering. */
export type Offered = Pick<OfferingRow, 'offeringId' | 'name' | 'externalReference' | 'deleted' | 'services'>;
type Described = Pick<ServiceRow, 'serviceId' | 'name' | 'externalReference'>;

/** Who is meant by a client's id, reference or e-mail address. */
export type FoundClients = (named: string) => readonly string[];

interface Reading {
  readModels: ReadModels;
  facts: Facts;
}

type Where = Pick<BusinessDescription, 'businessId' | 'currency'> & { today: string };

/** A business sells some thousands of things at most: they are all read at once. */
export const placesIn = async ({ readModels }: Reading, where: Where): Promise<Places> =>
  placesOf(where, await all(readModels, serviceList, where.businessId), await all(readModels, offeringList, where.businessId));

export const placesOf = ({ businessId, currency, today }: Where, services: readonly Described[], offerings: readonly Offered[]): Places => {
  const names = new Map(services.map(({ serviceId, name }) => [serviceId, name]));
  const servicesNamed = finder(services, ({ serviceId }) => serviceId);
  const offeringsNamed = finder(offerings, ({ offeringId }) => offeringId);
  return {
    ...{ business: businessId, currency, today },
    offerings: offeringsNamed,
    services: (named) => new Set(servicesNamed(named).map(({ serviceId }) => serviceId)),
    serviceName: (serviceId) => names.get(serviceId) ?? serviceId,
  };
};

/** By id, else by reference, else by exact name; of several, those that are not deleted. */
const finder = <Row extends { name: string; externalReference: string | null; deleted?: boolean }>(
  rows: readonly Row[],
  idOf: (row: Row) => string,
): ((named: string) => readonly Row[]) => {
  const byId = new Map(rows.map((row) => [idOf(row), [row]]));
  const byReference = grouped(rows, ({ externalReference }) => externalReference);
  const byName = grouped(rows, ({ name }) => name);
  return (named) => {
    const found = byId.get(named) ?? byReference.get(named) ?? byName.get(named) ?? [];
    const present = found.filter(({ deleted }) => !deleted);
    return present.length > 0 ? present : found;
  };
};

const grouped = <Row>(rows: readonly Row[], keyOf: (row: Row) => string | null): Map<string | null, Row[]> => {
  const groups = new Map<string | null, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
};

/**
 * Whoever is registered from a file has an id that follows from how the file names them, so that nobody is registered twice: an e-mail address is
 * the same in any case, a reference is not.
 */
export const newClientId = (business: string, named: string): string =>
  importedIdOf(business, 'client', isEmail(named) ? named.toLowerCase() : named);

/** The clients that some rows name: those in the list, and those that an earlier row has registered a moment ago. */
export const clientsNamed = async ({ readModels, facts }: Reading, business: string, named: readonly string[]): Promise<FoundClients> => {
  const wanted = [...new Set(named.filter((each) => each !== ''))];
  const lists = [wanted.filter(isId), wanted, wanted.map((each) => each.toLowerCase())] as unknown as string[]; // knex passes lists on
  const rows = await all(readModels, clientList, business, (query) => {
    query.whereRaw('(client_id = ANY(?::uuid[]) OR external_reference = ANY(?::text[]) OR lower(email) = ANY(?::text[]))', lists);
  });
  const found = new Map<string, readonly string[]>();
  for (const each of wanted) {
    const same = (matches: (row: (typeof rows)[number]) => boolean) => rows.filter(matches).map(({ clientId }) => clientId);
    const [byId, byReference] = [same(({ clientId }) => clientId === each), same(({ externalReference }) => externalReference === each)];
    const byEmail = () => same(({ email }) => email?.toLowerCase() === each.toLowerCase());
    found.set(each, byId.length > 0 ? byId : byReference.length > 0 ? byReference : byEmail());
  }
  await Promise.all(
    wanted.map(async (each) => {
      if (found.get(each)!.length > 0) return;
      const clientId = newClientId(business, each);
      if (await facts.of(client, business, clientId)) found.set(each, [clientId]);
    }),
  );
  return (each) => found.get(each) ?? [];
};

const all = async <Row extends { name: string }>(
  readModels: ReadModels,
  projection: Projection<Row>,
  business: string,
  also?: Parameters<ReadModels['list']>[2]['also'],
): Promise<Row[]> => {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await readModels.list(projection, business, { by: 'name', limit: PAGE, cursor, also });
    rows.push(...page.rows);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return rows;
};
