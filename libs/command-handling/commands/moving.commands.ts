import { assertMayMove, existing, moveAppointment, type Times } from '../../domain/appointment/appointment.decisions.js';
import { appointment, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { localDateOf, minutesBetween, plusMinutes } from '../../domain/kernel/calendar.js';
import { eventOf } from '../../domain/kernel/event.js';
import { pick } from '../../domain/kernel/pick.js';
import { InvalidInput, Refusal } from '../../domain/kernel/refusal.js';
import type { InvoiceContent } from '../../domain/kernel/shapes.js';
import { moveSession } from '../../domain/package/package.decisions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import { packageAggregate } from '../../domain/package/package.state.js';
import { assertGives, provider } from '../../domain/provider/provider.js';
import { CommandOf, type Following } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, versioned, type Decided, type Operation } from '../operation.js';
import { answerOf, type AppointmentAnswer } from './appointment.commands.js';
import { assertMayChange, assertNotPast, feeOf, FOLLOWS, giveUpPackage, useOf, type SessionUse } from './changing.js';

export interface MoveInput {
  appointmentId: string;
  start: string; // instants
  end: string | null; // null: it takes as long as before
  providerId: string | null; // null: the same
  onInvalid: 'refuse' | 'regularFee'; // when its package is not valid then
}

/** E7: to another time, with or without another provider. */
export class MoveAppointment extends CommandOf<MoveInput, Following<AppointmentAnswer>> {}

export const movingHandlers = [
  handlerOf(MoveAppointment, async (operation, input) => {
    const { appointmentId } = input;
    const booked = existing(await operation.newest(appointment, appointmentId), appointmentId);
    const before = await movedBefore(operation, booked);
    if (before) return before;

    assertMayMove(booked);
    await assertMayChange(operation, booked);
    const to = await timesOf(operation, booked, input);
    return booked.packageId === null
      ? operation.change(appointment, appointmentId, moveAppointment({ appointmentId, to }), answerOf)
      : moveWithPackage(operation, booked, to, input);
  }),
];

const timesOf = async (operation: Operation, booked: BookedAppointment, input: MoveInput): Promise<Times> => {
  const { start } = input;
  const providerId = input.providerId ?? booked.providerId;
  const end = input.end ?? plusMinutes(start, minutesBetween(booked.start, booked.end));
  if (end <= start) throw new InvalidInput([{ field: '/end', code: 'NOT_AFTER_START', message: 'The end comes after the start.' }]);
  assertNotPast(operation, start);
  const { timeZone } = await operation.business();
  if (providerId !== booked.providerId) {
    const [giver] = await operation.lookUp(reference(provider, '/providerId', providerId));
    assertGives(giver, booked.serviceId);
  }
  return { start, end, providerId, timeZone, on: localDateOf(start, timeZone) };
};

/** E7: the package decides whether its session may move; if not, and when asked, it gives way to the regular fee. */
const moveWithPackage = async (
  operation: Operation,
  booked: BookedAppointment,
  to: Times,
  { onInvalid }: MoveInput,
): Promise<Following<AppointmentAnswer>> => {
  await operation.newest(appointment, booked.appointmentId, { ifMatch: true });
  const { today } = await operation.business();
  const use = { packageId: booked.packageId!, consumptionId: booked.consumptionId! };
  const view = useOf(use.consumptionId, booked.serviceId);
  try {
    const moved = await operation.decide(packageAggregate, use.packageId, moveSession({ ...use, ...to, today }), { view });
    return { ...movedWithPackage(booked, to, moved), ...FOLLOWS };
  } catch (error) {
    if (onInvalid === 'refuse' || !(error instanceof Refusal) || !NOT_VALID_THEN.has(error.code)) throw error;
    return { ...movedAtRegularFee(booked, to, await giveUpPackage(operation, booked, to)), ...FOLLOWS };
  }
};

/** What a package says of a time for which it is not valid (E3). */
const NOT_VALID_THEN = new Set(['PACKAGE_EXPIRED', 'BEFORE_SALE', 'STRANDS_SESSION']);

const movedWithPackage = (
  booked: BookedAppointment,
  to: Times,
  { answer }: Decided<SessionUse | null, PackageEvent>,
): AppointmentAnswer => ({ ...answerOf(booked), ...to, session: answer! });

const movedAtRegularFee = (booked: BookedAppointment, to: Times | null, content: InvoiceContent): AppointmentAnswer => ({
  ...{ ...answerOf(booked), ...to, packageId: null, consumptionId: null, charge: feeOf(content) },
});

/** What came of it when it was sent before. */
const movedBefore = async (operation: Operation, booked: BookedAppointment): Promise<Following<AppointmentAnswer> | undefined> => {
  if (booked.packageId !== null) {
    const view = useOf(booked.consumptionId!, booked.serviceId);
    const moved = await operation.recall(packageAggregate, booked.packageId, view);
    if (moved) {
      const to = pick(eventOf(moved.events, 'SessionMoved').data, 'providerId', 'start', 'end', 'timeZone', 'on');
      return { ...movedWithPackage(booked, to, moved), ...FOLLOWS };
    }
  }
  const moved = await operation.recall(appointment, booked.appointmentId, answerOf);
  if (moved) return versioned(moved);
  const fellBack = await operation.recall(invoice, booked.invoiceId, () => undefined);
  if (!fellBack) return undefined;
  const { data } = eventOf(fellBack.events, 'InvoiceReissued');
  return { ...movedAtRegularFee(booked, data.removes?.moveTo ?? null, data), ...FOLLOWS };
};
