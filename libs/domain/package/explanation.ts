import type { Recorded } from '../kernel/event.js';
import { RefundsSoFar, sharesOf, type Share } from '../kernel/explanation.js';
import { idFor } from '../kernel/ids.js';
import { pick } from '../kernel/pick.js';
import type { PackageEvent } from './package.events.js';

/** Figures of one service of a package. */
export const SERVICE_FIGURES = ['remaining', 'used', 'adjustments'] as const;
/** Figures of the package itself. */
export const PACKAGE_FIGURES = ['refunded', 'pending'] as const;
/** Figures of the report of usage (J3). */
export const USAGE_FIGURES = ['entries', 'taken', 'returned', 'forfeited', 'adjusted', 'effect', 'fee'] as const;

export type ServiceFigure = (typeof SERVICE_FIGURES)[number];
export type PackageFigure = (typeof PACKAGE_FIGURES)[number];
export type UsageFigure = (typeof USAGE_FIGURES)[number];

/** Why so many sessions of a service remain, are used or were adjusted: the events that add up to it. Of an unlimited one, what remains is its sale. */
export const explainService = (
  events: readonly Recorded<PackageEvent>[],
  serviceId: string,
  figure: ServiceFigure,
): Share<PackageEvent>[] => {
  const sale = events.find(({ type, data }) => type === 'PackageSold' && limitIn(data, serviceId) === 'unlimited');
  if (sale && figure === 'remaining') return [{ event: sale, adds: null, sum: null }];
  return sharesOf(events, figure, (event) => toService(event, serviceId));
};

/** What an event adds to the figures of a service; the sale of an unlimited one adds no number. */
const toService = ({ type, data }: PackageEvent, serviceId: string): { [Figure in ServiceFigure]?: number } => {
  if (type === 'PackageSold') {
    const limit = limitIn(data, serviceId);
    return { remaining: limit === 'unlimited' ? 0 : (limit ?? 0) };
  }
  if (!('serviceId' in data) || data.serviceId !== serviceId) return {};
  switch (type) {
    case 'SessionConsumed':
      return { remaining: -1, used: 1 };
    case 'SessionReturned':
      return { remaining: 1, used: -1 };
    case 'RemainingAdjusted':
      return { remaining: data.to - data.from, adjustments: data.to - data.from };
    default:
      return {}; // moved, forfeited or standing again: it is used all the same
  }
};

/** J3: an entry of the report of usage: an event, and of a sale one of its services. */
export interface Use {
  entryId: string;
  event: Recorded<PackageEvent>;
  adds: Record<UsageFigure, number>;
  says: UseSays;
}

/** What decides in which figures it is. */
interface UseSays {
  what: UseWhat;
  packageId: string;
  offeringId: string;
  ownerId: string;
  clientId: string; // who used it
  serviceId: string;
  appointmentId: string | null;
  recordedAt: string;
}

type UseWhat = 'sold' | 'consumed' | 'moved' | 'returned' | 'forfeited' | 'forfeitUndone' | 'adjusted';
const WHAT: { [Type in PackageEvent['type']]?: UseWhat } = {
  ...{ PackageSold: 'sold', SessionConsumed: 'consumed', SessionMoved: 'moved', SessionReturned: 'returned' },
  ...{ SessionForfeited: 'forfeited', SessionForfeitUndone: 'forfeitUndone', RemainingAdjusted: 'adjusted' },
};

/** J3: the entries that the events of a package make, in their order, and what each adds to the figures of the report. */
export const usesIn = (events: readonly Recorded<PackageEvent>[]): Use[] => {
  const charged = new Map<string, number>(); // by consumption: what comes back takes its fee with it
  return events.flatMap((event): Use[] => {
    const { id, type, data } = event;
    if (type === 'PackageSold') {
      return data.services.map(({ serviceId }) => ({
        ...{ entryId: idFor(id, serviceId), event, adds: toUsage(event, serviceId, 0) },
        says: { ...ofOwner(data), what: 'sold' as const, serviceId, recordedAt: event.metadata.time },
      }));
    }
    const what = WHAT[type];
    if (what === undefined || !('serviceId' in data)) return [];
    if (type === 'SessionConsumed') charged.set(data.consumptionId, data.charge.total.amount);
    const fee = 'consumptionId' in data ? (charged.get(data.consumptionId) ?? 0) : 0;
    const whose = 'ownerId' in data ? pick(data, 'packageId', 'offeringId', 'ownerId', 'clientId', 'appointmentId') : ofOwner(data);
    const says = { ...whose, what, serviceId: data.serviceId, recordedAt: event.metadata.time };
    return [{ entryId: id, event, adds: toUsage(event, data.serviceId, fee), says }];
  });
};

const ofOwner = ({ packageId, offeringId, clientId }: Record<'packageId' | 'offeringId' | 'clientId', string>) => ({
  ...{ packageId, offeringId, clientId, ownerId: clientId, appointmentId: null },
});

const toUsage = (event: PackageEvent, serviceId: string, charged: number): Use['adds'] => {
  const { remaining = 0, used = 0, adjustments = 0 } = toService(event, serviceId);
  const [taken, returned] = [Math.max(used, 0), Math.max(-used, 0)];
  const forfeited = event.type === 'SessionForfeited' ? 1 : event.type === 'SessionForfeitUndone' ? -1 : 0;
  const fee = taken * charged - returned * charged;
  return { entries: 1, taken, returned, forfeited, adjusted: adjustments, effect: remaining, fee };
};

/** Why so much of it was refunded, or waits for Stripe. */
export const explainRefunds = (events: readonly Recorded<PackageEvent>[], figure: PackageFigure): Share<PackageEvent>[] => {
  const refunds = new RefundsSoFar();
  return sharesOf(events, figure, ({ type, data }) => {
    switch (type) {
      case 'PackageRefundRequested':
        return refunds.becomes('pending', data);
      case 'PackageRefunded':
        return refunds.becomes('refunded', data);
      case 'PackageRefundRefused':
        return refunds.becomes('none', data);
      default:
        return {};
    }
  });
};

/** An event that set the last valid day, or moved it; null: it does not expire, or not yet. */
export interface ExpiryStep {
  event: Recorded<PackageEvent>;
  from: string | null;
  to: string | null;
}

/** E3, F2: why it ends on that day: its sale, each adjustment, and each use of a session that moved it, in their order. */
export const explainExpiry = (events: readonly Recorded<PackageEvent>[]): ExpiryStep[] => {
  const steps: ExpiryStep[] = [];
  let from: string | null = null;
  for (const event of events) {
    const to = expiryAfter(event);
    if (to === undefined) continue;
    if (to !== from || SETTING.has(event.type)) steps.push({ event, from, to });
    from = to;
  }
  return steps;
};

/** They say the day by themselves, also if it is the one that it was. */
const SETTING: ReadonlySet<string> = new Set<PackageEvent['type']>(['PackageSold', 'ExpiryAdjusted', 'ExpiryRestored']);

/** Undefined: it says nothing of it. What an import says of it is adjusted in the same append. */
const expiryAfter = ({ type, data }: PackageEvent): string | null | undefined => {
  if (type === 'ExpiryAdjusted' || type === 'ExpiryRestored') return data.to;
  return type !== 'PackageImported' && 'expiresOn' in data ? data.expiresOn : undefined;
};

type Data = PackageEvent['data'];

const limitIn = (data: Data, serviceId: string) =>
  'services' in data ? data.services.find((service) => service.serviceId === serviceId)?.limit : undefined;
