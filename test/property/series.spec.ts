import fc from 'fast-check';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import { startsOf, type RepeatRule } from '../../libs/domain/series/starts.js';
import { plusDays, plusMonths, wallOf, ZONES } from '../support/wall-calendar.js';

// A series against a calendar that knows nothing of Temporal: clocks that change, both sides of the date line, leap days.

const MINUTE = 60_000;

const aStart = fc
  .integer({ min: Date.UTC(2027, 0) / MINUTE, max: Date.UTC(2033, 0) / MINUTE })
  .map((minutes) => new Date(minutes * MINUTE).toISOString());
const aRule = fc.record({
  ...{ start: aStart, every: fc.constantFrom('day' as const, 'week' as const, 'month' as const), interval: fc.integer({ min: 1, max: 6 }) },
  ...{ count: fc.integer({ min: 1, max: 60 }), until: fc.constant(null) },
});

const dateOf = ({ every, interval }: RepeatRule, first: string, n: number): string =>
  every === 'month' ? plusMonths(first, n * interval) : plusDays(first, n * interval * (every === 'week' ? 7 : 1));

describe('the starts of a series', () => {
  it('E5: are on the days of the rule, at the same time on the wall wherever that time exists, in any zone', () =>
    fc.assert(
      fc.property(aRule, fc.constantFrom(...ZONES), (rule, zone) => {
        const starts = startsOf(rule, zone, 200);
        const first = wallOf(rule.start, zone);
        expect(starts).toHaveLength(rule.count);
        for (const [n, start] of starts.entries()) {
          const wall = wallOf(start, zone);
          expect(localDateOf(start, zone)).toBe(wall.date);
          if (wall.time === first.time) expect(wall.date).toBe(dateOf(rule, first.date, n));
          else expect(wallOf(new Date(Date.parse(start) - 90 * MINUTE).toISOString(), zone).time < first.time).toBe(true); // it was skipped that night
        }
        expect(starts).toEqual(starts.toSorted());
      }),
      { numRuns: 300 },
    ));

  it('E5: until a day are those that are on it or before', () =>
    fc.assert(
      fc.property(aRule, fc.constantFrom(...ZONES), (rule, zone) => {
        const all = startsOf(rule, zone, 200);
        const until = localDateOf(all.at(-1)!, zone);
        expect(startsOf({ ...rule, count: null, until }, zone, 200)).toEqual(all);
      }),
      { numRuns: 100 },
    ));
});
