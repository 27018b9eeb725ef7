import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { FieldError } from '../../../libs/domain/kernel/refusal.js';
import { InvalidInput, Refusal, UnknownReferences } from '../../../libs/domain/kernel/refusal.js';
import { OutcomeUnknown, StoreUnavailable } from '../../../libs/event-store/failures.js';
import { TooBusy } from '../../../libs/event-store/stream-queues.js';
import { InvalidToken, TokenKeysUnavailable } from '../../../libs/auth/tokens.js';
import { NotBuilt } from '../../../libs/projection-engine/sources.js';
import { TooManyAtOnce } from '../../../libs/reporting/places.js';
import { TooMuchToReport } from '../../../libs/reporting/reports.js';
import { NotFromStripe, StripeRefused, StripeUnavailable } from '../../../libs/payments/at-stripe.js';

/** What went wrong, before it is written down as a problem detail (RFC 9457). */
export interface Failure {
  status: number;
  code: string; // stable and public
  detail: string;
  errors?: readonly RequestError[]; // every offending field
  details?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** A field of the body, unless it says where else it stood. */
export interface RequestError extends FieldError {
  in?: 'path' | 'query' | 'header';
  line?: number; // of the file that was sent, from 1
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  correlationId: string;
  errors?: readonly RequestError[];
  details?: Record<string, unknown>;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** A refusal of the HTTP door itself. What a rule of the domain refuses is a `Refusal`. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly extras: Pick<Failure, 'errors' | 'details' | 'headers'> = {},
  ) {
    super(message);
    this.name = 'HttpProblem';
  }
}

/** `correlationId` and `instance` say which call it was; neither holds anything of the query, which may be personal. */
export const problemOf = ({ status, code, detail, errors, details }: Failure, call: { correlationId: string; path: string }): Problem => ({
  type: `urn:punchcard:problem:${code.toLowerCase().replaceAll('_', '-')}`,
  title: titleOf(code),
  status,
  detail,
  instance: call.path,
  code,
  correlationId: call.correlationId,
  ...(errors && { errors }),
  ...(details && Object.keys(details).length > 0 && { details }),
});

const MOST_ERRORS = 100; // that are named, of however many

/** Every error that can reach the caller. What is not known is a 500 that says nothing of the inside. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof HttpProblem) return { status: error.status, code: error.code, detail: error.message, ...error.extras };
  if (error instanceof InvalidInput)
    return { status: 400, code: error.code, detail: error.message, errors: error.errors.slice(0, MOST_ERRORS) };
  if (error instanceof Refusal) return { ...(error instanceof UnknownReferences ? unknown(error) : refused(error)), ...told(error) };
  if (error instanceof InvalidToken) return unauthenticated(error);
  if (error instanceof NotFromStripe) return { status: 400, code: 'NOT_FROM_STRIPE', detail: error.message };
  if (error instanceof StripeRefused)
    return { status: 409, code: 'STRIPE_REFUSED', detail: error.message, details: { stripe: error.code } };
  if (error instanceof StripeUnavailable)
    return unavailable('STRIPE_UNAVAILABLE', 'Stripe cannot be asked now. Repeat the call with the same Idempotency-Key.');
  if (error instanceof NotBuilt) return unavailable('NOT_YET_BUILT', error.message);
  if (error instanceof TokenKeysUnavailable) return unavailable('TOKEN_KEYS_UNAVAILABLE', error.message);
  if (error instanceof HttpException) return ofStatus(error.getStatus());
  if (isFastifyError(error)) return FASTIFY_ERRORS[error.code] ?? ofStatus(error.statusCode);
  return ofPart(error) ?? ofStatus(500);
};

/** The codes of refusals that are not 409. */
const REFUSAL_STATUS: Record<string, number> = {
  NOT_FOUND: 404,
  PRECONDITION_FAILED: 412,
  NOT_PERMITTED_BY_CLIENT: 403, // G3, G5
  INVOICES_NOT_SHOWN: 403, // I1
  IDEMPOTENCY_KEY_REUSED: 422,
};

const refused = ({ code, message, details }: Refusal): Failure => ({ status: REFUSAL_STATUS[code] ?? 409, code, detail: message, details });

/** L3: how far to read to see why. */
const told = ({ position }: Refusal): Pick<Failure, 'headers'> =>
  position > 0n ? { headers: { 'punchcard-position': String(position) } } : {};

/** Of what the body names, all that is not there: each as the field that names it (A3). */
const unknown = ({ code, message, errors }: UnknownReferences): Failure => ({
  ...{ status: 404, code, detail: message, errors: errors.slice(0, MOST_ERRORS) },
});

const unauthenticated = ({ code, message }: InvalidToken): Failure => ({
  status: 401,
  code,
  detail: message,
  headers: {
    'www-authenticate':
      code === 'TOKEN_MISSING'
        ? 'Bearer realm="punchcard"'
        : `Bearer realm="punchcard", error="invalid_token", error_description="${quoted(message)}"`,
  },
});

const quoted = (text: string): string => text.replace(/["\\]/g, "'");

const RETRY_AFTER_SECONDS = '1';

export const unavailable = (code: string, detail: string): Failure => ({
  status: 503,
  code,
  detail,
  headers: { 'retry-after': RETRY_AFTER_SECONDS },
});

/** Errors of the parts behind us that mean "not now": repeating the call with the same Idempotency-Key is safe. */
const ofPart = (error: unknown): Failure | undefined => {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof TooMuchToReport) return unavailable('REPORT_TOO_LARGE', error.message);
  if (error instanceof TooManyAtOnce) return unavailable('TOO_BUSY', error.message);
  if (error instanceof TooBusy || error.message === POOL_EXHAUSTED)
    return unavailable('TOO_BUSY', 'Too much is being done at once. Repeat the call later.');
  if (error instanceof OutcomeUnknown || error instanceof StoreUnavailable || isConnectionLoss(error))
    return unavailable('UNAVAILABLE', 'A part of the service cannot be reached. Repeat the call with the same Idempotency-Key.');
  return undefined;
};

/** By pg-pool, of one that waited in vain for others to let go of a connection; one that Postgres does not give is "terminated". */
const POOL_EXHAUSTED = 'timeout exceeded when trying to connect';
const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02', '57P03', '53300']);
const CONNECTION_MESSAGES = /^(Connection terminated|Client has encountered a connection error|Query read timeout)/;

/** Postgres is away, coming, or full: by Node's codes, by SQLSTATEs, and by the messages of `pg` that have no code. */
const isConnectionLoss = (error: Error & { code?: unknown; syscall?: unknown }): boolean =>
  error.syscall === 'connect' ||
  (typeof error.code === 'string' && (CONNECTION_CODES.has(error.code) || /^08[0-9A-Z]{3}$/.test(error.code))) ||
  CONNECTION_MESSAGES.test(error.message);

const isFastifyError = (error: unknown): error is { code: string; statusCode: number } =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  'code' in error &&
  typeof error.code === 'string';

const FASTIFY_ERRORS: Record<string, Failure> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'BODY_TOO_LARGE', detail: 'The body is larger than the service takes.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'MEDIA_TYPE_NOT_SUPPORTED',
    detail: 'The body must be application/json.',
    headers: { accept: 'application/json' },
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: 'CONTENT_LENGTH_WRONG',
    detail: 'The body is not as long as Content-Length says.',
  },
  FST_ERR_BAD_URL: { status: 400, code: 'BAD_ADDRESS', detail: 'The address is not a well-formed URL.' },
  FST_ERR_MAX_PARAM_LENGTH: { status: 414, code: 'ADDRESS_TOO_LONG', detail: 'A part of the address is too long.' },
};

const STATUS_FAILURES: Record<number, [code: string, detail: string]> = {
  400: ['BAD_REQUEST', 'The request is not well-formed.'],
  403: ['FORBIDDEN', 'This is not allowed.'],
  404: ['NO_SUCH_ADDRESS', 'There is nothing at this address.'],
  408: ['REQUEST_TOO_SLOW', 'The request did not arrive in time.'],
  414: ['ADDRESS_TOO_LONG', 'The address is too long.'],
  429: ['TOO_MANY_REQUESTS', 'Too many requests. Repeat the call later.'],
  431: ['HEADERS_TOO_LARGE', 'The headers are larger than the service takes.'],
  500: ['INTERNAL_ERROR', 'Something went wrong inside. The correlation id finds it in the log.'],
  503: ['UNAVAILABLE', 'The service cannot answer now. Repeat the call later.'],
};

export const ofStatus = (status: number): Failure => {
  const [code, detail] = STATUS_FAILURES[status] ?? [
    (STATUS_CODES[status] ?? 'ERROR').toUpperCase().replace(/\W+/g, '_'),
    STATUS_CODES[status] ?? 'Error',
  ];
  return status === 503 ? unavailable(code, detail) : { status, code, detail };
};

const titleOf = (code: string): string => {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
