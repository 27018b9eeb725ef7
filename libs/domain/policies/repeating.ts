import { bookAppointment } from '../appointment/appointment.decisions.js';
import { appointment } from '../appointment/appointment.state.js';
import { invoiceOver } from '../invoice/invoice-content.js';
import { pick } from '../kernel/pick.js';
import type { PackageEvent } from '../package/package.events.js';
import { packageAggregate } from '../package/package.state.js';
import { takeSeries } from '../package/series-sessions.js';
import { bookSeries, refuseSeries, series } from '../series/series.js';
import type { Occurrence, SeriesEvent, SeriesPlan } from '../series/series.events.js';
import { change, create, definePolicy } from './policy.js';

/** E5: the package gives all sessions of a series, and then the rest is booked at the regular fee; or nothing is booked. */
export const repeating = definePolicy<SeriesEvent | PackageEvent>('repeating', {
  SeriesPlanned: ({ data, metadata: { read } }) =>
    data.packageId !== null && data.occurrences.some(({ consumptionId }) => consumptionId !== null)
      ? [
          change(packageAggregate, data.packageId, {
            decide: takeSeries(data),
            read, // G3: the link that lets this client use it
            refused: () => [change(series, data.seriesId, { decide: refuseSeries(data.seriesId) })],
          }),
        ]
      : [],
  SeriesTaken: ({ data: { seriesId } }) => [change(series, seriesId, { decide: bookSeries(seriesId) })],
  SeriesBooked: ({ data }) =>
    data.occurrences
      .filter(({ consumptionId }) => consumptionId === null)
      .map((occurrence) => create(appointment, occurrence.appointmentId, { decide: bookAppointment(atRegularFee(data, occurrence)) })),
});

const atRegularFee = (plan: SeriesPlan, { shortage: _, consumptionId: __, ...occurrence }: Occurrence) => ({
  ...pick(plan, 'clientId', 'serviceId', 'serviceName', 'providerId', 'timeZone', 'seriesId', 'externalReference'),
  ...{ ...occurrence, packageId: null, consumptionId: null },
  invoice: invoiceOver(plan.regular.net.currency, {
    ...{ ...pick(occurrence, 'invoiceId', 'appointmentId'), clientId: plan.clientId, issuedOn: plan.plannedOn },
    ...{ kind: 'appointment', packageId: null, packageInvoiceId: null },
    lines: [{ description: plan.serviceName, serviceId: plan.serviceId, ...plan.regular }],
  }),
});
