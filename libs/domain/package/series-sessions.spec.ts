import { ben, idOf } from '../testing/example.js';
import { planOf, shortOf } from '../testing/example-series.js';
import { cancelled, consumed, fromFirstUse, january, p, sold, soldMassage } from '../testing/example-package.js';
import { given } from '../testing/given.js';
import type { PackageEvent } from './package.events.js';
import { packageAggregate } from './package.state.js';
import { shareOut, takeSeries } from './series-sessions.js';

const aPackage = given(packageAggregate);
const days = ['2027-02-08', '2027-02-09', '2027-02-10'];
const seriesId = idOf('series');
const plan = planOf([1, 2, 3]);

/** Session n of the series, on its day. */
const ofSeries = (n: number, remaining: number | null, over: object = {}): PackageEvent =>
  consumed(days[n - 1]!, remaining, { n, purpose: 'series', seriesId, used: n, ...over });
const taken = (sessions: number): PackageEvent => ({
  type: 'SeriesTaken',
  data: { packageId: p, clientId: sold().data.clientId, seriesId, sessions },
});

const sharedOut = (history: readonly PackageEvent[], asked = plan) =>
  shareOut(asked, history.reduce(packageAggregate.evolve, structuredClone(packageAggregate.initial)));
const shortages = (history: readonly PackageEvent[]) => sharedOut(history).plan.occurrences.map(({ shortage }) => shortage);

describe('taking the sessions of a series', () => {
  const five = sold({ services: [soldMassage(5)] });

  it('E5: takes all of them in one append, and says so', () =>
    aPackage([five])
      .when(takeSeries(plan))
      .emits([ofSeries(1, 4), ofSeries(2, 3), ofSeries(3, 2), taken(3)]));
  it('E5: not those that are at the regular fee', () =>
    aPackage([five])
      .when(takeSeries(shortOf(plan, [3])))
      .emits([ofSeries(1, 4), ofSeries(2, 3), taken(2)]));
  it('D5, E5: once', () =>
    aPackage([five, ofSeries(1, 4), ofSeries(2, 3), ofSeries(3, 2), taken(3)])
      .when(takeSeries(plan))
      .emits([]));
  it('E5, E6: all of them, or none: somebody else took one since it was planned', () =>
    aPackage([sold({ services: [soldMassage(3)] }), consumed('2027-02-01', 2, { n: 9 })])
      .when(takeSeries(plan))
      .refuses('NO_SESSIONS_LEFT'));
  it('E5, H4: none when the package was cancelled since it was planned', () =>
    aPackage([five, cancelled]).when(takeSeries(plan)).refuses('PACKAGE_CANCELLED'));
  it('G3: of a linked client only when the owner lets them', () => {
    const bens = { ...plan, clientId: ben };
    aPackage([five]).when(takeSeries(bens)).refuses('PACKAGE_NOT_SHARED');
    aPackage([five])
      .when(takeSeries({ ...shortOf(bens, [2, 3]), shared: true }))
      .emits([ofSeries(1, 4, { clientId: ben }), taken(1)]);
  });
});

describe('sharing the sessions of a package out over the dates of a series', () => {
  it('E5: in date order, as far as they go', () =>
    expect(shortages([sold({ services: [soldMassage(2)] })])).toEqual([null, null, 'NO_SESSIONS_LEFT']));
  it('E5: unlimited, all of them', () => expect(shortages([sold({ services: [soldMassage('unlimited')] })])).toEqual([null, null, null]));
  it('E3, E5: as far as it is valid', () =>
    expect(
      shortages([sold({ services: [soldMassage(5)], expiryRule: { kind: 'onDate', date: '2027-02-09' }, expiresOn: '2027-02-09' })]),
    ).toEqual([...[null, null, 'PACKAGE_EXPIRED']]));
  it('E3, E5: with an expiry that counts from first use, from its own first', () =>
    expect(shortages([sold({ services: [soldMassage(5)], expiryRule: fromFirstUse(1, 'days') })])).toEqual([
      null,
      null,
      'PACKAGE_EXPIRED',
    ]));
  it('E3, E5: a date that would strand a session is at the regular fee', () => {
    const rule = sold({ services: [soldMassage(5)], expiryRule: fromFirstUse(5, 'days') });
    const later = consumed('2027-02-14', 4, { n: 9, expiresOn: '2027-02-19' });
    expect(shortages([rule, later])).toEqual(['STRANDS_SESSION', null, null]);
  });
  it('E5: what is left after each is told', () => {
    const { taken: sessions, after } = sharedOut([sold({ services: [soldMassage(2)] })]);
    expect(sessions.map(({ data }) => data.remaining)).toEqual([1, 0]);
    expect(after).toMatchObject({
      status: 'sold',
      services: new Map([[soldMassage(2).serviceId, expect.objectContaining({ remaining: 0 })]]),
    });
  });
  it('G3, H4: a package that cannot be used at all is no shortage', () => {
    expect(() => sharedOut([sold(), cancelled])).toThrow('This package is cancelled.');
    expect(() => sharedOut([sold()], { ...plan, clientId: ben })).toThrow('does not let this client use it');
  });
  it('E5: changes nothing: it is a plan', () => expect(sharedOut([sold({ soldOn: january })], shortOf(plan, [1, 2, 3])).taken).toEqual([]));
});
