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

/** Nothing of the client can be read any more: the key is deleted. What they bought and booked stays. */
export const ClientForgotten = defineEvent('ClientForgotten', z.object({ clientId: id }), { forgets: 'clientId' });

export type ClientDescription = EventOf<typeof ClientRegistered>['data'];
export type ClientEvent = EventOf<typeof ClientRegistered | typeof ClientChanged | typeof ClientForgotten>;
