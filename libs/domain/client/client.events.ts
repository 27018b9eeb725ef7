import { z } from 'zod';
import { defineEvent, personal, type EventOf } from '../kernel/event.js';
import { id } from '../kernel/shapes.js';

const description = z.object({
  clientId: id,
  name: personal('clientId'),
  email: personal('clientId').nullable(),
  phone: personal('clientId').nullable(),
  externalReference: personal('clientId').nullable(),
});

export const ClientRegistered = defineEvent('ClientRegistered', description);
export const ClientChanged = defineEvent('ClientChanged', description);
export type ClientDescription = EventOf<typeof ClientRegistered>['data'];
