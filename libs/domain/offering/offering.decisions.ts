import { isDeepStrictEqual } from 'node:util';
import type { Decide } from '../kernel/event.js';
import { said } from '../kernel/pick.js';
import { InvalidInput, NotFound, Refusal, type FieldError } from '../kernel/refusal.js';
import { isOfferable } from '../service/service.js';
import type { ServiceDescription } from '../service/service.events.js';
import type { OfferingEvent, Payment, Terms } from './offering.events.js';
import type { DefinedOffering, OfferingState } from './offering.state.js';

export interface OfferingFacts {
  currency: string; // of the business
  offerable: ReadonlySet<string>; // of the services named: those active and publicly displayed (B2)
}

/** C1: in one call, or step by step: what is inactive may be unfinished. */
export const defineOffering =
  (offeringId: string, terms: Terms, facts: OfferingFacts): Decide<OfferingState, OfferingEvent> =>
  (state) => {
    if (state.status === 'defined') throw new Refusal('ALREADY_EXISTS', 'This offering exists already.');
    assertValid(terms, facts, []);
    return [{ type: 'OfferingDefined', data: { offeringId, ...terms } }];
  };

/** C5: once locked, a change of a locked field is refused and named; the rest changes for later sales only. */
export const changeOffering =
  (offeringId: string, changes: Partial<Terms>, facts: OfferingFacts): Decide<OfferingState, OfferingEvent> =>
  (state) => {
    const { terms: before, locked } = present(state, offeringId);
    const terms: Terms = { ...before, ...said(changes) };
    if (isDeepStrictEqual(terms, before)) return [];
    if (locked) assertLockedFieldsKept(before, terms);
    assertValid(
      terms,
      facts,
      before.services.map(({ serviceId }) => serviceId),
    );
    return [{ type: 'OfferingChanged', data: { ...terms, offeringId } }];
  };

/**
 * C5, C6: said on the offering's own stream before a package is sold, so that no edit can come in between; later
 * sales only check. `on`: the local date of the sale (C2: no sale past a specific date).
 */
export const lockForSale =
  (offeringId: string, because: 'sale' | 'purchase' | 'import', on: string): Decide<OfferingState, OfferingEvent> =>
  (state) => {
    const { terms, locked, deleted } = existing(state, offeringId);
    if (deleted) throw new Refusal('OFFERING_DELETED', 'This offering is deleted: restore it to sell it.', { offeringId });
    if (terms.status === 'inactive')
      throw new Refusal('OFFERING_INACTIVE', 'This offering is not active: activate it to sell it.', { offeringId });
    if (terms.expiryRule.kind === 'onDate' && on > terms.expiryRule.date)
      throw new Refusal(
        'OFFERING_EXPIRED',
        `Packages of this offering expired on ${terms.expiryRule.date}: change its expiry to sell it.`,
        {
          offeringId,
          expiresOn: terms.expiryRule.date,
        },
      );
    return locked ? [] : [{ type: 'OfferingLocked', data: { offeringId, because } }];
  };

/** I4, B2: clients buy online what is paid upfront and marked for it, of services that are on show. */
export const isSoldOnline = (
  { soldOnline, payment }: Pick<Terms, 'soldOnline' | 'payment'>,
  services: readonly ServiceDescription[],
): boolean => soldOnline && payment?.method === 'paidUpfront' && services.every(isOfferable);

/** C6: is it on sale? */
export const isOffered = (state: OfferingState): boolean => state.status === 'defined' && !state.deleted && state.terms.status === 'active';

/** C7: soft; it is left out of the list, and can be restored. */
export const deleteOffering =
  (offeringId: string): Decide<OfferingState, OfferingEvent> =>
  (state) =>
    existing(state, offeringId).deleted ? [] : [{ type: 'OfferingDeleted', data: { offeringId } }];

export const restoreOffering =
  (offeringId: string): Decide<OfferingState, OfferingEvent> =>
  (state) =>
    existing(state, offeringId).deleted ? [{ type: 'OfferingRestored', data: { offeringId } }] : [];

const existing = (state: OfferingState, offeringId: string): DefinedOffering => {
  if (state.status === 'undefined') throw new NotFound('offering', offeringId);
  return state;
};

const present = (state: OfferingState, offeringId: string): DefinedOffering => {
  const offering = existing(state, offeringId);
  if (offering.deleted) throw new Refusal('OFFERING_DELETED', 'This offering is deleted: restore it to change it.', { offeringId });
  return offering;
};

const assertLockedFieldsKept = (before: Terms, after: Terms): void => {
  const fields = [
    ...(before.name === after.name ? [] : ['name']),
    ...(isDeepStrictEqual(limitsOf(before), limitsOf(after)) ? [] : ['services']),
    ...(before.payment?.method === after.payment?.method ? [] : ['payment.method']),
  ];
  if (fields.length > 0)
    throw new Refusal(
      'OFFERING_LOCKED',
      `This offering has been sold: its ${fields.join(', ')} can no longer change. Make a new offering instead.`,
      {
        fields,
      },
    );
};

const limitsOf = ({ services }: Terms) => new Map(services.map(({ serviceId, limit }) => [serviceId, limit]));

/** What is wrong with the terms, field by field; services that were in them before need no longer be offerable. */
const assertValid = (terms: Terms, { currency, offerable }: OfferingFacts, kept: readonly string[]): void => {
  const errors: FieldError[] = [];
  const say = (field: string, code: string, message: string) => errors.push({ field, code, message });
  const ids = terms.services.map(({ serviceId }) => serviceId);

  ids.forEach((serviceId, n) => {
    if (ids.indexOf(serviceId) !== n) say(`/services/${n}/serviceId`, 'REPEATED', 'This service is there already.');
    else if (!kept.includes(serviceId) && !offerable.has(serviceId))
      say(`/services/${n}/serviceId`, 'SERVICE_NOT_OFFERABLE', 'Only an active, publicly displayed service can go into an offering.');
  });
  if (terms.soldOnline && terms.payment?.method === 'paidEachAppointment')
    say('/soldOnline', 'ONLY_PAID_UPFRONT', 'Online one buys what is paid upfront: of this offering each appointment is paid.');
  if (terms.payment) sayOfPayment(terms.payment, ids, currency, say);
  if (terms.status === 'active') {
    if (ids.length === 0) say('/services', 'REQUIRED', 'An active offering has at least one service.');
    if (terms.payment === null) say('/payment', 'REQUIRED', 'An active offering has a payment method.');
  }
  if (errors.length > 0) throw new InvalidInput(errors);
};

const sayOfPayment = (
  payment: Payment,
  serviceIds: string[],
  currency: string,
  say: (field: string, code: string, message: string) => void,
): void => {
  const inCurrency = (field: string, money: { currency: string }) => {
    if (money.currency !== currency) say(`${field}/currency`, 'WRONG_CURRENCY', `The currency of the business is ${currency}.`);
  };
  if (payment.method === 'paidUpfront') {
    inCurrency('/payment/fee', payment.fee);
    payment.taxIds.forEach((taxId, n) => {
      if (payment.taxIds.indexOf(taxId) !== n) say(`/payment/taxIds/${n}`, 'REPEATED', 'This tax is there already.');
    });
    return;
  }
  payment.fees.forEach(({ serviceId, fee }, n) => {
    inCurrency(`/payment/fees/${n}/fee`, fee);
    if (!serviceIds.includes(serviceId)) say(`/payment/fees/${n}/serviceId`, 'NOT_IN_OFFERING', 'This service is not in the offering.');
    if (payment.fees.findIndex((other) => other.serviceId === serviceId) !== n)
      say(`/payment/fees/${n}/serviceId`, 'REPEATED', 'This service has a fee already.');
  });
  const missing = serviceIds.filter((id) => !payment.fees.some(({ serviceId }) => serviceId === id));
  if (missing.length > 0) say('/payment/fees', 'REQUIRED', `Each service needs its fee; missing: ${missing.join(', ')}.`);
};
