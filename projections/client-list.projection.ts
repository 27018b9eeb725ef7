import { nameless } from '../libs/domain/client/client.js';
import type { ClientEvent } from '../libs/domain/client/client.events.js';
import { column, defineProjection, insert, scrub, type RowOf } from '../libs/projection-engine/define-projection.js';

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
}).on<ClientEvent>({
  ClientRegistered: insert(({ data, revision }) => ({ ...data, revision })),
  ClientChanged: insert(({ data, revision }) => ({ ...data, revision })),
  ClientForgotten: scrub(
    ({ data }) => ({ clientId: data.clientId }),
    (row, { revision }) => ({ ...nameless(row), revision }),
  ),
});

export type ClientRow = RowOf<typeof clientList>;
