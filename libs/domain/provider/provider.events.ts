import { z } from 'zod';
import { defineEvent, personal, type EventOf } from '../kernel/event.js';
import { id } from '../kernel/shapes.js';

const description = z.object({
  providerId: id,
  name: personal('providerId'),
  active: z.boolean(),
  serviceIds: z.array(id), // what this person gives
  externalReference: personal('providerId').nullable(),
});

export const ProviderRegistered = defineEvent('ProviderRegistered', description);
export const ProviderChanged = defineEvent('ProviderChanged', description);
export type ProviderDescription = EventOf<typeof ProviderRegistered>['data'];
