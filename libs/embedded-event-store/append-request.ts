import type { UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { AppendReq, BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js';
import { invalidArgument, invalidCall, maximumAppendSizeExceeded, requiredMetadataMissing } from './grpc-errors.js';
import { deletedStream, type ExpectedRevision, type ProposedEvent } from './stored-event.js';

/** Names are index keys in Postgres, which bounds their length; its text knows no NUL. The real server has neither bound. */
const nameLimit = 1_024; // bytes of UTF-8
const nilUuid = '00000000-0000-0000-0000-000000000000';
const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** @throws CallError if the stream has no name, or one that cannot be stored */
export const parseStreamName = (identifier: StreamIdentifier | undefined): string => {
  const bytes = identifier?.getStreamName_asU8() ?? new Uint8Array();
  const name = Buffer.from(bytes).toString('utf8');
  if (name === '' || name === '$$') throw invalidCall('the stream has no name');
  return storableName('stream name', name);
};

const storableName = (what: string, name: string): string => {
  if (Buffer.byteLength(name) > nameLimit) throw invalidArgument(`a ${what} is limited to ${nameLimit} bytes`);
  if (name.includes('\0')) throw invalidArgument(`a ${what} cannot contain NUL`);
  return name;
};

export const parseUuid = (uuid: UUID | undefined): string => {
  const structured = uuid?.getStructured();
  if (structured) {
    const half = (bits: string): string => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
    const digits = half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits());
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
  const text = uuid?.getString().toLowerCase() ?? '';
  if (!uuidPattern.test(text)) throw invalidCall(`'${text}' is not a UUID`);
  return text;
};

/** An event as proposed; its id must not be nil nor its type empty (`Event.cs`). */
export const parseProposedEvent = (message: AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage): ProposedEvent => {
  const metadata = message.getMetadataMap();
  const [type, contentType] = [metadata.get('type'), metadata.get('content-type')];
  if (type === undefined) throw requiredMetadataMissing('type');
  if (contentType === undefined) throw requiredMetadataMissing('content-type');
  const id = parseUuid(message.getId());
  if (id === nilUuid) throw invalidCall('Empty eventId provided.');
  if (type === '') throw invalidCall('Empty eventType provided.');
  return {
    id,
    type: storableName('type', type),
    isJson: contentType === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
};

/** Of an append in whole, with its types and metadata. */
const totalLimit = 16 * 1024 * 1024;

/** Adds up what an append weighs. As in `Event.SizeOnDisk` of 23.10, only data counts against the limit. */
export class AppendSize {
  bytes = 0;
  private dataBytes = 0;

  constructor(private readonly limit: number) {}

  /** @throws CallError beyond the limit */
  add({ type, data, metadata }: ProposedEvent): void {
    this.bytes += data.length + metadata.length + 2 * type.length;
    this.dataBytes += data.length;
    if (this.dataBytes > this.limit || this.bytes > Math.max(totalLimit, this.limit)) throw maximumAppendSizeExceeded(this.limit);
  }
}

interface ExpectedRevisionChoice {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

/** @param revision as given in the request, undefined if it was not */
export const parseExpected = (options: ExpectedRevisionChoice, revision: string | undefined): ExpectedRevision => {
  if (revision !== undefined) {
    const expected = BigInt(revision);
    if (expected > deletedStream) throw invalidCall(`expected revision ${revision} is out of range`);
    return expected;
  }
  if (options.hasNoStream()) return 'noStream';
  if (options.hasAny()) return 'any';
  if (options.hasStreamExists()) return 'streamExists';
  throw invalidArgument("'None' is not a valid expected revision");
};

/** As the errors of deletes print it (`ExpectedVersion.cs`). */
export const expectedVersionNumber = (expected: ExpectedRevision): bigint =>
  typeof expected === 'bigint' ? expected : { noStream: -1n, any: -2n, streamExists: -4n }[expected];
