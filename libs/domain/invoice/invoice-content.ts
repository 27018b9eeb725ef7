import { sum, withTaxes, type Tax } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import type { InvoiceContent, Money } from '../kernel/shapes.js';

/** A whole invoice from its lines: the totals are the sums of the lines' exact figures. */
export const invoiceOver = (currency: string, { lines, ...invoice }: Omit<InvoiceContent, 'total'>): InvoiceContent => ({
  ...invoice,
  lines,
  total: {
    net: sum(
      currency,
      lines.map(({ net }) => net),
    ),
    tax: sum(
      currency,
      lines.flatMap(({ taxes }) => taxes.map(({ amount }) => amount)),
    ),
    total: sum(
      currency,
      lines.map(({ total }) => total),
    ),
  },
});

/** What the invoice of an appointment is about. */
interface OfAppointment extends Pick<InvoiceContent, 'invoiceId' | 'clientId' | 'issuedOn'> {
  appointmentId: string;
  serviceId: string;
  serviceName: string;
}

/** E4: of an appointment without a package: the service's price and taxes as they are now. */
export const regularFeeInvoice = (
  { serviceId, serviceName, ...about }: OfAppointment,
  price: Money,
  taxes: readonly Tax[],
): InvoiceContent =>
  invoiceOver(price.currency, {
    ...pick(about, 'invoiceId', 'clientId', 'appointmentId', 'issuedOn'),
    ...{ kind: 'appointment', packageId: null, packageInvoiceId: null },
    lines: [{ description: serviceName, serviceId, ...withTaxes(price, taxes) }],
  });
