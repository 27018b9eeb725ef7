import type { Decide } from '../kernel/event.js';
import { withTaxes, zero, type Tax } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { Charge, InvoiceContent } from '../kernel/shapes.js';
import { invoiceOver } from '../invoice/invoice-content.js';
import { expiryByRule, expiryOver, expiryUnadjusted, strandedBy } from './expiry.js';
import type { PackageEvent, PackageSoldData } from './package.events.js';
import {
  packageAggregate,
  replacementOf,
  standing,
  type PackageState,
  type ServiceLeft,
  type Session,
  type SoldPackage,
} from './package.state.js';

// One function per command: (command) => (state) => events. A repeat is [], a refusal throws.

export type DecidePackage = Decide<PackageState, PackageEvent>;

export interface SellPackage extends Omit<PackageSoldData, 'expiresOn'> {
  apply: Omit<ConsumeSession, 'packageId' | 'shared'> | null; // D1: takes a session for the appointment it is sold from
}

/** D1, D4: the terms are pinned as sold; the package can be booked from at once. */
export const sellPackage =
  ({ apply, ...sale }: SellPackage): DecidePackage =>
  (state) => {
    if (state.status !== 'unsold') throw new Refusal('ALREADY_EXISTS', 'This package is sold already.');
    const expiresOn = expiryByRule(sale, []);
    const sold: PackageEvent = { type: 'PackageSold', data: { ...sale, expiresOn } };
    if (apply === null) return [sold];
    const after = packageAggregate.evolve(state, sold);
    return [sold, ...consumeSession({ ...apply, packageId: sale.packageId, shared: false })(after)];
  };

export interface ConsumeSession {
  packageId: string;
  consumptionId: string;
  appointmentId: string;
  invoiceId: string; // of the appointment
  purpose: 'booking' | 'series' | 'application' | 'noShowUndone' | 'rebooking';
  seriesId?: string | null; // E5
  serviceId: string;
  serviceName: string;
  serviceTaxes: readonly Tax[]; // as they are now (C4)
  providerId: string;
  clientId: string; // who uses it
  shared: boolean; // may this client use the owner's packages? (G3)
  start: string;
  end: string;
  timeZone: string;
  on: string; // local date of the start
  today: string; // local date of the business now
  externalReference: string | null;
  replaces?: string | null; // the consumption in whose place it is taken
}

/**
 * E2, E3, E6: the package alone decides who gets its last session; and that one consumption is replaced once, whoever
 * undoes a no-show at the same time.
 */
export const consumeSession =
  ({ shared, today, serviceTaxes, replaces = null, seriesId = null, ...session }: ConsumeSession): DecidePackage =>
  (state) => {
    const sold = existing(state, session.packageId);
    if (sold.sessions.has(session.consumptionId)) return [];
    if (replaces !== null && replacementOf(sold, replaces)) return [];
    assertMayUse(sold, session.clientId, shared);
    const service = serviceIn(sold, session.serviceId);
    if (service.remaining === 0)
      throw new Refusal('NO_SESSIONS_LEFT', `No session of ${service.name} is left in this package.`, { serviceId: session.serviceId });
    const expiresOn = assertValidOn(sold, standing(sold), session.on, today);
    const charge = invoiceThatStands(sold, session)?.charge ?? chargeOf(sold, service, serviceTaxes);

    return [
      {
        type: 'SessionConsumed',
        data: {
          ...session,
          ...ofPackage(sold),
          ...{ replaces, seriesId },
          remaining: service.remaining === null ? null : service.remaining - 1,
          used: service.used + 1,
          expiresOn,
          charge,
          invoice: standsAgain(session) ? null : appointmentInvoice(sold, service, charge, { ...session, issuedOn: today }),
        },
      },
    ];
  };

export interface EndSession {
  packageId: string;
  consumptionId: string;
  today: string; // local date of the business
}

export interface MoveSession extends EndSession {
  providerId: string;
  start: string;
  end: string;
  timeZone: string;
  on: string; // local date of the start
}

/**
 * E7: moving is no new use: a cancelled package lets it, and so does an owner who shares it no more. A session that stays on
 * its day stays as valid as it is.
 */
export const moveSession =
  ({ packageId, consumptionId, today, ...to }: MoveSession): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const session = sold.sessions.get(consumptionId);
    if (session?.outcome !== 'standing')
      throw new Refusal('SESSION_NOT_STANDING', 'The session of this appointment does not stand: it cannot be moved.', { consumptionId });
    if (session.providerId === to.providerId && session.start === to.start && session.end === to.end) return [];
    const others = standing(sold).filter((other) => other !== session);
    const expiresOn = to.on === session.on ? sold.expiresOn : assertValidOn(sold, others, to.on, today);
    return [
      {
        type: 'SessionMoved',
        data: {
          ...about(sold, session),
          ...{ ...countOf(sold, session), ...to, expiresOn },
          from: pick(session, 'providerId', 'start', 'end', 'on'),
          moves: session.moves + 1,
        },
      },
    ];
  };

type ReturnBecause = Extract<PackageEvent, { type: 'SessionReturned' }>['data']['because'];

/**
 * H3: at most once per consumption. E3: a package that has expired takes its session back and stays expired. E8: one whose
 * appointment no longer uses it comes back even if it was forfeited.
 */
export const returnSession =
  ({ packageId, consumptionId, because, today }: EndSession & { because: ReturnBecause }): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const session = sold.sessions.get(consumptionId);
    if (!session || !mayReturn(session, because)) return [];
    const { remaining, used } = serviceIn(sold, session.serviceId);
    const expiresOn = expiryOver(
      sold,
      standing(sold).filter((other) => other !== session),
      today,
    );
    return [
      {
        type: 'SessionReturned',
        data: {
          ...about(sold, session),
          because,
          remaining: remaining === null ? null : remaining + 1,
          used: used - 1,
          expiresOn,
          invoice: null,
        },
      },
    ];
  };

/** H1, H2: the session stays used although its appointment did not take place. */
export const forfeitSession =
  ({ packageId, consumptionId, because }: Omit<EndSession, 'today'> & { because: 'lateCancellation' | 'noShow' }): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const session = sold.sessions.get(consumptionId);
    return session?.outcome === 'standing'
      ? [{ type: 'SessionForfeited', data: { ...about(sold, session), ...countOf(sold, session), because } }]
      : [];
  };

/** H1: a forfeited session stands as an ordinary one again. */
export const undoForfeit =
  ({ packageId, consumptionId }: Omit<EndSession, 'today'>): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const session = sold.sessions.get(consumptionId);
    return session?.outcome === 'forfeited'
      ? [{ type: 'SessionForfeitUndone', data: { ...about(sold, session), ...countOf(sold, session) } }]
      : [];
  };

export interface Adjustment<To, From> {
  packageId: string;
  to: To;
  reason: string | null;
  seen?: From; // what it was when the person looked; undefined: they do not say
  force?: boolean; // also if it is something else by now
}

/** F1: staff set what remains of a service, up or down to 0, unless it is no longer what they saw. */
export const adjustRemaining =
  ({ packageId, serviceId, to, reason, seen, force = false }: Adjustment<number, number> & { serviceId: string }): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    assertNotCancelled(sold);
    const { remaining: from, adjustments, name: serviceName } = serviceIn(sold, serviceId);
    if (from === null)
      throw new Refusal('UNLIMITED', `${serviceName} is unlimited in this package: there is nothing to adjust.`, { serviceId });
    if (from === to) return [];
    if (!force && seen !== undefined && seen !== from)
      throw new Refusal('REMAINING_CHANGED', `Of ${serviceName}, ${from} remain by now, not ${seen}: look again, or force it.`, {
        ...{ serviceId, remaining: from, seen },
      });
    return [
      {
        type: 'RemainingAdjusted',
        data: { ...ofOwner(sold), serviceId, serviceName, from, to, adjustments: adjustments + to - from, reason },
      },
    ];
  };

/** F2: staff set a date, unless the expiry is no longer what they saw; it stands by itself and strands nothing. */
export const adjustExpiry =
  ({ packageId, to, reason, seen, force = false }: Adjustment<string, string | null>): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    if (sold.adjustedExpiries.at(-1) === to) return [];
    if (!force && seen !== undefined && seen !== sold.expiresOn)
      throw new Refusal(
        'EXPIRY_CHANGED',
        `The expiry is ${sold.expiresOn ?? 'none'} by now, not ${seen ?? 'none'}: look again, or force it.`,
        {
          ...{ expiresOn: sold.expiresOn, seen },
        },
      );
    return [
      {
        type: 'ExpiryAdjusted',
        data: { packageId, clientId: sold.clientId, from: sold.expiresOn, to, adjustments: sold.adjustedExpiries.length + 1, reason },
      },
    ];
  };

/**
 * F2: back to the adjustment before, or to the rule worked out on the sessions that stand, stranding nothing; once its last valid
 * day had passed, to that day (E3).
 */
export const restoreExpiry =
  ({ packageId, today, reason }: { packageId: string; today: string; reason: string | null }): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    if (sold.adjustedExpiries.length === 0)
      throw new Refusal('EXPIRY_NOT_ADJUSTED', 'The expiry of this package was not adjusted: there is nothing to undo.');
    const to = sold.adjustedExpiries.at(-2) ?? expiryUnadjusted(sold, standing(sold), today);
    return [
      {
        type: 'ExpiryRestored',
        data: { packageId, clientId: sold.clientId, from: sold.expiresOn, to, adjustments: sold.adjustedExpiries.length - 1, reason },
      },
    ];
  };

export const existing = (state: PackageState, packageId: string): SoldPackage => {
  if (state.status === 'unsold') throw new NotFound('package', packageId);
  return state;
};

const assertMayUse = (sold: SoldPackage, clientId: string, shared: boolean): void => {
  assertNotCancelled(sold);
  if (clientId !== sold.clientId && !shared)
    throw new Refusal('PACKAGE_NOT_SHARED', 'The owner of this package does not let this client use it: link them and permit it.');
};

const assertNotCancelled = ({ status }: SoldPackage): void => {
  if (status === 'cancelled') throw new Refusal('PACKAGE_CANCELLED', 'This package is cancelled.');
};

const serviceIn = (sold: SoldPackage, serviceId: string): ServiceLeft => {
  const service = sold.services.get(serviceId);
  if (!service) throw new Refusal('SERVICE_NOT_IN_PACKAGE', 'This package does not include the service.', { serviceId });
  return service;
};

/** E3: the expiry once this day is used too, if the package is valid then and no session is stranded. */
const assertValidOn = (sold: SoldPackage, others: readonly Session[], on: string, today: string): string | null => {
  if (on < sold.soldOn) throw new Refusal('BEFORE_SALE', `The package was sold on ${sold.soldOn}.`, { soldOn: sold.soldOn, on });
  const expiresOn = expiryOver(sold, [...others, { on }], today);
  if (expiresOn !== null && on > expiresOn)
    throw new Refusal('PACKAGE_EXPIRED', `The last day on which this package can be used is ${expiresOn}.`, { expiresOn, on });
  const stranded = strandedBy(sold, others, expiresOn);
  if (stranded)
    throw new Refusal('STRANDS_SESSION', `The package would then expire on ${expiresOn}, before the session on ${stranded.on}.`, {
      expiresOn,
      appointmentId: stranded.appointmentId,
    });
  return expiresOn;
};

const ofPackage = ({ packageId, clientId, offeringId, name }: SoldPackage) => ({
  packageId,
  ownerId: clientId,
  offeringId,
  packageName: name,
});

const ofOwner = ({ packageId, clientId, offeringId, name }: SoldPackage) => ({ packageId, clientId, offeringId, packageName: name });

const about = (sold: SoldPackage, session: Session) => ({
  ...ofPackage(sold),
  serviceName: serviceIn(sold, session.serviceId).name,
  ...pick(session, 'clientId', 'consumptionId', 'appointmentId', 'serviceId'),
});

const countOf = (sold: SoldPackage, { serviceId }: Session) => {
  const { remaining, used } = serviceIn(sold, serviceId);
  return { remaining, used, expiresOn: sold.expiresOn };
};

const mayReturn = ({ outcome }: Session, because: ReturnBecause): boolean =>
  outcome === 'standing' || (outcome === 'forfeited' && (because === 'removed' || because === 'refused'));

/** What takes place after all keeps the invoice that it has. */
const standsAgain = ({ purpose }: { purpose: ConsumeSession['purpose'] }): boolean => purpose === 'noShowUndone' || purpose === 'rebooking';

/** H1: and so its charge. */
const invoiceThatStands = (
  { sessions }: SoldPackage,
  session: { purpose: ConsumeSession['purpose']; invoiceId: string },
): Session | undefined =>
  standsAgain(session)
    ? [...sessions.values()].findLast(({ invoiceId, refused }) => invoiceId === session.invoiceId && !refused)
    : undefined;

/** E4: nothing owing when paid upfront; else the fee pinned at the sale, with the service's taxes of now. */
export const chargeOf = ({ currency }: Pick<SoldPackage, 'currency'>, { fee }: Pick<ServiceLeft, 'fee'>, taxes: readonly Tax[]): Charge =>
  fee === null ? withTaxes(zero(currency), []) : withTaxes(fee, taxes);

const appointmentInvoice = (
  sold: SoldPackage,
  { serviceId, name }: ServiceLeft,
  charge: Charge,
  { invoiceId, clientId, appointmentId, issuedOn }: { invoiceId: string; clientId: string; appointmentId: string; issuedOn: string },
): InvoiceContent =>
  invoiceOver(sold.currency, {
    ...{ invoiceId, kind: 'appointment', clientId, packageId: sold.packageId, appointmentId, packageInvoiceId: sold.invoiceId, issuedOn },
    lines: [{ description: `${name} (${sold.name})`, serviceId, ...charge }],
  });
