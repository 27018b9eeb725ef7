import { assertCancelled, existing, rebookAppointment } from '../../domain/appointment/appointment.decisions.js';
import { appointment, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { assertNotPaid, existing as issued } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { Refusal } from '../../domain/kernel/refusal.js';
import { consumeSession, undoForfeit } from '../../domain/package/package.decisions.js';
import { packageAggregate } from '../../domain/package/package.state.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { mayUse } from '../linked-clients.js';
import type { Operation } from '../operation.js';
import { answerOf, undoneByAnother, type AppointmentAnswer } from './appointment.commands.js';
import { assertNotGivenBack, atRegularFee, sessionFor, useOf } from './changing.js';

/** Undoes a cancellation: with a session of the package that it had, or, when asked, at the regular fee. */
export class RebookAppointment extends CommandOf<{ appointmentId: string; regularFee: boolean }, AppointmentAnswer> {}

export const rebookingHandlers = [
  handlerOf(RebookAppointment, async (operation, { appointmentId, regularFee }) => {
    const ended = existing(await operation.newest(appointment, appointmentId), appointmentId);
    return ended.packageId === null || regularFee
      ? rebookWithout(operation, ended, regularFee)
      : rebookFrom(operation, ended, ended.packageId);
  }),
];

/** It has no package, or gives up the one that it had. */
const rebookWithout = async (operation: Operation, ended: BookedAppointment, regularFee: boolean): Promise<AppointmentAnswer> => {
  const { appointmentId, invoiceId, packageId } = ended;
  const before = await operation.recall(appointment, appointmentId, answerOf);
  if (before) return before.answer;

  await settle(operation, ended);
  if (packageId === null || !regularFee)
    return operation.change(appointment, appointmentId, rebookAppointment({ appointmentId, consumptionId: null, invoice: null }), answerOf);
  assertCancelled(ended);
  assertReturned(ended);
  assertNotPaid(issued(await operation.newest(invoice, invoiceId), invoiceId));
  const content = await atRegularFee(operation, ended);
  return operation.change(
    appointment,
    appointmentId,
    rebookAppointment({ appointmentId, consumptionId: null, invoice: content }),
    answerOf,
  );
};

/** The package gives another session in place of the one that was returned, or lets the one that was forfeited stand again. */
const rebookFrom = async (operation: Operation, ended: BookedAppointment, packageId: string): Promise<AppointmentAnswer> => {
  const forfeited = ended.outcome === 'forfeited';
  const consumptionId = forfeited ? ended.consumptionId! : operation.id('consumption');
  const view = useOf(consumptionId, ended.serviceId);
  const { events, answer } =
    (await operation.recall(packageAggregate, packageId, view)) ??
    (await operation.decide(packageAggregate, packageId, await sessionAgain(operation, ended, packageId), { view }));
  const taken = events.find((event) => event.type === 'SessionConsumed' || event.type === 'SessionForfeitUndone');
  if (!taken) return undoneByAnother(operation, ended, packageId);
  await assertNotGivenBack(operation, packageId);
  return {
    ...{ ...answerOf(ended), status: 'booked', outcome: null, session: answer! },
    consumptionId: taken.data.consumptionId, // sent again, the outcome no longer says which one it was
  };
};

const sessionAgain = async (operation: Operation, ended: BookedAppointment, packageId: string) => {
  await settle(operation, ended);
  assertCancelled(ended);
  if (ended.outcome === 'forfeited') return undoForfeit({ packageId, consumptionId: ended.consumptionId! });
  const shared = await mayUse(operation, packageId, ended.clientId);
  const session = await sessionFor(operation, ended, 'rebooking');
  return consumeSession({ ...session, packageId, replaces: ended.consumptionId, shared });
};

/** What follows from the cancellation, and from a removal of its package before, has been carried out; the caller has seen all. */
const settle = async (operation: Operation, { appointmentId, invoiceId }: BookedAppointment): Promise<void> => {
  await operation.settled(appointment, appointmentId, { ifMatch: true });
  await operation.settled(invoice, invoiceId);
};

const assertReturned = ({ appointmentId, outcome }: BookedAppointment): void => {
  if (outcome === 'forfeited')
    throw new Refusal('SESSION_FORFEITED', 'Its session was forfeited: book it again with that one, then remove the package.', {
      appointmentId,
    });
};
