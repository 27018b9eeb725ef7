import { idFor } from '../libs/domain/kernel/ids.js';
import { pick } from '../libs/domain/kernel/pick.js';
import type { Money } from '../libs/domain/kernel/shapes.js';
import type { Recorded } from '../libs/domain/kernel/event.js';
import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { column, defineProjection, insert, type RowOf } from '../libs/projection-engine/define-projection.js';

/**
 * J3: whatever changed how many sessions of a service are left, and what did not although it could have: a row each, with
 * what remained after it, so that the effects of a package add up.
 */
export const packageUsage = defineProjection({
  name: 'package_usage',
  version: 1,
  key: 'entryId',
  columns: {
    entryId: column.uuid(),
    packageId: column.uuid(),
    packageName: column.text(),
    offeringId: column.uuid(),
    ownerId: column.uuid(),
    clientId: column.uuid(), // who used it
    serviceId: column.uuid(),
    serviceName: column.text(),
    what: column.text<Usage>(),
    effect: column.integer(), // on what remains; of an unlimited service 0 at its sale, else as of others
    remaining: column.integer().nullable(), // after it; null: unlimited
    appointmentId: column.uuid().nullable(),
    consumptionId: column.uuid().nullable(),
    start: column.instant().nullable(), // of the appointment, where this event says it
    fee: column.json<Money>().nullable(), // what the appointment is charged, with its taxes
    at: column.instant(),
    position: column.bigint(),
  },
  indexes: [
    ['position'],
    ['at'],
    ['ownerId', 'position'],
    ['clientId', 'position'],
    ['packageId', 'position'],
    ['offeringId', 'position'],
    ['appointmentId'],
    ['consumptionId'],
  ],
}).on<PackageEvent>({
  PackageSold: insert((event) =>
    event.data.services.map(({ serviceId, name, limit }) => ({
      ...{ entryId: idFor(event.id, serviceId), ...recordedAt(event), what: 'sold' as const },
      ...{ ...pick(event.data, 'packageId', 'offeringId', 'clientId'), packageName: event.data.name, ownerId: event.data.clientId },
      ...{ serviceId, serviceName: name, ...(limit === 'unlimited' ? WITHOUT_END : { effect: limit, remaining: limit }) },
      ...OF_NO_APPOINTMENT,
    })),
  ),
  SessionConsumed: insert((event) => ({
    ...{ ...ofSession(event), what: 'consumed' as const, effect: -1 },
    ...{ start: event.data.start, fee: event.data.charge.total },
  })),
  SessionMoved: insert((event) => ({ ...ofSession(event), what: 'moved' as const, effect: 0, start: event.data.start })),
  SessionReturned: insert((event) => ({ ...ofSession(event), what: 'returned' as const, effect: 1 })),
  SessionForfeited: insert((event) => ({ ...ofSession(event), what: 'forfeited' as const, effect: 0 })),
  SessionForfeitUndone: insert((event) => ({ ...ofSession(event), what: 'forfeitUndone' as const, effect: 0 })),
  RemainingAdjusted: insert((event) => ({
    ...{ entryId: event.id, ...recordedAt(event), what: 'adjusted' as const, effect: event.data.to - event.data.from },
    ...{
      ...pick(event.data, 'packageId', 'packageName', 'offeringId', 'clientId', 'serviceId', 'serviceName'),
      ownerId: event.data.clientId,
    },
    ...{ remaining: event.data.to, ...OF_NO_APPOINTMENT },
  })),
});

type Usage = 'sold' | 'consumed' | 'moved' | 'returned' | 'forfeited' | 'forfeitUndone' | 'adjusted';
export type PackageUsageRow = RowOf<typeof packageUsage>;

const WITHOUT_END = { effect: 0, remaining: null };
const OF_NO_APPOINTMENT = { appointmentId: null, consumptionId: null, start: null, fee: null };

const recordedAt = ({ metadata, position }: Recorded<PackageEvent>) => ({ at: metadata.time, position });

type OfSession = Extract<
  PackageEvent,
  { type: 'SessionConsumed' | 'SessionReturned' | 'SessionForfeited' | 'SessionForfeitUndone' | 'SessionMoved' }
>;

const ofSession = (event: Recorded<OfSession>) => ({
  ...{ entryId: event.id, ...recordedAt(event), start: null, fee: null },
  ...pick(event.data, 'packageId', 'packageName', 'offeringId', 'ownerId', 'clientId', 'serviceId', 'serviceName'),
  ...pick(event.data, 'remaining', 'appointmentId', 'consumptionId'),
});
