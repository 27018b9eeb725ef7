import { assertMayTakePackage, existing } from '../../domain/appointment/appointment.decisions.js';
import { appointment } from '../../domain/appointment/appointment.state.js';
import { client } from '../../domain/client/client.js';
import { assertCurrency } from '../../domain/kernel/money.js';
import { pick } from '../../domain/kernel/pick.js';
import { InvalidInput, Refusal } from '../../domain/kernel/refusal.js';
import { lockForSale } from '../../domain/offering/offering.decisions.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering, type DefinedOffering } from '../../domain/offering/offering.state.js';
import {
  adjustExpiry,
  adjustRemaining,
  restoreExpiry,
  sellPackage,
  type Adjustment,
  type SellPackage as Sale,
} from '../../domain/package/package.decisions.js';
import { assertPayable, saleOf } from '../../domain/package/sale.js';
import { packageAggregate, packageView, type PackageView } from '../../domain/package/package.state.js';
import { service } from '../../domain/service/service.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, type Operation } from '../operation.js';
import { sessionFor } from './changing.js';
import { assertReferred, type PaymentInput } from './invoice.commands.js';

interface Reasoned {
  packageId: string;
  reason: string | null;
}

export interface SaleInput {
  clientId: string;
  offeringId: string;
  appointmentId: string | null; // D1: sold from this appointment
  applyToAppointment: boolean; // and takes a session for it
  externalReference: string | null;
  payment: PaymentInput | null; // D2: taken with the sale
}

/** D1: sell (paid upfront) or assign (paid each appointment): what it is follows from the offering. */
export class SellPackage extends CommandOf<SaleInput, PackageView> {}
export class AdjustRemaining extends CommandOf<Adjustment<number, number> & { serviceId: string }, PackageView> {}
export class AdjustExpiry extends CommandOf<Adjustment<string, string | null>, PackageView> {}
export class RestoreExpiry extends CommandOf<Reasoned, PackageView> {}

export const packageHandlers = [
  handlerOf(SellPackage, async (operation, input) => {
    assertSaysWhich(input);
    if (input.payment) assertReferred(input.payment, '/payment');
    const packageId = operation.id('package');
    const before = await operation.recall(packageAggregate, packageId, packageView);
    if (before) return before.answer;

    const sale = await lockAndPin(operation, packageId, input);
    return operation.make(packageAggregate, packageId, sellPackage(sale), packageView);
  }),
  handlerOf(AdjustRemaining, (operation, input) =>
    operation.change(packageAggregate, input.packageId, adjustRemaining(input), packageView),
  ),
  handlerOf(AdjustExpiry, (operation, input) => operation.change(packageAggregate, input.packageId, adjustExpiry(input), packageView)),
  handlerOf(RestoreExpiry, (operation, input) => operation.change(packageAggregate, input.packageId, restoreExpiry(input), packageView)),
];

const assertSaysWhich = ({ appointmentId, applyToAppointment }: SaleInput): void => {
  if (applyToAppointment && appointmentId === null)
    throw new InvalidInput([{ field: '/appointmentId', code: 'REQUIRED', message: 'To which appointment is the package to be applied?' }]);
};

/** The offering is locked first (C5), then its terms as they are at that moment are pinned. */
const lockAndPin = async (operation: Operation, packageId: string, input: SaleInput): Promise<Sale> => {
  const { currency, timeZone, today } = await operation.business();
  await operation.lookUp(reference(client, '/clientId', input.clientId));
  const apply = await applicationOf(operation, input);
  if (input.payment) await assertPaysAtMost(operation, input.offeringId, input.payment, currency);

  const { answer } = await operation.decide(offering, input.offeringId, lockForSale(input.offeringId, 'sale', today), { fresh: true });
  const { terms } = answer as DefinedOffering;
  const services = await operation.lookUp(...terms.services.map(({ serviceId }, n) => reference(service, `/services/${n}`, serviceId)));
  const taxes = await operation.taxes(feeTaxesOf(terms));

  const payment = input.payment && { paymentId: operation.id('payment'), ...input.payment };
  if (payment) assertPayable(terms, taxes, payment);
  const buying = {
    payment,
    ...pick(input, 'offeringId', 'clientId', 'appointmentId', 'externalReference'),
    ...{ packageId, invoiceId: operation.id('invoice'), purchaseId: null, channel: 'staff' as const, currency, timeZone, today },
  };
  return { ...saleOf(terms, services, taxes, buying), apply };
};

/** D2: before anything is locked, on the terms as they are now; the sale itself is held against those that it pins. */
const assertPaysAtMost = async (operation: Operation, offeringId: string, payment: PaymentInput, currency: string): Promise<void> => {
  assertCurrency('/payment/amount', payment.amount, currency);
  const known = await operation.newest(offering, offeringId);
  if (known.status === 'undefined' || known.terms.payment === null) return; // which the lock refuses
  const taxes = await operation.taxes(feeTaxesOf(known.terms));
  assertPayable(known.terms, taxes, payment);
};

const feeTaxesOf = ({ payment }: Terms): string[] => (payment?.method === 'paidUpfront' ? payment.taxIds : []);

/** D1: the appointment from which it is sold, and the session that it takes when asked. */
const applicationOf = async (operation: Operation, { appointmentId, applyToAppointment, clientId }: SaleInput): Promise<Sale['apply']> => {
  if (appointmentId === null) return null;
  const booked = existing(await operation.newest(appointment, appointmentId), appointmentId);
  if (booked.clientId !== clientId)
    throw new Refusal('APPOINTMENT_OF_ANOTHER_CLIENT', 'This appointment is of another client.', {
      appointmentId,
      clientId: booked.clientId,
    });
  if (!applyToAppointment) return null;
  assertMayTakePackage(booked);
  return sessionFor(operation, booked, 'application');
};
