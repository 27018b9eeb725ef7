import type { Decide } from '../kernel/event.js';
import { Refusal } from '../kernel/refusal.js';
import { arrangeOfferings, createCategory, renameCategory } from '../offering-list/offering-list.decisions.js';
import type { OfferingListEvent } from '../offering-list/offering-list.events.js';
import { offeringList, withoutDeleted, type OfferingListState } from '../offering-list/offering-list.state.js';

/** How a file arranges its offerings (C8): those below no category first, each in the order of the file. */
export interface FileArrangement {
  ungrouped: string[];
  categories: { categoryId: string; name: string; offeringIds: string[] }[];
}

type DecideList = Decide<OfferingListState, OfferingListEvent>;

/** C8: the categories of the file, and its order; what the file does not name comes after it, where it is. */
export const arrangeAsInFile =
  (file: FileArrangement): DecideList =>
  (before) => {
    const state = { ...before, asOf: new Map(before.asOf), removed: new Set(before.removed) }; // evolving changes it in place
    const events: OfferingListEvent[] = [];
    const decide = (decision: DecideList): void => {
      for (const event of decision(state)) {
        events.push(event);
        offeringList.evolve(state, event);
      }
    };
    for (const { categoryId, name } of file.categories) {
      if (state.removed.has(categoryId))
        throw new Refusal('CATEGORY_REMOVED', 'This category was removed: give it another key to make it anew.', { categoryId });
      const isThere = state.list.categories.some((category) => category.categoryId === categoryId);
      decide(isThere ? renameCategory(categoryId, name) : createCategory(categoryId, name));
    }
    decide(arrangeOfferings(merged(file, withoutDeleted(state.list))));
    return events;
  };

const merged = (file: FileArrangement, now: Pick<OfferingListState['list'], 'ungrouped' | 'categories'>) => {
  const placed = new Set([...file.ungrouped, ...file.categories.flatMap(({ offeringIds }) => offeringIds)]);
  const others = (ids: readonly string[]): string[] => ids.filter((id) => !placed.has(id));
  const named = new Set(file.categories.map(({ categoryId }) => categoryId));
  const idsIn = (categoryId: string): readonly string[] =>
    now.categories.find((category) => category.categoryId === categoryId)?.offeringIds ?? [];
  return {
    ungrouped: [...file.ungrouped, ...others(now.ungrouped)],
    categories: [
      ...file.categories.map(({ categoryId, offeringIds }) => ({
        categoryId,
        offeringIds: [...offeringIds, ...others(idsIn(categoryId))],
      })),
      ...now.categories
        .filter(({ categoryId }) => !named.has(categoryId))
        .map(({ categoryId, offeringIds }) => ({ categoryId, offeringIds: others(offeringIds) })),
    ],
  };
};
