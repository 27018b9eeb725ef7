import { minus, sum, zero } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import type { Limit, Money } from '../kernel/shapes.js';
import { pendingOf, refundedOf, standing, type ServiceLeft, type SoldPackage } from './package.state.js';

/** What has become of the sessions of one service, and what they are worth. */
export interface ServiceValue {
  serviceId: string;
  name: string;
  limit: Limit;
  price: Money; // at the sale
  weight: number | null; // of one session in the package's value: its price, 1 if all prices are 0; null: one service is unlimited
  used: number; // started, or forfeited
  forfeited: number; // of those used
  booked: number; // yet to come
  counted: number; // of those used, without the ones that were added by adjustment
  sessionValue: Money | null; // of one session, rounded for reading
  valueUsed: Money | null; // of those counted, rounded for reading
}

export interface SuggestedRefund {
  packageId: string;
  total: Money;
  paid: Money;
  refunded: Money;
  pending: Money; // refunds that Stripe has not confirmed yet: no longer there to be suggested
  services: ServiceValue[];
  weights: string | null; // Σ(weight × limit), by which the total is divided; digits, since it may be beyond the safe integers
  valueUsed: Money | null; // summed exactly, rounded once
  valueBooked: Money | null; // of the sessions yet to come, shown apart: not taken off
  suggested: Money | null;
  because: 'unlimited' | null; // why there is no suggestion
}

/**
 * H4: max(0, paid − refunded − value used), and less what is about to be refunded (H6). A session is worth
 * total × weight ÷ Σ(weight × limit); those added by adjustment are worth nothing.
 * @param money of the package's invoice
 * @param now an instant: what has started by then is used
 */
export const suggestedRefund = (
  sold: SoldPackage,
  money: { paid: Money; refunded: Money; pending: Money },
  now: string,
): SuggestedRefund => {
  const { packageId, total, currency } = sold;
  const refunded = larger(money.refunded, refundedOf(sold)); // a refund that the invoice has not heard of yet
  const taken = larger(sum(currency, [money.refunded, money.pending]), sum(currency, [refundedOf(sold), pendingOf(sold)]));
  const uses = [...sold.services.values()].map((service) => useOf(sold, service, now));
  const whole = wholeOf(uses);
  const value = (weight: bigint): Money | null => (whole === null ? null : shareOf(total, weight, whole));
  const nothingUsed = uses.every(({ used }) => used === 0);
  const valueUsed = nothingUsed ? zero(currency) : value(weightOf(uses, ({ counted }) => counted));
  const left = valueUsed && minus(minus(money.paid, taken), valueUsed);
  return {
    ...{ packageId, total, paid: money.paid, refunded, pending: minus(taken, refunded), weights: whole?.toString() ?? null, valueUsed },
    services: uses.map(({ bookedCounted: _, ...use }) => ({
      ...use,
      sessionValue: value(BigInt(use.weight ?? 0)),
      valueUsed: value(BigInt(use.weight ?? 0) * BigInt(use.counted)),
    })),
    valueBooked: value(weightOf(uses, ({ bookedCounted }) => bookedCounted)),
    suggested: left && larger(left, zero(currency)),
    because: left === null ? 'unlimited' : null,
  };
};

type Use = Omit<ServiceValue, 'sessionValue' | 'valueUsed'> & { bookedCounted: number };

const useOf = (sold: SoldPackage, { serviceId, limit, ...service }: ServiceLeft, now: string): Use => {
  const sessions = standing(sold).filter((session) => session.serviceId === serviceId);
  const forfeited = sessions.filter(({ outcome }) => outcome === 'forfeited').length;
  const booked = sessions.filter(({ outcome, start }) => outcome === 'standing' && start > now).length;
  const used = sessions.length - booked;
  const most = limit === 'unlimited' ? Infinity : limit;
  const counted = Math.min(used, most);
  return {
    ...{ serviceId, limit, ...pick(service, 'name', 'price', 'weight') },
    ...{ used, forfeited, booked, counted, bookedCounted: Math.min(booked, most - counted) },
  };
};

/** Σ(weight × limit); null: one service is unlimited. */
const wholeOf = (uses: readonly Use[]): bigint | null =>
  uses.some(({ limit }) => limit === 'unlimited') ? null : weightOf(uses, ({ limit }) => limit as number);

const weightOf = (uses: readonly Use[], count: (use: Use) => number): bigint =>
  uses.reduce((sum, use) => sum + BigInt(use.weight ?? 0) * BigInt(count(use)), 0n);

/** part ÷ whole of an amount of 0 or more, exact until it is rounded half up to the minor unit. */
const shareOf = ({ amount, currency }: Money, part: bigint, whole: bigint): Money => ({
  amount: Number((2n * BigInt(amount) * part + whole) / (2n * whole)),
  currency,
});

const larger = (one: Money, other: Money): Money => (other.amount > one.amount ? other : one);
