import type { Aggregate } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import type { SessionOutcome } from '../kernel/shapes.js';
import { appointmentEvents, type AppointmentEvent, type Booking } from './appointment.events.js';

export type AppointmentState = { status: 'none' } | BookedAppointment;

export interface BookedAppointment extends Omit<Booking, 'invoice'> {
  status: 'booked' | 'completed' | 'cancelled' | 'noShow';
  outcome: SessionOutcome | null; // while cancelled or a no-show
  before: 'booked' | 'completed' | null; // what a no-show was before
  sessionMoves: number; // how often its session was moved, as far as it has followed (E7)
  soldPackageIds: string[]; // D1: the packages that were sold from here
}

export const appointment: Aggregate<AppointmentState, AppointmentEvent> = {
  category: 'appointment',
  events: appointmentEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'AppointmentBooked') {
      const { invoice: _, ...booking } = data;
      return { ...booking, status: 'booked', outcome: null, before: null, sessionMoves: 0, soldPackageIds: [] };
    }
    if (state.status === 'none') return state;
    switch (type) {
      case 'AppointmentLinkedToSale':
        return { ...state, soldPackageIds: [...new Set([...state.soldPackageIds, data.packageId])] };
      case 'PackageApplied':
        return { ...state, ...pick(data, 'packageId', 'consumptionId'), sessionMoves: 0 };
      case 'PackageRemoved':
        return { ...state, packageId: null, consumptionId: null, sessionMoves: 0 };
      case 'AppointmentMoved':
        return { ...state, ...pick(data, 'providerId', 'start', 'end', 'timeZone', 'on'), sessionMoves: data.sessionMoves ?? 0 };
      case 'AppointmentCompleted':
        return { ...state, status: 'completed' };
      case 'AppointmentCompletionUndone':
        return { ...state, status: 'booked' };
      case 'AppointmentCancelled':
        return { ...state, status: 'cancelled', outcome: data.outcome };
      case 'AppointmentMarkedNoShow':
        return { ...state, status: 'noShow', outcome: data.outcome, before: data.from };
      case 'NoShowUndone':
        return { ...state, ...using(state, data), status: data.status, outcome: null, before: null };
      case 'AppointmentRebooked':
        return { ...state, ...using(state, data), status: 'booked', outcome: null };
      default:
        return type satisfies never;
    }
  },
};

/** Another session has not been moved yet. */
const using = (state: BookedAppointment, use: Pick<Booking, 'packageId' | 'consumptionId'>) => ({
  ...pick(use, 'packageId', 'consumptionId'),
  sessionMoves: use.consumptionId === state.consumptionId ? state.sessionMoves : 0,
});
