import type { EventOf } from '../libs/domain/kernel/event.js';
import type { Money } from '../libs/domain/kernel/shapes.js';
import type { ServiceChanged, ServiceDefined } from '../libs/domain/service/service.events.js';
import { column, defineProjection, insert, type RowOf } from '../libs/projection-engine/define-projection.js';

/** B1: one row per service. */
export const serviceList = defineProjection({
  name: 'service_list',
  version: 1,
  key: 'serviceId',
  columns: {
    serviceId: column.uuid(),
    name: column.text().searched(),
    description: column.text(),
    durationMinutes: column.integer(),
    price: column.json<Money>(),
    taxIds: column.json<string[]>(),
    active: column.boolean(),
    publiclyDisplayed: column.boolean(),
    externalReference: column.text().nullable().indexed(),
    revision: column.bigint(),
  },
}).on<EventOf<typeof ServiceDefined | typeof ServiceChanged>>({
  ServiceDefined: insert(({ data, revision }) => ({ ...data, revision })),
  ServiceChanged: insert(({ data, revision }) => ({ ...data, revision })),
});

export type ServiceRow = RowOf<typeof serviceList>;
