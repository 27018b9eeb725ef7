import { defaultSettings, type BusinessDescription } from '../business/business.events.js';
import type { ClientDescription } from '../client/client.events.js';
import type { OfferingEvent, Terms } from '../offering/offering.events.js';
import type { ProviderDescription } from '../provider/provider.events.js';
import type { ServiceDescription } from '../service/service.events.js';
import { anna, cad, facial, gst, idOf, massage } from './example.js';

// What the clinic keeps descriptions of, and what it sells.

export const clinic: BusinessDescription = {
  ...{ businessId: idOf('clinic'), name: 'Clinic', timeZone: 'America/Toronto', currency: 'CAD', settings: defaultSettings },
};
export const aMassage: ServiceDescription = {
  ...{ serviceId: massage, name: 'Massage', description: '', durationMinutes: 60, price: cad(100_00), taxIds: [gst.taxId] },
  ...{ active: true, publiclyDisplayed: true, externalReference: null },
};
export const aFacial: ServiceDescription = { ...aMassage, serviceId: facial, name: 'Facial' };
export const zoe: ProviderDescription = {
  ...{ providerId: idOf('zoe'), name: 'Zoe', active: true, serviceIds: [massage], externalReference: null },
};
export const annaHerself: ClientDescription = {
  ...{ clientId: anna, name: 'Anna', email: 'anna@example.org', phone: null, externalReference: null },
};

export const offeringId = idOf('offering');
export const upfront: Terms['payment'] = { method: 'paidUpfront', fee: cad(80_00), taxIds: [gst.taxId] };

/** Five massages, paid upfront, without expiry, if nothing else is said. */
export const termsOf = (over: Partial<Terms> = {}): Terms => ({
  ...{ name: 'Relax', description: '', status: 'active', services: [{ serviceId: massage, limit: 5 }] },
  ...{ expiryRule: { kind: 'none' }, payment: upfront, soldOnline: false, externalReference: null, ...over },
});
export const offeringDefined = (over: Partial<Terms> = {}): OfferingEvent => ({
  type: 'OfferingDefined',
  data: { offeringId, ...termsOf(over) },
});
export const offeringChanged = (over: Partial<Terms>): OfferingEvent => ({
  type: 'OfferingChanged',
  data: { offeringId, ...termsOf(over) },
});
export const offeringLocked: OfferingEvent = { type: 'OfferingLocked', data: { offeringId, because: 'sale' } };
export const offeringDeleted: OfferingEvent = { type: 'OfferingDeleted', data: { offeringId } };
export const offeringRestored: OfferingEvent = { type: 'OfferingRestored', data: { offeringId } };
