import { BadCursor, type Place } from '../../../libs/projection-engine/paging.js';
import { isId, isLocalDate, isPosition } from '../validation/formats.js';

/** How far an explanation has come, and of what: a figure as it was at a position, on a day. */
export interface CellPlace {
  until: bigint;
  today: string;
  after: Place | undefined; // the last row of which all events were given
  given: number; // events of the next row that were given
  sum: number; // of all that were given
}

export const cellCursorOf = ({ until, today, after, given, sum }: CellPlace): string =>
  Buffer.from(JSON.stringify([String(until), today, given, sum, ...(after ? [after.value, after.id] : [])])).toString('base64url');

/** @throws BadCursor */
export function cellPlaceOf(cursor: string): CellPlace {
  const [until, today, given, sum, ...after] = partsOf(cursor);
  const isPlace = after.length === 0 || (after.length === 2 && typeof after[0] === 'string' && isId(after[1]));
  const isCount = Number.isSafeInteger(given) && Number.isSafeInteger(sum) && (given as number) >= 0;
  if (!isPosition(until) || !isLocalDate(today) || !isCount || !isPlace) throw notOurs();
  const [value, id] = after as string[];
  return {
    ...{ until: BigInt(until), today, given: given as number, sum: sum as number },
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
