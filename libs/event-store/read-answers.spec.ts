import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { convertGrpcEvent } from '@eventstore/db-client/dist/utils/convertGrpcEvent.js';
import fc from 'fast-check';
import { type ReadAnswer, readAnswer } from './read-answers.js';

// What is read by hand is what the client makes of the same message.

const { ReadResp } = streams;
const { ReadEvent } = ReadResp;
const { RecordedEvent } = ReadEvent;

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = fc.string({ unit: 'binary' });
const bytes = fc.oneof(
  fc.json().map((json) => Buffer.from(json)),
  fc.uint8Array().map((any) => Buffer.from(any)),
  fc.constant(Buffer.from('{"name":"Zoë 日本"}')),
);

const recorded = fc
  .record({
    ...{ id: fc.uuid(), stream: text, revision: uint64, position: uint64, type: text, data: bytes, metadata: bytes },
    contentType: fc.constantFrom('application/json', 'application/octet-stream', undefined),
    more: fc.dictionary(text, text, { maxKeys: 2 }),
  })
  .map(({ id, stream, revision, position, type, data, metadata, contentType, more }) => {
    const event = new RecordedEvent()
      .setId(new shared.UUID().setString(id))
      .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)))
      .setStreamRevision(revision.toString())
      .setPreparePosition(position.toString())
      .setCommitPosition(position.toString())
      .setCustomMetadata(metadata)
      .setData(data);
    const ofTheServer = { ...more, created: '17953440000000000', type, ...(contentType && { 'content-type': contentType }) };
    for (const [key, value] of Object.entries(ofTheServer)) event.getMetadataMap().set(key, value);
    return event;
  });

const answers = fc
  .record({ event: fc.option(recorded), link: fc.option(recorded), position: fc.option(uint64) })
  .filter(({ event, link }) => event !== null || link !== null)
  .map(({ event, link, position }) => {
    const read = new ReadEvent();
    if (event) read.setEvent(event);
    if (link) read.setLink(link);
    if (position === null) read.setNoPosition(new shared.Empty());
    else read.setCommitPosition(position.toString());
    return new ReadResp().setEvent(read);
  });

const messageOf = (answer: InstanceType<typeof ReadResp>): Buffer => Buffer.from(answer.serializeBinary());

/** As the client has it, in our words. */
function asTheClientReads(message: Buffer): ReadAnswer {
  const { event, commitPosition } = convertGrpcEvent(ReadResp.deserializeBinary(message).getEvent()!);
  if (!event) return 'nothing';
  const { streamId: stream, id, revision, type, data, metadata, position } = event;
  const read = { stream, id, revision, type, data, metadata, position: commitPosition ?? position!.commit };
  return read as unknown as ReadAnswer;
}

it('events, whatever is in them, and links', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const message = messageOf(answer);
      expect(readAnswer(message)).toEqual(asTheClientReads(message));
    }),
  );
});

it('a part of a message is none', () => {
  const [message] = fc.sample(answers, 1).map(messageOf);
  for (let length = 1; length < message!.length; length += 1) expect(() => readAnswer(message!.subarray(0, length))).toThrow(RangeError);
});

it('fields of a later version of the protocol are passed over', () => {
  const varint = [0x98, 0x06, 0xff, 0x01]; // field 99
  const fixed64 = [0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8];
  const delimited = [0x9a, 0x06, 2, 1, 2];
  const fixed32 = [0x9d, 0x06, 1, 2, 3, 4];
  const [answer] = fc.sample(answers, 1);
  const message = Buffer.concat([Buffer.from([...varint, ...fixed64, ...delimited, ...fixed32]), messageOf(answer!)]);
  expect(readAnswer(message)).toEqual(asTheClientReads(message));
  expect(() => readAnswer(Buffer.from([0x9b, 0x06]))).toThrow(RangeError); // a group: of no version
});

it('a stream that is not there, and what nobody asks here', () => {
  expect(readAnswer(messageOf(new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound())))).toBe('no stream');
  expect(readAnswer(messageOf(new ReadResp().setCheckpoint(new ReadResp.Checkpoint().setCommitPosition('7'))))).toBe('nothing');
  expect(readAnswer(messageOf(new ReadResp().setLastStreamPosition('7')))).toBe('nothing');
  expect(readAnswer(Buffer.alloc(0))).toBe('nothing');
});
