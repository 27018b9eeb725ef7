import type { Arrangement, OfferingListEvent } from '../offering-list/offering-list.events.js';
import { idOf } from './example.js';

// How the clinic arranges what it sells: offerings a, b, c … and categories, by their names.

export const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => idOf(`offering ${name}`)) as [string, string, string, string];
export const [hands, feet] = [idOf('hands'), idOf('feet')];

export const listed = (offeringId: string, place: number, offeringRevision = '0'): OfferingListEvent => ({
  type: 'OfferingListed',
  data: { offeringId, offeringRevision, place },
});
export const unlisted = (offeringId: string, offeringRevision: string): OfferingListEvent => ({
  type: 'OfferingUnlisted',
  data: { offeringId, offeringRevision },
});
export const relisted = (offeringId: string, offeringRevision: string): OfferingListEvent => ({
  type: 'OfferingRelisted',
  data: { offeringId, offeringRevision },
});
export const categoryCreated = (categoryId: string, name: string): OfferingListEvent => ({
  type: 'CategoryCreated',
  data: { categoryId, name },
});
export const categoryRenamed = (categoryId: string, name: string): OfferingListEvent => ({
  type: 'CategoryRenamed',
  data: { categoryId, name },
});
export const categoryRemoved = (categoryId: string, ungrouped: string[]): OfferingListEvent => ({
  type: 'CategoryRemoved',
  data: { categoryId, ungrouped },
});

/** `arrangementOf([a], [hands, b, c], [feet])`: a in no category, b and c below hands, nothing below feet. */
export const arrangementOf = (ungrouped: string[], ...categories: [string, ...string[]][]): Arrangement => ({
  ungrouped,
  categories: categories.map(([categoryId, ...offeringIds]) => ({ categoryId, offeringIds })),
});
export const arranged = (...said: Parameters<typeof arrangementOf>): OfferingListEvent => ({
  type: 'OfferingListArranged',
  data: arrangementOf(...said),
});
