import { pick } from '../libs/domain/kernel/pick.js';
import type { ExpiryRule, Limit } from '../libs/domain/kernel/shapes.js';
import type { OfferingListEvent } from '../libs/domain/offering-list/offering-list.events.js';
import type { OfferingEvent, Payment, Terms } from '../libs/domain/offering/offering.events.js';
import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { column, defineProjection, insert, update, updateEach, type RowOf } from '../libs/projection-engine/define-projection.js';

/** C9: one row per offering, and how many packages of it were sold. */
export const offeringList = defineProjection({
  name: 'offering_list',
  version: 4,
  key: 'offeringId',
  columns: {
    offeringId: column.uuid(),
    name: column.text().searched(),
    description: column.text(),
    words: column.text(), // name and description in lower case, to be searched
    status: column.text<'active' | 'inactive'>().indexed(),
    services: column.json<{ serviceId: string; limit: Limit }[]>(),
    expiryRule: column.json<ExpiryRule>(),
    payment: column.json<Payment>().nullable(), // C1: not decided yet
    soldOnline: column.boolean(),
    externalReference: column.text().nullable().indexed(),
    locked: column.boolean(),
    deleted: column.boolean(),
    sold: column.integer(),
    countedTo: column.bigint(), // position of the last sale in `sold`, so that none counts twice
    categoryId: column.uuid().nullable().indexed(),
    place: column.integer().indexed(), // in the whole list
    revision: column.bigint(),
  },
}).on<OfferingEvent | OfferingListEvent | PackageEvent>({
  OfferingDefined: insert(({ data, revision, position }) => ({
    ...{ offeringId: data.offeringId, ...termsOf(data) },
    ...{ locked: false, deleted: false, sold: 0, countedTo: position, revision },
    ...{ categoryId: null, place: NOT_YET_LISTED },
  })),
  OfferingChanged: update(
    ({ data }) => data.offeringId,
    (row, { data, revision }) => ({ ...row, ...termsOf(data), revision }),
  ),
  OfferingLocked: update(
    ({ data }) => data.offeringId,
    (row, { revision }) => ({ ...row, locked: true, revision }),
  ),
  OfferingDeleted: update(
    ({ data }) => data.offeringId,
    (row, { revision }) => ({ ...row, deleted: true, revision }),
  ),
  OfferingRestored: update(
    ({ data }) => data.offeringId,
    (row, { revision }) => ({ ...row, deleted: false, revision }),
  ),
  OfferingListed: update(
    ({ data }) => data.offeringId,
    (row, { data }) => ({ ...row, categoryId: null, place: data.place }),
  ),
  CategoryRemoved: updateEach(({ data }) => placesOf(null, data.ungrouped, 0), placed),
  OfferingListArranged: updateEach(
    ({ data: { ungrouped, categories } }) => [
      ...placesOf(null, ungrouped, 0),
      ...categories.flatMap(({ categoryId, offeringIds }, n) => placesOf(categoryId, offeringIds, (n + 1) * GROUP)),
    ],
    placed,
  ),
  PackageSold: update(
    ({ data }) => data.offeringId,
    (row, { position }) => (position > row.countedTo ? { ...row, sold: row.sold + 1, countedTo: position } : row),
  ),
});

/** Each group has places to spare, so that a new offering, or a removed category, moves no other group. */
const GROUP = 1_000_000;
const NOT_YET_LISTED = GROUP - 1; // the last of those in no category

export type OfferingRow = RowOf<typeof offeringList>;

interface Place {
  categoryId: string | null;
  place: number;
}

function placesOf(categoryId: string | null, offeringIds: readonly string[], first: number): (Place & { key: string })[] {
  return offeringIds.map((key, n) => ({ key, categoryId, place: first + n }));
}

/** Whoever stays where they are is given back as they were: only those that moved are written. */
function placed<Row extends Place>(row: Row, { categoryId, place }: Place): Row {
  return row.categoryId === categoryId && row.place === place ? row : { ...row, categoryId, place };
}

function termsOf(data: Terms) {
  const words = `${data.name}\n${data.description}`.toLowerCase();
  return { ...pick(data, 'name', 'description', 'status', 'services', 'expiryRule', 'payment', 'soldOnline', 'externalReference'), words };
}
