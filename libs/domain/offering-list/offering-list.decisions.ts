import { isDeepStrictEqual } from 'node:util';
import type { Decide } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import { InvalidInput, NotFound, Refusal, type FieldError } from '../kernel/refusal.js';
import type { Arrangement, OfferingListEvent } from './offering-list.events.js';
import type { Category, OfferingList, OfferingListState } from './offering-list.state.js';

type Decided = Decide<OfferingListState, OfferingListEvent>;

const MAX_CATEGORIES = 500;

/** C8: it stands last, and is empty. */
export const createCategory =
  (categoryId: string, name: string): Decided =>
  ({ list: { categories } }) => {
    if (categories.some((one) => one.categoryId === categoryId)) throw new Refusal('ALREADY_EXISTS', 'This category exists already.');
    if (categories.length >= MAX_CATEGORIES)
      throw new Refusal('TOO_MANY_CATEGORIES', `There are ${MAX_CATEGORIES} categories already: remove one that is not needed.`);
    return [{ type: 'CategoryCreated', data: { categoryId, name } }];
  };

export const renameCategory =
  (categoryId: string, name: string): Decided =>
  ({ list }) =>
    categoryOf(list, categoryId).name === name ? [] : [{ type: 'CategoryRenamed', data: { categoryId, name } }];

/** C8: its offerings stay, as the last of those in no category. */
export const removeCategory =
  (categoryId: string): Decided =>
  ({ list, removed }) => {
    if (removed.has(categoryId)) return [];
    const ungrouped = [...list.ungrouped, ...categoryOf(list, categoryId).offeringIds];
    return [{ type: 'CategoryRemoved', data: { categoryId, ungrouped } }];
  };

/** C8: the whole arrangement at once. Deleted offerings can be named; those that are not keep their places (C7). */
export const arrangeOfferings =
  (wanted: Arrangement): Decided =>
  (state) => {
    assertNamesEachOnce(wanted, state);
    const arrangement = withDeleted(wanted, state.list);
    return isDeepStrictEqual(arrangement, arrangementOf(state.list)) ? [] : [{ type: 'OfferingListArranged', data: arrangement }];
  };

/** A new offering is the last of those in no category: to be seen, and in nobody's way. */
export const listOffering =
  (offeringId: string, offeringRevision: bigint): Decided =>
  (state) =>
    state.asOf.has(offeringId) ? [] : [listed(state, offeringId, offeringRevision)];

/** C7: it was deleted. */
export const unlistOffering =
  (offeringId: string, offeringRevision: bigint): Decided =>
  (state) => {
    if (hasHeard(state, offeringId, offeringRevision)) return [];
    const first = state.asOf.has(offeringId) ? [] : [listed(state, offeringId, offeringRevision)];
    return [...first, { type: 'OfferingUnlisted', data: { offeringId, offeringRevision: offeringRevision.toString() } }];
  };

/** C7: it was restored. */
export const relistOffering =
  (offeringId: string, offeringRevision: bigint): Decided =>
  (state) => {
    if (hasHeard(state, offeringId, offeringRevision)) return [];
    if (!state.asOf.has(offeringId)) return [listed(state, offeringId, offeringRevision)];
    return [{ type: 'OfferingRelisted', data: { offeringId, offeringRevision: offeringRevision.toString() } }];
  };

const listed = ({ list }: OfferingListState, offeringId: string, offeringRevision: bigint): OfferingListEvent => ({
  type: 'OfferingListed',
  data: { offeringId, offeringRevision: offeringRevision.toString(), place: list.ungrouped.length },
});

/** What an offering's stream says is heard in any order, and more than once: only what is newer counts. */
const hasHeard = ({ asOf }: OfferingListState, offeringId: string, offeringRevision: bigint): boolean =>
  (asOf.get(offeringId) ?? -1n) >= offeringRevision;

const categoryOf = ({ categories }: OfferingList, categoryId: string): Category => {
  const found = categories.find((category) => category.categoryId === categoryId);
  if (!found) throw new NotFound('category', categoryId);
  return found;
};

const arrangementOf = ({ ungrouped, categories }: OfferingList): Arrangement => ({
  ungrouped,
  categories: categories.map((category) => pick(category, 'categoryId', 'offeringIds')),
});

/** Every category and every offering that is not deleted, each once, and no other. */
function assertNamesEachOnce({ ungrouped, categories }: Arrangement, { list, asOf }: OfferingListState): void {
  const offerings = [
    ...named('/ungrouped', ungrouped),
    ...categories.flatMap(({ offeringIds }, n) => named(`/categories/${n}/offeringIds`, offeringIds)),
  ];
  const groups = categories.map(({ categoryId }, n) => ({ field: `/categories/${n}/categoryId`, id: categoryId }));
  const deleted = new Set(list.deleted);
  const categoryIds = list.categories.map(({ categoryId }) => categoryId);
  const offeringIds = [...asOf.keys()].filter((id) => !deleted.has(id));
  const errors = [
    ...wrongOf('category', groups, new Set(categoryIds)),
    ...wrongOf('offering', offerings, asOf),
    ...missingOf('/categories', 'category', groups, categoryIds),
    ...missingOf('/ungrouped', 'offering', offerings, offeringIds),
  ];
  if (errors.length > 0) throw new InvalidInput(errors);
}

interface Named {
  field: string;
  id: string;
}

const named = (field: string, ids: readonly string[]): Named[] => ids.map((id, n) => ({ field: `${field}/${n}`, id }));

function wrongOf(what: string, names: readonly Named[], known: Pick<ReadonlySet<string>, 'has'>): FieldError[] {
  const seen = new Set<string>();
  return names.flatMap(({ field, id }) => {
    const isRepeated = seen.has(id);
    seen.add(id);
    if (isRepeated) return [{ field, code: 'REPEATED', message: `The ${what} ${id} is there already: name each once.` }];
    return known.has(id) ? [] : [{ field, code: 'UNKNOWN', message: `There is no ${what} ${id}: leave it out.` }];
  });
}

function missingOf(field: string, what: string, names: readonly Named[], needed: readonly string[]): FieldError[] {
  const there = new Set(names.map(({ id }) => id));
  return needed
    .filter((id) => !there.has(id))
    .map((id) => ({ field, code: 'MISSING', message: `The ${what} ${id} is missing: each needs its place.` }));
}

/** A deleted offering that is not named stays in its group, after the one that it came after. */
function withDeleted({ ungrouped, categories }: Arrangement, { deleted, ...before }: OfferingList): Arrangement {
  const there = new Set([...ungrouped, ...categories.flatMap(({ offeringIds }) => offeringIds)]);
  const leftOut = new Set(deleted.filter((id) => !there.has(id)));
  const groups = new Map(before.categories.map(({ categoryId, offeringIds }) => [categoryId, offeringIds]));
  return {
    ungrouped: keepPlaces(before.ungrouped, ungrouped, leftOut),
    categories: categories.map(({ categoryId, offeringIds }) => ({
      categoryId,
      offeringIds: keepPlaces(groups.get(categoryId) ?? [], offeringIds, leftOut),
    })),
  };
}

function keepPlaces(before: readonly string[], now: readonly string[], leftOut: ReadonlySet<string>): string[] {
  const kept = [...now];
  before.forEach((id, n) => {
    if (!leftOut.has(id)) return;
    const follows = before.slice(0, n).findLast((earlier) => kept.includes(earlier));
    kept.splice(follows === undefined ? 0 : kept.indexOf(follows) + 1, 0, id);
  });
  return kept;
}
