/** The cursor is not one that a list gave. */
export class BadCursor extends Error {
  override name = 'BadCursor';
}

/** Where a page ended: the sorted value and the key of its last row, so that rows may come and go meanwhile. */
export interface Place {
  value: string | null;
  id: string;
}

export const cursorOf = (value: unknown, id: unknown): string =>
  Buffer.from(JSON.stringify([value, id], (_, part: unknown) => (isScalar(part) ? part.toString() : part))).toString('base64url');

const isScalar = (value: unknown): value is number | bigint | boolean => ['number', 'bigint', 'boolean'].includes(typeof value);

const isUuid = (id: string): boolean => UUID.test(id);

/** @throws BadCursor */
export const placeOf = (cursor: string, isKey = isUuid): Place => {
  try {
    const [value, id, ...more] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if ((value === null || typeof value === 'string') && typeof id === 'string' && isKey(id) && more.length === 0) return { value, id };
  } catch {
    // told below
  }
  throw new BadCursor('The cursor is not one that this list gave.');
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
