import { assertMayTakePackage, existing } from '../../domain/appointment/appointment.decisions.js';
import { appointment, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { assertNotPaid, existing as issued } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { eventOf } from '../../domain/kernel/event.js';
import { pick } from '../../domain/kernel/pick.js';
import { consumeSession } from '../../domain/package/package.decisions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import { packageAggregate } from '../../domain/package/package.state.js';
import { CommandOf, type Following } from '../command.js';
import { handlerOf } from '../handler.js';
import { mayUse } from '../linked-clients.js';
import { reference, type Decided, type Operation } from '../operation.js';
import { answerOf, type AppointmentAnswer } from './appointment.commands.js';
import {
  assertMayChange,
  assertNotGivenBack,
  feeOf,
  FOLLOWS,
  giveUpPackage,
  sessionFor,
  settledAppointment,
  useOf,
  type SessionUse,
} from './changing.js';

/** E8: to an appointment that was booked without one. */
export class ApplyPackage extends CommandOf<{ appointmentId: string; packageId: string }, Following<AppointmentAnswer>> {}
/** E8: from an appointment, which then has the regular fee. */
export class RemovePackage extends CommandOf<{ appointmentId: string }, Following<AppointmentAnswer>> {}

export const appointmentPackageHandlers = [
  handlerOf(ApplyPackage, async (operation, { appointmentId, packageId }) => {
    const booked = existing(await operation.newest(appointment, appointmentId), appointmentId);
    const view = useOf(operation.id('consumption'), booked.serviceId);
    const taken = (await operation.recall(packageAggregate, packageId, view)) ?? (await apply(operation, appointmentId, packageId));
    await assertNotGivenBack(operation, packageId);
    return { ...applied(booked, taken), ...FOLLOWS };
  }),

  handlerOf(RemovePackage, async (operation, { appointmentId }) => {
    const booked = existing(await operation.newest(appointment, appointmentId), appointmentId);
    const before = await operation.recall(invoice, booked.invoiceId, () => undefined);
    const content = before ? eventOf(before.events, 'InvoiceReissued').data : await giveUpPackage(operation, booked, null);
    return { ...answerOf(booked), packageId: null, consumptionId: null, charge: feeOf(content), ...FOLLOWS };
  }),
];

/** The package gives a session, or refuses; appointment and invoice follow. */
const apply = async (operation: Operation, appointmentId: string, packageId: string) => {
  const booked = await settledAppointment(operation, appointmentId);
  await operation.lookUp(reference(packageAggregate, '/packageId', packageId));
  assertMayTakePackage(booked);
  await assertMayChange(operation, booked);
  assertNotPaid(issued(await operation.newest(invoice, booked.invoiceId), booked.invoiceId));
  const session = await sessionFor(operation, booked, 'application');
  const view = useOf(session.consumptionId, booked.serviceId);
  const shared = await mayUse(operation, packageId, booked.clientId);
  return operation.decide(packageAggregate, packageId, consumeSession({ ...session, packageId, shared }), { view });
};

const applied = (booked: BookedAppointment, { events, answer }: Decided<SessionUse | null, PackageEvent>): AppointmentAnswer => {
  const { data } = eventOf(events, 'SessionConsumed');
  return { ...answerOf(booked), ...pick(data, 'packageId', 'consumptionId', 'charge'), session: answer! };
};
