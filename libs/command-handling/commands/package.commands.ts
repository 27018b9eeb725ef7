import { assertMayTakePackage, existing } from '../../domain/appointment/appointment.decisions.js';
import { appointment } from '../../domain/appointment/appointment.state.js';
import { client } from '../../domain/client/client.js';
import { invoiceOver } from '../../domain/invoice/invoice-content.js';
import { withTaxes, zero } from '../../domain/kernel/money.js';
import { pick } from '../../domain/kernel/pick.js';
import { Refusal } from '../../domain/kernel/refusal.js';
import type { Charge } from '../../domain/kernel/shapes.js';
import { lockForSale } from '../../domain/offering/offering.decisions.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering, type DefinedOffering } from '../../domain/offering/offering.state.js';
import {
  adjustExpiry,
  adjustRemaining,
  cancelPackage,
  restoreExpiry,
  sellPackage,
  type SellPackage as Sale,
} from '../../domain/package/package.decisions.js';
import type { SoldService } from '../../domain/package/package.events.js';
import { packageAggregate, packageView, type PackageView } from '../../domain/package/package.state.js';
import type { ServiceDescription } from '../../domain/service/service.events.js';
import { service } from '../../domain/service/service.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, type Operation } from '../operation.js';

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
}

/** D1: sell (paid upfront) or assign (paid each appointment): what it is follows from the offering. */
export class SellPackage extends CommandOf<SaleInput, PackageView> {}
export class AdjustRemaining extends CommandOf<Reasoned & { serviceId: string; to: number }, PackageView> {}
export class AdjustExpiry extends CommandOf<Reasoned & { to: string }, PackageView> {}
export class RestoreExpiry extends CommandOf<Reasoned, PackageView> {}
export class CancelPackage extends CommandOf<Reasoned, PackageView> {}

export const packageHandlers = [
  handlerOf(SellPackage, async (operation, input) => {
    const packageId = operation.id('package');
    const before = await operation.recall(packageAggregate, packageId, packageView);
    if (before) return before.answer;

    const sale = await saleOf(operation, packageId, input);
    return operation.make(packageAggregate, packageId, sellPackage(sale), packageView);
  }),
  handlerOf(AdjustRemaining, (operation, input) =>
    operation.change(packageAggregate, input.packageId, adjustRemaining(input), packageView),
  ),
  handlerOf(AdjustExpiry, (operation, input) => operation.change(packageAggregate, input.packageId, adjustExpiry(input), packageView)),
  handlerOf(RestoreExpiry, (operation, input) => operation.change(packageAggregate, input.packageId, restoreExpiry(input), packageView)),
  handlerOf(CancelPackage, (operation, input) => operation.change(packageAggregate, input.packageId, cancelPackage(input), packageView)),
];

/** The offering is locked first (C5), then its terms as they are at that moment are pinned. */
const saleOf = async (operation: Operation, packageId: string, input: SaleInput): Promise<Sale> => {
  const { currency, timeZone, today } = await operation.business();
  await operation.lookUp(reference(client, '/clientId', input.clientId));
  const apply = await applicationOf(operation, input);

  const { answer } = await operation.decide(offering, input.offeringId, lockForSale(input.offeringId, 'sale', today), { fresh: true });
  const { terms } = answer as DefinedOffering;
  const services = await operation.lookUp(...terms.services.map(({ serviceId }, n) => reference(service, `/services/${n}`, serviceId)));
  const charge = await chargeOf(operation, terms, currency);

  return {
    packageId,
    ...pick(input, 'offeringId', 'clientId', 'appointmentId', 'externalReference'),
    ...pick(terms, 'name', 'description', 'expiryRule'),
    services: soldServices(terms, services),
    paymentMethod: terms.payment!.method,
    ...{ charge, soldOn: today, timeZone, channel: 'staff' },
    invoice: invoiceOver(currency, {
      ...{ invoiceId: operation.id('invoice'), kind: 'package', clientId: input.clientId, packageId, appointmentId: input.appointmentId },
      ...{ packageInvoiceId: null, issuedOn: today },
      lines: [{ description: terms.name, serviceId: null, ...charge }],
    }),
    apply,
  };
};

/** C3: its fee with the fee's own taxes; C4: nothing when each appointment is paid. */
const chargeOf = async (operation: Operation, { payment }: Terms, currency: string): Promise<Charge> =>
  payment?.method === 'paidUpfront' ? withTaxes(payment.fee, await operation.taxes(payment.taxIds)) : withTaxes(zero(currency), []);

/** The services as sold: prices of now, the fees of the offering, and each one's weight in the package's value (H4). */
const soldServices = ({ services, payment }: Terms, described: readonly ServiceDescription[]): SoldService[] => {
  const fees = payment?.method === 'paidEachAppointment' ? payment.fees : [];
  const unlimited = services.some(({ limit }) => limit === 'unlimited');
  const allFree = described.every(({ price }) => price.amount === 0);
  return services.map(({ serviceId, limit }, n) => {
    const { name, price } = described[n]!;
    const weight = unlimited ? null : allFree ? 1 : price.amount;
    return { serviceId, name, limit, price, weight, fee: fees.find((fee) => fee.serviceId === serviceId)?.fee ?? null };
  });
};

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
  const { today } = await operation.business();
  const [described] = await operation.lookUp(reference(service, '/appointmentId', booked.serviceId));
  return {
    ...pick(booked, 'appointmentId', 'invoiceId', 'serviceId', 'serviceName', 'providerId', 'clientId'),
    ...pick(booked, 'start', 'end', 'timeZone', 'on', 'externalReference'),
    consumptionId: operation.id('consumption'),
    purpose: 'application',
    serviceTaxes: await operation.taxes(described.taxIds),
    today,
  };
};
