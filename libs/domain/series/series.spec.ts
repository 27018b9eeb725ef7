import { deliveries } from '../testing/deliveries.js';
import { idOf } from '../testing/example.js';
import { bookedSeries, planned, planOf, refusedSeries, shortOf } from '../testing/example-series.js';
import { given } from '../testing/given.js';
import { bookSeries, planSeries, refuseSeries, series } from './series.js';

const aSeries = given(series);
const plan = shortOf(planOf([1, 2, 3]), [3]); // two from the package, one at the regular fee
const without = shortOf(planOf([1, 2]), [1, 2]);
const seriesId = idOf('series');

describe('planning a series', () => {
  it('E5: says what is to be booked before anything is taken', () =>
    aSeries([])
      .when(planSeries(plan))
      .emits([planned(plan)]));
  it('E5: one that needs no session is booked at once', () => {
    aSeries([])
      .when(planSeries(without))
      .emits([planned(without), bookedSeries(without)]);
    const regular = { ...without, packageId: null };
    aSeries([])
      .when(planSeries(regular))
      .emits([planned(regular), bookedSeries(regular)]);
  });
  it.each([
    ['planned', [planned(plan)]],
    ['booked', [planned(plan), bookedSeries(plan)]],
    ['refused', [planned(plan), refusedSeries]],
  ])('D5, E5: once: it is %s', (_, history) => aSeries(history).when(planSeries(plan)).emits([]));
});

describe('a series whose package has given its sessions', () => {
  it('E5: is booked, as it was planned', () =>
    aSeries([planned(plan)])
      .when(bookSeries(seriesId))
      .emits([bookedSeries(plan)]));
  it('E5: once, and not when it was refused', () => {
    aSeries([planned(plan), bookedSeries(plan)])
      .when(bookSeries(seriesId))
      .emits([]);
    aSeries([planned(plan), refusedSeries])
      .when(bookSeries(seriesId))
      .emits([]);
  });
  it('A3: is there', () => aSeries([]).when(bookSeries(seriesId)).refuses('NOT_FOUND'));
});

describe('a series whose package could no longer give what was planned', () => {
  it('E5: is refused, as a whole', () =>
    aSeries([planned(plan)])
      .when(refuseSeries(seriesId))
      .emits([refusedSeries]));
  it('E5: once, and not when it is booked', () => {
    aSeries([planned(plan), refusedSeries])
      .when(refuseSeries(seriesId))
      .emits([]);
    aSeries([planned(plan), bookedSeries(plan)])
      .when(refuseSeries(seriesId))
      .emits([]);
  });
  it('A3: is there', () => aSeries([]).when(refuseSeries(seriesId)).refuses('NOT_FOUND'));
});

describe('folding a series', () => {
  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) =>
    expect(delivered([planned(plan), bookedSeries(plan)]).reduce(series.evolve, series.initial)).toEqual({ status: 'booked', plan }),
  );
});
