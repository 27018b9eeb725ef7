import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { charge, id, instant, localDate, percentage } from '../kernel/shapes.js';

const occurrence = z.object({
  appointmentId: id,
  invoiceId: id,
  consumptionId: id.nullable(), // null: at the regular fee
  shortage: z.string().nullable(), // the code of what the package says of it, if it was asked
  start: instant,
  end: instant,
  on: localDate,
});

/** Everything that the steps of a series need: who, what, when, and what each appointment without a session costs. */
const plan = z.object({
  seriesId: id,
  clientId: id,
  packageId: id.nullable(),
  shared: z.boolean(), // did the owner let this client use the package? (G3)
  serviceId: id,
  serviceName: z.string(),
  providerId: id,
  timeZone: z.string(),
  plannedOn: localDate,
  taxes: z.array(z.object({ taxId: id, name: z.string(), rate: percentage })), // of the service
  regular: charge,
  externalReference: z.string().nullable(),
  occurrences: z.array(occurrence).min(1),
});

/** E5: the intent, before anything is taken. */
export const SeriesPlanned = defineEvent('SeriesPlanned', plan);

/** E5: the package has given its sessions, all of them, or none was needed: the appointments at the regular fee follow. */
export const SeriesBooked = defineEvent('SeriesBooked', plan);

/** E5: the package could no longer give what was planned: nothing is booked. */
export const SeriesRefused = defineEvent('SeriesRefused', z.object({ seriesId: id, clientId: id }));

export const seriesEvents = [SeriesPlanned, SeriesBooked, SeriesRefused] as const;
export type SeriesEvent = EventOf<(typeof seriesEvents)[number]>;
export type SeriesPlan = z.infer<typeof plan>;
export type Occurrence = z.infer<typeof occurrence>;
