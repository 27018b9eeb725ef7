import { assertCancelled, existing, rebookAppointment } from '../../domain/appointment/appointment.decisions.js';
import { appointment, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { assertNotPaid, existing as issued } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import type { AnyEvent } from '../../domain/kernel/event.js';
import { Refusal } from '../../domain/kernel/refusal.js';
import { consumeSession, undoForfeit } from '../../domain/package/package.decisions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import { packageAggregate, type PackageState } from '../../domain/package/package.state.js';
import { assertGives, provider } from '../../domain/provider/provider.js';
import { assertBookable, service } from '../../domain/service/service.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { mayUse } from '../linked-clients.js';
import { reference, type Decided, type Operation } from '../operation.js';
import { answerOf, undoneByAnother, type AppointmentAnswer } from './appointment.commands.js';
import { assertNotGivenBack, atRegularFee, sessionFor, settledAppointment, useOf, type SessionUse } from './changing.js';

/** Undoes a cancellation: with a session of the package that it had, or, when asked, at the regular fee. */
export class RebookAppointment extends CommandOf<{ appointmentId: string; regularFee: boolean }, AppointmentAnswer> {}

export const rebookingHandlers = [
  handlerOf(RebookAppointment, async (operation, { appointmentId, regularFee }) => {
    const now = existing(await operation.newest(appointment, appointmentId), appointmentId);
    const before = await rebookedBefore(operation, now, regularFee);
    if (before) return before;

    const ended = await settledAppointment(operation, appointmentId); // it may have lost its package just before
    assertCancelled(ended);
    await assertMayBeBooked(operation, ended);
    if (ended.packageId === null)
      return operation.change(
        appointment,
        appointmentId,
        rebookAppointment({ appointmentId, consumptionId: null, invoice: null }),
        answerOf,
      );
    return regularFee ? rebookAtRegularFee(operation, ended) : rebookFrom(operation, ended, ended.packageId);
  }),
];

/** B1, B2: what nobody books any more, nobody books again. */
const assertMayBeBooked = async (operation: Operation, { serviceId, providerId }: BookedAppointment): Promise<void> => {
  const [described, giver] = await operation.lookUp(
    reference(service, '/appointmentId', serviceId),
    reference(provider, '/appointmentId', providerId),
  );
  assertBookable(described, operation.caller.actor.role === 'client');
  assertGives(giver, serviceId);
};

/** What came of it when it was sent before. */
const rebookedBefore = async (
  operation: Operation,
  now: BookedAppointment,
  regularFee: boolean,
): Promise<AppointmentAnswer | undefined> => {
  const { appointmentId, packageId, serviceId } = now;
  if (packageId === null || regularFee) return (await operation.recall(appointment, appointmentId, answerOf))?.answer;
  const before = await operation.recall(packageAggregate, packageId, useOfTaken(serviceId));
  return before && rebookedFrom(operation, now, before);
};

/** It gives up the package that it had. */
const rebookAtRegularFee = async (operation: Operation, ended: BookedAppointment): Promise<AppointmentAnswer> => {
  const { appointmentId, invoiceId } = ended;
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
  const again = await sessionAgain(operation, ended, packageId);
  const taken = await operation.decide(packageAggregate, packageId, again, { view: useOfTaken(ended.serviceId) });
  return rebookedFrom(operation, ended, taken);
};

const rebookedFrom = async (
  operation: Operation,
  ended: BookedAppointment,
  { events, answer }: Decided<SessionUse | null, PackageEvent>,
): Promise<AppointmentAnswer> => {
  const packageId = ended.packageId!;
  const consumptionId = consumptionIn(events);
  if (consumptionId === undefined) return undoneByAnother(operation, ended, packageId);
  await assertNotGivenBack(operation, packageId);
  return { ...answerOf(ended), consumptionId, status: 'booked', outcome: null, session: answer! };
};

/** Which session it was: sent again, the appointment's outcome no longer says whether it was another. */
const consumptionIn = (events: readonly AnyEvent[]): string | undefined =>
  (events as readonly PackageEvent[]).flatMap(({ type, data }) =>
    type === 'SessionConsumed' || type === 'SessionForfeitUndone' ? [data.consumptionId] : [],
  )[0];

const useOfTaken =
  (serviceId: string) =>
  (state: PackageState, events: readonly AnyEvent[]): SessionUse | null => {
    const consumptionId = consumptionIn(events);
    return consumptionId === undefined ? null : useOf(consumptionId, serviceId)(state);
  };

const sessionAgain = async (operation: Operation, ended: BookedAppointment, packageId: string) => {
  if (ended.outcome === 'forfeited') return undoForfeit({ packageId, consumptionId: ended.consumptionId! });
  const shared = await mayUse(operation, packageId, ended.clientId);
  const session = await sessionFor(operation, ended, 'rebooking');
  return consumeSession({ ...session, packageId, replaces: ended.consumptionId, shared });
};

const assertReturned = ({ appointmentId, outcome }: BookedAppointment): void => {
  if (outcome === 'forfeited')
    throw new Refusal('SESSION_FORFEITED', 'Its session was forfeited: book it again with that one, then remove the package.', {
      appointmentId,
    });
};
