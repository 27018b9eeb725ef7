import type { AppointmentEvent } from '../libs/domain/appointment/appointment.events.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { SessionOutcome } from '../libs/domain/kernel/shapes.js';
import { column, defineProjection, insert, update, type RowOf } from '../libs/projection-engine/define-projection.js';

/** J1: one row per appointment. */
export const appointmentList = defineProjection({
  name: 'appointment_list',
  version: 3,
  key: 'appointmentId',
  columns: {
    appointmentId: column.uuid(),
    clientId: column.uuid(),
    serviceId: column.uuid().indexed(),
    serviceName: column.text(),
    providerId: column.uuid(),
    start: column.instant().indexed(),
    end: column.instant(),
    timeZone: column.text(),
    on: column.date(), // local date of the start
    status: column.text<'booked' | 'completed' | 'cancelled' | 'noShow'>(),
    outcome: column.text<SessionOutcome>().nullable(),
    packageId: column.uuid().nullable().indexed(),
    consumptionId: column.uuid().nullable(),
    soldPackageIds: column.json<string[]>(), // of the packages that were sold from it
    seriesId: column.uuid().nullable().indexed(),
    invoiceId: column.uuid(),
    externalReference: column.text().nullable().indexed(),
    revision: column.bigint(),
  },
  indexes: [
    ['clientId', 'start'],
    ['providerId', 'start'],
  ],
}).on<AppointmentEvent>({
  AppointmentBooked: insert(({ data, revision }) => ({
    ...pick(data, 'appointmentId', 'clientId', 'serviceId', 'serviceName', 'providerId', 'start', 'end', 'timeZone', 'on'),
    ...pick(data, 'packageId', 'consumptionId', 'seriesId', 'invoiceId', 'externalReference'),
    ...{ status: 'booked' as const, outcome: null, soldPackageIds: [], revision },
  })),
  AppointmentLinkedToSale: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({ ...row, soldPackageIds: [...new Set([...row.soldPackageIds, data.packageId])], revision }),
  ),
  PackageApplied: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({ ...row, ...pick(data, 'packageId', 'consumptionId'), revision }),
  ),
  PackageRemoved: update(
    ({ data }) => data.appointmentId,
    (row, { revision }) => ({ ...row, packageId: null, consumptionId: null, revision }),
  ),
  AppointmentMoved: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({ ...row, ...pick(data, 'providerId', 'start', 'end', 'timeZone', 'on'), revision }),
  ),
  AppointmentCompleted: update(
    ({ data }) => data.appointmentId,
    (row, { revision }) => ({ ...row, status: 'completed' as const, revision }),
  ),
  AppointmentCompletionUndone: update(
    ({ data }) => data.appointmentId,
    (row, { revision }) => ({ ...row, status: 'booked' as const, revision }),
  ),
  AppointmentCancelled: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({ ...row, status: 'cancelled' as const, outcome: data.outcome, revision }),
  ),
  AppointmentMarkedNoShow: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({ ...row, status: 'noShow' as const, outcome: data.outcome, revision }),
  ),
  NoShowUndone: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({ ...row, ...pick(data, 'status', 'packageId', 'consumptionId'), outcome: null, revision }),
  ),
  AppointmentRebooked: update(
    ({ data }) => data.appointmentId,
    (row, { data, revision }) => ({
      ...row,
      ...pick(data, 'packageId', 'consumptionId'),
      status: 'booked' as const,
      outcome: null,
      revision,
    }),
  ),
});

export type AppointmentRow = RowOf<typeof appointmentList>;
