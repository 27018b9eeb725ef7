import { Temporal } from 'temporal-polyfill';
import { asInstant } from '../kernel/calendar.js';

export interface RepeatRule {
  start: string; // instant of the first
  every: 'day' | 'week' | 'month';
  interval: number; // every so many of them
  count: number | null; // so many in all; null: `until` says
  until: string | null; // local date, included
}

/**
 * E5: when a series takes place: at the same time on the wall of the business, also across a change of its clocks, where a
 * time that does not exist comes as much later; months clamp to their end, counted from the first.
 * @param most gives one more than that, so that the caller sees that it is too many
 */
export const startsOf = ({ start, every, interval, count, until }: RepeatRule, timeZone: string, most: number): string[] => {
  const first = Temporal.Instant.from(start).toZonedDateTimeISO(timeZone);
  const starts: string[] = [];
  for (let n = 0; n < (count ?? Infinity) && starts.length <= most; n += 1) {
    const date = first.toPlainDate().add({ [`${every}s`]: n * interval });
    if (until !== null && date.toString() > until) break;
    const at = n === 0 ? first : date.toZonedDateTime({ timeZone, plainTime: first.toPlainTime() });
    starts.push(asInstant(at.toInstant().toString()));
  }
  return starts;
};
