import { randomUUID } from 'node:crypto';
import { linkIdOf } from '../libs/domain/client-link/client-link.state.js';
import type { AnyEvent, Recorded } from '../libs/domain/kernel/event.js';
import { cad } from '../libs/domain/testing/example.js';
import { aMassage, annaHerself, clinic, termsOf } from '../libs/domain/testing/example-catalogue.js';
import { nothing } from '../libs/domain/testing/example-link.js';
import { cancelledWith, sale, soldMassage } from '../libs/domain/testing/example-package.js';

// What stands in the lists of one large business: events as they come back from the store, made in memory.

export interface Business {
  businessId: string;
  packageIds: string[];
  clientIds: string[];
  offeringIds: string[];
  categoryIds: string[];
  serviceIds: string[];
  sharing: string[]; // clients with whom two others share their packages
  wealthy: string[]; // clients with many packages
  today: string;
}

const SERVICES = 40;
const OFFERINGS = 2_000;
const CATEGORIES = 50;
const CLIENTS = 10_000;
const PACKAGES = 100_000;
const WEALTHY = 100; // clients, of whom each has so many more than others:
const MORE = 30;
const DAY = 24 * 3_600_000;
const YEARS = { sold: 3 * 365, valid: 365 }; // days
const TODAY = Date.UTC(2027, 0, 31);
const WORDS = ['Deep', 'Warm', 'Quiet', 'Sunday', 'Family', 'Long', 'Short', 'Garden'];

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const some = (count: number): string[] => Array.from({ length: count }, () => randomUUID());
const word = (n: number): string => WORDS[n % WORDS.length]!;

/** The catalogue first, then each package with what became of it: a third are untouched, a twentieth cancelled. */
export function listHistory(): { business: Business; history: Recorded[] } {
  const [serviceIds, offeringIds, categoryIds, clientIds, packageIds] = [SERVICES, OFFERINGS, CATEGORIES, CLIENTS, PACKAGES].map(some) as [
    ...[string[], string[], string[], string[], string[]],
  ];
  const sharing = clientIds.filter((_, n) => n % 5 === 0);
  const people = { clientIds, sharing, wealthy: clientIds.slice(-WEALTHY) };
  const business = { businessId: randomUUID(), packageIds, ...people, offeringIds, categoryIds, serviceIds, today: dayOf(TODAY) };
  const history: Recorded[] = [];
  const add = (event: AnyEvent, stream: string, revision = 0): void => {
    history.push(recordedAt(event, stream, revision, history.length, business.businessId));
  };
  add({ type: 'BusinessCreated', data: { ...clinic, businessId: business.businessId } }, `business-${business.businessId}`);
  addCatalogue(add, business);
  for (const [n, clientId] of clientIds.entries())
    add({ type: 'ClientRegistered', data: { ...annaHerself, clientId, name: `${word(n)} Tremblay ${n}` } }, `client-${clientId}`);
  for (const [n, clientId] of sharing.entries())
    for (const owner of [n, n + 1]) addLink(add, clientIds[(owner * 5 + 1) % CLIENTS]!, clientId);
  for (const [n, packageId] of packageIds.entries()) addPackage(add, { n, packageId, offeringIds, clientIds, serviceIds });
  return { business, history };
}

type Add = (event: AnyEvent, stream: string, revision?: number) => void;

function addCatalogue(add: Add, { businessId, serviceIds, offeringIds, categoryIds }: Business): void {
  const list = `offeringList-${businessId}`;
  for (const [n, serviceId] of serviceIds.entries())
    add({ type: 'ServiceDefined', data: { ...aMassage, serviceId, name: `${word(n)} massage ${n}` } }, `service-${serviceId}`);
  for (const [n, offeringId] of offeringIds.entries()) {
    const services = [n, n + 7].map((at) => ({ serviceId: serviceIds[at % SERVICES]!, limit: 5 + (n % 15) }));
    const terms = termsOf({ name: `${word(n)} package ${n}`, description: `Of ${word(n + 3)} things`, services });
    add(
      { type: 'OfferingDefined', data: { offeringId, ...terms, status: n % 10 === 0 ? 'inactive' : 'active' } },
      `offering-${offeringId}`,
    );
    add({ type: 'OfferingListed', data: { offeringId, offeringRevision: '0', place: n } }, list);
  }
  for (const [n, categoryId] of categoryIds.entries()) add({ type: 'CategoryCreated', data: { categoryId, name: `Category ${n}` } }, list);
  const categories = categoryIds.map((categoryId, n) => ({
    categoryId,
    offeringIds: offeringIds.filter((_, at) => at % CATEGORIES === n),
  }));
  add({ type: 'OfferingListArranged', data: { ungrouped: [], categories } }, list);
}

/** G3: the owner lets the other one use their packages. */
function addLink(add: Add, owner: string, other: string): void {
  const gives = { ...nothing, usePackages: true };
  const [low, high] = [
    { clientId: owner, relationship: 'parent' as const, gives },
    { clientId: other, relationship: 'child' as const, gives: nothing },
  ].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
  add({ type: 'ClientsLinked', data: { low, high } }, `clientLink-${linkIdOf(owner, other)}`);
}

interface Sale {
  n: number;
  packageId: string;
  offeringIds: string[];
  clientIds: string[];
  serviceIds: string[];
}

/** Sold over three years, in the order of time; the last ones are those that have much left. */
function addPackage(add: Add, { n, packageId, offeringIds, clientIds, serviceIds }: Sale): void {
  const offering = Math.floor(Math.random() * offeringIds.length);
  const about = { packageId, clientId: ownerOf(n, clientIds), offeringId: offeringIds[offering]! };
  const soldAt = TODAY - Math.round((1 - n / PACKAGES) * YEARS.sold) * DAY;
  const limit = 5 + (offering % 15);
  const serviceId = serviceIds[offering % SERVICES]!;
  const name = `${word(offering)} package ${offering}`;
  const expiresOn = n % 5 === 0 ? null : dayOf(soldAt + Math.round(Math.random() * YEARS.valid) * DAY);
  const terms = { name, expiresOn, soldOn: dayOf(soldAt), services: [soldMassage(limit, { serviceId })], fee: cad(80_00) };
  add(
    { type: 'PackageSold', data: { ...sale(terms), ...about, invoice: { ...sale(terms).invoice, invoiceId: randomUUID() } } },
    `package-${packageId}`,
  );
  if (n % 3 !== 0) {
    const to = Math.floor(Math.random() * limit);
    const data = { ...about, packageName: name, serviceId, serviceName: 'Massage', from: limit, to, adjustments: to - limit, reason: null };
    add({ type: 'RemainingAdjusted', data }, `package-${packageId}`, 1);
  }
  if (n % 20 === 0) add({ type: 'PackageCancelled', data: { ...cancelledWith().data, ...about } }, `package-${packageId}`, 2);
}

/** The last clients have many, all others about ten. */
const ownerOf = (n: number, clientIds: string[]): string =>
  n % Math.floor(PACKAGES / (WEALTHY * MORE)) === 0
    ? clientIds.at(-1 - Math.floor(Math.random() * WEALTHY))!
    : clientIds[Math.floor(Math.random() * clientIds.length)]!;

function recordedAt(event: AnyEvent, stream: string, revision: number, position: number, business: string): Recorded {
  const commandId = randomUUID();
  return {
    ...event,
    ...{ id: randomUUID(), stream, revision: BigInt(revision), position: BigInt(position) },
    metadata: {
      ...{ business, actor: { id: 'rita', role: 'receptionist' }, commandId, $correlationId: commandId, $causationId: commandId },
      ...{ time: new Date(TODAY + position).toISOString(), version: 1, hash: ''.padStart(64, '0') },
    },
  };
}
