import { Temporal } from 'temporal-polyfill';
import type { ExpiryRule } from './shapes.js';

/** The date on the wall of the business at an instant. */
export const localDateOf = (instant: string, timeZone: string): string =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString();

/** An instant in the one form that is stored: UTC with milliseconds. */
export const asInstant = (instant: string | Date): string => new Date(instant).toISOString();

export const plusMinutes = (instant: string, minutes: number): string => new Date(Date.parse(instant) + minutes * 60_000).toISOString();

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
