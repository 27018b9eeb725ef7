import type { ClientForgotten, ClientRegistered, ClientChanged } from '../libs/domain/client/client.events.js';
import { FORGOTTEN, type EventOf } from '../libs/domain/kernel/event.js';
import type { CategoryCreated, CategoryRenamed } from '../libs/domain/offering-list/offering-list.events.js';
import type { OfferingEvent } from '../libs/domain/offering/offering.events.js';
import type { ProviderChanged, ProviderRegistered } from '../libs/domain/provider/provider.events.js';
import type { ServiceChanged, ServiceDefined } from '../libs/domain/service/service.events.js';
import { column, defineProjection, scrub, upsert } from '../libs/projection-engine/define-projection.js';

type Named = EventOf<
  | typeof ClientRegistered
  | typeof ClientChanged
  | typeof ClientForgotten
  | typeof ProviderRegistered
  | typeof ProviderChanged
  | typeof ServiceDefined
  | typeof ServiceChanged
  | typeof CategoryCreated
  | typeof CategoryRenamed
>;

/** What things and people are called now, for sorting and searching in any list: the one read model that others may join. */
export const directory = defineProjection({
  name: 'directory',
  version: 2,
  history: true,
  key: 'id',
  columns: {
    id: column.uuid(),
    kind: column.text<Kind>(),
    name: column.text().searched(),
  },
  indexes: [['name']],
}).on<Named | OfferingEvent>({
  ClientRegistered: named(({ clientId }) => clientId, 'client'),
  ClientChanged: named(({ clientId }) => clientId, 'client'),
  ClientForgotten: scrub(
    ({ data }) => ({ id: data.clientId }),
    (row) => ({ ...row, name: FORGOTTEN }),
  ),
  ProviderRegistered: named(({ providerId }) => providerId, 'provider'),
  ProviderChanged: named(({ providerId }) => providerId, 'provider'),
  ServiceDefined: named(({ serviceId }) => serviceId, 'service'),
  ServiceChanged: named(({ serviceId }) => serviceId, 'service'),
  OfferingDefined: named(({ offeringId }) => offeringId, 'offering'),
  OfferingChanged: named(({ offeringId }) => offeringId, 'offering'),
  CategoryCreated: named(({ categoryId }) => categoryId, 'category'),
  CategoryRenamed: named(({ categoryId }) => categoryId, 'category'),
});

type Kind = 'client' | 'provider' | 'service' | 'offering' | 'category';
type Entry = { id: string; kind: Kind; name: string };

function named<Data extends { name: string }>(idOf: (data: Data) => string, kind: Kind) {
  return upsert<Entry, { data: Data }>(
    ({ data }) => idOf(data),
    (_, { data }) => ({ id: idOf(data), kind, name: data.name }),
  );
}
