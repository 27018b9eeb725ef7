import { z } from 'zod';
import { defineEvent, personal, type EventOf } from '../kernel/event.js';
import { id, instant, invoiceContent, localDate, sessionOutcome } from '../kernel/shapes.js';

const about = z.object({ appointmentId: id, clientId: id });
const packageUse = z.object({ packageId: id.nullable(), consumptionId: id.nullable() }); // null: at the regular fee
const reason = personal('clientId').nullable();

export const AppointmentBooked = defineEvent(
  'AppointmentBooked',
  about.extend({
    ...packageUse.shape,
    serviceId: id,
    serviceName: z.string(),
    providerId: id,
    start: instant,
    end: instant,
    timeZone: z.string(),
    on: localDate,
    seriesId: id.nullable(), // E5
    invoiceId: id,
    invoice: invoiceContent.nullable(), // to issue because of this event; null: SessionConsumed brought it
    externalReference: z.string().nullable(),
  }),
);

/** D1: a package was sold from this appointment. */
export const AppointmentLinkedToSale = defineEvent('AppointmentLinkedToSale', about.extend({ packageId: id }));

/** E8: a session of the package was taken for an appointment that was booked without. */
export const PackageApplied = defineEvent('PackageApplied', about.extend({ packageId: id, consumptionId: id, invoice: invoiceContent }));

/**
 * E8, E9: it is at the regular fee again. Its session is returned, if it was not before; `invoice`: at that fee, to issue
 * because of this event; null: it was issued before, or (`refused`) the old one stands because it was paid in the meantime.
 */
export const PackageRemoved = defineEvent(
  'PackageRemoved',
  about.extend({
    packageId: id,
    consumptionId: id,
    because: z.enum(['removed', 'refused']),
    invoiceId: id,
    invoice: invoiceContent.nullable(),
    removedOn: localDate,
  }),
);

const times = z.object({ providerId: id, start: instant, end: instant, on: localDate });

/** E7. `sessionMoves`: how often its session was moved by then; null: it has none. */
export const AppointmentMoved = defineEvent(
  'AppointmentMoved',
  about.extend({ ...packageUse.shape, ...times.shape, timeZone: z.string(), from: times, sessionMoves: z.int().positive().nullable() }),
);

export const AppointmentCompleted = defineEvent('AppointmentCompleted', about.extend(packageUse.shape));

/** It was marked as completed by mistake. */
export const AppointmentCompletionUndone = defineEvent('AppointmentCompletionUndone', about.extend(packageUse.shape));

const heldOrToCome = z.enum(['booked', 'completed']);
const ended = about.extend({ ...packageUse.shape, invoiceId: id, endedOn: localDate, outcome: sessionOutcome, reason });

/** H2. `outcome`: of its session, or of its fee when it has none. */
export const AppointmentCancelled = defineEvent('AppointmentCancelled', ended.extend({ late: z.boolean() }));

/** H1. `outcome`: of its session, or of its fee when it has none. */
export const AppointmentMarkedNoShow = defineEvent('AppointmentMarkedNoShow', ended.extend({ from: heldOrToCome }));

/**
 * It is again what it was before. `consumptionId`: the session that it now uses; `outcome`: what had become of the first;
 * `invoice`: at the regular fee in place of a session, to issue because of this event; null: the one that it has stands again.
 */
export const NoShowUndone = defineEvent(
  'NoShowUndone',
  about.extend({ ...packageUse.shape, invoiceId: id, outcome: sessionOutcome, status: heldOrToCome, invoice: invoiceContent.nullable() }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), invoice: null }) } },
);

/**
 * The cancellation is undone. `consumptionId`: the session that it now uses; `outcome`: what had become of the first;
 * `invoice`: at the regular fee in place of a session, to issue because of this event; null: the one that it has stands again.
 */
export const AppointmentRebooked = defineEvent(
  'AppointmentRebooked',
  about.extend({ ...packageUse.shape, invoiceId: id, outcome: sessionOutcome, invoice: invoiceContent.nullable() }),
);

export const appointmentEvents = [
  AppointmentBooked,
  AppointmentLinkedToSale,
  PackageApplied,
  PackageRemoved,
  AppointmentMoved,
  AppointmentCompleted,
  AppointmentCompletionUndone,
  AppointmentCancelled,
  AppointmentMarkedNoShow,
  NoShowUndone,
  AppointmentRebooked,
] as const;
export type AppointmentEvent = EventOf<(typeof appointmentEvents)[number]>;
export type Booking = EventOf<typeof AppointmentBooked>['data'];
