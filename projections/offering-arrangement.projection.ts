import type { OfferingListEvent } from '../libs/domain/offering-list/offering-list.events.js';
import { emptyList, rearranged, type Category, type OfferingList } from '../libs/domain/offering-list/offering-list.state.js';
import type { Recorded } from '../libs/domain/kernel/event.js';
import { column, defineProjection, upsert } from '../libs/projection-engine/define-projection.js';

/** C8: how a business arranges what it sells, one row: what its people drag about. */
export const offeringArrangement = defineProjection({
  name: 'offering_arrangement',
  version: 1,
  key: 'id',
  columns: {
    id: column.uuid(), // of the business; the engine's own column has the name `businessId`
    ungrouped: column.json<string[]>(),
    categories: column.json<Category[]>(),
    deleted: column.json<string[]>(),
    revision: column.bigint(),
  },
}).on<OfferingListEvent>({
  CategoryCreated: arranged(),
  CategoryRenamed: arranged(),
  CategoryRemoved: arranged(),
  OfferingListArranged: arranged(),
  OfferingListed: arranged(),
  OfferingUnlisted: arranged(),
  OfferingRelisted: arranged(),
});

function arranged<Event extends Recorded<OfferingListEvent>>() {
  return upsert<OfferingList & { id: string; revision: bigint }, Event>(
    ({ metadata }) => metadata.business,
    (row = { ...emptyList, id: '', revision: -1n }, event) => {
      const { id: _, revision: __, ...list } = row;
      return { id: event.metadata.business, revision: event.revision, ...rearranged(list, event) };
    },
  );
}
