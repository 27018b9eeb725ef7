import { hash } from 'node:crypto';
import type { Projection, RowOf } from '../../libs/projection-engine/define-projection.js';
import { appointmentList } from '../../projections/appointment-list.projection.js';
import { directory } from '../../projections/directory.projection.js';
import { packageList } from '../../projections/package-list.projection.js';
import { packageSales } from '../../projections/package-sales.projection.js';
import { packageUsage } from '../../projections/package-usage.projection.js';

// The rows of many businesses, as the projections would leave them: made one after the other, never held. What a row refers to is called by a
// number, from which its id follows.

export interface Size {
  businesses: number;
  large: number; // packages of the first of them
  packages: number; // of all
  sessions: number; // of all
}

export interface Written {
  projection: Projection;
  business: string;
  row: object;
}

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;
export const TODAY = Date.UTC(2027, 0, 31);
const YEARS = 3 * 365; // days over which was sold
const SESSIONS_OF_LARGE = 10; // of each of its packages
const PACKAGES_OF_CLIENT = 10;
const OFTEN = 20; // one package in so many is of the same client: a company
const OFFERINGS = 10;
const PROVIDERS = 20;
const FEE = 80_00;
const TAX = 11_98;
const EACH_FEE = { amount: 11_498, currency: 'CAD' };

/** The same for the same number, spread like any other. */
export function idOf(what: string, n: number): string {
  const digits = hash('md5', `${what} ${n}`, 'hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`;
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

export const businessOf = (n: number): string => idOf('business', n);
export const companyOf = (n: number): string => idOf(`client of ${n}`, 0);
export const offeringOf = (n: number): string => idOf(`offering of ${n}`, 0);

/** How many packages and sessions each business has. */
function sharesOf({ businesses, large, packages, sessions }: Size): { packages: number; sessions: number }[] {
  const ofLarge = Math.min(sessions, large * SESSIONS_OF_LARGE);
  const part = (all: number): number => Math.floor(all / Math.max(1, businesses - 1));
  return Array.from({ length: businesses }, (_, n) =>
    n === 0 ? { packages: large, sessions: ofLarge } : { packages: part(packages - large), sessions: part(sessions - ofLarge) },
  );
}

export function* rowsOf(size: Size): Generator<Written> {
  let position = 1;
  for (const [n, share] of sharesOf(size).entries()) {
    const business = businessOf(n);
    const clients = Math.ceil(share.packages / PACKAGES_OF_CLIENT) + 1;
    for (let k = 0; k < clients; k += 1) yield named(n, 'client', k, `${k % 7 === 0 ? 'Tremblay' : 'Roy'}, Client ${k * 7919}`);
    for (let k = 0; k < PROVIDERS; k += 1) yield named(n, 'provider', k, `Provider ${k}`);
    for (let k = 0; k < share.packages; k += 1) {
      const sessions = Math.floor(((k + 1) * share.sessions) / share.packages) - Math.floor((k * share.sessions) / share.packages);
      const sold = soldOf(n, k, { clients, sessions, of: share.packages });
      yield { projection: packageList, business, row: listed(sold, position) };
      yield { projection: packageSales, business, row: reported(sold, k) };
      yield { projection: packageUsage, business, row: entryOf(sold, { what: 'sold', effect: sold.limit, n: -1, position }) };
      position += 1;
      for (let session = 0; session < sessions; session += 1) {
        for (const row of used(sold, { session, position })) yield { business, ...row };
        position += 2;
      }
    }
  }
}

const named = (n: number, kind: 'client' | 'provider', k: number, name: string): Written => ({
  projection: directory,
  business: businessOf(n),
  row: { id: idOf(`${kind} of ${n}`, k), kind, name } satisfies RowOf<typeof directory>,
});

type Sold = ReturnType<typeof soldOf>;

/** Sold over three years, one after the other. */
function soldOf(n: number, k: number, { clients, sessions, of }: { clients: number; sessions: number; of: number }) {
  const offering = k % OFFERINGS;
  const at = TODAY - Math.round((1 - k / of) * YEARS) * DAY;
  return {
    ...{ n, k, offering, at, sessions, limit: sessions + (k % 4), name: `Package ${offering}`, soldOn: dayOf(at) },
    ...{ packageId: idOf(`package of ${n}`, k), invoiceId: idOf(`invoice of ${n}`, k), offeringId: idOf(`offering of ${n}`, offering) },
    ...{ clientId: idOf(`client of ${n}`, k % OFTEN === 0 ? 0 : (k * 7919) % clients), serviceId: idOf(`service of ${n}`, offering) },
    ...{ expiresOn: k % 5 === 0 ? null : dayOf(at + (30 + ((k * 31) % 365)) * DAY), cancelled: k % 20 === 7 },
  };
}

function listed(sold: Sold, position: number): RowOf<typeof packageList> {
  const { packageId, offeringId, clientId, name, soldOn, expiresOn, invoiceId, serviceId, limit, sessions } = sold;
  const remaining = limit - sessions;
  return {
    ...{
      packageId,
      offeringId,
      clientId,
      name,
      description: '',
      status: sold.cancelled ? 'cancelled' : 'sold',
      soldOn,
      expiresOn,
      invoiceId,
    },
    ...{ paymentMethod: 'paidUpfront', channel: 'staff', soldAt: new Date(sold.at).toISOString(), expiryRule: { kind: 'none' } },
    ...{ services: [{ serviceId, name: 'Massage', limit, fee: null, remaining, adjustments: 0, used: sessions }], remaining },
    ...{ total: FEE + TAX, refunded: 0, pending: 0, flags: [], refundsMadeAtStripe: [], disputes: [], currency: 'CAD', notMoved: [] },
    ...{ appointmentId: null, externalReference: null, imported: null, revision: BigInt(position) },
  };
}

/** A third are not paid yet, of some of those that were cancelled all is given back. */
function reported(sold: Sold, k: number): RowOf<typeof packageSales> {
  const { packageId, offeringId, clientId, soldOn, expiresOn, invoiceId, serviceId, limit, sessions, cancelled } = sold;
  const [fee, remaining] = [FEE + (k % 1_000), limit - sessions];
  const total = fee + TAX;
  const paid = k % 3 === 0 ? (k * 13) % total : total;
  const refunded = cancelled ? Math.floor(paid / (1 + (k % 3))) : 0;
  return {
    ...{ packageId, soldOn, invoiceId, invoiceNumber: `${soldOn.slice(0, 4)}-${String(k).padStart(6, '0')}`, clientId, offeringId },
    ...{ offeringName: sold.name, channel: 'staff', currency: 'CAD', fee, tax: TAX, total, adjustments: 0, paid, refunded },
    ...{ outstanding: total - paid + refunded, cancelled, expiresOn, left: [{ serviceId, remaining }], remaining },
  };
}

interface Entry {
  what: RowOf<typeof packageUsage>['what'];
  effect: number;
  n: number; // of the session; -1: of none
  position: number;
}

function entryOf(sold: Sold, { what, effect, n, position }: Entry): RowOf<typeof packageUsage> {
  const { packageId, offeringId, clientId, serviceId } = sold;
  const at = new Date(sold.at + (n + 1) * HOUR).toISOString();
  const session = sold.k * 1_000 + n;
  const [appointmentId, consumptionId] = [idOf(`appointment of ${sold.n}`, session), idOf(`session of ${sold.n}`, session)];
  return {
    ...{ entryId: idOf(what, position), packageId, packageName: sold.name, offeringId, ownerId: clientId, clientId, serviceId },
    ...{ serviceName: 'Massage', what, effect, remaining: what === 'sold' ? sold.limit : sold.limit - n, at, position: BigInt(position) },
    ...(n < 0 ? { appointmentId: null, consumptionId: null } : { appointmentId, consumptionId }),
    ...{ start: what === 'consumed' ? at : null, fee: what === 'consumed' ? EACH_FEE : null },
  };
}

/** A session with its appointment; one in ten comes back. */
function* used(sold: Sold, { session, position }: { session: number; position: number }): Generator<Omit<Written, 'business'>> {
  const taken = entryOf(sold, { what: 'consumed', effect: -1, n: session, position });
  const isReturned = (sold.k + session) % 10 === 0;
  yield { projection: packageUsage, row: taken };
  if (isReturned)
    yield {
      projection: packageUsage,
      row: entryOf(sold, { what: 'returned', effect: 1, n: session, position: position + 1 }),
    };
  const start = sold.at + (1 + session) * 7 * DAY + (session % 9) * HOUR;
  const row: RowOf<typeof appointmentList> = {
    ...{ appointmentId: taken.appointmentId!, clientId: sold.clientId, serviceId: sold.serviceId, serviceName: 'Massage' },
    ...{ providerId: idOf(`provider of ${sold.n}`, (sold.k + session) % PROVIDERS), timeZone: 'America/Toronto', on: dayOf(start) },
    ...{ start: new Date(start).toISOString(), end: new Date(start + HOUR).toISOString() },
    ...(isReturned ? { status: 'cancelled', outcome: 'returned' } : { status: 'completed', outcome: null }),
    ...{ packageId: sold.packageId, consumptionId: taken.consumptionId, soldPackageIds: [], seriesId: null },
    ...{ invoiceId: idOf(`invoice of appointment of ${sold.n}`, position), externalReference: null, revision: 1n },
  };
  yield { projection: appointmentList, row };
}
