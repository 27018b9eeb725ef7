import { invoiceOver } from '../invoice/invoice-content.js';
import { withTaxes, zero, type Tax } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { Refusal } from '../kernel/refusal.js';
import type { Charge, Money, PaymentMethod } from '../kernel/shapes.js';
import type { Terms } from '../offering/offering.events.js';
import type { ServiceDescription } from '../service/service.events.js';
import type { PackageSoldData, SoldService } from './package.events.js';

/** D2: what is paid with the sale. */
export interface SalePayment {
  paymentId: string;
  amount: Money;
  method: PaymentMethod;
  reference: string | null;
}

/** What is not in the offering's terms: who buys, when, through which door. */
export interface Buying extends Pick<
  PackageSoldData,
  'packageId' | 'offeringId' | 'clientId' | 'appointmentId' | 'purchaseId' | 'externalReference'
> {
  payment?: SalePayment | null;
  invoiceId: string;
  currency: string;
  timeZone: string;
  today: string; // local date of the business
  soldOn?: string; // L7: when it was sold elsewhere; today unless told
  channel: PackageSoldData['channel'];
}

/**
 * D1, D3: an offering's terms pinned as sold, with the sale's invoice: over nothing when it was paid elsewhere (L7).
 * @param services described in the order in which the terms name them
 * @param taxes on the package fee, as they are now
 */
export const saleOf = (
  terms: Terms,
  services: readonly ServiceDescription[],
  taxes: readonly Tax[],
  { invoiceId, currency, today, soldOn = today, payment = null, ...buying }: Buying,
): Omit<PackageSoldData, 'expiresOn'> => {
  if (terms.payment === null) throw new Error('An offering that can be sold has a payment method.');
  const charge = buying.channel === 'import' ? withTaxes(zero(currency), []) : chargeOf(terms, taxes, currency);
  return {
    ...buying,
    ...pick(terms, 'name', 'description', 'expiryRule'),
    ...{ services: soldServices(terms, services), paymentMethod: terms.payment.method, charge, soldOn },
    payment: payment && pick(payment, 'paymentId', 'amount', 'method'),
    paymentReference: payment && payment.reference,
    invoice: invoiceOver(currency, {
      ...{ invoiceId, kind: 'package', packageInvoiceId: null, issuedOn: today, ...pick(buying, 'clientId', 'packageId', 'appointmentId') },
      lines: [{ description: terms.name, serviceId: null, ...charge }],
    }),
  };
};

/** D2: all or a part is paid with a sale, never more. */
export const assertPayable = (terms: Terms, taxes: readonly Tax[], { amount }: Pick<SalePayment, 'amount'>): void => {
  const { total } = chargeOf(terms, taxes, amount.currency);
  if (total.amount === 0) throw new Refusal('NOTHING_OWING', 'Nothing is owing at this sale: sell it without a payment.', { total });
  if (amount.amount > total.amount)
    throw new Refusal('OVERPAID', `This sale comes to ${total.amount} (minor units): take that or less.`, { total });
};

/** C3: its fee with the fee's own taxes; C4: nothing when each appointment is paid. */
const chargeOf = ({ payment }: Terms, taxes: readonly Tax[], currency: string): Charge =>
  payment?.method === 'paidUpfront' ? withTaxes(payment.fee, taxes) : withTaxes(zero(currency), []);

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
