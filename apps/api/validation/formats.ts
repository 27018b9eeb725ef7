import { LRUCache } from 'lru-cache';
import * as calendar from '../../../libs/domain/kernel/calendar.js';

// What texts must look like at the door. Nothing here is a rule of the product.

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One way of writing an id, so that no two names stand for one stream. */
export const isId = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

const FIRST_YEAR = 1900;
const LAST_YEAR = 2199;

/** A day that exists: not 31 April, not 29 February 2027. */
export const isLocalDate = (value: unknown): value is string => {
  const parts = typeof value === 'string' ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(value) : null;
  if (!parts) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  return year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
};

/** A month of the calendar: `2027-01`. */
export const isMonth = (value: unknown): value is string => typeof value === 'string' && isLocalDate(`${value}-01`);

/** A moment with its offset, to the millisecond at most, for that is how times are stored. No leap seconds, no 24:00. */
export const isInstant = (value: unknown): value is string => {
  const parts =
    typeof value === 'string' ? /^([\d-]{10})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,3})?)?(?:Z|[+-](\d{2}):(\d{2}))$/.exec(value) : null;
  if (!parts) return false;
  const [, date, hour, minute, second = '0', offsetHour = '0', offsetMinute = '0'] = parts;
  return (
    isLocalDate(date) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(offsetHour) <= 18 &&
    Number(offsetMinute) < 60
  );
};

/** A position in the event store, as answers give it. */
export const isPosition = (value: unknown): value is string => typeof value === 'string' && /^\d{1,18}$/.test(value);

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
};

const knownZones = new LRUCache<string, boolean>({ max: 1_000 });

/** A name of the IANA database. */
export const isTimeZone = (value: unknown): value is string => {
  if (typeof value !== 'string' || value.length > 64) return false;
  const known = knownZones.get(value) ?? calendar.isTimeZone(value);
  knownZones.set(value, known);
  return known;
};

const currencies = new Set(Intl.supportedValuesOf('currency'));

export const isCurrency = (value: unknown): value is string => typeof value === 'string' && currencies.has(value);

export const isDecimalPercentage = (value: unknown): value is string =>
  typeof value === 'string' && /^(100(\.0{1,6})?|(0|[1-9]\d?)(\.\d{1,6})?)$/.test(value);

export const isInvoiceNumber = (value: unknown): value is string => typeof value === 'string' && /^\d{4}-\d{6,10}$/.test(value);

export const isEmail = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= 254 &&
  /^[^\s@"<>\p{Cc}\p{Cs}]{1,64}@[^\s@"<>\p{Cc}\p{Cs}.]+(\.[^\s@"<>\p{Cc}\p{Cs}.]+)+$/u.test(value);

/** In characters (code points), as JSON Schema counts. */
export const isTextOf = (value: unknown, min: number, max: number): value is string => {
  if (typeof value !== 'string' || value.length < min || value.length > 2 * max) return false;
  const length = value.length <= max && value.length >= 2 * min ? value.length : [...value].length;
  return length >= min && length <= max;
};

/** Without control characters, but for the ends of lines and tabs where several lines may stand. */
export const isClean = (text: string, lines: boolean): boolean => !(lines ? /[^\P{Cc}\n\r\t]|\p{Cs}/u : /\p{Cc}|\p{Cs}/u).test(text);

const MAX_ADDRESS = 2_000; // characters

/** An address on the web, written as it is meant: nothing in it that a browser would leave out or turn round. */
export const isWebAddress = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_ADDRESS && /^https?:\/\/[^\s\\\p{Cc}]+$/u.test(value) && URL.canParse(value);
