import type { Aggregate } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import type { SessionOutcome } from '../kernel/shapes.js';
import { appointmentEvents, type AppointmentEvent, type Booking } from './appointment.events.js';

export type AppointmentState = { status: 'none' } | BookedAppointment;

export interface BookedAppointment extends Omit<Booking, 'invoice'> {
  status: 'booked' | 'completed' | 'cancelled' | 'noShow';
  outcome: SessionOutcome | null; // while cancelled or a no-show
  before: 'booked' | 'completed' | null; // what a no-show was before
  soldPackageId: string | null; // D1: the package that was sold from here
}

export const appointment: Aggregate<AppointmentState, AppointmentEvent> = {
  category: 'appointment',
  events: appointmentEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'AppointmentBooked') {
      const { invoice: _, ...booking } = data;
      return { ...booking, status: 'booked', outcome: null, before: null, soldPackageId: null };
    }
    if (state.status === 'none') return state;
    switch (type) {
      case 'AppointmentLinkedToSale':
        return { ...state, soldPackageId: data.packageId };
      case 'PackageApplied':
        return { ...state, packageId: data.packageId, consumptionId: data.consumptionId };
      case 'AppointmentCompleted':
        return { ...state, status: 'completed' };
      case 'AppointmentCancelled':
        return { ...state, status: 'cancelled', outcome: data.outcome };
      case 'AppointmentMarkedNoShow':
        return { ...state, status: 'noShow', outcome: data.outcome, before: data.from };
      case 'NoShowUndone':
        return { ...state, ...pick(data, 'status', 'packageId', 'consumptionId'), outcome: null, before: null };
      default:
        return type satisfies never;
    }
  },
};
