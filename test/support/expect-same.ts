import { isDeepStrictEqual } from 'node:util';

/** `expect(said).toEqual(meant)` for what is compared many thousand times: jest's way of comparing says well what differs, and takes long where nothing does. */
export function expectSame(said: unknown, meant: unknown): void {
  if (!isDeepStrictEqual(said, meant)) expect(said).toEqual(meant);
}
