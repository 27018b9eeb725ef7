import { Temporal } from 'temporal-polyfill';
import type { ExpiryRule } from './shapes.js';

/** The date on the wall of the business at an instant. */
export const localDateOf = (instant: string, timeZone: string): string =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString();

/** The instant at which a local date begins, also where clocks leave out its midnight, or the calendar the whole day. */
export const startOfDay = (date: string, timeZone: string): string =>
  asInstant(Temporal.PlainDate.from(date).toZonedDateTime(timeZone).toInstant().toString());

export const dayAfter = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString();

/** A name of the IANA database, as the runtime knows it, links such as `Asia/Kolkata` included; offsets such as +01:00 are not. */
export const isTimeZone = (name: string): boolean => {
  if (name.length > 64 || !/^[A-Za-z][\w+/-]*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/** An instant in the one form that is stored: UTC with milliseconds. */
export const asInstant = (instant: string | Date): string => new Date(instant).toISOString();

export const plusMinutes = (instant: string, minutes: number): string => new Date(Date.parse(instant) + minutes * 60_000).toISOString();

export const minutesBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 60_000;

/** The last local date on which a session can be used; null while the package does not expire (C2, E3). */
export const lastValidDay = (rule: ExpiryRule, { soldOn, firstUse }: { soldOn: string; firstUse?: string }): string | null => {
  if (rule.kind === 'none') return null;
  if (rule.kind === 'onDate') return rule.date;
  const from = rule.from === 'purchase' ? soldOn : firstUse;
  if (from === undefined) return null; // not used yet
  return Temporal.PlainDate.from(from)
    .add({ [rule.unit]: rule.amount })
    .toString(); // clamps to the month's end
};
