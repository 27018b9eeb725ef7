import { randomUUID } from 'node:crypto';
import { ANY, binaryEvent, jsonEvent, NO_STREAM, STREAM_EXISTS, type AppendExpectedRevision, type EventData } from '@eventstore/db-client';
import {
  collect,
  each,
  newStream,
  noted,
  notedMany,
  refusal,
  revisionsOf,
  startStoreUnderTest,
  type StoreUnderTest,
} from './store-under-test.js';

let store: StoreUnderTest;
beforeAll(async () => (store = await startStoreUnderTest()));
afterAll(() => store.stop());

const read = (stream: string) => collect(store.client.readStream(stream));
const idsIn = async (stream: string) => (await read(stream)).map(({ event }) => event?.id);

// Credentials of a call send it by Append, otherwise the client uses BatchAppend.
describe.each([
  ['BatchAppend', {}],
  ['Append', { credentials: { username: 'admin', password: 'changeit' } }],
])('%s', (_, options) => {
  const append = (stream: string, events: EventData | EventData[], expectedRevision: AppendExpectedRevision = ANY) =>
    store.client.appendToStream(stream, events, { ...options, expectedRevision });
  const wrongExpectedVersion = (streamName: string, expectedVersion: AppendExpectedRevision, actualVersion: bigint | 'no_stream') => ({
    type: 'wrong-expected-version',
    streamName,
    expectedVersion,
    actualVersion,
  });

  it('answers the revision and position of the last event', async () => {
    const stream = newStream();
    const { nextExpectedRevision, position } = await append(stream, notedMany(3), NO_STREAM);
    const events = await read(stream);
    expect(nextExpectedRevision).toBe(2n);
    expect(position).toEqual(events[2]!.event!.position);
    expect(position!.commit).toBe(position!.prepare);
  });

  it('gives every event of an append a position of its own, increasing', async () => {
    const stream = newStream();
    await append(stream, notedMany(3));
    const [a, b, c] = (await read(stream)).map(({ event }) => event!.position!.commit);
    expect(a! < b! && b! < c!).toBe(true);
  });

  // IndexWriter.CheckCommit
  describe('expected revision', () => {
    it.each(each(NO_STREAM, ANY))('%s accepts a stream never written', async (expected) => {
      expect(await append(newStream(), noted(), expected)).toMatchObject({ success: true, nextExpectedRevision: 0n });
    });
    it.each(each(STREAM_EXISTS, 0n, 5n))('%s refuses a stream never written', async (expected) => {
      const stream = newStream();
      expect(await refusal(append(stream, noted(), expected))).toEqual(wrongExpectedVersion(stream, expected, 'no_stream'));
    });
    it.each(each(ANY, STREAM_EXISTS, 1n))('%s accepts a stream at revision 1', async (expected) => {
      const stream = newStream();
      await append(stream, notedMany(2));
      expect(await append(stream, noted(), expected)).toMatchObject({ nextExpectedRevision: 2n });
    });
    it.each(each(NO_STREAM, 0n, 2n))('%s refuses a stream at revision 1', async (expected) => {
      const stream = newStream();
      await append(stream, notedMany(2));
      expect(await refusal(append(stream, noted(), expected))).toEqual(wrongExpectedVersion(stream, expected, 1n));
    });
    it('stream_exists accepts a stream that only has metadata', async () => {
      const stream = newStream();
      await store.client.setStreamMetadata(stream, { maxCount: 5 });
      expect(await append(stream, noted(), STREAM_EXISTS)).toMatchObject({ nextExpectedRevision: 0n });
    });
    it('lets exactly one of many that expect the same revision pass', async () => {
      const stream = newStream();
      await append(stream, noted());
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => append(stream, noted(), 0n)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(revisionsOf(await read(stream))).toBe('0 1');
    });
  });

  // IndexWriter.CheckCommit, idempotency: ids only, content is never compared
  describe('a repeat', () => {
    it.each(each(NO_STREAM, ANY))('under %s gives the first answer again', async (expected) => {
      const stream = newStream();
      const events = notedMany(2);
      const first = await append(stream, events, expected);
      await append(stream, noted());
      expect(await append(stream, events, expected)).toEqual(first);
      expect(revisionsOf(await read(stream))).toBe('0 1 2');
    });
    it('under stream_exists gives the first answer again', async () => {
      const stream = newStream();
      await append(stream, noted());
      const event = noted();
      const first = await append(stream, event, STREAM_EXISTS);
      expect(await append(stream, event, STREAM_EXISTS)).toEqual(first);
      expect(revisionsOf(await read(stream))).toBe('0 1');
    });
    it('at the same revision gives the first answer again', async () => {
      const stream = newStream();
      await append(stream, noted());
      const events = notedMany(2);
      const first = await append(stream, events, 0n);
      expect(await append(stream, events, 0n)).toEqual(first);
      expect(revisionsOf(await read(stream))).toBe('0 1 2');
    });
    it('expecting the current revision is stored a second time', async () => {
      const stream = newStream();
      const event = noted();
      await append(stream, event);
      expect(await append(stream, event, 0n)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await idsIn(stream)).toEqual([event.id, event.id]);
    });
    it('of only the first events is recognised, with the revision of its last', async () => {
      const stream = newStream();
      const [a, b, c] = notedMany(3) as EventData[] as [EventData, EventData, EventData];
      await append(stream, [a, b, c]);
      expect(await append(stream, [a, b], NO_STREAM)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await append(stream, [a, b])).toMatchObject({ nextExpectedRevision: 1n });
      expect(await append(stream, [b], 0n)).toMatchObject({ nextExpectedRevision: 1n });
    });
    it('under any ignores order and spans appends', async () => {
      const stream = newStream();
      const [a, b] = notedMany(2) as EventData[] as [EventData, EventData];
      await append(stream, a);
      await append(stream, b);
      expect(await append(stream, [b, a])).toMatchObject({ nextExpectedRevision: 0n });
      expect(revisionsOf(await read(stream))).toBe('0 1');
    });
    it.each(each(ANY, NO_STREAM, STREAM_EXISTS))('that goes on with a new event is refused under %s', async (expected) => {
      const stream = newStream();
      const event = noted();
      await append(stream, event);
      await append(stream, noted());
      expect(await refusal(append(stream, [event, noted()], expected))).toEqual(wrongExpectedVersion(stream, expected, 1n));
    });
    it('that begins with a new event is stored whole under any', async () => {
      const stream = newStream();
      const event = noted();
      await append(stream, event);
      expect(await append(stream, [noted(), event])).toMatchObject({ nextExpectedRevision: 2n });
    });
    it('in another stream is stored, and again under any: an id is known by its first place', async () => {
      const [one, other] = [newStream(), newStream()];
      const event = noted();
      await append(one, event);
      await append(other, event);
      await append(other, event);
      expect(await idsIn(other)).toEqual([event.id, event.id]);
      expect(await append(other, event, NO_STREAM)).toMatchObject({ nextExpectedRevision: 0n });
    });
    it('of an id within one append is stored twice', async () => {
      const stream = newStream();
      const id = randomUUID();
      expect(await append(stream, [noted(1, id), noted(2, id)])).toMatchObject({ nextExpectedRevision: 1n });
    });
  });

  describe('an append without events', () => {
    it('succeeds and stores nothing', async () => {
      const stream = newStream();
      await append(stream, notedMany(2));
      expect(await append(stream, [], ANY)).toMatchObject({ success: true, nextExpectedRevision: 1n });
      expect(await append(stream, [], 1n)).toMatchObject({ success: true, nextExpectedRevision: 1n });
      expect(revisionsOf(await read(stream))).toBe('0 1');
    });
    it.each(each(NO_STREAM, 0n, 2n))('is refused expecting %s of a stream at revision 1', async (expected) => {
      const stream = newStream();
      await append(stream, notedMany(2));
      expect(await refusal(append(stream, [], expected))).toEqual(wrongExpectedVersion(stream, expected, 1n));
    });
    it('leaves a stream that does not exist as it is', async () => {
      const stream = newStream();
      await append(stream, [], NO_STREAM);
      expect(await refusal(read(stream))).toMatchObject({ type: 'stream-not-found' });
    });
  });

  describe('content', () => {
    it('keeps JSON, custom metadata, type and id', async () => {
      const stream = newStream();
      const event = jsonEvent({
        id: randomUUID(),
        type: 'Ünïcode ✓',
        data: { text: 'é😀', nested: { list: [1, null] } },
        metadata: { by: 'me' },
      });
      await append(stream, event);
      const stored = (await read(stream))[0]!.event!;
      expect(stored).toMatchObject({
        id: event.id,
        type: event.type,
        data: event.data,
        metadata: event.metadata,
        isJson: true,
        streamId: stream,
      });
      expect(Math.abs(Date.now() - stored.created.getTime())).toBeLessThan(60_000);
    });
    it('keeps bytes', async () => {
      const stream = newStream();
      const bytes = Uint8Array.from({ length: 256 }, (_byte, index) => index);
      await append(stream, binaryEvent({ type: 'Bytes', data: bytes, metadata: bytes }));
      const event = (await read(stream))[0]!.event!;
      expect(Buffer.from(event.data as Uint8Array)).toEqual(Buffer.from(bytes));
      expect(Buffer.from(event.metadata as Uint8Array)).toEqual(Buffer.from(bytes));
      expect(event.isJson).toBe(false);
    });
    it('keeps events without data', async () => {
      const stream = newStream();
      await append(stream, binaryEvent({ type: 'Empty', data: new Uint8Array() }));
      expect((await read(stream))[0]!.event!.data).toHaveLength(0);
    });
    it('lower-cases nothing in stream names', async () => {
      const stream = `${newStream()}-Ä/ "quoted" 日本`;
      await append(stream, noted());
      expect((await read(stream))[0]!.event!.streamId).toBe(stream);
    });
  });

  // Event.SizeOnDisk: only data counts
  describe('size', () => {
    const sized = (bytes: number) => binaryEvent({ type: 'Sized', data: new Uint8Array(bytes) });
    it('accepts 1 MiB of data, over several events', async () => {
      const stream = newStream();
      expect(await append(stream, [sized(1_000_000), sized(48_576)])).toMatchObject({ nextExpectedRevision: 1n });
    });
    it('refuses a byte more, and stores nothing', async () => {
      const stream = newStream();
      expect(await refusal(append(stream, [sized(1_000_000), sized(48_577)]))).toMatchObject({
        type: 'maximum-append-size-exceeded',
        maxAppendSize: 1_048_576,
      });
      expect(await refusal(read(stream))).toMatchObject({ type: 'stream-not-found' });
    });
    it('does not count metadata', async () => {
      const event = binaryEvent({ type: 'Sized', data: new Uint8Array(7), metadata: new Uint8Array(1_048_576) });
      expect(await append(newStream(), event)).toMatchObject({ success: true });
    });
  });
});

it('answers appends of one client in the order in which they were sent', async () => {
  const stream = newStream();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => store.client.appendToStream(stream, noted(n))));
  expect(answers.map(({ nextExpectedRevision }) => nextExpectedRevision)).toEqual(Array.from({ length: 100 }, (_, n) => BigInt(n)));
});

it('refuses an append whose deadline has passed', async () => {
  expect(
    await refusal(
      store.client
        .appendToStream(newStream(), noted(), { deadline: 1 })
        .then(() => store.client.appendToStream(newStream(), notedMany(5_000), { deadline: 1 })),
    ),
  ).toMatchObject({
    type: 'deadline-exceeded',
  });
});
