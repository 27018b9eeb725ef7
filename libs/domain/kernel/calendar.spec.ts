import fc from 'fast-check';
import { asInstant, dayAfter, isTimeZone, lastValidDay, localDateOf, plusMinutes, startOfDay } from './calendar.js';

describe('a time zone', () => {
  it.each(['UTC', 'America/Toronto', 'Asia/Kolkata', 'Asia/Calcutta', 'Europe/Kyiv', 'America/Argentina/Buenos_Aires'])(
    'A1: has a name of the IANA database, also one that the runtime calls otherwise: %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
      expect(localDateOf('2027-01-31T12:00:00.000Z', name)).toBe('2027-01-31');
    },
  );
  it.each(['Mars/Olympus', '+01:00', '', 'America/Toronto ', 'x'.repeat(65)])('A1: is no offset and nothing made up: "%s"', (name) =>
    expect(isTimeZone(name)).toBe(false),
  );
});

describe('the date on the wall of the business', () => {
  it.each([
    ['23:30 on the last day, 13 hours ahead of UTC', '2027-02-10T10:30:00.000Z', 'Pacific/Auckland', '2027-02-10'],
    ['half past midnight there, the day before in UTC', '2027-02-10T11:30:00.000Z', 'Pacific/Auckland', '2027-02-11'],
    ['23:30 behind UTC, where it is the day after', '2027-02-11T04:30:00.000Z', 'America/Toronto', '2027-02-10'],
    ['the hour that DST leaves out', '2027-03-14T07:00:00.000Z', 'America/Toronto', '2027-03-14'],
    ['the first of the hours that come twice', '2027-11-07T05:30:00.000Z', 'America/Toronto', '2027-11-07'],
    ['a midnight that DST leaves out', '2018-11-04T03:00:00.000Z', 'America/Sao_Paulo', '2018-11-04'],
    ['just before a day that was left out', '2011-12-30T09:59:59.999Z', 'Pacific/Apia', '2011-12-29'],
    ['just after a day that was left out', '2011-12-30T10:00:00.000Z', 'Pacific/Apia', '2011-12-31'],
    ['14 hours ahead', '2027-02-28T10:00:00.000Z', 'Pacific/Kiritimati', '2027-03-01'],
    ['a zone of three quarters of an hour', '2027-02-28T18:15:00.000Z', 'Asia/Kathmandu', '2027-03-01'],
  ])('E3: %s', (_, instant, timeZone, date) => expect(localDateOf(instant, timeZone)).toBe(date));

  it('E3: is what the platform shows in every zone, at any instant', () => {
    const shown = new Map<string, Intl.DateTimeFormat>();
    const show = (instant: Date, timeZone: string): string => {
      const format = shown.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
      shown.set(timeZone, format);
      return format.format(instant);
    };
    const instants = fc.date({ min: new Date('1990-01-01T00:00:00Z'), max: new Date('2099-12-31T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.constantFrom(...Intl.supportedValuesOf('timeZone')), (instant, timeZone) =>
        expect(localDateOf(instant.toISOString(), timeZone)).toBe(show(instant, timeZone)),
      ),
      { numRuns: 2_000 },
    );
  });
  it('E3: an unknown zone is no zone', () => expect(() => localDateOf('2027-01-31T00:00:00.000Z', 'Mars/Olympus')).toThrow(RangeError));
});

describe('a local date', () => {
  it.each([
    ['at midnight', '2027-02-10', 'America/Toronto', '2027-02-10T05:00:00.000Z'],
    ['at one, where clocks leave out midnight', '2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['with the day after, where the calendar leaves it out', '2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    ['14 hours before UTC', '2027-03-01', 'Pacific/Kiritimati', '2027-02-28T10:00:00.000Z'],
  ])('J1: begins %s', (_, date, timeZone, instant) => expect(startOfDay(date, timeZone)).toBe(instant));
  it('J1: is followed by another', () => expect(['2027-12-31', '2028-02-28'].map(dayAfter)).toEqual(['2028-01-01', '2028-02-29']));
});

describe('an instant', () => {
  it('L1: has one stored form', () => {
    const same = ['2027-01-31T09:30:00Z', '2027-01-31T09:30:00.000Z', '2027-01-31T04:30:00-05:00', new Date('2027-01-31T09:30:00Z')];
    for (const instant of same) expect(asInstant(instant)).toBe('2027-01-31T09:30:00.000Z');
  });
  it('B1: minutes after another', () => {
    expect(plusMinutes('2027-03-14T06:30:00.000Z', 60)).toBe('2027-03-14T07:30:00.000Z');
    expect(plusMinutes('2027-01-01T00:00:00.000Z', -60)).toBe('2026-12-31T23:00:00.000Z');
  });
});

describe('the last valid day', () => {
  const after = (from: 'purchase' | 'firstUse', amount: number, unit: 'days' | 'weeks' | 'months') =>
    ({ kind: 'after', from, amount, unit }) as const;

  it.each([
    ['through the 10th day after the sale', after('purchase', 10, 'days'), '2027-01-31', '2027-02-10'],
    ['over a year', after('purchase', 1, 'days'), '2027-12-31', '2028-01-01'],
    ['two weeks', after('purchase', 2, 'weeks'), '2027-01-31', '2027-02-14'],
    ['clamped to the end of February', after('purchase', 1, 'months'), '2027-01-31', '2027-02-28'],
    ['clamped to a leap day', after('purchase', 1, 'months'), '2028-01-31', '2028-02-29'],
    ['a year from a leap day', after('purchase', 12, 'months'), '2028-02-29', '2029-02-28'],
    ['four years from a leap day', after('purchase', 48, 'months'), '2028-02-29', '2032-02-29'],
    ['no leap day in 2100', after('purchase', 1, 'months'), '2100-01-31', '2100-02-28'],
    ['clamped to 30 days', after('purchase', 1, 'months'), '2027-03-31', '2027-04-30'],
    ['not clamped twice: counted from the sale', after('purchase', 2, 'months'), '2027-01-31', '2027-03-31'],
  ])('E3: %s', (_, rule, soldOn, day) => expect(lastValidDay(rule, { soldOn })).toBe(day));

  it('C2: a specific date is the last', () =>
    expect(lastValidDay({ kind: 'onDate', date: '2027-06-30' }, { soldOn: '2027-01-31' })).toBe('2027-06-30'));
  it('C2: without a rule there is none', () => expect(lastValidDay({ kind: 'none' }, { soldOn: '2027-01-31' })).toBeNull());
  it('E3: from first use there is none before that', () => {
    expect(lastValidDay(after('firstUse', 1, 'months'), { soldOn: '2027-01-31' })).toBeNull();
    expect(lastValidDay(after('firstUse', 1, 'months'), { soldOn: '2027-01-31', firstUse: '2027-03-31' })).toBe('2027-04-30');
  });

  it('E3: agrees with plain counting, over month ends and leap days', () => {
    const day = fc
      .date({ min: new Date('1999-01-01T00:00:00Z'), max: new Date('2105-12-31T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    const nearMonthEnd = day.map((date) => monthEnd(Number(date.slice(0, 4)), Number(date.slice(5, 7))));
    const unit = fc.constantFrom('days', 'weeks', 'months');
    fc.assert(
      fc.property(fc.oneof(day, nearMonthEnd), fc.integer({ min: 1, max: 400 }), unit, fc.boolean(), (from, amount, of, sold) => {
        const dates = sold ? { soldOn: from } : { soldOn: '1998-01-01', firstUse: from };
        const expected = of === 'months' ? plusMonths(from, amount) : plusDays(from, of === 'weeks' ? 7 * amount : amount);
        expect(lastValidDay(after(sold ? 'purchase' : 'firstUse', amount, of), dates)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
  });
});

// The oracle: years, months and days counted by the rules of the Gregorian calendar alone.

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number => [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;
const written = (year: number, month: number, day: number): string => `${year}-${`${month}`.padStart(2, '0')}-${`${day}`.padStart(2, '0')}`;
const parts = (date: string): [number, number, number] => date.split('-').map(Number) as [number, number, number];
const monthEnd = (year: number, month: number): string => written(year, month, daysIn(year, month));

const plusMonths = (date: string, months: number): string => {
  const [year, month, day] = parts(date);
  const count = year * 12 + (month - 1) + months;
  const [toYear, toMonth] = [Math.floor(count / 12), (count % 12) + 1];
  return written(toYear, toMonth, Math.min(day, daysIn(toYear, toMonth)));
};

const plusDays = (date: string, days: number): string => {
  let [year, month, day] = parts(date);
  day += days;
  while (day > daysIn(year, month)) {
    day -= daysIn(year, month);
    [year, month] = month === 12 ? [year + 1, 1] : [year, month + 1];
  }
  return written(year, month, day);
};
