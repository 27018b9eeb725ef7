import { BadCursor, type Place } from '../../../libs/projection-engine/paging.js';
import { isId, isLocalDate, isPosition, isTimeZone } from '../validation/formats.js';

/** How far an explanation has come, and of what: a figure as it was at a position, on a day, by the clocks of then. */
export interface CellPlace {
  until: bigint;
  today: string;
  timeZone: string;
  after: Place | undefined; // the last row of which all events were given
  given: number; // events of the next row that were given
  sum: number; // of all that were given
  off: number; // what the rows before have in the report beyond what their events come to
}

export const cellCursorOf = ({ until, today, timeZone, after, given, sum, off }: CellPlace): string => {
  const parts = [String(until), today, timeZone, given, sum, off, ...(after ? [after.value, after.id] : [])];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
};

/** @throws BadCursor */
export function cellPlaceOf(cursor: string): CellPlace {
  const [until, today, timeZone, given, sum, off, ...after] = partsOf(cursor);
  const isPlace = after.length === 0 || (after.length === 2 && typeof after[0] === 'string' && isId(after[1]));
  const isCount = [given, sum, off].every(Number.isSafeInteger) && (given as number) >= 0;
  if (!isPosition(until) || !isLocalDate(today) || !isTimeZone(timeZone) || !isCount || !isPlace) throw notOurs();
  const [value, id] = after as string[];
  return {
    ...{ until: BigInt(until), today, timeZone, given: given as number, sum: sum as number, off: off as number },
    after: id === undefined ? undefined : { value: value!, id },
  };
}

const partsOf = (cursor: string): unknown[] => {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts)) return parts;
  } catch {
    // told below
  }
  throw notOurs();
};

const notOurs = () => new BadCursor('The cursor is not one that an explanation gave.');
