import { Metadata, status, type ServiceError } from '@grpc/grpc-js';

/** A call that ends in a status other than OK, with the trailers that clients tell their errors apart by. */
export class CallError extends Error implements Partial<ServiceError> {
  readonly metadata = new Metadata();
  constructor(
    readonly code: status,
    readonly details: string,
    trailers: Record<string, string> = {},
  ) {
    super(details);
    for (const [name, value] of Object.entries(trailers)) this.metadata.set(name, headerValue(value));
  }
}

/** Trailers are ASCII: what is not is percent-encoded, as grpc does with messages. */
const headerValue = (value: string): string => value.replace(/[^\x20-\x7e]/g, (character) => encodeURIComponent(character));

// Codes, texts and trailers as in `RpcExceptions.cs`.

export const streamDeleted = (stream: string): CallError =>
  new CallError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, { exception: 'stream-deleted', 'stream-name': stream });

export const wrongExpectedVersion = (operation: string, stream: string, expected: bigint, current: bigint): CallError =>
  new CallError(
    status.FAILED_PRECONDITION,
    `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${current}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': expected.toString(),
      'actual-version': current.toString(),
    },
  );

export const maximumAppendSizeExceeded = (limit: number): CallError =>
  new CallError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': limit.toString(),
  });

export const requiredMetadataMissing = (name: string): CallError =>
  new CallError(status.INVALID_ARGUMENT, `Required Metadata Property '${name}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

export const accessDenied = (): CallError => new CallError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
export const unauthenticated = (): CallError => new CallError(status.UNAUTHENTICATED, 'Unauthenticated');
export const operationTimedOut = (): CallError => new CallError(status.ABORTED, 'Operation timed out: Commit phase timeout.');
export const serverNotReady = (): CallError => new CallError(status.UNAVAILABLE, 'Server Is Not Ready');
/** A read that the real server's storage gives up on. */
export const failedRead = (of: 'Stream' | 'All'): CallError => new CallError(status.UNKNOWN, `Unexpected Read${of}Result: Error`);
export const invalidArgument = (details: string): CallError => new CallError(status.INVALID_ARGUMENT, details);
/** What throws inside the real server ends as UNKNOWN there; here the text says why. */
export const invalidCall = (details: string): CallError => new CallError(status.UNKNOWN, `Exception was thrown by handler. ${details}`);
