import {
  assertCancelled,
  assertNoShow,
  existing,
  rebookAppointment,
  undoNoShow,
  type StandAgain,
} from '../../domain/appointment/appointment.decisions.js';
import type { AppointmentEvent } from '../../domain/appointment/appointment.events.js';
import { appointment, type AppointmentState, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { assertNotPaid, existing as issued } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import type { AnyEvent, Decide } from '../../domain/kernel/event.js';
import { NotFound, Refusal } from '../../domain/kernel/refusal.js';
import { consumeSession, undoForfeit, type ConsumeSession, type DecidePackage } from '../../domain/package/package.decisions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import { packageAggregate, type PackageState } from '../../domain/package/package.state.js';
import { assertGives, provider } from '../../domain/provider/provider.js';
import { assertBookable, service } from '../../domain/service/service.js';
import { CommandOf, type Following, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import { mayUse } from '../linked-clients.js';
import { reference, versioned, type Decided, type Operation } from '../operation.js';
import { answerOf, type AppointmentAnswer } from './appointment.commands.js';
import { assertNotGivenBack, atRegularFee, FOLLOWS, sessionFor, settledAppointment, useOf, type SessionUse } from './changing.js';

// H1, H2: what ended stands again, with a session of the package that it had, or, when asked, at the regular fee.

interface Again {
  appointmentId: string;
  regularFee: boolean; // although it had a package, which it then gives up
}

/** Undoes a cancellation. */
export class RebookAppointment extends CommandOf<Again, Following<AppointmentAnswer>> {}
export class UndoNoShow extends CommandOf<Again, Following<AppointmentAnswer>> {}

export const standingAgainHandlers = [
  handlerOf(RebookAppointment, (operation, input) =>
    standAgain(operation, input, {
      purpose: 'rebooking',
      decide: rebookAppointment,
      assertMay: async (ended) => {
        assertCancelled(ended);
        await assertMayBeBooked(operation, ended);
      },
    }),
  ),

  handlerOf(UndoNoShow, (operation, input) =>
    standAgain(operation, input, { purpose: 'noShowUndone', decide: undoNoShow, assertMay: async (ended) => assertNoShow(ended) }),
  ),
];

/** What is different of a cancellation and a no-show. */
interface Way {
  purpose: ConsumeSession['purpose'];
  decide: (again: StandAgain) => Decide<AppointmentState, AppointmentEvent>;
  assertMay: (ended: BookedAppointment) => Promise<void>;
}

const standAgain = async (operation: Operation, { appointmentId, regularFee }: Again, way: Way): Promise<Following<AppointmentAnswer>> => {
  const now = existing(await operation.newest(appointment, appointmentId), appointmentId);
  const before = await doneBefore(operation, now, regularFee);
  if (before) return before;

  const ended = await settledAppointment(operation, appointmentId); // it may have lost its package just before
  await way.assertMay(ended);
  const without = { appointmentId, session: null };
  if (ended.packageId === null) return operation.change(appointment, appointmentId, way.decide({ ...without, invoice: null }), answerOf);
  if (!regularFee) return fromPackage(operation, ended, ended.packageId, way);
  await assertMayGiveUp(operation, ended);
  const content = await atRegularFee(operation, ended);
  return operation.change(appointment, appointmentId, way.decide({ ...without, invoice: content }), answerOf);
};

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
const doneBefore = async (
  operation: Operation,
  now: BookedAppointment,
  regularFee: boolean,
): Promise<Following<AppointmentAnswer> | undefined> => {
  const { appointmentId, packageId, serviceId } = now;
  if (packageId === null || regularFee) {
    const before = await operation.recall(appointment, appointmentId, answerOf);
    return before && versioned(before);
  }
  const before = await operation.recall(packageAggregate, packageId, useOfTaken(serviceId));
  return before && withSession(operation, now, before);
};

/** E9: its package, unless its session was forfeited, or its invoice is paid. */
const assertMayGiveUp = async (operation: Operation, { appointmentId, invoiceId, outcome }: BookedAppointment): Promise<void> => {
  if (outcome === 'forfeited')
    throw new Refusal('SESSION_FORFEITED', 'Its session was forfeited: let it stand again with that one, then remove the package.', {
      appointmentId,
    });
  assertNotPaid(issued(await operation.newest(invoice, invoiceId), invoiceId));
};

/** The package gives another session in place of the one that was returned, or lets the one that was forfeited stand again. */
const fromPackage = async (
  operation: Operation,
  ended: BookedAppointment,
  packageId: string,
  { purpose }: Way,
): Promise<Following<AppointmentAnswer>> => {
  const again =
    ended.outcome === 'forfeited'
      ? undoForfeit({ packageId, consumptionId: ended.consumptionId! })
      : tellingOfRegularFee(await anotherSession(operation, ended, packageId, purpose));
  const taken = await operation.decide(packageAggregate, packageId, again, { view: useOfTaken(ended.serviceId) });
  return withSession(operation, ended, taken);
};

const anotherSession = async (
  operation: Operation,
  ended: BookedAppointment,
  packageId: string,
  purpose: Way['purpose'],
): Promise<DecidePackage> => {
  const shared = await mayUse(operation, packageId, ended.clientId);
  const session = await sessionFor(operation, ended, purpose);
  return consumeSession({ ...session, packageId, replaces: ended.consumptionId, shared });
};

/** A package that gives no session any more is no reason to leave it as it is. */
const tellingOfRegularFee =
  (decide: DecidePackage): DecidePackage =>
  (state) => {
    try {
      return decide(state);
    } catch (error) {
      if (!(error instanceof Refusal) || error instanceof NotFound) throw error;
      const { code, message, details } = error;
      throw new Refusal(code, `${message} With regularFee: true it stands again without a session, at the regular fee.`, details);
    }
  };

const withSession = async (
  operation: Operation,
  ended: BookedAppointment,
  { events, answer }: Decided<SessionUse | null, PackageEvent>,
): Promise<Following<AppointmentAnswer>> => {
  const packageId = ended.packageId!;
  const consumptionId = consumptionIn(events);
  if (consumptionId === undefined) return doneByAnother(operation, ended, packageId);
  await assertNotGivenBack(operation, packageId);
  return { ...answerOf(ended), consumptionId, status: ended.before ?? 'booked', outcome: null, session: answer!, ...FOLLOWS };
};

/** Somebody else took the session for it a moment before: it stands again once, and both are told how. */
const doneByAnother = async (
  operation: Operation,
  { appointmentId, consumptionId }: BookedAppointment,
  packageId: string,
): Promise<Versioned<AppointmentAnswer>> => {
  await operation.settled(packageAggregate, packageId, {
    such: ({ type, data }) =>
      type === 'SessionConsumed'
        ? data.replaces === consumptionId
        : type === 'SessionForfeitUndone' && data.consumptionId === consumptionId,
  });
  return operation.shown(appointment, appointmentId, answerOf);
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
