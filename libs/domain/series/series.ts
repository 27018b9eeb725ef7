import type { Aggregate, Decide } from '../kernel/event.js';
import { NotFound } from '../kernel/refusal.js';
import { seriesEvents, type SeriesEvent, type SeriesPlan } from './series.events.js';

export type SeriesState = { status: 'none' } | { status: 'planned' | 'booked' | 'refused'; plan: SeriesPlan };

/** E5: a repeating series of appointments: what was planned, and what came of it. */
export const series: Aggregate<SeriesState, SeriesEvent> = {
  category: 'series',
  events: seriesEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'SeriesPlanned') return { status: 'planned', plan: data };
    if (state.status === 'none') return state;
    switch (type) {
      case 'SeriesBooked':
        return { ...state, status: 'booked' };
      case 'SeriesRefused':
        return { ...state, status: 'refused' };
      default:
        return type satisfies never;
    }
  },
};

type DecideSeries = Decide<SeriesState, SeriesEvent>;

/** One that needs no session is booked at once. */
export const planSeries =
  (plan: SeriesPlan): DecideSeries =>
  (state) => {
    if (state.status !== 'none') return [];
    const planned: SeriesEvent = { type: 'SeriesPlanned', data: plan };
    return plan.occurrences.some(({ consumptionId }) => consumptionId !== null)
      ? [planned]
      : [planned, { type: 'SeriesBooked', data: plan }];
  };

export const bookSeries =
  (seriesId: string): DecideSeries =>
  (state) => {
    if (state.status === 'none') throw new NotFound('series', seriesId);
    return state.status === 'planned' ? [{ type: 'SeriesBooked', data: state.plan }] : [];
  };

export const refuseSeries =
  (seriesId: string): DecideSeries =>
  (state) => {
    if (state.status === 'none') throw new NotFound('series', seriesId);
    return state.status === 'planned' ? [{ type: 'SeriesRefused', data: { seriesId, clientId: state.plan.clientId } }] : [];
  };
