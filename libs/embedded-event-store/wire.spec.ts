import streams from '@eventstore/db-client/generated/streams_pb.js';
import { readEventResponse, streamNotFoundResponse, checkpointResponse } from './read-responses.js';
import { batchAppended, batchTooLarge, batchWrongExpectedVersion } from './batch-append-responses.js';
import { deletedStream, type StoredEvent } from './stored-event.js';

// What is encoded by hand is what the generated classes read.

const id = '0190b1a2-ffff-7123-8abc-0123456789ab';
const event: StoredEvent = {
  id,
  stream: 'bücher-日本',
  type: 'Sold',
  isJson: true,
  data: Buffer.from('{"a":1}'),
  metadata: Buffer.alloc(70_000, 7), // larger than the writer's first buffer
  revision: deletedStream,
  position: 2n ** 60n,
  created: 17_953_440_000_000_000n,
};
const read = (message: Buffer) => streams.ReadResp.deserializeBinary(message);

it('an event', () => {
  const response = read(readEventResponse({ original: event, event }, 'string')).getEvent()!;
  const recorded = response.getEvent()!;
  expect(response.hasLink()).toBe(false);
  expect(response.getCommitPosition()).toBe((2n ** 60n).toString());
  expect(recorded.getId()!.getString()).toBe(id);
  expect(Buffer.from(recorded.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe(event.stream);
  expect(recorded.getStreamRevision()).toBe(deletedStream.toString());
  expect(Object.fromEntries(recorded.getMetadataMap().getEntryList())).toEqual({
    type: 'Sold',
    created: '17953440000000000',
    'content-type': 'application/json',
  });
  expect(Buffer.from(recorded.getData_asU8()).equals(event.data)).toBe(true);
  expect(Buffer.from(recorded.getCustomMetadata_asU8()).equals(event.metadata)).toBe(true);
});

it('a link whose target is gone, with structured ids', () => {
  const response = read(readEventResponse({ original: event, event: undefined }, 'structured')).getEvent()!;
  expect(response.hasEvent()).toBe(false);
  const structured = response.getLink()!.getId()!.getStructured()!;
  const half = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  expect(half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits())).toBe(id.replaceAll('-', ''));
});

it('checkpoints and missing streams', () => {
  expect(read(checkpointResponse(300n)).getCheckpoint()!.getCommitPosition()).toBe('300');
  const missing = read(streamNotFoundResponse('gone')).getStreamNotFound()!;
  expect(Buffer.from(missing.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe('gone');
});

it('answers of appends', () => {
  const correlation = { id, form: 'string', stream: 's' } as const;
  const stored = streams.BatchAppendResp.deserializeBinary(batchAppended(correlation, 4n, 128n));
  expect(stored.getSuccess()!.getCurrentRevision()).toBe('4');
  expect(stored.getSuccess()!.getPosition()!.getCommitPosition()).toBe('128');
  expect(stored.getCorrelationId()!.getString()).toBe(id);
  const refused = streams.BatchAppendResp.deserializeBinary(batchWrongExpectedVersion(correlation, 'noStream', 7n)).getError()!;
  expect(refused.getCode()).toBe(6);
  expect(refused.getDetails()!.getTypeName()).toBe('event_store.client.WrongExpectedVersion');
  const tooLarge = streams.BatchAppendResp.deserializeBinary(batchTooLarge(correlation, 1_048_576)).getError()!;
  expect(tooLarge.getDetails()!.getTypeName()).toBe('event_store.client.MaximumAppendSizeExceeded');
});
