import type { EventOf } from '../libs/domain/kernel/event.js';
import type { ClientChanged, ClientRegistered } from '../libs/domain/client/client.events.js';
import { column, defineProjection, insert, type RowOf } from '../libs/projection-engine/define-projection.js';

/** One row per client. */
export const clientList = defineProjection({
  name: 'client_list',
  version: 2,
  key: 'clientId',
  columns: {
    clientId: column.uuid(),
    name: column.text().searched(),
    email: column.text().nullable().searched(),
    phone: column.text().nullable(),
    externalReference: column.text().nullable().indexed(),
    revision: column.bigint(),
  },
}).on<EventOf<typeof ClientRegistered | typeof ClientChanged>>({
  ClientRegistered: insert(({ data, revision }) => ({ ...data, revision })),
  ClientChanged: insert(({ data, revision }) => ({ ...data, revision })),
});

export type ClientRow = RowOf<typeof clientList>;
