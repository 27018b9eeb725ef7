import { withTaxes } from '../kernel/money.js';
import type { SeriesEvent, SeriesPlan } from '../series/series.events.js';
import { anna, at, cad, idOf, massage } from './example.js';
import { january, p } from './example-package.js';

const seriesId = idOf('series');

/** Anna's massages numbered so, on as many days from 8 February on, each from her package if nothing else is said; n as of a session. */
export const planOf = (numbers: readonly number[], over: Partial<SeriesPlan> = {}): SeriesPlan => ({
  ...{ seriesId, clientId: anna, packageId: p, shared: false, serviceId: massage, serviceName: 'Massage', providerId: idOf('provider') },
  ...{ timeZone: 'America/Toronto', plannedOn: january, taxes: [], regular: withTaxes(cad(100_00), []), externalReference: null },
  occurrences: numbers.map((n, index) => {
    const { timeZone: _, ...times } = at(`2027-02-${String(8 + index).padStart(2, '0')}`);
    return { appointmentId: idOf(`a${n}`), invoiceId: idOf(`i${n}`), consumptionId: idOf(`c${n}`), shortage: null, ...times };
  }),
  ...over,
});

/** The plan once the package has no session for some of the dates. */
export const shortOf = ({ occurrences, ...plan }: SeriesPlan, numbers: readonly number[], shortage = 'NO_SESSIONS_LEFT'): SeriesPlan => ({
  ...plan,
  occurrences: occurrences.map((occurrence) =>
    numbers.some((n) => occurrence.consumptionId === idOf(`c${n}`)) ? { ...occurrence, consumptionId: null, shortage } : occurrence,
  ),
});

export const planned = (plan: SeriesPlan): SeriesEvent => ({ type: 'SeriesPlanned', data: plan });
export const bookedSeries = (plan: SeriesPlan): SeriesEvent => ({ type: 'SeriesBooked', data: plan });
export const refusedSeries: SeriesEvent = { type: 'SeriesRefused', data: { seriesId, clientId: anna } };
