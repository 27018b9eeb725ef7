import type { Settings } from '../business/business.events.js';
import { plusMinutes } from '../kernel/calendar.js';
import type { Decide } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { InvoiceContent, SessionOutcome } from '../kernel/shapes.js';
import type { AppointmentEvent, Booking } from './appointment.events.js';
import type { AppointmentState, BookedAppointment } from './appointment.state.js';

type DecideAppointment = Decide<AppointmentState, AppointmentEvent>;

export const bookAppointment =
  (booking: Booking): DecideAppointment =>
  (state) =>
    state.status === 'none' ? [{ type: 'AppointmentBooked', data: booking }] : [];

/** D1: the sale is shown at the appointment from which it was made. */
export const linkToSale =
  (appointmentId: string, packageId: string): DecideAppointment =>
  (state) => {
    const { clientId, soldPackageId } = existing(state, appointmentId);
    return soldPackageId === packageId ? [] : [{ type: 'AppointmentLinkedToSale', data: { appointmentId, clientId, packageId } }];
  };

/** E8: one package at a time; the second of two that were taken at once is told. */
export const applyPackage =
  ({
    appointmentId,
    ...use
  }: {
    appointmentId: string;
    packageId: string;
    consumptionId: string;
    invoice: InvoiceContent;
  }): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.consumptionId === use.consumptionId) return [];
    assertMayTakePackage(booked);
    return [{ type: 'PackageApplied', data: { appointmentId, clientId: booked.clientId, ...use } }];
  };

export const assertMayTakePackage = ({ appointmentId, status, packageId }: BookedAppointment): void => {
  if (status === 'cancelled' || status === 'noShow')
    throw new Refusal('APPOINTMENT_NOT_BOOKED', `No package can be applied: this appointment is ${wording[status]}.`, {
      appointmentId,
      status,
    });
  if (packageId !== null)
    throw new Refusal('APPOINTMENT_HAS_PACKAGE', 'This appointment uses a package already: remove that first.', {
      appointmentId,
      packageId,
    });
};

export const completeAppointment =
  (appointmentId: string): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status === 'completed') return [];
    if (booked.status !== 'booked') throw notBooked(appointmentId, booked.status);
    return [{ type: 'AppointmentCompleted', data: pick(booked, 'appointmentId', 'clientId', 'packageId', 'consumptionId') }];
  };

interface EndAppointment {
  appointmentId: string;
  reason: string | null;
  endedOn: string; // local date of the business
}

export interface CancelAppointment extends EndAppointment {
  session: SessionOutcome | null; // what staff say becomes of it; null: as the business has set it
  byClient: boolean;
  now: string;
  settings: Pick<Settings, 'onLateCancellation' | 'lateCancellationWindowMinutes'>;
}

/** H2: cancelling returns the session, unless the client was late and the business forfeits; staff can override. */
export const cancelAppointment =
  ({ appointmentId, session, reason, endedOn, byClient, now, settings }: CancelAppointment): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status === 'cancelled') return [];
    if (booked.status !== 'booked') throw notBooked(appointmentId, booked.status);
    const late = byClient && now > plusMinutes(booked.start, -settings.lateCancellationWindowMinutes);
    const outcome = session ?? (late ? settings.onLateCancellation : 'returned');
    return [{ type: 'AppointmentCancelled', data: { ...useOf(booked), outcome, reason, endedOn, late } }];
  };

/** H1: the client did not come. One that was marked completed by mistake can be marked so too. */
export const markNoShow =
  ({ appointmentId, outcome, reason, endedOn }: EndAppointment & { outcome: SessionOutcome }): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status === 'noShow') return [];
    if (booked.status === 'cancelled') throw notBooked(appointmentId, booked.status);
    return [{ type: 'AppointmentMarkedNoShow', data: { ...useOf(booked), outcome, reason, endedOn, from: booked.status } }];
  };

/** H1: `consumptionId` is the session that it uses from now on: a new one if the first was returned. */
export const undoNoShow =
  ({ appointmentId, consumptionId }: { appointmentId: string; consumptionId: string | null }): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (consumptionId !== null && booked.status !== 'noShow' && booked.consumptionId === consumptionId) return [];
    assertNoShow(booked);
    const { clientId, packageId, invoiceId, outcome, before } = booked;
    return [
      { type: 'NoShowUndone', data: { appointmentId, clientId, packageId, consumptionId, invoiceId, outcome: outcome!, status: before! } },
    ];
  };

export const assertNoShow = ({ appointmentId, status }: BookedAppointment): void => {
  if (status !== 'noShow') throw new Refusal('NOT_A_NO_SHOW', 'This appointment is not marked as a no-show.', { appointmentId, status });
};

export const existing = (state: AppointmentState, appointmentId: string): BookedAppointment => {
  if (state.status === 'none') throw new NotFound('appointment', appointmentId);
  return state;
};

const useOf = (booked: BookedAppointment) => pick(booked, 'appointmentId', 'clientId', 'packageId', 'consumptionId', 'invoiceId');

const wording = { booked: 'booked', completed: 'completed', cancelled: 'cancelled', noShow: 'marked as a no-show' };

const notBooked = (appointmentId: string, status: BookedAppointment['status']): Refusal =>
  new Refusal('APPOINTMENT_NOT_BOOKED', `This appointment is ${wording[status]}.`, { appointmentId, status });
