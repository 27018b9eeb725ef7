import type { AppointmentEvent, Booking } from '../appointment/appointment.events.js';
import type { InvoiceContent } from '../kernel/shapes.js';
import { anna, at, idOf, massage } from './example.js';
import { p } from './example-package.js';

const a1 = { appointmentId: idOf('a1'), clientId: anna };
const c1 = { packageId: p, consumptionId: idOf('c1') };
export const regular: Use = { packageId: null, consumptionId: null };

/** Anna's massage on 1 February, from her package if nothing else is said. */
export const bookingOf = (over: Partial<Booking> = {}): Booking => ({
  ...{ ...a1, ...c1, serviceId: massage, serviceName: 'Massage', providerId: idOf('provider'), ...at('2027-02-01') },
  ...{ seriesId: null, invoiceId: idOf('i1'), invoice: null, externalReference: null, ...over },
});

export const booked = (over: Partial<Booking> = {}): AppointmentEvent => ({ type: 'AppointmentBooked', data: bookingOf(over) });
export const bookedAtRegularFee = (invoice: InvoiceContent): AppointmentEvent => booked({ ...regular, invoice });
export const completed = (use: Use = c1): AppointmentEvent => ({ type: 'AppointmentCompleted', data: { ...a1, ...use } });

type Use = { packageId: string | null; consumptionId: string | null };
type Outcome = 'returned' | 'forfeited';
type HeldOrToCome = 'booked' | 'completed';

export const cancelledAppointment = (
  outcome: Outcome,
  { late = false, use = c1 }: { late?: boolean; use?: Use } = {},
): AppointmentEvent => ({
  type: 'AppointmentCancelled',
  data: { ...a1, ...use, invoiceId: idOf('i1'), outcome, late, reason: null, endedOn: '2027-01-31' },
});
export const noShow = (outcome: Outcome, { use = c1, from = 'booked' }: { use?: Use; from?: HeldOrToCome } = {}): AppointmentEvent => ({
  type: 'AppointmentMarkedNoShow',
  data: { ...a1, ...use, invoiceId: idOf('i1'), outcome, reason: null, endedOn: '2027-02-01', from },
});
export const noShowUndone = (
  outcome: Outcome,
  { use = c1, status = 'booked', invoice = null }: { use?: Use; status?: HeldOrToCome; invoice?: InvoiceContent | null } = {},
): AppointmentEvent => ({
  type: 'NoShowUndone',
  data: { ...a1, ...use, invoiceId: idOf('i1'), outcome, status, invoice },
});
export const applied = (invoice: InvoiceContent, n = 1): AppointmentEvent => ({
  type: 'PackageApplied',
  data: { ...a1, packageId: p, consumptionId: idOf(`c${n}`), invoice },
});
export const linkedToSale: AppointmentEvent = { type: 'AppointmentLinkedToSale', data: { ...a1, packageId: p } };

type Day = ReturnType<typeof at>;
const provider = { providerId: idOf('provider') };
const timesOf = ({ start, end, on }: Day) => ({ start, end, on });

/** From 1 February, if nothing else is said, to another day. */
export const moved = (
  to: string,
  { from = '2027-02-01', use = c1, sessionMoves = 1 }: { from?: string; use?: Use; sessionMoves?: number | null } = {},
): AppointmentEvent => ({
  type: 'AppointmentMoved',
  data: { ...a1, ...use, ...provider, ...at(to), from: { ...provider, ...timesOf(at(from)) }, sessionMoves },
});
export const packageRemoved = (over: Partial<Extract<AppointmentEvent, { type: 'PackageRemoved' }>['data']> = {}): AppointmentEvent => ({
  type: 'PackageRemoved',
  data: { ...a1, ...c1, because: 'removed', invoiceId: idOf('i1'), invoice: null, removedOn: '2027-01-31', ...over },
});
export const completionUndone = (use: Use = c1): AppointmentEvent => ({ type: 'AppointmentCompletionUndone', data: { ...a1, ...use } });
export const rebooked = (
  outcome: Outcome,
  { use = c1, invoice = null }: { use?: Use; invoice?: InvoiceContent | null } = {},
): AppointmentEvent => ({ type: 'AppointmentRebooked', data: { ...a1, ...use, invoiceId: idOf('i1'), outcome, invoice } });
