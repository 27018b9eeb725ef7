import { catalogueEntry } from '../kernel/catalogue-entry.js';
import { Refusal } from '../kernel/refusal.js';
import { ProviderChanged, ProviderRegistered, type ProviderDescription } from './provider.events.js';

/** B1: a person who gives services. */
export const {
  aggregate: provider,
  make: registerProvider,
  change: changeProvider,
} = catalogueEntry('provider', ProviderRegistered, ProviderChanged, ['providerId']);

/** Only an active provider who gives the service can be booked for it. */
export const assertGives = ({ providerId, active, serviceIds }: ProviderDescription, serviceId: string): void => {
  if (!active) throw new Refusal('PROVIDER_INACTIVE', 'This provider is not active: activate them to book them.', { providerId });
  if (!serviceIds.includes(serviceId))
    throw new Refusal('PROVIDER_DOES_NOT_GIVE_SERVICE', 'This provider does not give this service.', { providerId, serviceId });
};
