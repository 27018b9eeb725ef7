import type { Aggregate } from '../kernel/event.js';
import { offeringListEvents, type OfferingListEvent } from './offering-list.events.js';

export interface Category {
  categoryId: string;
  name: string;
  offeringIds: string[];
}

/** In this order; those in no category stand before the first category. */
export interface OfferingList {
  ungrouped: string[];
  categories: Category[];
  deleted: string[]; // they keep their places
}

export interface OfferingListState {
  list: OfferingList;
  asOf: Map<string, bigint>; // every offering → the revision of its own stream that was last heard of here
  removed: Set<string>; // categories
}

export const emptyList: OfferingList = { ungrouped: [], categories: [], deleted: [] };

export const offeringList: Aggregate<OfferingListState, OfferingListEvent> = {
  category: 'offeringList',
  events: offeringListEvents,
  initial: { list: emptyList, asOf: new Map(), removed: new Set() },
  evolve: (state, event) => {
    state.list = rearranged(state.list, event);
    if ('offeringRevision' in event.data) state.asOf.set(event.data.offeringId, BigInt(event.data.offeringRevision));
    if (event.type === 'CategoryRemoved') state.removed.add(event.data.categoryId);
    return state;
  },
};

/** The list after an event; twice the same event changes nothing more. Shared with the read model. */
export const rearranged = (list: OfferingList, { type, data }: OfferingListEvent): OfferingList => {
  const { ungrouped, categories, deleted } = list;
  switch (type) {
    case 'CategoryCreated':
      if (categories.some(({ categoryId }) => categoryId === data.categoryId)) return list;
      return { ...list, categories: [...categories, { ...data, offeringIds: [] }] };
    case 'CategoryRenamed':
      return { ...list, categories: categories.map((one) => (one.categoryId === data.categoryId ? { ...one, name: data.name } : one)) };
    case 'CategoryRemoved':
      return { ...list, ungrouped: data.ungrouped, categories: categories.filter(({ categoryId }) => categoryId !== data.categoryId) };
    case 'OfferingListArranged': {
      const names = new Map(categories.map(({ categoryId, name }) => [categoryId, name]));
      return {
        ...{ ...list, ungrouped: data.ungrouped },
        categories: data.categories.map((one) => ({ ...one, name: names.get(one.categoryId)! })),
      };
    }
    case 'OfferingListed':
      return ungrouped.includes(data.offeringId) ? list : { ...list, ungrouped: ungrouped.toSpliced(data.place, 0, data.offeringId) };
    case 'OfferingUnlisted':
      return deleted.includes(data.offeringId) ? list : { ...list, deleted: [...deleted, data.offeringId] };
    case 'OfferingRelisted':
      return { ...list, deleted: deleted.filter((id) => id !== data.offeringId) };
    default:
      return type satisfies never;
  }
};

/** What people see: deleted ones are left out (C7). */
export const withoutDeleted = ({ ungrouped, categories, deleted }: OfferingList): Pick<OfferingList, 'ungrouped' | 'categories'> => {
  const gone = new Set(deleted);
  const shown = (ids: string[]) => ids.filter((id) => !gone.has(id));
  return {
    ungrouped: shown(ungrouped),
    categories: categories.map((one) => ({ ...one, offeringIds: shown(one.offeringIds) })),
  };
};
