import type { EventOf } from '../libs/domain/kernel/event.js';
import type { ProviderChanged, ProviderRegistered } from '../libs/domain/provider/provider.events.js';
import { column, defineProjection, insert, type RowOf } from '../libs/projection-engine/define-projection.js';

/** B1: one row per provider. */
export const providerList = defineProjection({
  name: 'provider_list',
  version: 1,
  key: 'providerId',
  columns: {
    providerId: column.uuid(),
    name: column.text().searched(),
    active: column.boolean(),
    serviceIds: column.json<string[]>(),
    externalReference: column.text().nullable().indexed(),
    revision: column.bigint(),
  },
}).on<EventOf<typeof ProviderRegistered | typeof ProviderChanged>>({
  ProviderRegistered: insert(({ data, revision }) => ({ ...data, revision })),
  ProviderChanged: insert(({ data, revision }) => ({ ...data, revision })),
});

export type ProviderRow = RowOf<typeof providerList>;
