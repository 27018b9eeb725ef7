import { ErrorType, isCommandError } from '@eventstore/db-client';
import { status, type ServiceError } from '@grpc/grpc-js';

/** The stream is not at the revision that was expected. Nothing was stored. */
export class Conflict extends Error {
  constructor(stream: string, options?: ErrorOptions) {
    super(`The stream ${stream} has moved on.`, options);
    this.name = 'Conflict';
  }
}

/** The append was stored, will be stored, or never will: read the stream before trying again. */
export class OutcomeUnknown extends Error {
  readonly code = 'OUTCOME_UNKNOWN';
  constructor(what: string, options?: ErrorOptions) {
    super(`${what}: it may have been stored.`, options);
    this.name = 'OutcomeUnknown';
  }
}

/** The event store cannot be read at the moment. */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';
  constructor(what: string, options?: ErrorOptions) {
    super(`${what}: the event store is not available.`, options);
    this.name = 'StoreUnavailable';
  }
}

/** Broken connections that the callers of appends were told of. */
const reported = new WeakSet<object>();
let listening = false;

/**
 * The client writes appends in a promise of its own that nobody can wait for: when a connection breaks while some are
 * still to be written, that promise is rejected beside the one of the append, and would end the process. What was
 * reported is not reported twice; any other rejection ends the process as before, unless somebody else listens.
 */
export function survivesBrokenConnections(): void {
  if (listening) return;
  listening = true;
  process.on('unhandledRejection', (reason) => {
    const known = typeof reason === 'object' && reason !== null && reported.has(reason);
    if (!known && process.listenerCount('unhandledRejection') === 1) throw reason;
  });
}

/** Errors of the server that say for certain that nothing was stored, and that no repeat will change. */
const final = new Set<string>([
  ErrorType.ACCESS_DENIED,
  ErrorType.INVALID_ARGUMENT,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.STREAM_DELETED,
]);

export function appendFailure(stream: string, error: unknown): unknown {
  if (error instanceof OutcomeUnknown) return error;
  if (error instanceof Error && isCommandError(error) && error._raw) reported.add(error._raw);
  const type = typeOf(error);
  if (type === ErrorType.WRONG_EXPECTED_VERSION) return new Conflict(stream, { cause: error });
  if (type !== undefined && final.has(type)) return error;
  return new OutcomeUnknown(`An append to ${stream} failed`, { cause: error });
}

/** As the client tells them; what it did not read itself says it in the words of the server. */
function typeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isCommandError(error)) return error.type;
  const { metadata, code } = error as Partial<ServiceError>;
  if (code === status.UNAUTHENTICATED) return ErrorType.ACCESS_DENIED;
  return metadata?.get('exception')[0]?.toString();
}

export function readFailure(stream: string, error: unknown): Error {
  const type = typeOf(error);
  if (error instanceof Error && type !== undefined && final.has(type)) return error;
  return new StoreUnavailable(`Reading ${stream} failed`, { cause: error });
}
