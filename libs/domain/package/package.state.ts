import type { Aggregate, EventOf } from '../kernel/event.js';
import { sum } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { NotFound } from '../kernel/refusal.js';
import type { Charge, ExpiryRule, Money } from '../kernel/shapes.js';
import {
  packageEvents,
  type PackageCancelled,
  type PackageDisputed,
  type PackageEvent,
  type PackageImportedData,
  type PackageRefunded,
  type SoldService,
} from './package.events.js';

export type PackageState = { status: 'unsold' } | SoldPackage;

export interface SoldPackage {
  status: 'sold' | 'cancelled';
  packageId: string;
  offeringId: string;
  clientId: string; // the owner
  name: string;
  paymentMethod: 'paidUpfront' | 'paidEachAppointment';
  invoiceId: string;
  total: Money; // of the package itself with its taxes
  currency: string;
  soldOn: string;
  expiryRule: ExpiryRule;
  adjustedExpiries: string[]; // F2: the newest stands; none: the rule stands
  expiryBefore: string | null; // the first of them: what the rule had come to
  expiresOn: string | null;
  services: Map<string, ServiceLeft>;
  sessions: Map<string, Session>; // by consumption, for ever: a late repeat finds its own
  imported: PackageImportedData | null; // L7: as it was moved in; null: sold here
  cancellation: Cancellation | null; // that stands
  refunds: Refund[];
  disputes: Dispute[];
}

/** Money given back of what was paid for the package (H5), or that is to be, through Stripe (H6). */
export interface Refund extends Pick<EventOf<typeof PackageRefunded>['data'], 'refundId' | 'amount' | 'outcome' | 'method' | 'source'> {
  status: 'pending' | 'succeeded' | 'failed';
  tax: Money | null; // null: worked out when it succeeds
  refundedOn: string | null; // null: it never succeeded
  refused: boolean; // by the invoice: nothing was given back
  failure: string | null; // why it failed, in Stripe's word
}

export type Dispute = Pick<EventOf<typeof PackageDisputed>['data'], 'disputeId' | 'amount' | 'status' | 'because' | 'disputedOn'>;

export type Cancellation = Pick<EventOf<typeof PackageCancelled>['data'], 'appointments' | 'unpaid' | 'writeOff'>;

export interface ServiceLeft extends SoldService {
  remaining: number | null; // null: unlimited
  adjustments: number;
  used: number;
}

export interface Session {
  consumptionId: string;
  appointmentId: string;
  serviceId: string;
  clientId: string; // who uses it
  providerId: string;
  start: string;
  end: string;
  on: string;
  moves: number;
  outcome: 'standing' | 'returned' | 'forfeited';
  refused: boolean; // by its appointment, which then kept the invoice that it had
  replaces: string | null; // the consumption in whose place it was taken
  invoiceId: string; // of the appointment
  charge: Charge; // that this invoice was issued with
}

type Counted = { consumptionId: string; serviceId: string; remaining: number | null; used: number; expiresOn: string | null };

/** The fold owns its state and changes it in place, so that a long history costs its length, not its square. */
export const packageAggregate: Aggregate<PackageState, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { status: 'unsold' },
  evolve: (state, { type, data }) => {
    if (type === 'PackageSold') {
      return {
        status: 'sold',
        ...pick(data, 'packageId', 'offeringId', 'clientId', 'name', 'paymentMethod', 'soldOn', 'expiryRule', 'expiresOn'),
        invoiceId: data.invoice.invoiceId,
        total: data.charge.total,
        currency: data.charge.net.currency,
        cancellation: null,
        refunds: [],
        disputes: [],
        adjustedExpiries: [],
        expiryBefore: null,
        services: new Map(data.services.map((service) => [service.serviceId, unused(service)])),
        sessions: new Map(),
        imported: null,
      };
    }
    if (state.status === 'unsold') return state;
    switch (type) {
      case 'PackageImported':
        state.imported = data;
        return state;
      case 'SessionConsumed':
        state.sessions.set(data.consumptionId, {
          ...pick(data, 'consumptionId', 'appointmentId', 'invoiceId', 'serviceId', 'providerId', 'clientId', 'start', 'end', 'on'),
          ...pick(data, 'charge', 'replaces'),
          ...{ outcome: 'standing', refused: false, moves: 0 },
        });
        return counted(state, data);
      case 'SeriesTaken':
        return state;
      case 'SessionMoved':
        Object.assign(state.sessions.get(data.consumptionId)!, pick(data, 'providerId', 'start', 'end', 'on', 'moves'));
        return counted(state, data);
      case 'SessionReturned':
        Object.assign(state.sessions.get(data.consumptionId)!, { outcome: 'returned', refused: data.because === 'refused' });
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
        if (data.adjustments === 1) state.expiryBefore = data.from;
        state.adjustedExpiries = [...state.adjustedExpiries.slice(0, data.adjustments - 1), data.to];
        state.expiresOn = data.to;
        return state;
      case 'ExpiryRestored':
        state.adjustedExpiries = state.adjustedExpiries.slice(0, data.adjustments);
        state.expiresOn = data.to;
        return state;
      case 'PackageCancelled':
        state.status = 'cancelled';
        state.cancellation = pick(data, 'appointments', 'unpaid', 'writeOff');
        return state;
      case 'PackageReinstated':
        state.status = 'sold';
        state.cancellation = null;
        return state;
      case 'PackageRefunded':
        return withRefund(state, {
          ...pick(data, 'refundId', 'amount', 'tax', 'outcome', 'method', 'source', 'refundedOn'),
          ...{ status: 'succeeded', refused: false, failure: null },
        });
      case 'PackageRefundRequested':
        return withRefund(state, {
          ...{ ...pick(data, 'refundId', 'amount', 'outcome'), method: 'stripe', source: 'staff', status: 'pending' },
          ...{ tax: null, refundedOn: null, refused: false, failure: null },
        });
      case 'PackageRefundRefused': {
        const { because, failure } = data;
        const refund = state.refunds.find(({ refundId }) => refundId === data.refundId);
        return refund ? withRefund(state, { ...refund, status: 'failed', refused: because === 'invoice', failure }) : state;
      }
      case 'PackageDisputed':
        state.disputes = [
          ...state.disputes.filter(({ disputeId }) => disputeId !== data.disputeId),
          pick(data, 'disputeId', 'amount', 'status', 'because', 'disputedOn'),
        ];
        return state;
      default:
        return type satisfies never;
    }
  },
};

/** A package as answers and past states show it. */
export type PackageView = Omit<
  SoldPackage,
  'services' | 'sessions' | 'adjustedExpiries' | 'expiryBefore' | 'imported' | 'cancellation' | 'total'
> & {
  services: Omit<ServiceLeft, 'price' | 'weight'>[];
  sessions: (Omit<Session, 'refused' | 'replaces' | 'moves' | 'providerId' | 'end'> & { place: string | null })[];
};

/** @throws NotFound when it was not sold */
export const packageView = (state: PackageState): PackageView => {
  if (state.status === 'unsold') throw new NotFound('package', '');
  const { services, sessions, adjustedExpiries: _, expiryBefore: __, imported: ___, cancellation: ____, total: _____, ...rest } = state;
  const places = placesOf(state);
  return {
    ...rest,
    services: [...services.values()].map(({ price: _, weight: __, ...service }) => service),
    sessions: [...sessions.values()].map((session) => ({
      ...pick(session, 'consumptionId', 'appointmentId', 'invoiceId', 'serviceId', 'clientId', 'start', 'on', 'outcome', 'charge'),
      place: places.get(session.consumptionId) ?? null,
    })),
  };
};

/** A session counts until it is returned; a forfeited one too (E3). */
export const standing = ({ sessions }: SoldPackage): Session[] => [...sessions.values()].filter(({ outcome }) => outcome !== 'returned');

/** The session that was taken in place of a consumption that was returned, unless its appointment refused it. */
export const replacementOf = ({ sessions }: SoldPackage, consumptionId: string): Session | undefined =>
  [...sessions.values()].find(({ replaces, refused }) => replaces === consumptionId && !refused);

/** "Session 2 of 5", by consumption: places among the standing sessions of a service by start; worked out when read, never stored. */
export const placesOf = (sold: SoldPackage): Map<string, string> => {
  const seen = new Map<string, number>();
  const inOrder = standing(sold).sort((a, b) => compare(a.start, b.start) || compare(a.consumptionId, b.consumptionId));
  return new Map(
    inOrder.map(({ consumptionId, serviceId }) => {
      const place = (seen.get(serviceId) ?? 0) + 1;
      seen.set(serviceId, place);
      const { limit, adjustments } = sold.services.get(serviceId)!;
      return [consumptionId, `Session ${place}${limit === 'unlimited' ? '' : ` of ${limit + adjustments}`}`];
    }),
  );
};

type Refunded = Pick<SoldPackage, 'refunds' | 'currency'>;

/** What was given back, all refunds together. */
export const refundedOf = (sold: Refunded): Money => inAll(sold, 'succeeded');

/** What is to be given back through Stripe, which has not confirmed it yet (H6). */
export const pendingOf = (sold: Refunded): Money => inAll(sold, 'pending');

const inAll = ({ refunds, currency }: Refunded, status: Refund['status']): Money =>
  sum(
    currency,
    refunds.filter((refund) => refund.status === status).map(({ amount }) => amount),
  );

/** In the place in which it was, or after the others. */
const withRefund = (state: SoldPackage, refund: Refund): SoldPackage => {
  const isIt = ({ refundId }: Refund): boolean => refundId === refund.refundId;
  state.refunds = state.refunds.some(isIt) ? state.refunds.map((one) => (isIt(one) ? refund : one)) : [...state.refunds, refund];
  return state;
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const unused = (service: SoldService): ServiceLeft => ({
  ...service,
  remaining: service.limit === 'unlimited' ? null : service.limit,
  adjustments: 0,
  used: 0,
});

const counted = (state: SoldPackage, { serviceId, remaining, used, expiresOn }: Counted): SoldPackage => {
  Object.assign(state.services.get(serviceId)!, { remaining, used });
  state.expiresOn = expiresOn;
  return state;
};
