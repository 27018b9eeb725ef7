import { cad, facial, gst, massage } from '../testing/example.js';
import {
  offeringChanged,
  offeringDefined,
  offeringDeleted,
  offeringId,
  offeringLocked,
  offeringRestored,
  termsOf,
  upfront,
} from '../testing/example-catalogue.js';
import { cancelledWith, fromPurchase, writtenOff } from '../testing/example-package.js';
import { given } from '../testing/given.js';
import { policies } from '../policies/policies.js';
import { following, streamsOf } from '../testing/policies.js';
import { changeOffering, defineOffering, deleteOffering, lockForSale, restoreOffering, type OfferingFacts } from './offering.decisions.js';
import type { Terms } from './offering.events.js';
import { offering } from './offering.state.js';

const anOffering = given(offering);
const facts: OfferingFacts = { currency: 'CAD', offerable: new Set([massage, facial]) };
const hidden: OfferingFacts = { ...facts, offerable: new Set() };

const perAppointment: Terms['payment'] = { method: 'paidEachAppointment', fees: [{ serviceId: massage, fee: cad(75_00) }] };

const define = (over: Partial<Terms> = {}, looked = facts) => defineOffering(offeringId, termsOf(over), looked);
const change = (changes: Partial<Terms>, looked = facts) => changeOffering(offeringId, changes, looked);
const lock = (on = '2027-01-31') => lockForSale(offeringId, 'sale', on);

describe('defining an offering', () => {
  it.each([
    ['paid upfront', {}],
    ['paid each appointment', { payment: perAppointment }],
    ['unlimited', { services: [{ serviceId: massage, limit: 'unlimited' }] }],
    ['of several services', { services: [massage, facial].map((serviceId) => ({ serviceId, limit: 2 })) }],
    ['unfinished, while it is inactive', { status: 'inactive', services: [], payment: null }],
  ] as [string, Partial<Terms>][])('C1: %s', (_, over) =>
    anOffering([])
      .when(define(over))
      .emits([offeringDefined(over)]),
  );
  it('C1: once', () => anOffering([offeringDefined()]).when(define()).refuses('ALREADY_EXISTS'));

  const nine = { serviceId: massage, limit: 9 };
  const fee = (serviceId: string, currency = 'CAD') => ({ serviceId, fee: { amount: 1, currency } });
  it.each([
    ['B2: a service that is inactive or hidden', {}, hidden, '/services/0/serviceId', 'SERVICE_NOT_OFFERABLE'],
    ['C1: a service twice', { services: [nine, nine] }, facts, '/services/1/serviceId', 'REPEATED'],
    ['C1: active without a service', { services: [] }, facts, '/services', 'REQUIRED'],
    ['C1: active without a payment method', { payment: null }, facts, '/payment', 'REQUIRED'],
    ['A1: a fee in another currency', {}, { ...facts, currency: 'JPY' }, '/payment/fee/currency', 'WRONG_CURRENCY'],
    ['C3: a tax twice', { payment: { ...upfront, taxIds: [gst.taxId, gst.taxId] } }, facts, '/payment/taxIds/1', 'REPEATED'],
    [
      ...['I4: to be bought online though each appointment is paid', { payment: perAppointment, soldOnline: true }],
      ...[facts, '/soldOnline', 'ONLY_PAID_UPFRONT'],
    ],
    ['C4: a service without its fee', { payment: { ...perAppointment, fees: [] } }, facts, '/payment/fees', 'REQUIRED'],
    [
      ...['C4: a fee for a service that is not in it', { payment: { ...perAppointment, fees: [fee(massage), fee(facial)] } }],
      ...[facts, '/payment/fees/1/serviceId', 'NOT_IN_OFFERING'],
    ],
    [
      ...['C4: two fees for a service', { payment: { ...perAppointment, fees: [fee(massage), fee(massage)] } }],
      ...[facts, '/payment/fees/1/serviceId', 'REPEATED'],
    ],
    [
      ...['A1: a per-service fee in another currency', { payment: { ...perAppointment, fees: [fee(massage, 'USD')] } }],
      ...[facts, '/payment/fees/0/fee/currency', 'WRONG_CURRENCY'],
    ],
  ] as [string, Partial<Terms>, OfferingFacts, string, string][])('%s is refused, and named', (_, over, looked, field, code) =>
    anOffering([])
      .when(define(over, looked))
      .refuses('INVALID_INPUT', { errors: [expect.objectContaining({ field, code })] }),
  );
  it('L1: everything that is wrong is named at once', () =>
    anOffering([])
      .when(define({ services: [], payment: null }))
      .refuses('INVALID_INPUT', { errors: [{ field: '/services' }, { field: '/payment' }] }));
});

describe('changing an offering', () => {
  it('C1: step by step until it is whole', () =>
    anOffering([offeringDefined({ status: 'inactive', services: [], payment: null })])
      .when(change({ status: 'active', services: termsOf().services, payment: upfront }))
      .emits([offeringChanged({})]));
  it('C1: not active before that', () =>
    anOffering([offeringDefined({ status: 'inactive', services: [], payment: null })])
      .when(change({ status: 'active' }))
      .refuses('INVALID_INPUT'));
  it('C1: to what it is, is nothing', () => anOffering([offeringDefined()]).when(change(termsOf())).emits([]));
  it('C1: what is not said stays, also where a field is there without a value', () =>
    anOffering([offeringDefined()])
      .when(change({ name: 'Calm', description: undefined, payment: undefined }))
      .emits([offeringChanged({ name: 'Calm' })]));
  it('B2: a service that was in it and is hidden since can stay', () =>
    anOffering([offeringDefined()])
      .when(change({ name: 'Calm' }, hidden))
      .emits([offeringChanged({ name: 'Calm' })]));
  it('B2: one hidden since can not come in', () =>
    anOffering([offeringDefined()])
      .when(change({ services: [...termsOf().services, { serviceId: facial, limit: 1 }] }, hidden))
      .refuses('INVALID_INPUT', { errors: [expect.objectContaining({ field: '/services/1/serviceId' })] }));
  it('A3: must be there', () =>
    anOffering([])
      .when(change({ name: 'Calm' }))
      .refuses('NOT_FOUND'));
});

describe('an offering that was sold', () => {
  const sold = [offeringDefined(), offeringLocked];
  const more = [...termsOf().services, { serviceId: facial, limit: 1 }];

  it('C5: is locked by the first sale, and by no other', () => {
    anOffering([offeringDefined()]).when(lock()).emits([offeringLocked]);
    anOffering(sold).when(lock()).emits([]);
  });
  it.each([
    ['name', { name: 'Calm' }],
    ['services', { services: more }],
    ['services', { services: [{ serviceId: massage, limit: 6 }] }],
    ['services', { services: [{ serviceId: facial, limit: 5 }] }],
    ['payment.method', { payment: perAppointment }],
    ['payment.method', { payment: null }],
  ] as [string, Partial<Terms>][])('C5: its %s is locked, and named: %j', (field, changes) =>
    anOffering(sold)
      .when(change(changes))
      .refuses('OFFERING_LOCKED', { fields: [field] }),
  );
  it('C5: every locked field is named', () =>
    anOffering(sold)
      .when(change({ name: 'Calm', services: more, payment: perAppointment, description: 'New' }))
      .refuses('OFFERING_LOCKED', { fields: ['name', 'services', 'payment.method'] }));
  it.each([
    ['description', { description: 'New' }],
    ['status', { status: 'inactive' }],
    ['expiry rule', { expiryRule: fromPurchase(1, 'months') }],
    ['fee', { payment: { ...upfront, fee: cad(90_00) } }],
    ['taxes', { payment: { ...upfront, taxIds: [] } }],
    ['online sale', { soldOnline: true }],
  ] as [string, Partial<Terms>][])('C5: its %s can still change', (_, changes) =>
    anOffering(sold)
      .when(change(changes))
      .emits([offeringChanged(changes)]),
  );
  it('C5: per-service fees can still change', () => {
    const fees: Partial<Terms> = { payment: { method: 'paidEachAppointment', fees: [{ serviceId: massage, fee: cad(1) }] } };
    anOffering([offeringDefined({ payment: perAppointment }), offeringLocked])
      .when(change(fees))
      .emits([offeringChanged(fees)]);
  });
  it('C5: its services in another order are the same', () => {
    const both = termsOf({ services: more });
    const turned = { services: more.toReversed() };
    anOffering([offeringDefined(both), offeringLocked])
      .when(change(turned))
      .emits([offeringChanged(turned)]);
  });
  it('C5: still locked after the only sale is cancelled', () => {
    const follows = streamsOf(following(policies, cancelledWith({ unpaid: 'writtenOff', writeOff: writtenOff })));
    expect(follows.filter((stream) => stream.startsWith('offering-'))).toEqual([]); // nothing goes back to the offering
    anOffering(sold)
      .when(change({ name: 'Calm' }))
      .refuses('OFFERING_LOCKED', { fields: ['name'] });
  });
  it('C5, C7: still locked after it was deleted and restored', () =>
    anOffering([...sold, offeringDeleted, offeringRestored])
      .when(change({ name: 'Calm' }))
      .refuses('OFFERING_LOCKED'));
});

describe('what can be sold', () => {
  it('C6: not what is inactive', () =>
    anOffering([offeringDefined({ status: 'inactive' })])
      .when(lock())
      .refuses('OFFERING_INACTIVE'));
  it('C6: not what is deleted', () => anOffering([offeringDefined(), offeringDeleted]).when(lock()).refuses('OFFERING_DELETED'));
  it('C6: also what was sold before and is inactive since', () =>
    anOffering([offeringDefined(), offeringLocked, offeringChanged({ status: 'inactive' })])
      .when(lock())
      .refuses('OFFERING_INACTIVE'));
  it('C2: not past its specific date', () => {
    const until = offeringDefined({ expiryRule: { kind: 'onDate', date: '2027-06-30' } });
    anOffering([until]).when(lock('2027-06-30')).emits([offeringLocked]);
    anOffering([until]).when(lock('2027-07-01')).refuses('OFFERING_EXPIRED', { expiresOn: '2027-06-30' });
  });
  it('A3: must be there', () => anOffering([]).when(lock()).refuses('NOT_FOUND'));
});

describe('deleting an offering', () => {
  it('C7: is soft, and once', () => {
    anOffering([offeringDefined()]).when(deleteOffering(offeringId)).emits([offeringDeleted]);
    anOffering([offeringDefined(), offeringDeleted]).when(deleteOffering(offeringId)).emits([]);
  });
  it('C7: it can be restored, once', () => {
    anOffering([offeringDefined(), offeringDeleted]).when(restoreOffering(offeringId)).emits([offeringRestored]);
    anOffering([offeringDefined()]).when(restoreOffering(offeringId)).emits([]);
  });
  it('C7: restored, it can be sold', () =>
    anOffering([offeringDefined(), offeringDeleted, offeringRestored]).when(lock()).emits([offeringLocked]));
  it('C7: what is deleted is restored before it is changed', () =>
    anOffering([offeringDefined(), offeringDeleted])
      .when(change({ name: 'Calm' }))
      .refuses('OFFERING_DELETED'));
});
