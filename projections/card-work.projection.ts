import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import type { OfferingEvent } from '../libs/domain/offering/offering.events.js';
import type { PurchaseEvent } from '../libs/domain/purchase/purchase.events.js';
import { column, defineProjection, insert, remove, updateMany, type RowOf } from '../libs/projection-engine/define-projection.js';

/** I4, H6: what is under way at Stripe, so that the clerk knows where to look. Nothing is decided on it. */
export const cardWork = defineProjection({
  name: 'card_work',
  version: 3,
  key: 'id',
  columns: {
    id: column.uuid(), // of the purchase, or the refund
    kind: column.text<'purchase' | 'refund'>(),
    invoiceId: column.uuid().nullable().indexed(), // of a refund, or on which what is owing is to be paid
    offeringId: column.uuid().nullable().indexed(), // of what is bought
    since: column.instant(),
    changed: column.bigint(), // position of the last event that is a reason to look again
  },
}).on<PurchaseEvent | OfferingEvent | InvoiceEvent>({
  PurchaseStarted: insert(({ data, metadata, position }) => ({
    ...{ id: data.purchaseId, kind: 'purchase' as const, invoiceId: data.sale ? null : data.invoiceId },
    offeringId: data.sale?.offeringId ?? null,
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
  PaymentReceived: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), lookAgain),
  InvoiceAdjusted: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), lookAgain),
  OfferingChanged: updateMany(({ data }) => ({ offeringId: data.offeringId }), lookAgain),
  OfferingDeleted: updateMany(({ data }) => ({ offeringId: data.offeringId }), lookAgain),
});

export type CardWorkRow = RowOf<typeof cardWork>;

/** I4, D2: it may no longer be on offer, or owing. */
function lookAgain<Row extends { changed: bigint }>(row: Row, { position }: { position: bigint }): Row {
  return { ...row, changed: position };
}
