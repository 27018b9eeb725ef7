import type { Recorded } from '../kernel/event.js';
import { RefundsSoFar, sharesOf, type Share } from '../kernel/explanation.js';
import type { PackageEvent } from './package.events.js';

/** Figures of one service of a package. */
export const SERVICE_FIGURES = ['remaining', 'used', 'adjustments'] as const;
/** Figures of the package itself. */
export const PACKAGE_FIGURES = ['refunded', 'pending'] as const;

export type ServiceFigure = (typeof SERVICE_FIGURES)[number];
export type PackageFigure = (typeof PACKAGE_FIGURES)[number];

/** Why so many sessions of a service remain, are used or were adjusted: the events that add up to it. Of an unlimited one, what remains is its sale. */
export const explainService = (
  events: readonly Recorded<PackageEvent>[],
  serviceId: string,
  figure: ServiceFigure,
): Share<PackageEvent>[] => {
  const sale = events.find(({ type, data }) => type === 'PackageSold' && limitIn(data, serviceId) === 'unlimited');
  if (sale && figure === 'remaining') return [{ event: sale, adds: null, sum: null }];
  return sharesOf(events, figure, ({ type, data }) => {
    if (type === 'PackageSold') return { remaining: Number(limitIn(data, serviceId) ?? 0) };
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
  });
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

type Data = PackageEvent['data'];

const limitIn = (data: Data, serviceId: string) =>
  'services' in data ? data.services.find((service) => service.serviceId === serviceId)?.limit : undefined;
