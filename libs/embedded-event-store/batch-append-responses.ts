import { ProtoWriter, type UuidForm } from './proto-writer.js';
import type { ExpectedRevision } from './stored-event.js';

// `BatchAppendResp` of streams.proto, encoded by hand. Errors are a google.rpc.Status with details of a type of the
// client's own; without details the client fails inside its handler, so there always are some (`Status.cs`).

/** Which append is answered: echoed as it came. */
export interface Correlation {
  id: string; // UUID
  form: UuidForm;
  stream: string;
}

const writer = new ProtoWriter();

const code = { unknown: 2n, invalidArgument: 3n, deadlineExceeded: 4n, notFound: 5n, alreadyExists: 6n, permissionDenied: 7n, ok: 0n };

const response = ({ id, form, stream }: Correlation, field: number, writeResult: () => void): Buffer => {
  const identifier = writer.mark;
  writer.string(3, stream);
  writer.nested(4, identifier);
  const result = writer.mark;
  writeResult();
  writer.nested(field, result);
  writer.uuid(1, id, form);
  return writer.finish();
};

export const batchAppended = (correlation: Correlation, revision: bigint, position: bigint | undefined): Buffer =>
  response(correlation, 3, () => {
    if (position === undefined) writeEmpty(4);
    else writePosition(3, position);
    if (revision < 0n) writeEmpty(2);
    else writer.uint64(1, revision);
  });

const writePosition = (field: number, position: bigint): void => {
  const mark = writer.mark;
  writer.uint64(2, position);
  writer.uint64(1, position);
  writer.nested(field, mark);
};

const writeEmpty = (field: number): void => writer.nested(field, writer.mark);

const failure = (correlation: Correlation, status: bigint, message: string, typeName: string, writeDetails: () => void): Buffer =>
  response(correlation, 2, () => {
    const details = writer.mark;
    const value = writer.mark;
    writeDetails();
    writer.nested(2, value);
    writer.string(1, `type.googleapis.com/${typeName}`);
    writer.nested(3, details);
    writer.string(2, message);
    if (status !== code.ok) writer.uint64(1, status);
  });

const own = 'event_store.client.';
const nothing = (): void => undefined;

export const batchWrongExpectedVersion = (correlation: Correlation, expected: ExpectedRevision, current: bigint): Buffer =>
  failure(correlation, code.alreadyExists, 'WrongExpectedVersion', `${own}WrongExpectedVersion`, () => {
    if (typeof expected === 'bigint') writer.uint64(3, expected);
    else writeEmpty({ any: 4, streamExists: 5, noStream: 6 }[expected]);
    if (current < 0n) writeEmpty(2);
    else writer.uint64(1, current);
  });

export const batchStreamDeleted = (correlation: Correlation): Buffer =>
  failure(correlation, code.notFound, 'StreamDeleted', `${own}StreamDeleted`, () => {
    const identifier = writer.mark;
    writer.string(3, correlation.stream);
    writer.nested(1, identifier);
  });

export const batchTimeout = (correlation: Correlation): Buffer =>
  failure(correlation, code.deadlineExceeded, 'Timeout', `${own}Timeout`, nothing);

export const batchTooLarge = (correlation: Correlation, limit: number): Buffer =>
  failure(correlation, code.invalidArgument, 'MaximumAppendSizeExceeded', `${own}MaximumAppendSizeExceeded`, () =>
    writer.uint64(1, BigInt(limit)),
  );

export const batchBadRequest = (correlation: Correlation, message: string): Buffer =>
  failure(correlation, code.invalidArgument, 'BadRequest', `${own}BadRequest`, () => writer.string(1, message));

export const batchNotReady = (correlation: Correlation): Buffer =>
  failure(correlation, code.ok, 'Server Is Not Ready', 'google.protobuf.Empty', nothing);
