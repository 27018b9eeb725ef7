import type { EventOf } from '../libs/domain/kernel/event.js';
import type { BusinessCreated, BusinessDescription, BusinessSettingsChanged, Settings } from '../libs/domain/business/business.events.js';
import { column, defineProjection, insert, type RowOf } from '../libs/projection-engine/define-projection.js';

/** A1: the settings of a business, one row. */
export const businessSettings = defineProjection({
  name: 'business_settings',
  version: 1,
  key: 'id',
  columns: {
    id: column.uuid(),
    name: column.text(),
    timeZone: column.text(),
    currency: column.text(),
    settings: column.json<Settings>(),
    revision: column.bigint(),
  },
}).on<EventOf<typeof BusinessCreated | typeof BusinessSettingsChanged>>({
  BusinessCreated: insert(({ data, revision }) => rowOf(data, revision)),
  BusinessSettingsChanged: insert(({ data, revision }) => rowOf(data, revision)),
});

export type BusinessRow = RowOf<typeof businessSettings>;

// the engine's own column has the name `businessId`
function rowOf({ businessId, ...description }: BusinessDescription, revision: bigint) {
  return { ...description, id: businessId, revision };
}
