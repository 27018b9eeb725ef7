import { catalogueEntry } from '../kernel/catalogue-entry.js';
import { Refusal } from '../kernel/refusal.js';
import { ServiceChanged, ServiceDefined, type ServiceDescription } from './service.events.js';

/** B1: a bookable treatment or class. */
export const {
  aggregate: service,
  make: defineService,
  change: changeService,
} = catalogueEntry('service', ServiceDefined, ServiceChanged, ['serviceId']);

/** B2: a service goes into an offering only while it is active and publicly displayed. */
export const isOfferable = ({ active, publiclyDisplayed }: ServiceDescription): boolean => active && publiclyDisplayed;

/** B2: one hidden can still be booked by staff, not by clients; one that is inactive by nobody. */
export const assertBookable = ({ serviceId, active, publiclyDisplayed }: ServiceDescription, byClient: boolean): void => {
  if (!active) throw new Refusal('SERVICE_INACTIVE', 'This service is not active: activate it to book it.', { serviceId });
  if (byClient && !publiclyDisplayed) throw new Refusal('SERVICE_HIDDEN', 'This service can be booked by staff only.', { serviceId });
};
