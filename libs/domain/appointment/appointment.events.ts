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

export const AppointmentCompleted = defineEvent('AppointmentCompleted', about.extend(packageUse.shape));

const heldOrToCome = z.enum(['booked', 'completed']);
const ended = about.extend({ ...packageUse.shape, invoiceId: id, endedOn: localDate, outcome: sessionOutcome, reason });

/** H2. `outcome`: of its session, or of its fee when it has none. */
export const AppointmentCancelled = defineEvent('AppointmentCancelled', ended.extend({ late: z.boolean() }));

/** H1. `outcome`: of its session, or of its fee when it has none. */
export const AppointmentMarkedNoShow = defineEvent('AppointmentMarkedNoShow', ended.extend({ from: heldOrToCome }));

/** It is again what it was before. `consumptionId`: the session that it now uses; `outcome`: what had become of the first. */
export const NoShowUndone = defineEvent(
  'NoShowUndone',
  about.extend({ ...packageUse.shape, invoiceId: id, outcome: sessionOutcome, status: heldOrToCome }),
);

export const appointmentEvents = [
  AppointmentBooked,
  AppointmentLinkedToSale,
  PackageApplied,
  AppointmentCompleted,
  AppointmentCancelled,
  AppointmentMarkedNoShow,
  NoShowUndone,
] as const;
export type AppointmentEvent = EventOf<(typeof appointmentEvents)[number]>;
export type Booking = EventOf<typeof AppointmentBooked>['data'];
