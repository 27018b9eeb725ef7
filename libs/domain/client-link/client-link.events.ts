import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id } from '../kernel/shapes.js';

// Two clients who are linked: one stream for both directions, so that each link is changed and read as a whole.

/** G1: labels with no rules of their own. */
export const relationship = z.enum(['parent', 'child', 'partner', 'guardian', 'sibling', 'grandparent', 'other']);

/** G2: what one client lets the other do. */
export const permissions = z.object({
  bookAndManageAppointments: z.boolean(),
  completeIntakeForms: z.boolean(),
  receiveNotificationCopies: z.boolean(),
  usePackages: z.boolean(), // all of them: single ones cannot be picked (G3)
});

const side = z.object({
  clientId: id,
  relationship, // what this client is to the other
  gives: permissions, // what this client lets the other do
});

const link = z.object({ low: side, high: side }); // by their ids, as in the name of the stream

export const ClientsLinked = defineEvent('ClientsLinked', link);

/** The whole link as it is from now on. */
export const LinkChanged = defineEvent('LinkChanged', link);

/** The link is taken away, and all that either lets the other do; they can be linked anew. */
export const ClientsUnlinked = defineEvent('ClientsUnlinked', z.object({ lowId: id, highId: id }));

export const clientLinkEvents = [ClientsLinked, LinkChanged, ClientsUnlinked] as const;
export type ClientLinkEvent = EventOf<(typeof clientLinkEvents)[number]>;
export type Link = EventOf<typeof ClientsLinked>['data'];
export type LinkSide = Link['low'];
export type Relationship = z.infer<typeof relationship>;
export type Permissions = z.infer<typeof permissions>;
