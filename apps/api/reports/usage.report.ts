import { dayAfter, startOfDay } from '../../../libs/domain/kernel/calendar.js';
import { atLeast, before, defineReport, is, isOneOf, sql, type Here, type Kind, type Sql } from '../../../libs/reporting/define-report.js';
import { appointmentList } from '../../../projections/appointment-list.projection.js';
import { directory } from '../../../projections/directory.projection.js';
import { packageUsage } from '../../../projections/package-usage.projection.js';
import { STATUSES } from '../resources/appointment.shapes.js';
import { USAGES } from '../resources/statement.shapes.js';
import type { UsageFilters } from '../resources/usage.shapes.js';
import { isId, isLocalDate, isMonth } from '../validation/formats.js';

/** When it is: as its appointment stands now; of an adjustment, when it was made. */
const moment = 'coalesce(appointment.start, r.at)';
const day = ({ timeZone }: Here): Sql => sql(`(${moment} AT TIME ZONE ?)::date`, [timeZone]);
const month = ({ timeZone }: Here): Sql => sql(`to_char(date_trunc('month', ${moment} AT TIME ZONE ?), 'YYYY-MM')`, [timeZone]);

/** What the appointment is charged; a session that comes back takes its fee with it, so that fees add up. */
const fee = `CASE r.what WHEN 'consumed' THEN (r.fee->>'amount')::bigint WHEN 'returned' THEN -(taken.fee->>'amount')::bigint ELSE 0 END`;

const within = (what: string, { dateFrom, dateUntil }: UsageFilters, { timeZone }: Here) => [
  atLeast(what, 'timestamptz', dateFrom && startOfDay(dateFrom, timeZone)),
  before(what, 'timestamptz', dateUntil && startOfDay(dayAfter(dateUntil), timeZone)),
];

const kindOf = (by: string, which: string): Kind<UsageFilters> => ({ by, which, within: (query, here) => within(by, query, here) });

/** J3: a row for whatever changed how many sessions are left, with what remained after it, so that rows add up. */
export const usageReport = defineReport<UsageFilters>()({
  name: 'usage',
  rows: packageUsage,
  until: (position) => sql('r.position <= ?::bigint', [String(position)]),
  key: 'r.entry_id',
  row: 'entry',
  joins: {
    appointment: { to: appointmentList, on: 'appointment.appointment_id = r.appointment_id' },
    taken: { to: packageUsage, on: `taken.consumption_id = r.consumption_id AND taken.what = 'consumed'` },
    client: { to: directory, on: 'client.id = r.client_id' },
    owner: { to: directory, on: 'owner.id = r.owner_id' },
    provider: { to: directory, on: 'provider.id = appointment.provider_id' },
  },
  columns: {
    entryId: { is: 'id', from: 'r.entry_id' },
    date: { is: 'date', from: day },
    appointmentStart: { is: 'instant', from: 'appointment.start' },
    bookedAt: { is: 'instant', from: 'taken.at' },
    recordedAt: { is: 'instant', from: 'r.at' },
    clientId: { is: 'id', from: 'r.client_id' },
    clientName: { is: 'text', from: `coalesce(client.name, '')` },
    ownerId: { is: 'id', from: 'r.owner_id' },
    ownerName: { is: 'text', from: `coalesce(owner.name, '')` },
    packageId: { is: 'id', from: 'r.package_id' },
    offeringId: { is: 'id', from: 'r.offering_id' },
    offeringName: { is: 'text', from: 'r.package_name' },
    serviceId: { is: 'id', from: 'r.service_id' },
    serviceName: { is: 'text', from: 'r.service_name' },
    providerId: { is: 'id', from: 'appointment.provider_id' },
    providerName: { is: 'text', from: 'provider.name' },
    appointmentId: { is: 'id', from: 'r.appointment_id' },
    appointmentStatus: { is: 'text', from: 'appointment.status' },
    what: { is: 'text', from: 'r.what' },
    effect: { is: 'count', from: 'r.effect' },
    remaining: { is: 'count', from: 'r.remaining' },
    fee: { is: 'amount', from: fee },
    currency: { is: 'text', from: ({ currency }) => sql('?::text', [currency]) },
  },
  where: (query, here) => [
    ...within(moment, query, here),
    is('r.client_id', 'uuid', query.clientId),
    is('r.owner_id', 'uuid', query.ownerId),
    is('r.offering_id', 'uuid', query.offeringId),
    is('r.package_id', 'uuid', query.packageId),
    is('r.service_id', 'uuid', query.serviceId),
    is('appointment.provider_id', 'uuid', query.providerId),
    is('appointment.status', 'text', query.appointmentStatus),
    is('r.what', 'text', query.what) ?? sql(`r.what NOT IN ('sold', 'moved')`),
  ],
  /** Of a span of days: what is of an appointment then, and what was recorded then, among which is what has no appointment. */
  among: (query, here, from) => {
    const { dateFrom, dateUntil, packageId, clientId, ownerId } = query;
    if (!dateFrom || !dateUntil || (packageId ?? clientId ?? ownerId)) return undefined; // theirs are few
    const [ofBusiness, appointments, recorded] = [
      sql('u.business_id = ?::uuid', [here.business]),
      ...['a.start', 'u.at'].map((what) => sql('? AND ?', within(what, query, here) as Sql[])),
    ] as [Sql, Sql, Sql];
    return sql(
      `SELECT u.entry_id FROM ${from('appointment')} a JOIN ${from('r')} u ON u.business_id = a.business_id AND u.appointment_id = a.appointment_id
        WHERE ? AND ? UNION ALL SELECT u.entry_id FROM ${from('r')} u WHERE ? AND ?`,
      [ofBusiness, appointments, ofBusiness, recorded],
    );
  },
  sortings: {
    recordedAt: { by: 'r.position', type: 'bigint' },
    date: {
      by: moment,
      type: 'timestamptz',
      kinds: [kindOf('appointment.start', 'appointment.appointment_id IS NOT NULL'), kindOf('r.at', 'appointment.appointment_id IS NULL')],
    },
    client: { by: 'client.name', type: 'text', nullable: true },
    owner: { by: 'owner.name', type: 'text', nullable: true },
    offering: { by: 'r.package_name', type: 'text' },
    service: { by: 'r.service_name', type: 'text' },
    provider: { by: 'provider.name', type: 'text', nullable: true },
    appointmentStatus: { by: 'appointment.status', type: 'text', nullable: true },
    what: { by: 'r.what', type: 'text' },
    effect: { by: 'r.effect', type: 'bigint' },
    remaining: { by: 'r.remaining', type: 'bigint', nullable: true },
    fee: { by: fee, type: 'bigint' },
  },
  sortedBy: 'recordedAt',
  groups: {
    day: { key: (here) => sql('?::text', [day(here)]), isKey: isLocalDate },
    month: { key: month, isKey: isMonth },
    client: { key: 'r.client_id::text', isKey: isId, name: 'max(client.name)' },
    owner: { key: 'r.owner_id::text', isKey: isId, name: 'max(owner.name)' },
    offering: { key: 'r.offering_id::text', isKey: isId, name: 'max(r.package_name)' },
    service: { key: 'r.service_id::text', isKey: isId, name: 'max(r.service_name)' },
    provider: {
      key: `coalesce(appointment.provider_id::text, 'none')`,
      isKey: (key) => key === 'none' || isId(key),
      name: `CASE count(appointment.provider_id) WHEN 0 THEN 'none' ELSE max(provider.name) END`,
    },
    appointmentStatus: { key: `coalesce(appointment.status, 'none')`, isKey: isOneOf([...STATUSES, 'none']) },
    what: { key: 'r.what', isKey: isOneOf(USAGES) },
  },
  figures: {
    entries: '1',
    taken: `(r.what = 'consumed')::int`,
    returned: `(r.what = 'returned')::int`,
    forfeited: `CASE r.what WHEN 'forfeited' THEN 1 WHEN 'forfeitUndone' THEN -1 ELSE 0 END`,
    adjusted: `CASE r.what WHEN 'adjusted' THEN r.effect ELSE 0 END`,
    effect: 'r.effect',
    fee,
  },
});
