import {
  assertBeforeStart,
  assertHasPackage,
  changedMeanwhile,
  existing,
  type Times,
} from '../../domain/appointment/appointment.decisions.js';
import { appointment, type BookedAppointment } from '../../domain/appointment/appointment.state.js';
import { regularFeeInvoice } from '../../domain/invoice/invoice-content.js';
import { reissueForRemoval } from '../../domain/invoice/invoice.decisions.js';
import type { InvoiceEvent } from '../../domain/invoice/invoice.events.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { pick } from '../../domain/kernel/pick.js';
import { Refusal } from '../../domain/kernel/refusal.js';
import type { Charge, InvoiceContent } from '../../domain/kernel/shapes.js';
import type { ConsumeSession } from '../../domain/package/package.decisions.js';
import { packageAggregate, placesOf, type PackageState } from '../../domain/package/package.state.js';
import { service } from '../../domain/service/service.js';
import { assertMayManageFor } from '../linked-clients.js';
import { reference, type Operation } from '../operation.js';

// What the commands that change an appointment have in common.

/** E2: what is left of the package after it, and which session of it this one is. */
export interface SessionUse {
  remaining: number | null; // null: unlimited
  expiresOn: string | null;
  place: string | null; // "Session 2 of 5"
}

/**
 * An appointment, if it is as the caller saw it, once all that follows from what has happened to it has been carried out, and from the
 * removals of a package, on which its invoice decided.
 */
export const settledAppointment = async (
  operation: Operation,
  appointmentId: string,
  { ifMatch = true } = {},
): Promise<BookedAppointment> => {
  const { invoiceId } = existing(await operation.settled(appointment, appointmentId, { ifMatch }), appointmentId);
  await operation.settled(invoice, invoiceId, { such: removesPackage });
  return existing(await operation.newest(appointment, appointmentId), appointmentId);
};

/** L4: of an appointment that follows its package, or its invoice: what it is then is known, at which revision is not. */
export const FOLLOWS = { revision: null } as const;

const removesPackage = ({ type, data }: InvoiceEvent): boolean => type === 'InvoiceReissued' && data.removes !== null;

/** E8, E9: the invoice decides, since it is the one that may be paid: it is at the regular fee; appointment and package follow. */
export const giveUpPackage = async (operation: Operation, seen: BookedAppointment, moveTo: Times | null): Promise<InvoiceContent> => {
  const { appointmentId, invoiceId } = seen;
  const booked = await settledAppointment(operation, appointmentId);
  const use = assertHasPackage(booked);
  if (use.consumptionId !== seen.consumptionId) throw changedMeanwhile(appointmentId);
  await assertMayChange(operation, booked);
  const content = await atRegularFee(operation, booked);
  await operation.decide(invoice, invoiceId, reissueForRemoval(content, { ...use, moveTo }));
  return content;
};

/** Of an appointment that is there: a session as its package is asked for it. */
export const sessionFor = async (
  operation: Operation,
  booked: BookedAppointment,
  purpose: ConsumeSession['purpose'],
): Promise<Omit<ConsumeSession, 'packageId' | 'shared'>> => {
  const { today } = await operation.business();
  const [described] = await operation.lookUp(reference(service, '/appointmentId', booked.serviceId));
  return {
    ...pick(booked, 'appointmentId', 'invoiceId', 'serviceId', 'serviceName', 'providerId', 'clientId'),
    ...pick(booked, 'start', 'end', 'timeZone', 'on', 'externalReference'),
    ...{ consumptionId: operation.id('consumption'), purpose, today },
    serviceTaxes: await operation.taxes(described.taxIds),
  };
};

/** E4: what it costs without a package, as things are now. */
export const atRegularFee = async (operation: Operation, booked: BookedAppointment): Promise<InvoiceContent> => {
  const { today: issuedOn } = await operation.business();
  const [{ price, taxIds }] = await operation.lookUp(reference(service, '/appointmentId', booked.serviceId));
  return regularFeeInvoice({ ...booked, issuedOn }, price, await operation.taxes(taxIds));
};

export const feeOf = ({ lines: [line] }: InvoiceContent): Charge => pick(line!, 'net', 'taxes', 'total');

/** E8, G3: clients change what is theirs to manage, and has not started; staff what they must. */
export const assertMayChange = async (operation: Operation, booked: BookedAppointment): Promise<void> => {
  await assertMayManageFor(operation, booked.clientId);
  if (operation.caller.actor.role === 'client') assertBeforeStart(booked, operation.now);
};

/** E3: staff may enter past appointments; clients not. */
export const assertNotPast = ({ caller, now }: Operation, start: string): void => {
  if (caller.actor.role === 'client' && start < now)
    throw new Refusal('IN_THE_PAST', 'This time has passed: choose one that is to come.', { start });
};

/** E2: what is left of a package, with the place of a session, while nobody else can change it. */
export const useOf =
  (consumptionId: string, serviceId: string) =>
  (state: PackageState): SessionUse | null => {
    if (state.status === 'unsold') return null;
    const place = placesOf(state).get(consumptionId) ?? null;
    return { remaining: state.services.get(serviceId)?.remaining ?? null, expiresOn: state.expiresOn, place };
  };

/** Of two that were applied at once, or one while the appointment changed or was paid: it is told, as far as that is known by now. */
export const assertNotGivenBack = async (operation: Operation, packageId: string): Promise<void> => {
  const sold = await operation.newest(packageAggregate, packageId);
  if (sold.status !== 'unsold' && sold.sessions.get(operation.id('consumption'))?.refused)
    throw new Refusal('APPOINTMENT_CHANGED', 'This appointment was changed at the same moment: its package took the session back.', {
      packageId,
    });
};
