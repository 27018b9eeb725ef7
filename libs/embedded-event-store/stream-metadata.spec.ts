import { deletedStream } from './stored-event.js';
import { firstReadable, isSoftDeleted, parseStreamMetadata, recreatedMetadata, softDeletedMetadata } from './stream-metadata.js';

const parse = (json: string) => parseStreamMetadata(Buffer.from(json));

it.each([
  ['{"$maxCount":5,"$tb":2,"$maxAge":3}', { maxCount: 5n, truncateBefore: 2n, maxAge: 30_000_000n }],
  ['{"$maxCount":0,"$maxAge":-1}', {}],
  ['{"$maxCount":"5","$tb":2}', {}], // malformed counts as none at all
  ['{"$tb":1.5}', {}],
  ['{"$tb":9223372036854775808}', {}],
  ['[]', {}],
  ['no JSON', {}],
  ['{"$tb":9007199254740993}', { truncateBefore: 9_007_199_254_740_993n }], // beyond 2^53, exactly
])('%s', (json, metadata) => expect(parse(json)).toEqual(metadata));

it('soft deletion survives its own JSON', () => {
  expect(isSoftDeleted(parseStreamMetadata(softDeletedMetadata()))).toBe(true);
  expect(parseStreamMetadata(softDeletedMetadata()).truncateBefore).toBe(deletedStream);
});

it('recreation keeps the other keys', () =>
  expect(recreatedMetadata(Buffer.from('{"own":{"$tb":1},"$tb":9223372036854775807}'), 4n)?.toString()).toBe('{"own":{"$tb":1},"$tb":4}'));

it.each([
  [{}, 9n, 0n],
  [{ maxCount: 3n }, 9n, 7n],
  [{ maxCount: 30n }, 9n, 0n],
  [{ maxCount: 3n, truncateBefore: 8n }, 9n, 8n],
  [{ truncateBefore: 20n }, 9n, 20n],
])('%o of a stream that ends with %s can be read from %s', (metadata, last, first) => expect(firstReadable(metadata, last)).toBe(first));
