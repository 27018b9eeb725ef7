import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problems.js';
import { refuseOtherType } from './takes.js';
import { pointer, RequestErrors } from '../validation/request-errors.js';

/**
 * Bodies are JSON, unless an operation says that it takes something else (`@Takes`). What no field of any body may hold is refused here, whatever the field: it could not be
 * stored, or not be hashed the same everywhere (docs/stored-forms.md).
 */
export const readJsonBodies = (fastify: FastifyInstance): void => {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      refuseOtherType(request, 'application/json');
      done(null, request.routeOptions.config?.raw ? body : bodyOf(body));
    } catch (error) {
      done(error as Error);
    }
  });
};

const bodyOf = (bytes: Buffer): unknown => {
  if (bytes.length === 0) return undefined;
  const body = parsed(bytes);
  assertStorable(body);
  return body;
};

/** @throws InvalidInput naming whatever in it could not be stored */
export const assertStorable = (body: unknown): void => {
  const errors = new RequestErrors();
  refuseUnstorable(body, '', 0, errors);
  errors.throwAny();
};

const parsed = (bytes: Buffer): unknown => {
  if (!isUtf8(bytes)) throw new HttpProblem(400, 'NOT_UTF8', 'The body is not encoded in UTF-8.');
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new HttpProblem(400, 'BROKEN_JSON', 'The body is not well-formed JSON.');
  }
};

const MAX_DEPTH = 16;

const refuseUnstorable = (value: unknown, path: string, depth: number, errors: RequestErrors): void => {
  if (typeof value === 'string') return refuseText(value, path, errors);
  if (typeof value === 'number') return refuseNumber(value, path, errors);
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) return errors.add(path, 'TOO_DEEP', `must not be nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.forEach((item, index) => refuseUnstorable(item, `${path}/${index}`, depth + 1, errors));
  for (const [name, inner] of Object.entries(value)) {
    if (FORBIDDEN_NAMES.has(name) || !isStorable(name)) errors.add(pointer(path, name), 'UNKNOWN_FIELD', 'is not a field of this body');
    else refuseUnstorable(inner, pointer(path, name), depth + 1, errors);
  }
};

/** Names that would reach into the object's own workings. */
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

const UNSTORABLE = /[\0\p{Cs}]/u; // NUL is nothing that Postgres stores; a lone surrogate has no UTF-8

const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

const refuseText = (text: string, path: string, errors: RequestErrors): void => {
  if (!isStorable(text)) errors.add(path, 'NOT_UNICODE', 'must be well-formed Unicode text without NUL');
};

const refuseNumber = (value: number, path: string, errors: RequestErrors): void => {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    errors.add(path, 'UNSAFE_NUMBER', 'must be a number that every reader reads alike: an integer within ±(2^53 − 1)');
};
