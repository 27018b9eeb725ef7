import { deletedStream } from './stored-event.js';

/** The part of a stream's metadata that the server itself acts on (`StreamMetadata.cs`). */
export interface StreamMetadata {
  maxCount?: bigint;
  maxAge?: bigint; // ticks of 100 ns
  truncateBefore?: bigint;
}

const empty: StreamMetadata = {};
const ticksPerSecond = 10_000_000n;

/** Only the newest event of a metastream can be read. */
export const metastreamMetadata: StreamMetadata = { maxCount: 1n };

export const isSoftDeleted = ({ truncateBefore }: StreamMetadata): boolean => truncateBefore === deletedStream;

/** `$maxCount` and `$tb` hide what comes before this revision of a stream that ends with `last`. */
export const firstReadable = ({ maxCount, truncateBefore = 0n }: StreamMetadata, last: bigint): bigint => {
  const firstOfCount = maxCount === undefined || maxCount > last ? 0n : last - maxCount + 1n;
  return firstOfCount > truncateBefore ? firstOfCount : truncateBefore;
};

/** Malformed metadata, or a number that is none, counts as no metadata at all (`TryFromJsonBytes`). */
export const parseStreamMetadata = (json: Uint8Array | null): StreamMetadata => {
  if (!json) return empty;
  const text = Buffer.from(json).toString('utf8');
  const parsed = parseObject(text);
  if (!parsed) return empty;
  const integer = (name: string): bigint | undefined | 'malformed' => {
    const value = parsed[name];
    if (value === undefined) return undefined;
    return typeof value === 'number' ? wholeNumber(text, name, value) : 'malformed';
  };
  const [maxCount, maxAge, truncateBefore] = [integer('$maxCount'), integer('$maxAge'), integer('$tb')];
  if (maxCount === 'malformed' || maxAge === 'malformed' || truncateBefore === 'malformed') return empty;
  return {
    maxCount: maxCount !== undefined && maxCount > 0n ? maxCount : undefined,
    maxAge: maxAge !== undefined && maxAge > 0n ? maxAge * ticksPerSecond : undefined,
    truncateBefore: truncateBefore !== undefined && truncateBefore >= 0n ? truncateBefore : undefined,
  };
};

/** The metadata that soft deletion writes. */
export const softDeletedMetadata = (): Buffer => Buffer.from(`{"$tb":${deletedStream}}`);

/** What a soft-deleted stream's metadata becomes when the stream is written again; null if it is not an object. */
export const recreatedMetadata = (json: Uint8Array, recreateFrom: bigint): Buffer | null => {
  const parsed = parseObject(Buffer.from(json).toString('utf8'));
  if (!parsed) return null;
  const placeholder = '$tb-placeholder';
  return Buffer.from(JSON.stringify({ ...parsed, $tb: placeholder }).replace(`"${placeholder}"`, () => recreateFrom.toString()));
};

const parseObject = (text: string): Record<string, unknown> | null => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

/** JSON.parse rounds beyond 2^53; the revision of a deleted stream lies there, so it is read from the text. */
const wholeNumber = (text: string, name: string, value: number): bigint | 'malformed' => {
  if (Number.isSafeInteger(value)) return BigInt(value);
  const literal = [...text.matchAll(/"(\$maxCount|\$maxAge|\$tb)"\s*:\s*(-?\d+)(?![\d.eE])/g)].findLast(
    ([, key, digits]) => key === name && Number(digits) === value,
  )?.[2];
  const exact = literal === undefined ? undefined : BigInt(literal);
  return exact === undefined || exact > deletedStream || exact < -deletedStream ? 'malformed' : exact;
};
