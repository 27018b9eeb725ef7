import type { ClientForgotten } from '../libs/domain/client/client.events.js';
import type { EventOf } from '../libs/domain/kernel/event.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { Money } from '../libs/domain/kernel/shapes.js';
import type { PurchaseEvent } from '../libs/domain/purchase/purchase.events.js';
import { readable, type ExpiredBecause } from '../libs/domain/purchase/purchase.state.js';
import { column, defineProjection, insert, scrub, update, type RowOf } from '../libs/projection-engine/define-projection.js';

/** I4, D2: one row per purchase by card: what is to be paid, where, and what has become of it. */
export const purchaseList = defineProjection({
  name: 'purchase_list',
  version: 1,
  key: 'purchaseId',
  columns: {
    purchaseId: column.uuid(),
    clientId: column.uuid(),
    kind: column.text<'package' | 'invoice'>(),
    offeringId: column.uuid().nullable(),
    description: column.text(),
    amount: column.json<Money>(),
    status: column.text<'started' | 'processing' | 'paid' | 'failed' | 'expired'>(),
    url: column.text().nullable(), // of the page to pay at, while it can be paid there
    expiresAt: column.instant(),
    packageId: column.uuid().nullable(), // what is bought exists once it is paid
    invoiceId: column.uuid().nullable().indexed(),
    startedAt: column.instant().indexed(),
    paidOn: column.date().nullable(),
    because: column.text<ExpiredBecause>().nullable(),
    revision: column.bigint(),
  },
  indexes: [['clientId', 'startedAt']],
}).on<PurchaseEvent | EventOf<typeof ClientForgotten>>({
  PurchaseStarted: insert(({ data, metadata, revision }) => ({
    ...pick(data, 'purchaseId', 'clientId', 'description', 'amount', 'expiresAt'),
    ...{ kind: data.sale ? ('package' as const) : ('invoice' as const), offeringId: data.sale?.offeringId ?? null },
    ...{ packageId: data.sale ? null : data.packageId, invoiceId: data.sale ? null : data.invoiceId },
    ...{ status: 'started' as const, url: null, startedAt: metadata.time, paidOn: null, because: null, revision },
  })),
  CheckoutOpened: update(
    ({ data }) => data.purchaseId,
    (row, { data, revision }) => ({ ...row, url: readable(data.url), expiresAt: data.expiresAt, revision }),
  ),
  PurchaseProcessing: update(
    ({ data }) => data.purchaseId,
    (row, { revision }) => ({ ...row, status: 'processing' as const, url: null, revision }),
  ),
  PurchasePaid: update(
    ({ data }) => data.purchaseId,
    (row, { data, revision }) => ({
      ...{ ...row, ...pick(data, 'packageId', 'invoiceId', 'paidOn'), status: 'paid' as const, url: null, because: null, revision },
    }),
  ),
  PurchaseFailed: update(
    ({ data }) => data.purchaseId,
    (row, { revision }) => ({ ...row, status: 'failed' as const, url: null, revision }),
  ),
  PurchaseExpired: update(
    ({ data }) => data.purchaseId,
    (row, { data, revision }) => ({ ...row, status: 'expired' as const, url: null, because: data.because, revision }),
  ),
  ClientForgotten: scrub(
    ({ data }) => ({ clientId: data.clientId }),
    (row) => ({ ...row, url: null }),
  ),
});

export type PurchaseRow = RowOf<typeof purchaseList>;
