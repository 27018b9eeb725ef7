import { assertMayTakePackage, existing } from '../../domain/appointment/appointment.decisions.js';
import { appointment } from '../../domain/appointment/appointment.state.js';
import { assertRemembered, client } from '../../domain/client/client.js';
import { assertNotPaid, existing as issued } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { wrongCurrency } from '../../domain/kernel/money.js';
import { pick } from '../../domain/kernel/pick.js';
import { assertNone, Refusal, type FieldError } from '../../domain/kernel/refusal.js';
import type { Money } from '../../domain/kernel/shapes.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering } from '../../domain/offering/offering.state.js';
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
import { startPurchase } from '../../domain/purchase/purchase.decisions.js';
import { purchase as purchaseAggregate, purchaseView, type PurchaseView } from '../../domain/purchase/purchase.state.js';
import { assertByCard } from '../../domain/purchase/card-amounts.js';
import { service } from '../../domain/service/service.js';
import { isNotOpened } from '../card-payments/checkouts.js';
import { ChangeOf, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import { lockedTerms } from '../locked-terms.js';
import { reference, versioned, type Operation } from '../operation.js';
import { sessionFor, settledAppointment } from './changing.js';
import { wrongInPayment, type PaymentInput } from './invoice.commands.js';
import { cardDesk, withCheckout, type ReturnUrls } from './purchase.commands.js';

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
  card?: CardInput; // D2: to be paid by card, through Stripe
}

interface CardInput extends ReturnUrls {
  amount: Money;
}

/** What is to be paid by card now that it is sold. */
interface ToPay {
  purchase: PurchaseView | null;
  notOpened: string | null; // why Stripe has opened no page for it
}

export type SaleAnswer = PackageView & ToPay;

/** D1: sell (paid upfront) or assign (paid each appointment): what it is follows from the offering. */
export class SellPackage extends ChangeOf<SaleInput, SaleAnswer> {}
export class AdjustRemaining extends ChangeOf<Adjustment<number, number> & { serviceId: string }, PackageView> {}
export class AdjustExpiry extends ChangeOf<Adjustment<string, string | null>, PackageView> {}
export class RestoreExpiry extends ChangeOf<Reasoned, PackageView> {}

export const packageHandlers = [
  handlerOf(SellPackage, async (operation, input) => {
    const packageId = operation.id('package');
    const before = await operation.recall(packageAggregate, packageId, packageView);
    const sold = before ? versioned(before) : await sell(operation, packageId, input);
    const toPay = input.card ? await toPayByCard(operation, sold, input.card) : { purchase: null, notOpened: null };
    const answer = input.applyToAppointment ? await operation.shown(packageAggregate, packageId, packageView) : sold; // it may have given the session back
    return { ...answer, ...toPay };
  }),
  handlerOf(AdjustRemaining, (operation, input) =>
    operation.change(packageAggregate, input.packageId, adjustRemaining(input), packageView),
  ),
  handlerOf(AdjustExpiry, (operation, input) => operation.change(packageAggregate, input.packageId, adjustExpiry(input), packageView)),
  handlerOf(RestoreExpiry, async (operation, input) => {
    const { today } = await operation.business();
    return operation.change(packageAggregate, input.packageId, restoreExpiry({ ...input, today }), packageView);
  }),
];

const saysWhich = ({ appointmentId, applyToAppointment }: SaleInput): FieldError[] =>
  applyToAppointment && appointmentId === null
    ? [{ field: '/appointmentId', code: 'REQUIRED', message: 'To which appointment is the package to be applied?' }]
    : [];

const sell = async (operation: Operation, packageId: string, input: SaleInput): Promise<Versioned<PackageView>> => {
  const { offeringId, card } = input;
  const seller = await operation.business();
  const { today, currency } = seller;
  const payment = input.payment ? wrongInPayment(input.payment, currency, '/payment') : [];
  assertNone([...saysWhich(input), ...payment, ...wrongCurrency('/payment/amount', card?.amount, currency)]);
  if (card) {
    await cardDesk(operation, pick(card, 'successUrl', 'cancelUrl'), '/payment');
    assertByCard(card.amount);
  }
  const [buyer] = await operation.lookUp(
    reference(client, '/clientId', input.clientId),
    reference(offering, '/offeringId', offeringId),
    ...(input.appointmentId === null ? [] : [reference(appointment, '/appointmentId', input.appointmentId)]),
  );
  assertRemembered(buyer);
  const apply = await applicationOf(operation, input);
  const saleOn = async (terms: Terms): Promise<Sale> => ({ ...(await pinned(operation, seller, packageId, input, terms)), apply });
  const decided = async (terms: Terms) => sellPackage(await saleOn(terms))(packageAggregate.initial);
  const terms = await lockedTerms(operation, { offeringId, because: 'sale', on: today, decided });
  return operation.make(packageAggregate, packageId, sellPackage(await saleOn(terms)), packageView);
};

/** The sale with the terms that it pins. */
const pinned = async (
  operation: Operation,
  { currency, timeZone, today }: Awaited<ReturnType<Operation['business']>>,
  packageId: string,
  input: SaleInput,
  terms: Terms,
): Promise<Omit<Sale, 'apply'>> => {
  const services = await operation.lookUp(...terms.services.map(({ serviceId }, n) => reference(service, `/services/${n}`, serviceId)));
  const taxes = await operation.taxes(feeTaxesOf(terms));
  const payment = input.payment && { paymentId: operation.id('payment'), ...input.payment };
  for (const paid of [payment, input.card]) if (paid) assertPayable(terms, taxes, paid);
  const buying = {
    payment,
    ...pick(input, 'offeringId', 'clientId', 'appointmentId', 'externalReference'),
    ...{ packageId, invoiceId: operation.id('invoice'), purchaseId: null, channel: 'staff' as const, currency, timeZone, today },
  };
  return saleOf(terms, services, taxes, buying);
};

/**
 * D2, D4: it is sold, and what is owing for it, or a part of that, can be paid at Stripe's page. When Stripe opens none it is sold all the same:
 * the desk is told why, and takes the money otherwise.
 */
const toPayByCard = async (operation: Operation, sold: PackageView, { amount, ...urls }: CardInput): Promise<ToPay> => {
  const purchaseId = operation.id('purchase');
  const before = await operation.recall(purchaseAggregate, purchaseId, purchaseView);
  if (!before) {
    const desk = await cardDesk(operation, urls, '/payment');
    const about = { ...pick(sold, 'packageId', 'clientId', 'invoiceId'), description: sold.name, amount };
    const started = { purchaseId, ...about, ...desk, paymentId: operation.id('cardPayment'), sale: null };
    await operation.make(purchaseAggregate, purchaseId, startPurchase(started), purchaseView);
  }
  try {
    const { revision: _, ...purchase } = await withCheckout(operation, purchaseId);
    return { purchase, notOpened: null };
  } catch (error) {
    if (!isNotOpened(error)) throw error;
    return { purchase: purchaseView(await operation.newest(purchaseAggregate, purchaseId)), notOpened: error.message };
  }
};

const feeTaxesOf = ({ payment }: Terms): string[] => (payment?.method === 'paidUpfront' ? payment.taxIds : []);

/** D1: the appointment from which it is sold, and the session that it takes when asked. */
const applicationOf = async (operation: Operation, { appointmentId, applyToAppointment, clientId }: SaleInput): Promise<Sale['apply']> => {
  if (appointmentId === null) return null;
  const booked = applyToAppointment
    ? await settledAppointment(operation, appointmentId, { ifMatch: false })
    : existing(await operation.newest(appointment, appointmentId), appointmentId);
  if (booked.clientId !== clientId)
    throw new Refusal('APPOINTMENT_OF_ANOTHER_CLIENT', 'This appointment is of another client.', {
      appointmentId,
      clientId: booked.clientId,
    });
  if (!applyToAppointment) return null;
  assertMayTakePackage(booked);
  assertNotPaid(issued(await operation.newest(invoice, booked.invoiceId), booked.invoiceId));
  return sessionFor(operation, booked, 'application');
};
