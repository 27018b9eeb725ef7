import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import type { OfferingEvent } from '../libs/domain/offering/offering.events.js';
import type { PurchaseEvent } from '../libs/domain/purchase/purchase.events.js';
import { column, defineProjection, insert, remove, updateMany, type RowOf } from '../libs/projection-engine/define-projection.js';

/** I4, H6: what is under way at Stripe, so that the clerk knows where to look. Nothing is decided on it. */
export const cardWork = defineProjection({
  name: 'card_work',
  version: 2,
  key: 'id',
  columns: {
    id: column.uuid(), // of the purchase, or the refund
    kind: column.text<'purchase' | 'refund'>(),
    invoiceId: column.uuid().nullable(), // of a refund
    offeringId: column.uuid().nullable().indexed(), // of what is bought
    since: column.instant(),
    changed: column.bigint(), // position of the last event that is a reason to look again
  },
}).on<PurchaseEvent | OfferingEvent | InvoiceEvent>({
  PurchaseStarted: insert(({ data, metadata, position }) => ({
    ...{ id: data.purchaseId, kind: 'purchase' as const, invoiceId: null, offeringId: data.sale?.offeringId ?? null },
    ...{ since: metadata.time, changed: position },
  })),
  PurchasePaid: remove(({ data }) => data.purchaseId),
  PurchaseFailed: remove(({ data }) => data.purchaseId),
  PurchaseExpired: remove(({ data }) => data.purchaseId),
  InvoiceRefundRequested: insert(({ data, metadata, position }) => ({
    ...{ id: data.refundId, kind: 'refund' as const, invoiceId: data.invoiceId, offeringId: null },
    ...{ since: metadata.time, changed: position },
  })),
  InvoiceRefunded: remove(({ data }) => data.refundId),
  InvoiceRefundFailed: remove(({ data }) => data.refundId),
  OfferingChanged: updateMany(({ data }) => ({ offeringId: data.offeringId }), lookAgain),
  OfferingDeleted: updateMany(({ data }) => ({ offeringId: data.offeringId }), lookAgain),
});

export type CardWorkRow = RowOf<typeof cardWork>;

/** I4: it may no longer be on offer. */
function lookAgain<Row extends { changed: bigint }>(row: Row, { position }: { position: bigint }): Row {
  return { ...row, changed: position };
}
