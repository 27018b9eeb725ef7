import type { ClientForgotten } from '../libs/domain/client/client.events.js';
import { forgotten, type EventOf, type Recorded, type Role } from '../libs/domain/kernel/event.js';
import type { Money } from '../libs/domain/kernel/shapes.js';
import type { PackageEvent, PackageSoldData } from '../libs/domain/package/package.events.js';
import { column, defineProjection, insert, scrub, type RowOf } from '../libs/projection-engine/define-projection.js';

/** F3: what happened to a package: when, who, what from, what to, why. */
export const auditTags = defineProjection({
  name: 'audit_tags',
  version: 5,
  key: 'eventId',
  columns: {
    eventId: column.uuid(),
    packageId: column.uuid(),
    ownerId: column.uuid().indexed(), // of the package: whom a reason in free words is about
    revision: column.bigint(),
    position: column.bigint(),
    at: column.instant(),
    actorId: column.text(),
    actorRole: column.text<Role>(),
    what: column.text<Tag>(),
    serviceId: column.uuid().nullable(),
    appointmentId: column.uuid().nullable(),
    from: column.text().nullable(), // a count, a date or nothing
    to: column.text().nullable(),
    reason: column.text().nullable(),
  },
  indexes: [['packageId', 'revision']],
}).on<PackageEvent | EventOf<typeof ClientForgotten>>({
  PackageSold: insert((event) => tag(event, 'sold', { appointmentId: event.data.appointmentId, reason: boughtOnline(event.data) })),
  PackageImported: insert((event) => tag(event, 'imported', { reason: `${event.data.source}: ${event.data.reference}` })),
  SessionConsumed: insert((event) => tag(event, 'sessionConsumed', session(event.data, 1))),
  SessionMoved: insert((event) => tag(event, 'sessionMoved', moved(event.data))),
  SessionReturned: insert((event) => tag(event, 'sessionReturned', { ...session(event.data, -1), reason: event.data.because })),
  SessionForfeited: insert((event) => tag(event, 'sessionForfeited', { ...session(event.data, 0), reason: event.data.because })),
  SessionForfeitUndone: insert((event) => tag(event, 'sessionForfeitUndone', session(event.data, 0))),
  RemainingAdjusted: insert((event) => tag(event, 'remainingAdjusted', { ...changed(event.data), serviceId: event.data.serviceId })),
  ExpiryAdjusted: insert((event) => tag(event, 'expiryAdjusted', changed(event.data))),
  ExpiryRestored: insert((event) => tag(event, 'expiryRestored', changed(event.data))),
  PackageCancelled: insert((event) => tag(event, 'cancelled', { reason: event.data.reason })),
  PackageReinstated: insert((event) => tag(event, 'reinstated', { reason: event.data.reason })),
  PackageRefunded: insert((event) => tag(event, 'refunded', { ...grown(event.data, event.data.refunded), reason: event.data.notes })),
  PackageRefundRequested: insert((event) =>
    tag(event, 'refundRequested', { ...grown(event.data, event.data.pending), reason: event.data.notes }),
  ),
  PackageRefundRefused: insert((event) => tag(event, 'refundRefused', { ...withdrawn(event.data), reason: event.data.failure })),
  PackageDisputed: insert((event) => tag(event, 'disputed', { to: event.data.status, reason: event.data.because })),
  ClientForgotten: scrub(
    ({ data }) => ({ ownerId: data.clientId }),
    (row) => (IN_WORDS.has(row.what) ? { ...row, reason: forgotten(row.reason) } : row),
  ),
});

type Tag =
  | 'sold'
  | 'imported'
  | 'sessionConsumed'
  | 'sessionMoved'
  | 'sessionReturned'
  | 'sessionForfeited'
  | 'sessionForfeitUndone'
  | 'remainingAdjusted'
  | 'expiryAdjusted'
  | 'expiryRestored'
  | 'cancelled'
  | 'reinstated'
  | 'refunded'
  | 'refundRequested'
  | 'refundRefused'
  | 'disputed';

/** Tags whose reason is in free words, about the owner. */
const IN_WORDS: ReadonlySet<Tag> = new Set<Tag>([
  ...(['remainingAdjusted', 'expiryAdjusted', 'expiryRestored'] as const),
  ...(['cancelled', 'reinstated', 'refunded', 'refundRequested'] as const),
]);

export type AuditTag = RowOf<typeof auditTags>;
type Detail = Partial<Record<'serviceId' | 'appointmentId' | 'from' | 'to' | 'reason', string | null>>;

function tag({ id, revision, position, metadata, data }: Recorded<PackageEvent>, what: Tag, detail: Detail) {
  return {
    ...{ eventId: id, packageId: data.packageId, revision, position, what },
    ...{ at: metadata.time, actorId: metadata.actor.id, actorRole: metadata.actor.role },
    ...{
      ownerId: 'ownerId' in data ? data.ownerId : data.clientId,
      serviceId: null,
      appointmentId: null,
      from: null,
      to: null,
      reason: null,
    },
    ...detail,
  };
}

/** I4: nobody of the staff sold it. */
function boughtOnline({ channel }: PackageSoldData): string | null {
  return channel === 'online' ? channel : null;
}

/** From how many remaining to how many; of an unlimited service, how many are used. */
function session(data: { serviceId: string; appointmentId: string; remaining: number | null; used: number }, taken: number): Detail {
  const { serviceId, appointmentId, remaining, used } = data;
  const [from, to] = remaining === null ? [used - taken, used] : [remaining + taken, remaining];
  return { serviceId, appointmentId, from: String(from), to: String(to) };
}

/** From which day to which. */
function moved({
  serviceId,
  appointmentId,
  from,
  on,
}: {
  serviceId: string;
  appointmentId: string;
  from: { on: string };
  on: string;
}): Detail {
  return { serviceId, appointmentId, from: from.on, to: on };
}

/** From how much refunded in all to how much, in minor units; of one that waits for Stripe, from how much that waits (H6). */
function grown({ amount }: { amount: Money }, all: Money): Detail {
  return { from: String(all.amount - amount.amount), to: String(all.amount) };
}

/** From how much that was refunded or waits, in all, to how much. */
function withdrawn({ amount, refunded, pending }: { amount: Money; refunded: Money; pending: Money }): Detail {
  const left = refunded.amount + pending.amount;
  return { from: String(left + amount.amount), to: String(left) };
}

function changed({ from, to, reason }: { from: string | number | null; to: string | number | null; reason: string | null }): Detail {
  return { from: from === null ? null : String(from), to: to === null ? null : String(to), reason };
}
