import type { Aggregate } from '../kernel/event.js';
import type { ExpiryRule } from '../kernel/shapes.js';
import { packageEvents, type PackageEvent, type SoldService } from './package.events.js';

export type PackageState = { status: 'unsold' } | SoldPackage;

export interface SoldPackage {
  status: 'sold' | 'cancelled';
  packageId: string;
  offeringId: string;
  clientId: string; // the owner
  name: string;
  paymentMethod: 'paidUpfront' | 'paidEachAppointment';
  invoiceId: string;
  currency: string;
  soldOn: string;
  expiryRule: ExpiryRule;
  adjustedExpiries: string[]; // F2: the newest stands; none: the rule stands
  expiresOn: string | null;
  services: Map<string, ServiceLeft>;
  sessions: Map<string, Session>; // by consumption, for ever: a late repeat finds its own
}

export interface ServiceLeft extends Pick<SoldService, 'serviceId' | 'name' | 'limit' | 'fee'> {
  remaining: number | null; // null: unlimited
  adjustments: number;
  used: number;
}

export interface Session {
  consumptionId: string;
  appointmentId: string;
  serviceId: string;
  clientId: string; // who uses it
  start: string;
  on: string;
  outcome: 'standing' | 'returned' | 'forfeited';
  invoiceId: string; // of the appointment
}

type Counted = { consumptionId: string; serviceId: string; remaining: number | null; used: number; expiresOn: string | null };

/** The fold owns its state and changes it in place, so that a long history costs its length, not its square. */
export const packageAggregate: Aggregate<PackageState, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { status: 'unsold' },
  evolve: (state, { type, data }) => {
    if (type === 'PackageSold') {
      const { packageId, offeringId, clientId, name, paymentMethod, soldOn, expiryRule, expiresOn } = data;
      return {
        ...{ status: 'sold', packageId, offeringId, clientId, name, paymentMethod, soldOn, expiryRule, expiresOn },
        invoiceId: data.invoice.invoiceId,
        currency: data.charge.net.currency,
        adjustedExpiries: [],
        services: new Map(data.services.map((service) => [service.serviceId, unused(service)])),
        sessions: new Map(),
      };
    }
    if (state.status === 'unsold') return state;
    switch (type) {
      case 'SessionConsumed': {
        const { consumptionId, appointmentId, invoiceId, serviceId, clientId, start, on } = data;
        state.sessions.set(consumptionId, {
          ...{ consumptionId, appointmentId, invoiceId, serviceId, clientId, start, on, outcome: 'standing' },
        });
        return counted(state, data);
      }
      case 'SessionReturned':
        state.sessions.get(data.consumptionId)!.outcome = 'returned';
        return counted(state, data);
      case 'SessionForfeited':
        state.sessions.get(data.consumptionId)!.outcome = 'forfeited';
        return counted(state, data);
      case 'SessionForfeitUndone':
        state.sessions.get(data.consumptionId)!.outcome = 'standing';
        return counted(state, data);
      case 'RemainingAdjusted':
        Object.assign(state.services.get(data.serviceId)!, { remaining: data.to, adjustments: data.adjustments });
        return state;
      case 'ExpiryAdjusted':
        state.adjustedExpiries.push(data.to);
        state.expiresOn = data.to;
        return state;
      case 'ExpiryRestored':
        state.adjustedExpiries.pop();
        state.expiresOn = data.to;
        return state;
      case 'PackageCancelled':
        state.status = 'cancelled';
        return state;
      default:
        return type satisfies never;
    }
  },
};

/** A session counts until it is returned; a forfeited one too (E3). */
export const standing = ({ sessions }: SoldPackage): Session[] => [...sessions.values()].filter(({ outcome }) => outcome !== 'returned');

/** "Session 2 of 5": its place among the standing sessions of its service by start; worked out when read, never stored. */
export const placeOf = (sold: SoldPackage, consumptionId: string): { session: number; of: number | 'unlimited' } | null => {
  const own = sold.sessions.get(consumptionId);
  const service = own && sold.services.get(own.serviceId);
  if (!own || !service || own.outcome === 'returned') return null;
  const before = standing(sold).filter(
    ({ serviceId, start, consumptionId: other }) => serviceId === own.serviceId && comesBefore({ start, other }, own),
  );
  return { session: before.length + 1, of: service.limit === 'unlimited' ? 'unlimited' : service.limit + service.adjustments };
};

const comesBefore = ({ start, other }: { start: string; other: string }, own: Session): boolean =>
  start < own.start || (start === own.start && other < own.consumptionId);

const unused = ({ serviceId, name, limit, fee }: SoldService): ServiceLeft => ({
  ...{ serviceId, name, limit, fee },
  remaining: limit === 'unlimited' ? null : limit,
  adjustments: 0,
  used: 0,
});

const counted = (state: SoldPackage, { serviceId, remaining, used, expiresOn }: Counted): SoldPackage => {
  Object.assign(state.services.get(serviceId)!, { remaining, used });
  state.expiresOn = expiresOn;
  return state;
};
