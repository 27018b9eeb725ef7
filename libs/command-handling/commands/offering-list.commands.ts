import { pick } from '../../domain/kernel/pick.js';
import { arrangeOfferings, createCategory, removeCategory, renameCategory } from '../../domain/offering-list/offering-list.decisions.js';
import type { Arrangement, OfferingListEvent } from '../../domain/offering-list/offering-list.events.js';
import { offeringList, withoutDeleted, type Category, type OfferingListState } from '../../domain/offering-list/offering-list.state.js';
import type { Decide } from '../../domain/kernel/event.js';
import { ChangeOf, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import type { Operation } from '../operation.js';

export type CategoryAnswer = Pick<Category, 'categoryId' | 'name'>; // at the revision of the whole list
export type OfferingListAnswer = { ungrouped: string[]; categories: Category[] };

export class CreateCategory extends ChangeOf<{ name: string }, CategoryAnswer> {}
export class RenameCategory extends ChangeOf<{ categoryId: string; name: string }, CategoryAnswer> {}
export class RemoveCategory extends ChangeOf<{ categoryId: string }, OfferingListAnswer> {}
export class ArrangeOfferings extends ChangeOf<Arrangement, OfferingListAnswer> {}

export const offeringListHandlers = [
  handlerOf(CreateCategory, (operation, { name }) => {
    const categoryId = operation.id('category');
    return changed(operation, createCategory(categoryId, name), category(categoryId));
  }),
  handlerOf(RenameCategory, (operation, { categoryId, name }) =>
    changed(operation, renameCategory(categoryId, name), category(categoryId)),
  ),
  handlerOf(RemoveCategory, (operation, { categoryId }) => changed(operation, removeCategory(categoryId), wholeList)),
  handlerOf(ArrangeOfferings, (operation, arrangement) => changed(operation, arrangeOfferings(arrangement), wholeList)),
];

/** C8: there is one list for each business, which begins with whatever comes first. */
const changed = async <View extends object>(
  operation: Operation,
  decide: Decide<OfferingListState, OfferingListEvent>,
  view: (state: OfferingListState) => View,
): Promise<Versioned<View>> => {
  await operation.business(); // before its list begins
  return operation.change(offeringList, operation.caller.business, decide, view);
};

const wholeList = ({ list }: OfferingListState) => withoutDeleted(list);

const category =
  (id: string) =>
  ({ list }: OfferingListState): Pick<Category, 'categoryId' | 'name'> =>
    pick(
      list.categories.find(({ categoryId }) => categoryId === id)!,
      'categoryId',
      'name',
    );
