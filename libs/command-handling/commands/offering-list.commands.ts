import { pick } from '../../domain/kernel/pick.js';
import { arrangeOfferings, createCategory, removeCategory, renameCategory } from '../../domain/offering-list/offering-list.decisions.js';
import type { Arrangement, OfferingListEvent } from '../../domain/offering-list/offering-list.events.js';
import { offeringList, withoutDeleted, type Category, type OfferingListState } from '../../domain/offering-list/offering-list.state.js';
import type { Decide } from '../../domain/kernel/event.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import type { Operation } from '../operation.js';

interface Versioned {
  revision: string; // of the whole list
}
export type CategoryAnswer = Pick<Category, 'categoryId' | 'name'> & Versioned;
export type OfferingListAnswer = { ungrouped: string[]; categories: Category[] } & Versioned;

export class CreateCategory extends CommandOf<{ name: string }, CategoryAnswer> {}
export class RenameCategory extends CommandOf<{ categoryId: string; name: string }, CategoryAnswer> {}
export class RemoveCategory extends CommandOf<{ categoryId: string }, OfferingListAnswer> {}
export class ArrangeOfferings extends CommandOf<Arrangement, OfferingListAnswer> {}

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
const changed = async <View>(
  operation: Operation,
  decide: Decide<OfferingListState, OfferingListEvent>,
  view: (state: OfferingListState) => View,
): Promise<View & Versioned> => {
  await operation.business(); // before its list begins
  const { answer, revision } = await operation.decide(offeringList, operation.caller.business, decide, { ifMatch: true, view });
  return { ...answer, revision: revision.toString() };
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
