import { ProtoWriter, type UuidForm } from './proto-writer.js';
import type { StoredEvent } from './stored-event.js';

// `ReadResp` messages of streams.proto, encoded by hand: every event read passes through here.

/** An event as a reader gets it. */
export interface ResolvedEvent {
  /** What stands in the log where it was read. */
  original: StoredEvent;
  /** The same, or what it links to; undefined if that is gone. */
  event: StoredEvent | undefined;
}

const writer = new ProtoWriter();

export const readEventResponse = ({ original, event }: ResolvedEvent, uuidForm: UuidForm): Buffer => {
  const mark = writer.mark;
  writer.uint64(3, original.position);
  if (event !== original) writeRecordedEvent(2, original, uuidForm);
  if (event) writeRecordedEvent(1, event, uuidForm);
  writer.nested(1, mark);
  return writer.finish();
};

const writeRecordedEvent = (field: number, event: StoredEvent, uuidForm: UuidForm): void => {
  const mark = writer.mark;
  writer.bytes(8, event.data);
  writer.bytes(7, event.metadata);
  writeMetadata('content-type', event.isJson ? 'application/json' : 'application/octet-stream');
  writeMetadata('created', event.created.toString());
  writeMetadata('type', event.type);
  writer.uint64(5, event.position);
  writer.uint64(4, event.position);
  writer.uint64(3, event.revision);
  writeStreamIdentifier(2, event.stream);
  writer.uuid(1, event.id, uuidForm);
  writer.nested(field, mark);
};

const writeMetadata = (key: string, value: string): void => {
  const mark = writer.mark;
  writer.string(2, value);
  writer.string(1, key);
  writer.nested(6, mark);
};

const writeStreamIdentifier = (field: number, stream: string): void => {
  const mark = writer.mark;
  writer.string(3, stream);
  writer.nested(field, mark);
};

export const confirmationResponse = (subscriptionId: string): Buffer => {
  const mark = writer.mark;
  writer.string(1, subscriptionId);
  writer.nested(2, mark);
  return writer.finish();
};

export const checkpointResponse = (position: bigint): Buffer => {
  const mark = writer.mark;
  writer.uint64(2, position);
  writer.uint64(1, position);
  writer.nested(3, mark);
  return writer.finish();
};

export const streamNotFoundResponse = (stream: string): Buffer => {
  const mark = writer.mark;
  writeStreamIdentifier(1, stream);
  writer.nested(4, mark);
  return writer.finish();
};

const revisionResponse = (field: number) => (revision: bigint) => {
  writer.uint64(field, revision);
  return writer.finish();
};
export const firstStreamPositionResponse = revisionResponse(5);
export const lastStreamPositionResponse = revisionResponse(6);

const emptyResponse = (field: number): Buffer => {
  writer.nested(field, writer.mark);
  return writer.finish();
};
export const caughtUpResponse = emptyResponse(8);
export const fellBehindResponse = emptyResponse(9);
