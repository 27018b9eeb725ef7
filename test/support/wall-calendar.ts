// The calendar of the platform's Intl and plain counting, which know nothing of Temporal: what the rules of days are held against.

const MINUTE = 60_000; // ms
const DAY = 24 * 60 * MINUTE;

/** Clocks that change, in both hemispheres and by half an hour; both sides of the date line; offsets that are no whole hours. */
export const ZONES = [
  'America/Toronto',
  'Europe/Berlin',
  'Pacific/Auckland',
  'Pacific/Apia',
  'Pacific/Pago_Pago',
  'Pacific/Kiritimati',
  'Pacific/Chatham',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'UTC',
] as const;
export type Zone = (typeof ZONES)[number];

const walls = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' }),
  ]),
);

export const wallOf = (instant: string, zone: Zone): { date: string; time: string } => {
  const [date, time] = walls.get(zone)!.format(new Date(instant)).split(', ');
  return { date: date!, time: time! };
};

/** The first minute whose date on the wall is after this one, looked for by halves. */
export const firstMinuteAfter = (date: string, zone: Zone): string => {
  let [before, after] = [Date.parse(date) / MINUTE - 24 * 60, Date.parse(date) / MINUTE + 3 * 24 * 60];
  while (after - before > 1) {
    const between = Math.floor((before + after) / 2);
    if (wallOf(new Date(between * MINUTE).toISOString(), zone).date > date) after = between;
    else before = between;
  }
  return new Date(after * MINUTE).toISOString();
};

export const plusDays = (date: string, days: number): string => new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);

/** So many months later, clamped to the month's end. */
export const plusMonths = (date: string, months: number): string => {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number];
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, last))).toISOString().slice(0, 10);
};
