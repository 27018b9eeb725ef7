export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [field: string]: Json;
}

/** A value that JSON could not give back as it was, so that a hash over it could not be checked again. */
export class NotStorable extends Error {
  constructor(field: string, why: string) {
    super(`The field "${field}" can't be stored: ${why}.`);
    this.name = 'NotStorable';
  }
}

const loneSurrogate = /\p{Surrogate}/u;
const reserved = new Set(['__proto__', '$enc']); // JSON.parse and object literals disagree on the first; the second marks what is encrypted

/**
 * A copy of the value exactly as JSON.parse will give it back once it is stored: fields that are undefined are gone,
 * -0 is 0. Integers beyond 2^53 − 1, lone surrogates and whatever is not JSON are refused with NotStorable.
 */
export function storable(value: unknown, field = ''): Json {
  if (typeof value === 'string') return wellFormed(value, field);
  if (typeof value === 'number') return exact(value, field);
  if (typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => storable(element, field));
  if (typeof value !== 'object' || !isPlain(value)) throw new NotStorable(field, `it is not JSON but ${describe(value)}`);
  return storableObject(value);
}

/**
 * RFC 8785: the one text of a JSON value, whatever the order of its fields. JSON.stringify already writes numbers and
 * texts as it says; sorting by UTF-16 code units is what sort does. (Every append hashes this text, and the package
 * `canonicalize`, which the spec compares it with, takes more than twice as long.)
 */
export function canonical(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  let fields = '';
  for (const field of Object.keys(value).sort()) fields += `${fields && ','}${JSON.stringify(field)}:${canonical(value[field]!)}`;
  return `{${fields}}`;
}

export function storableObject(value: object): JsonObject {
  const copy: JsonObject = {};
  for (const [field, held] of Object.entries(value)) {
    if (held === undefined) continue;
    if (reserved.has(field)) throw new NotStorable(field, 'the name is reserved');
    copy[wellFormed(field, field)] = storable(held, field);
  }
  return copy;
}

function wellFormed(text: string, field: string): string {
  if (loneSurrogate.test(text)) throw new NotStorable(field, 'it holds a lone surrogate');
  return text;
}

function exact(number: number, field: string): number {
  if (!Number.isFinite(number)) throw new NotStorable(field, `${number} is not a JSON number`);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw new NotStorable(field, `${number} is beyond 2^53 − 1`);
  return number === 0 ? 0 : number;
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

const describe = (value: unknown): string => (typeof value === 'object' ? (value?.constructor.name ?? 'null') : typeof value);
