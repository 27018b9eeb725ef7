import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id } from '../kernel/shapes.js';

// How a business arranges what it sells (C8): one list of its own. An arrangement is stored whole, so that the newest one says all.

/** In this order; those in no category stand before the first category. */
export const arrangement = z.object({
  ungrouped: z.array(id),
  categories: z.array(z.object({ categoryId: id, offeringIds: z.array(id) })),
});

const category = z.object({ categoryId: id });
/** `offeringRevision`: of the event on the offering's own stream that says so, since what follows from two of them may come in any order. */
const about = z.object({ offeringId: id, offeringRevision: z.string().regex(/^\d+$/) });

export const CategoryCreated = defineEvent('CategoryCreated', category.extend({ name: z.string() })); // the last one, and empty
export const CategoryRenamed = defineEvent('CategoryRenamed', category.extend({ name: z.string() }));
export const CategoryRemoved = defineEvent('CategoryRemoved', category.extend({ ungrouped: z.array(id) })); // all that are in no category now
export const OfferingListArranged = defineEvent('OfferingListArranged', arrangement);
export const OfferingListed = defineEvent('OfferingListed', about.extend({ place: z.int().nonnegative() })); // among those in no category
export const OfferingUnlisted = defineEvent('OfferingUnlisted', about); // deleted: it keeps its place (C7)
export const OfferingRelisted = defineEvent('OfferingRelisted', about);

export const offeringListEvents = [
  ...[CategoryCreated, CategoryRenamed, CategoryRemoved],
  ...[OfferingListArranged, OfferingListed, OfferingUnlisted, OfferingRelisted],
] as const;
export type OfferingListEvent = EventOf<(typeof offeringListEvents)[number]>;
export type Arrangement = z.infer<typeof arrangement>;
