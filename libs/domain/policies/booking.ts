import type { AppointmentEvent, Booking, PackageApplied } from '../appointment/appointment.events.js';
import {
  applyPackage,
  bookAppointment,
  followSession,
  rebookAppointment,
  removePackage,
  standAgain,
  undoNoShow,
} from '../appointment/appointment.decisions.js';
import { appointment } from '../appointment/appointment.state.js';
import { issueInvoice, reissueInvoice } from '../invoice/invoice.decisions.js';
import { invoice } from '../invoice/invoice.state.js';
import { localDateOf } from '../kernel/calendar.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import type { EventOf, Recorded } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import type { InvoiceContent } from '../kernel/shapes.js';
import { returnSession } from '../package/package.decisions.js';
import type { PackageEvent, SessionConsumed } from '../package/package.events.js';
import { packageAggregate } from '../package/package.state.js';
import { change, create, definePolicy, type PolicyCommand } from './policy.js';

type Consumed = Recorded<EventOf<typeof SessionConsumed>>;

/** The package has given a session: its appointment and invoice follow (E2, E4, E8, H1). */
export const booking = definePolicy<PackageEvent>('booking', {
  SessionConsumed: (event) => {
    switch (event.data.purpose) {
      case 'booking':
      case 'series':
        return [create(appointment, event.data.appointmentId, { decide: bookAppointment(bookingOf(event)) }), ...issue(event.data.invoice)];
      case 'application':
        return [change(appointment, event.data.appointmentId, { decide: applyPackage(applicationOf(event)), refused: giveBack(event) })];
      case 'noShowUndone':
        return [change(appointment, event.data.appointmentId, { decide: undoNoShow(againWith(event)), refused: giveBack(event) })];
      case 'rebooking':
        return [change(appointment, event.data.appointmentId, { decide: rebookAppointment(againWith(event)), refused: giveBack(event) })];
    }
  },
  SessionMoved: ({ data }) => [change(appointment, data.appointmentId, { decide: followSession(data) })],
  SessionForfeitUndone: ({ data }) => [change(appointment, data.appointmentId, { decide: standAgain(data) })],
});

/** What an appointment brings or takes with it, once it stands (E4, E8, E9). */
export const invoicing = definePolicy<AppointmentEvent>('invoicing', {
  AppointmentBooked: ({ data }) => issue(data.invoice),
  PackageApplied: ({ data }) => [
    change(invoice, data.invoice.invoiceId, { decide: reissueInvoice(data.invoice, data.consumptionId), refused: removeAgain(data) }),
  ],
});

/** E8: the invoice is at the regular fee again: its appointment uses the package no more, and the session comes back. */
export const removing = definePolicy<InvoiceEvent | AppointmentEvent>('removing', {
  InvoiceReissued: ({ data: { appointmentId, issuedOn, removes } }) =>
    removes && appointmentId
      ? [
          change(appointment, appointmentId, {
            decide: removePackage({ appointmentId, ...removes, because: 'removed', invoice: null, removedOn: issuedOn }),
          }),
        ]
      : [],
  PackageRemoved: ({ data }) => [
    change(packageAggregate, data.packageId, { decide: returnSession({ ...data, today: data.removedOn }) }),
    ...(data.invoice ? [change(invoice, data.invoiceId, { decide: reissueInvoice(data.invoice) })] : []),
  ],
});

const bookingOf = ({ data }: Consumed): Booking => ({
  ...pick(data, 'appointmentId', 'clientId', 'packageId', 'consumptionId', 'serviceId', 'serviceName', 'providerId', 'invoiceId'),
  ...pick(data, 'start', 'end', 'timeZone', 'on', 'seriesId', 'externalReference'),
  invoice: null,
});

const applicationOf = ({ data }: Consumed) => ({
  ...pick(data, 'appointmentId', 'packageId', 'consumptionId'),
  at: pick(data, 'start', 'end', 'providerId'),
  invoice: whole(data.invoice),
});

const againWith = ({ data }: Consumed) => ({
  appointmentId: data.appointmentId,
  session: pick(data, 'packageId', 'consumptionId', 'replaces'),
  invoice: null, // the one that it has stands again
});

/** An application brings the invoice as it is from now on. */
const whole = (content: InvoiceContent | null): InvoiceContent => {
  if (content === null) throw new Error('A session taken for an appointment that is booked comes with its invoice.');
  return content;
};

const issue = (content: InvoiceContent | null): PolicyCommand[] =>
  content ? [create(invoice, content.invoiceId, { decide: issueInvoice(content) })] : [];

const giveBack =
  ({ data, metadata }: Consumed) =>
  (): PolicyCommand[] => [
    change(packageAggregate, data.packageId, {
      decide: returnSession({ ...data, because: 'refused', today: localDateOf(metadata.time, data.timeZone) }),
    }),
  ];

/** E9, H4: it was paid at the same moment, or the package cancelled: the appointment keeps its invoice as it is, and uses no package. */
const removeAgain =
  ({ appointmentId, packageId, consumptionId, invoice: { issuedOn } }: EventOf<typeof PackageApplied>['data']) =>
  (): PolicyCommand[] => [
    change(appointment, appointmentId, {
      decide: removePackage({
        ...{ appointmentId, packageId, consumptionId, because: 'refused', invoice: null, removedOn: issuedOn, moveTo: null },
      }),
    }),
  ];
