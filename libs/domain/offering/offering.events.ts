import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { expiryRule, id, limit, price } from '../kernel/shapes.js';

// What a business sells. Every change carries the whole terms, so that the newest event says all.

export const payment = z.discriminatedUnion('method', [
  z.object({ method: z.literal('paidUpfront'), fee: price, taxIds: z.array(id) }), // C3: one fee with its own taxes
  z.object({ method: z.literal('paidEachAppointment'), fees: z.array(z.object({ serviceId: id, fee: price })) }), // C4
]);

export const terms = z.object({
  name: z.string(),
  description: z.string(),
  status: z.enum(['active', 'inactive']),
  services: z.array(z.object({ serviceId: id, limit })),
  expiryRule,
  payment: payment.nullable(), // null: not decided yet, possible while inactive (C1: step by step)
  soldOnline: z.boolean(),
  externalReference: z.string().nullable(),
});

const about = z.object({ offeringId: id });

export const OfferingDefined = defineEvent('OfferingDefined', about.extend(terms.shape));
export const OfferingChanged = defineEvent('OfferingChanged', about.extend(terms.shape));
export const OfferingLocked = defineEvent('OfferingLocked', about.extend({ because: z.enum(['sale', 'purchase', 'import']) }));
export const OfferingDeleted = defineEvent('OfferingDeleted', about);
export const OfferingRestored = defineEvent('OfferingRestored', about);

export const offeringEvents = [OfferingDefined, OfferingChanged, OfferingLocked, OfferingDeleted, OfferingRestored] as const;
export type OfferingEvent = EventOf<(typeof offeringEvents)[number]>;
export type Terms = z.infer<typeof terms>;
export type Payment = z.infer<typeof payment>;
