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

/** D1: the sale is shown at the appointment from which it was made, beside others. */
export const linkToSale =
  (appointmentId: string, packageId: string): DecideAppointment =>
  (state) => {
    const { clientId, soldPackageIds } = existing(state, appointmentId);
    return soldPackageIds.includes(packageId) ? [] : [{ type: 'AppointmentLinkedToSale', data: { appointmentId, clientId, packageId } }];
  };

export interface ApplyPackage {
  appointmentId: string;
  packageId: string;
  consumptionId: string;
  at: Pick<Times, 'start' | 'end' | 'providerId'>; // of the session
  invoice: InvoiceContent;
}

/** E8: one package at a time; the second of two that were taken at once is told, and one that was taken for another time or provider. */
export const applyPackage =
  ({ appointmentId, at, ...use }: ApplyPackage): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.consumptionId === use.consumptionId) return [];
    assertMayTakePackage(booked);
    if (!isAt(booked, at)) throw changedMeanwhile(appointmentId);
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

export interface RemovePackage {
  appointmentId: string;
  packageId: string;
  consumptionId: string;
  because: 'removed' | 'refused';
  invoice: InvoiceContent | null;
  removedOn: string; // local date of the business
  moveTo: Times | null; // E7: it moves to where the package is not valid
}

/** E8, E9: whatever has become of it since, it no longer uses that session: its invoice says so already, or the package does. */
export const removePackage =
  ({ appointmentId, consumptionId, moveTo, ...removal }: RemovePackage): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.consumptionId !== consumptionId) return [];
    const { clientId, invoiceId } = booked;
    const removed: AppointmentEvent = { type: 'PackageRemoved', data: { appointmentId, clientId, consumptionId, invoiceId, ...removal } };
    if (moveTo === null || booked.status !== 'booked') return [removed];
    return [removed, moved({ ...booked, packageId: null, consumptionId: null }, moveTo, null)];
  };

/** E8: also after completion. */
export const assertHasPackage = ({ appointmentId, status, packageId, consumptionId }: BookedAppointment) => {
  if (status === 'cancelled' || status === 'noShow') throw notBooked(appointmentId, status);
  if (packageId === null || consumptionId === null)
    throw new Refusal('APPOINTMENT_WITHOUT_PACKAGE', 'This appointment uses no package: there is none to remove.', { appointmentId });
  return { packageId, consumptionId };
};

/** E8: by staff at any time, by clients until it starts. */
export const assertBeforeStart = ({ appointmentId, start }: BookedAppointment, now: string): void => {
  if (now >= start)
    throw new Refusal('APPOINTMENT_STARTED', 'This appointment has started: staff can change it.', { appointmentId, start });
};

export interface Times {
  providerId: string;
  start: string;
  end: string;
  timeZone: string;
  on: string; // local date of the start
}

/** E7: without a package; with one the package decides first, and it follows its session. */
export const moveAppointment =
  ({ appointmentId, to }: { appointmentId: string; to: Times }): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    assertMayMove(booked);
    if (booked.packageId !== null) throw changedMeanwhile(appointmentId);
    return isAt(booked, to) ? [] : [moved(booked, to, null)];
  };

/** E7: where its session has moved, whatever has become of it since; of two moves at once the later one counts. */
export const followSession =
  ({
    appointmentId,
    consumptionId,
    moves,
    ...to
  }: Times & { appointmentId: string; consumptionId: string; moves: number }): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    return booked.consumptionId === consumptionId && booked.sessionMoves < moves ? [moved(booked, to, moves)] : [];
  };

/** E7: what is to come can be moved, not what has taken place or will not. */
export const assertMayMove = ({ appointmentId, status }: BookedAppointment): void => {
  if (status !== 'booked') throw notBooked(appointmentId, status);
};

const isAt = (booked: BookedAppointment, { providerId, start, end }: Pick<Times, 'start' | 'end' | 'providerId'>): boolean =>
  booked.providerId === providerId && booked.start === start && booked.end === end;

const moved = (booked: BookedAppointment, to: Times, sessionMoves: number | null): AppointmentEvent => ({
  type: 'AppointmentMoved',
  data: {
    ...pick(booked, 'appointmentId', 'clientId', 'packageId', 'consumptionId'),
    ...pick(to, 'providerId', 'start', 'end', 'timeZone', 'on'),
    ...{ from: pick(booked, 'providerId', 'start', 'end', 'on'), sessionMoves },
  },
});

export const completeAppointment =
  (appointmentId: string): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status === 'completed') return [];
    if (booked.status !== 'booked') throw notBooked(appointmentId, booked.status);
    return [{ type: 'AppointmentCompleted', data: pick(booked, 'appointmentId', 'clientId', 'packageId', 'consumptionId') }];
  };

/** It was marked as completed by mistake. */
export const undoCompletion =
  (appointmentId: string): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status === 'booked') return [];
    if (booked.status !== 'completed') throw notBooked(appointmentId, booked.status);
    return [{ type: 'AppointmentCompletionUndone', data: pick(booked, 'appointmentId', 'clientId', 'packageId', 'consumptionId') }];
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
    if (booked.status === 'cancelled') return endedBefore(booked, session);
    if (booked.status !== 'booked') throw notBooked(appointmentId, booked.status);
    const late = byClient && now > plusMinutes(booked.start, -settings.lateCancellationWindowMinutes);
    const outcome = session ?? (late ? settings.onLateCancellation : 'returned');
    return [{ type: 'AppointmentCancelled', data: { ...useOf(booked), outcome, reason, endedOn, late } }];
  };

/** E9: a rebooking at the regular fee that its invoice refused, because it was paid, comes to nothing. */
export const cancelAgain =
  (appointmentId: string, endedOn: string): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status !== 'booked') return [];
    return [{ type: 'AppointmentCancelled', data: { ...useOf(booked), outcome: 'returned', reason: null, endedOn, late: false } }];
  };

/** E9: the same of a no-show that was undone at the regular fee. */
export const noShowAgain =
  (appointmentId: string, endedOn: string): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    const { status: from } = booked;
    if (from !== 'booked' && from !== 'completed') return [];
    return [{ type: 'AppointmentMarkedNoShow', data: { ...useOf(booked), outcome: 'returned', reason: null, endedOn, from } }];
  };

export interface MarkNoShow extends EndAppointment {
  session: SessionOutcome | null; // what staff say becomes of it; null: as the business has set it
  settings: Pick<Settings, 'onNoShow'>;
}

/** H1: the client did not come. One that was marked completed by mistake can be marked so too. */
export const markNoShow =
  ({ appointmentId, session, reason, endedOn, settings }: MarkNoShow): DecideAppointment =>
  (state) => {
    const booked = existing(state, appointmentId);
    if (booked.status === 'noShow') return endedBefore(booked, session);
    if (booked.status === 'cancelled') throw notBooked(appointmentId, booked.status);
    const outcome = session ?? settings.onNoShow;
    return [{ type: 'AppointmentMarkedNoShow', data: { ...useOf(booked), outcome, reason, endedOn, from: booked.status } }];
  };

/** H1, H2: once; but nobody takes it for done if they wanted another outcome than it has. */
const endedBefore = ({ appointmentId, status, outcome }: BookedAppointment, session: SessionOutcome | null): [] => {
  if (session === null || session === outcome) return [];
  throw new Refusal('ENDED_OTHERWISE', `This appointment is ${wording[status]} already, its session ${outcome}: undo that first.`, {
    ...{ appointmentId, status, outcome },
  });
};

export interface StandAgain {
  appointmentId: string;
  /** That it uses from now on, in place of the one that it used (`replaces`), or that very one; null: none. */
  session: { packageId: string; consumptionId: string; replaces: string | null } | null;
  invoice: InvoiceContent | null; // at the regular fee, when it gives up the package that it had
}

/** H1: it takes place after all, or did. */
export const undoNoShow =
  (again: StandAgain): DecideAppointment =>
  (state) => {
    const marked = existing(state, again.appointmentId);
    if (marked.status !== 'noShow' && uses(marked, again)) return [];
    assertNoShow(marked);
    return [{ type: 'NoShowUndone', data: { ...standing(marked, again), status: marked.before! } }];
  };

export const assertNoShow = ({ appointmentId, status }: BookedAppointment): void => {
  if (status !== 'noShow') throw new Refusal('NOT_A_NO_SHOW', 'This appointment is not marked as a no-show.', { appointmentId, status });
};

/** The opposite of cancelling. */
export const rebookAppointment =
  (again: StandAgain): DecideAppointment =>
  (state) => {
    const cancelled = existing(state, again.appointmentId);
    if (cancelled.status !== 'cancelled' && uses(cancelled, again)) return [];
    assertCancelled(cancelled);
    return [{ type: 'AppointmentRebooked', data: standing(cancelled, again) }];
  };

export const assertCancelled = ({ appointmentId, status }: BookedAppointment): void => {
  if (status !== 'cancelled')
    throw new Refusal('APPOINTMENT_NOT_CANCELLED', `This appointment is ${wording[status]}: there is no cancellation to undo.`, {
      appointmentId,
      status,
    });
};

/** H1, H2: its forfeited session stands again, and so does it, whichever way it had ended, and without it if it has given it up since. */
export const standAgain =
  ({ appointmentId, packageId, consumptionId }: { appointmentId: string; packageId: string; consumptionId: string }): DecideAppointment =>
  (state) => {
    const { status, consumptionId: used } = existing(state, appointmentId);
    const session = used === consumptionId ? { packageId, consumptionId, replaces: consumptionId } : null;
    const again = { appointmentId, session, invoice: null };
    if (status === 'cancelled') return rebookAppointment(again)(state);
    return status === 'noShow' ? undoNoShow(again)(state) : [];
  };

const uses = ({ consumptionId }: BookedAppointment, { session }: StandAgain): boolean =>
  session !== null && session.consumptionId === consumptionId;

/** A session that comes late, in place of one that it has given up since, is not for it any more. */
const standing = ({ appointmentId, clientId, consumptionId, invoiceId, outcome }: BookedAppointment, { session, invoice }: StandAgain) => {
  if (session !== null && session.replaces !== null && session.replaces !== consumptionId) throw changedMeanwhile(appointmentId);
  const use = session === null ? { packageId: null, consumptionId: null } : pick(session, 'packageId', 'consumptionId');
  return { appointmentId, clientId, ...use, invoiceId, outcome: outcome!, invoice };
};

export const existing = (state: AppointmentState, appointmentId: string): BookedAppointment => {
  if (state.status === 'none') throw new NotFound('appointment', appointmentId);
  return state;
};

const useOf = (booked: BookedAppointment) => pick(booked, 'appointmentId', 'clientId', 'packageId', 'consumptionId', 'invoiceId');

const wording = { booked: 'booked', completed: 'completed', cancelled: 'cancelled', noShow: 'marked as a no-show' };

const notBooked = (appointmentId: string, status: BookedAppointment['status']): Refusal =>
  new Refusal('APPOINTMENT_NOT_BOOKED', `This appointment is ${wording[status]}.`, { appointmentId, status });

export const changedMeanwhile = (appointmentId: string): Refusal =>
  new Refusal('APPOINTMENT_CHANGED', 'This appointment was changed at the same moment: look at it, and send it again.', { appointmentId });
