import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { InvoiceContent, InvoiceLine, Money } from '../libs/domain/kernel/shapes.js';
import { column, defineProjection, insert, update, type RowOf } from '../libs/projection-engine/define-projection.js';

/** D3, E9: one row per invoice. Amounts are minor units of its currency; total + adjustments = balance, while nothing is paid. */
export const invoiceList = defineProjection({
  name: 'invoice_list',
  version: 1,
  key: 'invoiceId',
  columns: {
    invoiceId: column.uuid(),
    kind: column.text<InvoiceContent['kind']>(),
    clientId: column.uuid(),
    packageId: column.uuid().nullable().indexed(),
    appointmentId: column.uuid().nullable().indexed(),
    packageInvoiceId: column.uuid().nullable(),
    issuedOn: column.date().indexed(),
    currency: column.text(),
    lines: column.json<InvoiceLine[]>(),
    net: column.amount(),
    tax: column.amount(),
    total: column.amount(),
    adjustments: column.amount(), // below zero where they take off
    balance: column.amount(), // what is owing; below zero it is credit
    revision: column.bigint(),
  },
  indexes: [['clientId', 'issuedOn']],
}).on<InvoiceEvent>({
  InvoiceIssued: insert(({ data, revision }) => ({ ...contentOf(data), revision })),
  InvoiceReissued: update(
    ({ data }) => data.invoiceId,
    (_, { data, revision }) => ({ ...contentOf(data), revision }),
  ),
  InvoiceAdjustedToZero: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({ ...row, ...after(data), revision }),
  ),
  InvoiceAdjustmentUndone: update(
    ({ data }) => data.invoiceId,
    (row, { data, revision }) => ({ ...row, ...after(data), revision }),
  ),
});

export type InvoiceRow = RowOf<typeof invoiceList>;

interface After {
  adjustments: Money;
  balance: Money;
}

function after({ adjustments, balance }: After) {
  return { adjustments: adjustments.amount, balance: balance.amount };
}

function contentOf(data: InvoiceContent & After) {
  const { net, tax, total } = data.total;
  return {
    ...pick(data, 'invoiceId', 'kind', 'clientId', 'packageId', 'appointmentId', 'packageInvoiceId', 'issuedOn', 'lines'),
    ...{ currency: total.currency, net: net.amount, tax: tax.amount, total: total.amount, ...after(data) },
  };
}
