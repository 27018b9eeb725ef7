import { pick } from '../libs/domain/kernel/pick.js';
import type { ExpiryRule, Limit } from '../libs/domain/kernel/shapes.js';
import type { OfferingEvent, Payment, Terms } from '../libs/domain/offering/offering.events.js';
import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { column, defineProjection, insert, update, type RowOf } from '../libs/projection-engine/define-projection.js';

/** C9: one row per offering, and how many packages of it were sold. */
export const offeringList = defineProjection({
  name: 'offering_list',
  version: 2,
  key: 'offeringId',
  columns: {
    offeringId: column.uuid(),
    name: column.text().searched(),
    description: column.text(),
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
    revision: column.bigint(),
  },
}).on<OfferingEvent | PackageEvent>({
  OfferingDefined: insert(({ data, revision, position }) => ({
    ...{ offeringId: data.offeringId, ...termsOf(data) },
    ...{ locked: false, deleted: false, sold: 0, countedTo: position, revision },
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
  PackageSold: update(
    ({ data }) => data.offeringId,
    (row, { position }) => (position > row.countedTo ? { ...row, sold: row.sold + 1, countedTo: position } : row),
  ),
});

export type OfferingRow = RowOf<typeof offeringList>;

function termsOf(data: Terms) {
  return pick(data, 'name', 'description', 'status', 'services', 'expiryRule', 'payment', 'soldOnline', 'externalReference');
}
