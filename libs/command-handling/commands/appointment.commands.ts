import {
  assertBeforeStart,
  bookAppointment,
  cancelAppointment,
  completeAppointment,
  existing,
  markNoShow,
  undoCompletion,
} from '../../domain/appointment/appointment.decisions.js';
import type { AppointmentEvent } from '../../domain/appointment/appointment.events.js';
import { appointment, type AppointmentState, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { assertRemembered, client } from '../../domain/client/client.js';
import { regularFeeInvoice } from '../../domain/invoice/invoice-content.js';
import { localDateOf, plusMinutes } from '../../domain/kernel/calendar.js';
import { eventOf } from '../../domain/kernel/event.js';
import { pick } from '../../domain/kernel/pick.js';
import { InvalidInput } from '../../domain/kernel/refusal.js';
import type { Charge, SessionOutcome } from '../../domain/kernel/shapes.js';
import { consumeSession } from '../../domain/package/package.decisions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import { packageAggregate, placesOf, type PackageState } from '../../domain/package/package.state.js';
import { assertGives, provider } from '../../domain/provider/provider.js';
import { assertBookable, service } from '../../domain/service/service.js';
import { ChangeOf, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import { assertMayManageFor, mayUse } from '../linked-clients.js';
import { reference, versioned, type Decided, type Operation } from '../operation.js';
import { assertNotPast, type SessionUse } from './changing.js';

export interface BookingInput {
  clientId: string;
  serviceId: string;
  providerId: string;
  start: string; // instants
  end: string | null; // null: after the service's duration
  packageId: string | null; // null: at the regular fee (E4)
  externalReference: string | null;
}

export type AppointmentAnswer = Omit<BookedAppointment, 'soldPackageIds' | 'before' | 'sessionMoves'> & {
  charge?: Charge; // at booking: what the appointment costs
  session?: SessionUse; // at booking from a package
};

interface Ending {
  appointmentId: string;
  session: SessionOutcome | null; // null: as the business has set it
  reason: string | null;
}

export class BookAppointment extends ChangeOf<BookingInput, AppointmentAnswer> {}
export class CompleteAppointment extends ChangeOf<{ appointmentId: string }, AppointmentAnswer> {}
export class UndoCompletion extends ChangeOf<{ appointmentId: string }, AppointmentAnswer> {}
export class CancelAppointment extends ChangeOf<Ending & { requestedBy: 'business' | 'client' }, AppointmentAnswer> {}
export class MarkNoShow extends ChangeOf<Ending, AppointmentAnswer> {}

export const appointmentHandlers = [
  handlerOf(BookAppointment, async (operation, input) =>
    input.packageId === null ? bookAtRegularFee(operation, input) : bookFromPackage(operation, input, input.packageId),
  ),

  handlerOf(CompleteAppointment, (operation, { appointmentId }) =>
    operation.change(appointment, appointmentId, completeAppointment(appointmentId), answerOf),
  ),

  handlerOf(UndoCompletion, (operation, { appointmentId }) =>
    operation.change(appointment, appointmentId, undoCompletion(appointmentId), answerOf),
  ),

  handlerOf(CancelAppointment, async (operation, { appointmentId, session, reason, requestedBy }) => {
    const before = await operation.recall(appointment, appointmentId, answerOf);
    if (before) return versioned(before);

    await assertMayManage(operation, appointmentId);
    const booked = existing(await operation.settled(appointment, appointmentId, { such: standsAgain }), appointmentId);
    const itself = operation.caller.actor.role === 'client';
    if (itself && booked.status === 'booked') assertBeforeStart(booked, operation.now);
    const { settings, today } = await operation.business();
    const ending = {
      ...{ appointmentId, reason, endedOn: today, now: operation.now, settings },
      byClient: requestedBy === 'client' || itself,
      session: itself ? null : session, // staff can override
    };
    return operation.change(appointment, appointmentId, cancelAppointment(ending), answerOf);
  }),

  handlerOf(MarkNoShow, async (operation, { appointmentId, session, reason }) => {
    await operation.settled(appointment, appointmentId, { such: standsAgain });
    const { settings, today } = await operation.business();
    const ending = { appointmentId, session, reason, endedOn: today, settings };
    return operation.change(appointment, appointmentId, markNoShow(ending), answerOf);
  }),
];

/** What follows from it, its ending undoes: it comes first. */
const standsAgain = ({ type }: AppointmentEvent): boolean => type === 'NoShowUndone' || type === 'AppointmentRebooked';

/** G3, G5: of an appointment that is there. */
const assertMayManage = async (operation: Operation, appointmentId: string): Promise<void> =>
  assertMayManageFor(operation, await operation.known(appointment, appointmentId, (state) => existing(state, appointmentId).clientId));

/** An appointment with all that is looked up for it. */
const bookingOf = async (operation: Operation, { start, end, packageId, ...input }: BookingInput) => {
  if (end !== null && end <= start)
    throw new InvalidInput([{ field: '/end', code: 'NOT_AFTER_START', message: 'The end comes after the start.' }]);
  await assertMayManageFor(operation, input.clientId);
  assertNotPast(operation, start);
  const { timeZone, today } = await operation.business();
  const [whose, described, giver] = await operation.lookUp(
    reference(client, '/clientId', input.clientId),
    reference(service, '/serviceId', input.serviceId),
    reference(provider, '/providerId', input.providerId),
    ...(packageId === null ? [] : [reference(packageAggregate, '/packageId', packageId)]),
  );
  assertRemembered(whose);
  assertBookable(described, operation.caller.actor.role === 'client');
  assertGives(giver, input.serviceId);
  return {
    ...input,
    appointmentId: operation.id('appointment'),
    invoiceId: operation.id('invoice'),
    serviceName: described.name,
    price: described.price,
    serviceTaxes: await operation.taxes(described.taxIds),
    ...{ start, end: end ?? plusMinutes(start, described.durationMinutes), timeZone, on: localDateOf(start, timeZone), today },
  };
};

/** E2: the package gives a session, or refuses; appointment and invoice follow. */
const bookFromPackage = async (operation: Operation, input: BookingInput, packageId: string): Promise<Versioned<AppointmentAnswer>> => {
  const consumptionId = operation.id('consumption');
  const view = placeOf(consumptionId);
  const before = await operation.recall(packageAggregate, packageId, view);
  if (before) return bookedFromPackage(before);

  const { price: _, ...planned } = await bookingOf(operation, input);
  const shared = await mayUse(operation, packageId, input.clientId);
  const consume = consumeSession({ ...planned, packageId, consumptionId, purpose: 'booking', shared });
  return bookedFromPackage(await operation.decide(packageAggregate, packageId, consume, { view }));
};

const bookedFromPackage = ({ events, answer: place }: Decided<string | null, PackageEvent>): Versioned<AppointmentAnswer> => {
  const { data } = eventOf(events, 'SessionConsumed');
  return {
    ...pick(data, 'appointmentId', 'clientId', 'packageId', 'consumptionId', 'serviceId', 'serviceName', 'providerId', 'invoiceId'),
    ...pick(data, 'start', 'end', 'timeZone', 'on', 'seriesId', 'externalReference', 'charge'),
    ...{ status: 'booked', outcome: null, session: { ...pick(data, 'remaining', 'expiresOn'), place } },
    revision: '0', // with it the appointment begins
  };
};

/** E4: the service's regular fee and taxes. */
const bookAtRegularFee = async (operation: Operation, input: BookingInput): Promise<Versioned<AppointmentAnswer>> => {
  const appointmentId = operation.id('appointment');
  const before = await operation.recall(appointment, appointmentId, answerOf);
  if (before) return bookedAtRegularFee(before);

  const { price, serviceTaxes, today: issuedOn, ...booking } = await bookingOf(operation, input);
  const content = regularFeeInvoice({ ...booking, issuedOn }, price, serviceTaxes);
  const book = bookAppointment({ ...booking, seriesId: null, packageId: null, consumptionId: null, invoice: content });
  return bookedAtRegularFee(await operation.decide(appointment, appointmentId, book, { begins: true, view: answerOf }));
};

const bookedAtRegularFee = (decided: Decided<AppointmentAnswer, AppointmentEvent>): Versioned<AppointmentAnswer> => {
  const [line] = eventOf(decided.events, 'AppointmentBooked').data.invoice!.lines;
  return { ...versioned(decided), charge: pick(line!, 'net', 'taxes', 'total') };
};

const placeOf =
  (consumptionId: string) =>
  (state: PackageState): string | null =>
    state.status === 'unsold' ? null : (placesOf(state).get(consumptionId) ?? null);

export const answerOf = (state: AppointmentState): AppointmentAnswer => {
  const { soldPackageIds: _, before: __, sessionMoves: ___, ...answer } = state as BookedAppointment;
  return answer;
};
