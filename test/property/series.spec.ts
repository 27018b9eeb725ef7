import fc from 'fast-check';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import { startsOf, type RepeatRule } from '../../libs/domain/series/starts.js';

// A series against the calendar of the platform's Intl, which knows nothing of Temporal: clocks that change, both sides of the date line, leap days.

const zones = [
  'America/Toronto',
  'Europe/Berlin',
  'Pacific/Auckland',
  'Pacific/Pago_Pago',
  'Pacific/Kiritimati',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'UTC',
];
const walls = new Map(
  zones.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' }),
  ]),
);
const wallOf = (instant: string, zone: string): { date: string; time: string } => {
  const [date, time] = walls.get(zone)!.format(new Date(instant)).split(', ');
  return { date: date!, time: time! };
};
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const plusDays = (date: string, days: number): string => new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);

/** So many months later, clamped to the month's end. */
const plusMonths = (date: string, months: number): string => {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number];
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, last))).toISOString().slice(0, 10);
};

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
      fc.property(aRule, fc.constantFrom(...zones), (rule, zone) => {
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
      fc.property(aRule, fc.constantFrom(...zones), (rule, zone) => {
        const all = startsOf(rule, zone, 200);
        const until = localDateOf(all.at(-1)!, zone);
        expect(startsOf({ ...rule, count: null, until }, zone, 200)).toEqual(all);
      }),
      { numRuns: 100 },
    ));
});
