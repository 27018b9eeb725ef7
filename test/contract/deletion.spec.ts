import { ANY, BACKWARDS, END, NO_STREAM, STREAM_EXISTS, type ExpectedRevision } from '@eventstore/db-client';
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
const written = async (): Promise<string> => {
  const stream = newStream();
  await store.client.appendToStream(stream, notedMany(2));
  return stream;
};
const softDeleted = async (): Promise<string> => {
  const stream = await written();
  await store.client.deleteStream(stream);
  return stream;
};
const tombstoned = async (): Promise<string> => {
  const stream = await written();
  await store.client.tombstoneStream(stream);
  return stream;
};
const metadataJson = async (stream: string) => (await read(`$$${stream}`))[0]!.event!.data;

// StorageWriterService.Handle(WriteDelete)
describe('a soft-deleted stream', () => {
  it('is not found', async () => {
    const stream = await softDeleted();
    expect(await refusal(read(stream))).toEqual({ type: 'stream-not-found', streamName: stream });
  });
  it.each(each(ANY, NO_STREAM, 1n))('is written again under %s, and goes on with its revision', async (expectedRevision) => {
    const stream = await softDeleted();
    expect(await store.client.appendToStream(stream, noted(), { expectedRevision })).toMatchObject({ nextExpectedRevision: 2n });
    expect(revisionsOf(await read(stream))).toBe('2');
    expect(await metadataJson(stream)).toEqual({ $tb: 2 });
  });
  it('is refused under stream_exists as deleted', async () => {
    const stream = await softDeleted();
    expect(await refusal(store.client.appendToStream(stream, noted(), { expectedRevision: STREAM_EXISTS }))).toEqual({
      type: 'stream-deleted',
      streamName: stream,
    });
  });
  it('is refused at an old revision', async () => {
    const stream = await softDeleted();
    expect(await refusal(store.client.appendToStream(stream, noted(), { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 1n,
    });
  });
  it('recognises a repeat from before, which revives nothing and has no position', async () => {
    const stream = newStream();
    const event = noted();
    await store.client.appendToStream(stream, event);
    await store.client.deleteStream(stream);
    const repeat = await store.client.appendToStream(stream, event, { expectedRevision: NO_STREAM });
    expect(repeat).toMatchObject({ success: true, nextExpectedRevision: 0n });
    expect(repeat.position).toBeUndefined();
    expect(await refusal(read(stream))).toMatchObject({ type: 'stream-not-found' });
  });
  it('is revived, empty, by an append without events', async () => {
    const stream = await softDeleted();
    await store.client.appendToStream(stream, []);
    expect(await read(stream)).toEqual([]);
  });
  it('is revived, empty, by new metadata, which gets its $tb', async () => {
    const stream = await softDeleted();
    await store.client.setStreamMetadata(stream, { own: 1 });
    expect(await read(stream)).toEqual([]);
    expect(await metadataJson(stream)).toEqual({ own: 1, $tb: 2 });
  });
  it('loses its other metadata', async () => {
    const stream = await written();
    await store.client.setStreamMetadata(stream, { maxCount: 10, own: 1 });
    await store.client.deleteStream(stream);
    await store.client.appendToStream(stream, noted());
    expect(await metadataJson(stream)).toEqual({ $tb: 2 });
  });
  it('can be deleted again', async () => expect(await store.client.deleteStream(await softDeleted())).toHaveProperty('position'));
  it('leaves a $metadata event in $all', async () => {
    const stream = await softDeleted();
    const last = await collect(store.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 20 }));
    expect(last.map(({ event }) => `${event!.streamId} ${event!.type}`)).toContain(`$$${stream} $metadata`);
  });
});

describe('deleting', () => {
  it.each<[ExpectedRevision]>([[ANY], [1n]])('succeeds under %s', async (expectedRevision) => {
    const stream = await written();
    expect((await store.client.deleteStream(stream, { expectedRevision })).position!.commit).toBeGreaterThan(0n);
    await expect(read(stream)).rejects.toMatchObject({ type: 'stream-not-found' });
  });
  it.each<[ExpectedRevision]>([[0n], [5n], [NO_STREAM]])('is refused under %s', async (expectedRevision) => {
    const stream = await written();
    expect(await refusal(store.client.deleteStream(stream, { expectedRevision }))).toMatchObject({
      type: 'wrong-expected-version',
      streamName: stream,
      actualVersion: 1n,
    });
  });
  it.each<[ExpectedRevision]>([[ANY], [NO_STREAM], [0n]])('is refused under %s where nothing was written', async (expectedRevision) =>
    expect(await refusal(store.client.deleteStream(newStream(), { expectedRevision }))).toMatchObject({ type: 'wrong-expected-version' }),
  );
});

describe('a tombstoned stream', () => {
  it('cannot be read', async () => {
    const stream = await tombstoned();
    expect(await refusal(read(stream))).toMatchObject({ type: 'stream-deleted', streamName: stream });
    expect(await refusal(read(`$$${stream}`))).toMatchObject({ type: 'stream-deleted', streamName: `$$${stream}` });
  });
  it.each(each(ANY, NO_STREAM, STREAM_EXISTS, 1n))('cannot be written under %s', async (expectedRevision) => {
    const stream = await tombstoned();
    expect(await refusal(store.client.appendToStream(stream, noted(), { expectedRevision }))).toEqual({
      type: 'stream-deleted',
      streamName: stream,
    });
  });
  it('cannot be deleted, nor buried again', async () => {
    const stream = await tombstoned();
    expect(await refusal(store.client.deleteStream(stream))).toMatchObject({ type: 'stream-deleted' });
    expect(await refusal(store.client.tombstoneStream(stream))).toMatchObject({ type: 'stream-deleted' });
  });
  it('has its tombstone in $all, at the highest revision', async () => {
    const stream = await tombstoned();
    const last = await collect(store.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 20 }));
    const tombstone = last.map(({ event }) => event!).find(({ streamId, type }) => streamId === stream && type === '$streamDeleted');
    expect(tombstone).toMatchObject({ revision: 9_223_372_036_854_775_807n, isJson: false });
  });
});

describe('burying', () => {
  it.each<[ExpectedRevision]>([[ANY], [NO_STREAM]])('succeeds under %s where nothing was written', async (expectedRevision) => {
    const stream = newStream();
    await store.client.tombstoneStream(stream, { expectedRevision });
    expect(await refusal(read(stream))).toMatchObject({ type: 'stream-deleted' });
  });
  it('is refused at a revision where nothing was written', async () =>
    expect(await refusal(store.client.tombstoneStream(newStream(), { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
    }));
  it('is refused at a wrong revision', async () =>
    expect(await refusal(store.client.tombstoneStream(await written(), { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 1n,
    }));
});
