import { linkToSale } from '../appointment/appointment.decisions.js';
import { appointment } from '../appointment/appointment.state.js';
import { issueInvoice } from '../invoice/invoice.decisions.js';
import { invoice } from '../invoice/invoice.state.js';
import type { PackageEvent, PackageSoldData } from '../package/package.events.js';
import { change, create, definePolicy } from './policy.js';

/** D1, D2, D3: every sale makes an invoice, on which what was paid is noted, and is shown at the appointment from which it was made. */
export const selling = definePolicy<PackageEvent>('selling', {
  PackageSold: ({ data }) => [
    create(invoice, data.invoice.invoiceId, { decide: issueInvoice(data.invoice, paymentOf(data)) }),
    ...(data.appointmentId ? [change(appointment, data.appointmentId, { decide: linkToSale(data.appointmentId, data.packageId) })] : []),
  ],
});

const paymentOf = ({ payment, paymentReference: reference, invoice: { invoiceId }, soldOn: receivedOn, purchaseId }: PackageSoldData) =>
  payment && { invoiceId, ...payment, reference, receivedOn, purchaseId };
