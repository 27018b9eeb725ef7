import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, price } from '../kernel/shapes.js';

const description = z.object({
  serviceId: id,
  name: z.string(),
  description: z.string(),
  durationMinutes: z.int().positive(),
  price,
  taxIds: z.array(id),
  active: z.boolean(),
  publiclyDisplayed: z.boolean(),
  externalReference: z.string().nullable(),
});

export const ServiceDefined = defineEvent('ServiceDefined', description);
export const ServiceChanged = defineEvent('ServiceChanged', description);
export type ServiceDescription = EventOf<typeof ServiceDefined>['data'];
