import { pick } from '../libs/domain/kernel/pick.js';
import type { ExpiryRule, Limit, Money } from '../libs/domain/kernel/shapes.js';
import type { PackageEvent, PackageImportedData } from '../libs/domain/package/package.events.js';
import type { Dispute } from '../libs/domain/package/package.state.js';
import { column, defineProjection, insert, update, type RowOf } from '../libs/projection-engine/define-projection.js';

export interface ListedService {
  serviceId: string;
  name: string;
  limit: Limit;
  fee: Money | null;
  remaining: number | null; // null: unlimited
  adjustments: number;
  used: number;
}

/** H4: an appointment that was to move to the regular fee when its package was cancelled, and still uses its session. */
interface NotMoved {
  appointmentId: string;
  consumptionId: string;
  invoiceId: string;
}

/** L7: from where, under which reference, and what was paid there. */
type Moved = Pick<PackageImportedData, 'source' | 'reference' | 'amountPaid'>;

/** H6: what happened at Stripe that staff should look at. */
export type Flag = 'refundedAtStripe' | 'disputed';

/** J4: one row per package sold: what is left of it, until when. */
export const packageList = defineProjection({
  name: 'package_list',
  version: 7,
  history: true,
  key: 'packageId',
  columns: {
    packageId: column.uuid(),
    offeringId: column.uuid(),
    clientId: column.uuid().indexed(), // the owner
    name: column.text().indexed(),
    description: column.text(),
    status: column.text<'sold' | 'cancelled'>(),
    paymentMethod: column.text<'paidUpfront' | 'paidEachAppointment'>(),
    channel: column.text<'staff' | 'online' | 'import'>(),
    soldOn: column.date().indexed(),
    soldAt: column.instant(),
    expiryRule: column.json<ExpiryRule>(),
    expiresOn: column.date().nullable().indexed(),
    services: column.json<ListedService[]>(),
    remaining: column.integer().nullable(), // of all services together; null: one is unlimited
    total: column.amount(), // of the package itself, minor units
    refunded: column.amount(), // of what was paid for it
    pending: column.amount(), // refunds that Stripe has not confirmed yet (H6)
    flags: column.json<Flag[]>(),
    refundsMadeAtStripe: column.json<string[]>(), // ids of those that stand
    disputes: column.json<Dispute[]>(),
    currency: column.text(),
    invoiceId: column.uuid(),
    notMoved: column.json<NotMoved[]>(),
    appointmentId: column.uuid().nullable(), // from which it was sold
    externalReference: column.text().nullable().indexed(),
    imported: column.json<Moved>().nullable(), // L7; null: sold here
    revision: column.bigint(),
  },
  indexes: [
    ['clientId', 'expiresOn'],
    ['offeringId', 'soldOn'],
  ],
}).on<PackageEvent>({
  PackageSold: insert(({ data, metadata, revision }) => {
    const services = data.services.map((service) => ({
      ...pick(service, 'serviceId', 'name', 'limit', 'fee'),
      ...{ remaining: service.limit === 'unlimited' ? null : service.limit, adjustments: 0, used: 0 },
    }));
    return {
      ...pick(data, 'packageId', 'offeringId', 'clientId', 'name', 'description', 'paymentMethod', 'channel', 'soldOn', 'expiryRule'),
      ...pick(data, 'expiresOn', 'appointmentId', 'externalReference'),
      ...{ services, remaining: inAll(services), status: 'sold' as const, soldAt: metadata.time, revision },
      ...{ imported: null, notMoved: [] },
      ...{ pending: 0, flags: [], refundsMadeAtStripe: [], disputes: [] },
      ...{ total: data.charge.total.amount, refunded: 0, currency: data.charge.total.currency, invoiceId: data.invoice.invoiceId },
    };
  }),
  PackageImported: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({ ...row, revision, imported: pick(data, 'source', 'reference', 'amountPaid') }),
  ),
  SessionConsumed: update(({ data }) => data.packageId, counted),
  SeriesTaken: update(
    ({ data }) => data.packageId,
    (row, { revision }) => ({ ...row, revision }),
  ),
  SessionMoved: update(({ data }) => data.packageId, counted),
  SessionReturned: update(({ data }) => data.packageId, ended),
  SessionForfeited: update(({ data }) => data.packageId, ended),
  SessionForfeitUndone: update(({ data }) => data.packageId, counted),
  RemainingAdjusted: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => withService({ ...row, revision }, data.serviceId, { remaining: data.to, adjustments: data.adjustments }),
  ),
  ExpiryAdjusted: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({ ...row, revision, expiresOn: data.to }),
  ),
  ExpiryRestored: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({ ...row, revision, expiresOn: data.to }),
  ),
  PackageCancelled: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({
      ...{ ...row, revision, status: 'cancelled' as const },
      notMoved: data.toRegularFee.map(({ consumptionId, invoice }) => ({
        ...pick(invoice, 'invoiceId'),
        appointmentId: invoice.appointmentId!,
        consumptionId,
      })),
    }),
  ),
  PackageReinstated: update(
    ({ data }) => data.packageId,
    (row, { revision }) => ({ ...row, revision, status: 'sold' as const, notMoved: [] }),
  ),
  PackageRefunded: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({
      ...{ ...row, revision, ...givenBack(data) },
      ...madeAtStripe(row, [...without(row, data), ...(data.source === 'stripe' ? [data.refundId] : [])]),
    }),
  ),
  PackageRefundRequested: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({ ...row, revision, ...givenBack(data) }),
  ),
  PackageRefundRefused: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => ({ ...{ ...row, revision, ...givenBack(data) }, ...madeAtStripe(row, without(row, data)) }),
  ),
  PackageDisputed: update(
    ({ data }) => data.packageId,
    (row, { data, revision }) => {
      const disputes = [
        ...row.disputes.filter(({ disputeId }) => disputeId !== data.disputeId),
        pick(data, 'disputeId', 'amount', 'status', 'because', 'disputedOn'),
      ];
      const lasting = disputes.some(({ status }) => status !== 'won');
      return { ...row, revision, disputes, flags: flagged(row.flags, 'disputed', lasting) };
    },
  ),
});

export type PackageRow = RowOf<typeof packageList>;
type Changing = { services: ListedService[]; remaining: number | null; expiresOn: string | null; revision: bigint };

function givenBack({ refunded, pending }: { refunded: Money; pending: Money }) {
  return { refunded: refunded.amount, pending: pending.amount };
}

/** The flag goes when the last of them has failed since: the money came back. */
function madeAtStripe({ flags }: { flags: Flag[] }, refundIds: string[]) {
  return { refundsMadeAtStripe: refundIds, flags: flagged(flags, 'refundedAtStripe', refundIds.length > 0) };
}

function without({ refundsMadeAtStripe }: { refundsMadeAtStripe: string[] }, { refundId }: { refundId: string }): string[] {
  return refundsMadeAtStripe.filter((known) => known !== refundId);
}

function flagged(flags: readonly Flag[], flag: Flag, isSo: boolean): Flag[] {
  const others = flags.filter((known) => known !== flag);
  return isSo ? [...others, flag].sort() : others;
}

/** The events say what is left, so that applying one twice does no harm. */
function counted<Row extends Changing>(
  row: Row,
  { data, revision }: { data: { serviceId: string; remaining: number | null; used: number; expiresOn: string | null }; revision: bigint },
): Row {
  return withService({ ...row, revision, expiresOn: data.expiresOn }, data.serviceId, pick(data, 'remaining', 'used'));
}

function ended<Row extends Changing & { notMoved: NotMoved[] }>(
  row: Row,
  event: Parameters<typeof counted>[1] & { data: { consumptionId: string } },
): Row {
  const notMoved = row.notMoved.filter(({ consumptionId }) => consumptionId !== event.data.consumptionId);
  return { ...counted(row, event), notMoved };
}

function withService<Row extends Changing>(row: Row, serviceId: string, left: Partial<ListedService>): Row {
  const services = row.services.map((service) => (service.serviceId === serviceId ? { ...service, ...left } : service));
  return { ...row, services, remaining: inAll(services) };
}

function inAll(services: ListedService[]): number | null {
  return services.reduce<number | null>((sum, { remaining }) => (sum === null || remaining === null ? null : sum + remaining), 0);
}
