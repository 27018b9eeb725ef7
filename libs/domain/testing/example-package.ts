import type { ExpiryRule, Limit, Money } from '../kernel/shapes.js';
import { withTaxes, type Tax } from '../kernel/money.js';
import { cancelPackage, type CancelPackage } from '../package/cancellation.decisions.js';
import { consumeSession, type ConsumeSession } from '../package/package.decisions.js';
import type { PackageEvent, PackageSoldData, SoldService } from '../package/package.events.js';
import { anna, at, cad, facial, idOf, massage } from './example.js';
import { invoiceContent } from './example-invoice.js';

type EventData<Type extends PackageEvent['type']> = Extract<PackageEvent, { type: Type }>['data'];

export const p = idOf('package');
export const january = '2027-01-31'; // when the example is sold
export const fromPurchase = (amount: number, unit: 'days' | 'weeks' | 'months'): ExpiryRule => ({
  kind: 'after',
  from: 'purchase',
  amount,
  unit,
});
export const fromFirstUse = (amount: number, unit: 'days' | 'weeks' | 'months'): ExpiryRule => ({
  kind: 'after',
  from: 'firstUse',
  amount,
  unit,
});

export const soldMassage = (limit: Limit, over: Partial<SoldService> = {}): SoldService => ({
  ...{ serviceId: massage, name: 'Massage', limit, price: cad(100_00), fee: null, ...over },
  weight: limit === 'unlimited' ? null : 100_00,
});
export const soldFacial = (limit: Limit): SoldService => soldMassage(limit, { serviceId: facial, name: 'Facial' });

/** Anna's package for $80 with these taxes: one massage, without expiry, if nothing else is said. */
export const sale = (over: Partial<PackageSoldData> & { fee?: Money; taxes?: readonly Tax[] } = {}): PackageSoldData => {
  const { fee = cad(80_00), taxes = [], ...given } = over;
  return {
    ...{ packageId: p, clientId: anna, offeringId: idOf('offering'), name: 'Relax', description: '', services: [soldMassage(1)] },
    ...{ paymentMethod: 'paidUpfront', charge: withTaxes(fee, taxes), expiryRule: { kind: 'none' }, expiresOn: null, soldOn: january },
    ...{ timeZone: 'America/Toronto', channel: 'staff', appointmentId: null, purchaseId: null, externalReference: null },
    ...{ payment: null, paymentReference: null },
    invoice: invoiceContent({
      ...{ invoiceId: idOf('ip'), kind: 'package', packageId: p, appointmentId: null },
      lines: [{ description: 'Relax', serviceId: null, net: fee, taxes }],
    }),
    ...given,
  };
};
export const sold = (over: Parameters<typeof sale>[0] = {}): PackageEvent => ({ type: 'PackageSold', data: sale(over) });

/** Session n, from one day to another. */
export const sessionMoved = (
  from: string,
  to: string,
  remaining: number | null,
  { n = 1, moves = 1, ...over }: Parameters<typeof ended>[1] & { moves?: number } = {},
): PackageEvent => {
  const { providerId, start, end, timeZone, on } = session(to, n);
  const before = session(from, n);
  return {
    type: 'SessionMoved',
    data: {
      ...{ ...ended(remaining, { n, used: 1, ...over }), providerId, start, end, timeZone, on, moves },
      from: { providerId, start: before.start, end: before.end, on: before.on },
    },
  };
};

const relax = { offeringId: idOf('offering'), packageName: 'Relax' };
const aMassage = { serviceId: massage, serviceName: 'Massage' };

/** Session n of a package on a day; n names its consumption, its appointment and that appointment's invoice. */
const session = (on: string, n: number) => ({
  ...{ packageId: p, consumptionId: idOf(`c${n}`), appointmentId: idOf(`a${n}`), clientId: anna, ...aMassage },
  ...{ providerId: idOf('provider'), externalReference: null, purpose: 'booking' as const },
  ...at(on),
});

export const use = (on: string, n = 1, over: Partial<ConsumeSession> = {}): ConsumeSession => ({
  ...session(on, n),
  ...{ invoiceId: idOf(`i${n}`), serviceTaxes: [], shared: false, today: january, ...over },
});
export const consume = (on: string, n?: number, over?: Partial<ConsumeSession>) => consumeSession(use(on, n, over));

type Consumed = Partial<EventData<'SessionConsumed'>> & { n?: number; fee?: Money; taxes?: readonly Tax[]; issuedOn?: string };

export const consumed = (
  on: string,
  remaining: number | null,
  { n = 1, fee = cad(0), taxes = [], issuedOn = january, ...over }: Consumed = {},
): PackageEvent => {
  const own = { ...session(on, n), invoiceId: idOf(`i${n}`), ...over };
  const invoice = invoiceContent({
    ...{ invoiceId: own.invoiceId, clientId: own.clientId, packageId: p, appointmentId: own.appointmentId },
    ...{ packageInvoiceId: idOf('ip'), issuedOn },
    lines: [{ description: `${own.serviceName} (Relax)`, serviceId: own.serviceId, net: fee, taxes }],
  });
  return {
    type: 'SessionConsumed',
    data: {
      ...{ ...relax, ownerId: anna, seriesId: null, replaces: null, remaining, used: 1, expiresOn: null },
      ...{ charge: withTaxes(fee, taxes), invoice: own.purpose === 'noShowUndone' ? null : invoice, ...own },
    },
  };
};

/** What is the same in every event on a session's end: which one, and the counts after it. */
export const ended = (
  remaining: number | null,
  { n = 1, ...over }: Partial<EventData<'SessionForfeitUndone'>> & { n?: number } = {},
): EventData<'SessionForfeitUndone'> => ({
  ...{ packageId: p, ownerId: anna, clientId: anna, consumptionId: idOf(`c${n}`), appointmentId: idOf(`a${n}`) },
  ...{ ...relax, ...aMassage },
  ...{ remaining, used: 0, expiresOn: null, ...over },
});
export const returned = (
  remaining: number | null,
  { because = 'noShow', ...over }: Parameters<typeof ended>[1] & { because?: EventData<'SessionReturned'>['because'] } = {},
): PackageEvent => ({ type: 'SessionReturned', data: { ...ended(remaining, over), because, invoice: null } });
export const forfeited = (remaining: number | null, over: Parameters<typeof ended>[1] = {}): PackageEvent => ({
  type: 'SessionForfeited',
  data: { ...ended(remaining, { used: 1, ...over }), because: 'noShow' },
});

type Adjusted = { adjustments?: number; reason?: string | null };

export const remainingAdjusted = (from: number, to: number, { adjustments = to - from, reason = null }: Adjusted = {}): PackageEvent => ({
  type: 'RemainingAdjusted',
  data: { packageId: p, clientId: anna, ...relax, ...aMassage, from, to, adjustments, reason },
});
/** The nth adjustment of the expiry that stands. */
export const expiryAdjusted = (from: string | null, to: string, adjustments = 1): PackageEvent => ({
  type: 'ExpiryAdjusted',
  data: { packageId: p, clientId: anna, from, to, adjustments, reason: null },
});
/** The latest adjustment undone: so many of them still stand. */
export const expiryRestored = (from: string, to: string | null, adjustments = 0): PackageEvent => ({
  type: 'ExpiryRestored',
  data: { packageId: p, clientId: anna, from, to, adjustments, reason: null },
});
/** Its appointments stay and what is unpaid stays owing, if nothing else is said. */
export const cancelledWith = (over: Partial<EventData<'PackageCancelled'>> = {}): PackageEvent => ({
  type: 'PackageCancelled',
  data: {
    ...{ packageId: p, clientId: anna, appointments: 'stay', unpaid: 'owing', reason: null, writeOff: null, toRegularFee: [] },
    ...over,
  },
});
export const cancelled: PackageEvent = cancelledWith();
/** On the day of the sale at noon, as `cancelled` says. */
export const cancelling = (over: Partial<CancelPackage> = {}) =>
  cancelPackage({
    ...{ packageId: p, appointments: 'stay', unpaid: 'owing', reason: null, adjustmentId: idOf('write-off'), prices: new Map() },
    ...{ now: `${january}T17:00:00.000Z`, today: january, ...over },
  });
export const writtenOff = { invoiceId: idOf('ip'), adjustmentId: idOf('write-off') };
export const reinstated = (over: Partial<EventData<'PackageReinstated'>> = {}): PackageEvent => ({
  type: 'PackageReinstated',
  data: { packageId: p, clientId: anna, writeOff: null, reason: null, ...over },
});

const ofRefund = (n: number, amount: number, refunded: number) => ({
  ...{ packageId: p, clientId: anna, invoiceId: idOf('ip'), refundId: idOf(`refund${n}`), amount: cad(amount), refunded: cad(refunded) },
});
/** The nth refund, minor units, and all of them together. */
export const refunded = (n: number, amount: number, all: number, over: Partial<EventData<'PackageRefunded'>> = {}): PackageEvent => ({
  type: 'PackageRefunded',
  data: {
    ...ofRefund(n, amount, all),
    ...{ tax: cad(0), outcome: 'noOutstandingBalance', method: 'cash', reference: null, notes: null, refundedOn: january },
    ...{ source: 'staff', pending: cad(0), ...over },
  },
});
export const refundRefused = (
  n: number,
  amount: number,
  all: number,
  over: Partial<EventData<'PackageRefundRefused'>> = {},
): PackageEvent => ({
  type: 'PackageRefundRefused',
  data: { ...ofRefund(n, amount, all), pending: cad(0), because: 'invoice', failure: null, ...over },
});
/** H6: of the first payment, through Stripe; `pending`: all together. */
export const refundRequested = (n: number, amount: number, pending: number, all = 0): PackageEvent => ({
  type: 'PackageRefundRequested',
  data: {
    ...{ ...ofRefund(n, amount, all), pending: cad(pending), paymentId: idOf('pay1'), outcome: 'noOutstandingBalance' },
    ...{ reference: null, notes: null, requestedOn: january },
  },
});
/** The dispute of the first payment. */
export const packageDisputed = (amount: number, status: EventData<'PackageDisputed'>['status']): PackageEvent => ({
  type: 'PackageDisputed',
  data: {
    ...{ packageId: p, clientId: anna, invoiceId: idOf('ip'), disputeId: 'dp_1', amount: cad(amount), status },
    ...{ because: 'fraudulent', disputedOn: january },
  },
});
