import { atLeast, atMost, defineReport, is, isOneOf, sql, type Here, type Sql } from '../../../libs/reporting/define-report.js';
import { directory } from '../../../projections/directory.projection.js';
import { packageSales, type PackageSalesRow } from '../../../projections/package-sales.projection.js';
import { SALES_STATUSES, type SalesFilters } from '../resources/report.shapes.js';
import { isId, isLocalDate, isMonth } from '../validation/formats.js';

/**
 * J2: the first that fits. Refunded is what was cancelled and paid back at least in part, or paid back in whole; expired follows from the day of
 * the business that asks.
 */
const status = ({ today }: Here): Sql =>
  sql(
    `CASE WHEN r.refunded > 0 AND (r.cancelled OR r.refunded >= r.paid) THEN 'refunded' WHEN r.cancelled THEN 'cancelled'
      WHEN r.expires_on < ?::date THEN 'expired' WHEN r.remaining = 0 THEN 'usedUp' ELSE 'active' END`,
    [today],
  );

/** The same of what the events of one package come to. */
export const statusOf = (
  { refunded, paid, cancelled, expiresOn, remaining }: Pick<PackageSalesRow, 'refunded' | 'paid' | 'cancelled' | 'expiresOn' | 'remaining'>,
  today: string,
): (typeof SALES_STATUSES)[number] => {
  if (refunded > 0 && (cancelled || refunded >= paid)) return 'refunded';
  if (cancelled) return 'cancelled';
  if (expiresOn !== null && expiresOn < today) return 'expired';
  return remaining === 0 ? 'usedUp' : 'active';
};

/** J2: a row per package sold, and what was charged, paid, given back and is owing for it. */
export const salesReport = defineReport<SalesFilters>()({
  name: 'sales',
  rows: packageSales,
  key: 'r.package_id',
  row: 'package',
  joins: { client: { to: directory, on: 'client.id = r.client_id' } },
  columns: {
    soldOn: { is: 'date', from: 'r.sold_on' },
    invoiceId: { is: 'id', from: 'r.invoice_id' },
    invoiceNumber: { is: 'text', from: 'r.invoice_number' },
    packageId: { is: 'id', from: 'r.package_id' },
    clientId: { is: 'id', from: 'r.client_id' },
    clientName: { is: 'text', from: `coalesce(client.name, '')` },
    offeringId: { is: 'id', from: 'r.offering_id' },
    offeringName: { is: 'text', from: 'r.offering_name' },
    channel: { is: 'text', from: 'r.channel' },
    status: { is: 'text', from: status },
    expiresOn: { is: 'date', from: 'r.expires_on' },
    remaining: { is: 'count', from: 'r.remaining' },
    currency: { is: 'text', from: 'r.currency' },
    fee: { is: 'amount', from: 'r.fee' },
    tax: { is: 'amount', from: 'r.tax' },
    total: { is: 'amount', from: 'r.total' },
    adjustments: { is: 'amount', from: 'r.adjustments' },
    paid: { is: 'amount', from: 'r.paid' },
    refunded: { is: 'amount', from: 'r.refunded' },
    outstanding: { is: 'amount', from: 'r.outstanding' },
  },
  where: ({ soldFrom, soldUntil, clientId, offeringId, status: wanted, channel, owing, expiringUntil }, here) => [
    atLeast('r.sold_on', 'date', soldFrom),
    atMost('r.sold_on', 'date', soldUntil),
    is('r.client_id', 'uuid', clientId),
    is('r.offering_id', 'uuid', offeringId),
    wanted === undefined ? undefined : sql('? = ?::text', [status(here), wanted]),
    is('r.channel', 'text', channel),
    owing === undefined ? undefined : sql(owing ? 'r.outstanding > 0' : 'r.outstanding <= 0'),
    atMost('r.expires_on', 'date', expiringUntil),
  ],
  sortings: {
    soldOn: { by: 'r.sold_on', type: 'date' },
    invoiceNumber: { by: 'r.invoice_number', type: 'text', nullable: true },
    client: { by: 'client.name', type: 'text', nullable: true },
    offering: { by: 'r.offering_name', type: 'text' },
    status: { by: status, type: 'text' },
    expiresOn: { by: 'r.expires_on', type: 'date', nullable: true },
    fee: { by: 'r.fee', type: 'bigint' },
    tax: { by: 'r.tax', type: 'bigint' },
    total: { by: 'r.total', type: 'bigint' },
    adjustments: { by: 'r.adjustments', type: 'bigint' },
    paid: { by: 'r.paid', type: 'bigint' },
    refunded: { by: 'r.refunded', type: 'bigint' },
    outstanding: { by: 'r.outstanding', type: 'bigint' },
  },
  sortedBy: 'soldOn',
  groups: {
    day: { of: 'sold_on', key: 'r.sold_on::text', isKey: isLocalDate },
    month: { of: 'sold_on', key: `to_char(date_trunc('month', r.sold_on::timestamp), 'YYYY-MM')`, isKey: isMonth },
    client: { key: 'r.client_id::text', isKey: isId, name: 'max(client.name)' },
    offering: { key: 'r.offering_id::text', isKey: isId, name: 'max(r.offering_name)' },
    status: { key: status, isKey: isOneOf(SALES_STATUSES) },
  },
  figures: {
    packages: '1',
    fee: 'r.fee',
    tax: 'r.tax',
    total: 'r.total',
    adjustments: 'r.adjustments',
    paid: 'r.paid',
    refunded: 'r.refunded',
    outstanding: 'r.outstanding',
  },
});
