import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import type { InvoiceNumbersEvent } from '../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { InvoiceContent, Money } from '../libs/domain/kernel/shapes.js';
import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { column, defineProjection, insert, update, updateMany, type RowOf } from '../libs/projection-engine/define-projection.js';

interface Left {
  serviceId: string;
  remaining: number | null; // null: unlimited
}

/**
 * J2: one row per package sold: what was charged, paid, given back and is owing for it. Amounts are minor units of its currency; total +
 * adjustments − paid + refunded = outstanding. From what its status follows is here, the status itself is not: it changes at midnight.
 */
export const packageSales = defineProjection({
  name: 'package_sales',
  version: 1,
  key: 'packageId',
  history: true,
  columns: {
    packageId: column.uuid(),
    soldOn: column.date().indexed(),
    invoiceId: column.uuid().indexed(),
    invoiceNumber: column.text().nullable(), // null until the projector has numbered it, moments after
    clientId: column.uuid(), // the owner
    offeringId: column.uuid(),
    offeringName: column.text(), // at the sale
    channel: column.text<'staff' | 'online' | 'import'>(),
    currency: column.text(),
    fee: column.amount(), // before taxes
    tax: column.amount(),
    total: column.amount().indexed(), // 0: paid at each appointment, or sold elsewhere and moved in
    adjustments: column.amount(), // below zero where they take off
    paid: column.amount(), // by payments that stand
    refunded: column.amount().indexed(),
    outstanding: column.amount().indexed(), // below zero it is credit
    cancelled: column.boolean(),
    expiresOn: column.date().nullable().indexed(),
    left: column.json<Left[]>(),
    remaining: column.integer().nullable(), // of all services together; null: one is unlimited
  },
  indexes: [
    ['clientId', 'soldOn'],
    ['offeringId', 'soldOn'],
  ],
}).on<PackageEvent | InvoiceEvent | InvoiceNumbersEvent>({
  PackageSold: insert(({ data }) => {
    const left = data.services.map(({ serviceId, limit }) => ({ serviceId, remaining: limit === 'unlimited' ? null : limit }));
    return {
      ...pick(data, 'packageId', 'soldOn', 'clientId', 'offeringId', 'channel', 'expiresOn'),
      ...{ offeringName: data.name, invoiceId: data.invoice.invoiceId, invoiceNumber: null, cancelled: false },
      ...{ left, remaining: inAll(left) },
      ...{ ...charged(data.invoice), adjustments: 0, paid: 0, refunded: 0, outstanding: data.invoice.total.total.amount },
    };
  }),
  SessionConsumed: update(({ data }) => data.packageId, counted),
  SessionMoved: update(({ data }) => data.packageId, counted),
  SessionReturned: update(({ data }) => data.packageId, counted),
  SessionForfeited: update(({ data }) => data.packageId, counted),
  SessionForfeitUndone: update(({ data }) => data.packageId, counted),
  RemainingAdjusted: update(
    ({ data }) => data.packageId,
    (row, { data }) => withLeft(row, { serviceId: data.serviceId, remaining: data.to }),
  ),
  ExpiryAdjusted: update(
    ({ data }) => data.packageId,
    (row, { data }) => ({ ...row, expiresOn: data.to }),
  ),
  ExpiryRestored: update(
    ({ data }) => data.packageId,
    (row, { data }) => ({ ...row, expiresOn: data.to }),
  ),
  PackageCancelled: update(
    ({ data }) => data.packageId,
    (row) => ({ ...row, cancelled: true }),
  ),
  PackageReinstated: update(
    ({ data }) => data.packageId,
    (row) => ({ ...row, cancelled: false }),
  ),

  // Most invoices are of appointments: then there is no such row.
  InvoiceIssued: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), issued),
  InvoiceReissued: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), issued),
  InvoiceNumbered: updateMany(
    ({ data }) => ({ invoiceId: data.invoiceId }),
    (row, { data }) => ({ ...row, invoiceNumber: data.shown }),
  ),
  InvoiceAdjustedToZero: updateMany(
    ({ data }) => ({ invoiceId: data.invoiceId }),
    (row, { data }) => ({ ...row, ...owing(data) }),
  ),
  InvoiceAdjustmentUndone: updateMany(
    ({ data }) => ({ invoiceId: data.invoiceId }),
    (row, { data }) => ({ ...row, ...owing(data) }),
  ),
  PaymentReceived: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  PaymentVoided: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  InvoiceAdjusted: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  InvoiceRefunded: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  InvoiceRefundRequested: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  InvoiceRefundFailed: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  InvoiceRefundReturned: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
  InvoiceDisputed: updateMany(({ data }) => ({ invoiceId: data.invoiceId }), moved),
});

export type PackageSalesRow = RowOf<typeof packageSales>;

interface Charged {
  currency: string;
  fee: number;
  tax: number;
  total: number;
}
interface Owed {
  adjustments: number;
  outstanding: number;
}
interface Paid extends Owed {
  paid: number;
  refunded: number;
}
interface Remaining {
  left: Left[];
  remaining: number | null;
  expiresOn: string | null;
}

function charged({ total: { net, tax, total } }: Pick<InvoiceContent, 'total'>): Charged {
  return { currency: total.currency, fee: net.amount, tax: tax.amount, total: total.amount };
}

interface Owing {
  adjustments: Money;
  balance: Money;
}

function owing({ adjustments, balance }: Owing): Owed {
  return { adjustments: adjustments.amount, outstanding: balance.amount };
}

function issued<Row extends Charged & Owed>(row: Row, { data }: { data: InvoiceContent & Owing }): Row {
  return { ...row, ...charged(data), ...owing(data) };
}

function moved<Row extends Paid>(row: Row, { data }: { data: Owing & { paid: Money; refunded: Money } }): Row {
  return { ...row, ...owing(data), paid: data.paid.amount, refunded: data.refunded.amount };
}

/** The events say what is left, so that applying one twice does no harm. */
function counted<Row extends Remaining>(row: Row, { data }: { data: Left & { expiresOn: string | null } }): Row {
  return { ...withLeft(row, data), expiresOn: data.expiresOn };
}

function withLeft<Row extends Remaining>(row: Row, { serviceId, remaining }: Left): Row {
  const left = row.left.map((service) => (service.serviceId === serviceId ? { serviceId, remaining } : service));
  return { ...row, left, remaining: inAll(left) };
}

function inAll(left: readonly Left[]): number | null {
  return left.reduce<number | null>((sum, { remaining }) => (sum === null || remaining === null ? null : sum + remaining), 0);
}
