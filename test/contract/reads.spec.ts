import { ANY, BACKWARDS, END, FORWARDS, jsonEvent, START, type ReadRevision } from '@eventstore/db-client';
import {
  collect,
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

type Direction = typeof FORWARDS | typeof BACKWARDS;
type ReadOptions = { direction?: Direction; fromRevision?: ReadRevision; maxCount?: number };

const read = (stream: string, options: ReadOptions = {}) => collect(store.client.readStream(stream, options));

describe('a stream', () => {
  const stream = newStream();
  beforeAll(() => store.client.appendToStream(stream, notedMany(5)));

  it.each<[string, Direction, ReadRevision, number | undefined, string]>([
    ['forwards from the start', FORWARDS, START, undefined, '0 1 2 3 4'],
    ['forwards, some', FORWARDS, START, 2, '0 1'],
    ['forwards from a revision, that included', FORWARDS, 3n, undefined, '3 4'],
    ['forwards from behind the end', FORWARDS, 9n, undefined, ''],
    ['backwards from the end', BACKWARDS, END, undefined, '4 3 2 1 0'],
    ['backwards, some', BACKWARDS, END, 2, '4 3'],
    ['backwards from a revision, that included', BACKWARDS, 1n, undefined, '1 0'],
    ['backwards from behind the end: from the last', BACKWARDS, 9n, undefined, '4 3 2 1 0'],
    ['backwards from the start: the first event', BACKWARDS, START, undefined, '0'],
  ])('is read %s', async (_, direction, fromRevision, maxCount, revisions) =>
    expect(revisionsOf(await read(stream, { direction, fromRevision, maxCount }))).toBe(revisions),
  );

  it('is read over many pages, in order', async () => {
    const long = newStream();
    await store.client.appendToStream(long, notedMany(1_500));
    await store.client.appendToStream(long, notedMany(1_500));
    const forwards = await read(long);
    expect(forwards.map(({ event }) => event!.revision)).toEqual(Array.from({ length: 3_000 }, (_, n) => BigInt(n)));
    expect(await read(long, { direction: BACKWARDS, fromRevision: END })).toEqual([...forwards].reverse());
  });

  it('is not found if it was never written', async () => {
    const missing = newStream();
    expect(await refusal(read(missing))).toEqual({ type: 'stream-not-found', streamName: missing });
  });

  it.each<[string, ReadOptions]>([
    ['without a count', { maxCount: 0 }],
    ['forwards from the end', { fromRevision: END }],
  ])('cannot be read %s', async (_, options) => expect(await refusal(read(stream, options))).toMatchObject({ type: 'unknown', code: 2 }));
});

// StorageReaderWorker.ResolveLinkToEvent
describe('links', () => {
  const link = (to: string) => ({
    ...jsonEvent({ type: '$>', data: {} }),
    contentType: 'application/octet-stream' as const,
    data: Buffer.from(to),
  });
  const target = newStream();
  const links = newStream();
  const gone = newStream();
  beforeAll(async () => {
    await store.client.appendToStream(target, notedMany(2));
    await store.client.appendToStream(gone, noted());
    await store.client.deleteStream(gone);
    await store.client.appendToStream(links, [link(`1@${target}`), link(`7@${target}`), link(`0@${gone}`), link('nowhere'), noted(9)]);
  });

  it('are resolved when asked', async () => {
    const [there, missing, deleted, malformed, plain] = await collect(store.client.readStream(links, { resolveLinkTos: true }));
    expect(there).toMatchObject({ event: { streamId: target, revision: 1n }, link: { streamId: links, revision: 0n } });
    for (const broken of [missing, deleted]) {
      expect(broken!.event).toBeUndefined();
      expect(broken!.link).toMatchObject({ type: '$>' });
    }
    expect(malformed!.link).toBeUndefined();
    expect(malformed!.event).toMatchObject({ type: '$>' });
    expect(plain).toMatchObject({ event: { streamId: links, revision: 4n } });
    expect(there!.commitPosition).toBe(there!.link!.position!.commit);
  });

  it('are events otherwise', async () => {
    const [first] = await collect(store.client.readStream(links, { maxCount: 1 }));
    expect(first!.event).toMatchObject({ type: '$>', revision: 0n });
    expect(first!.link).toBeUndefined();
  });
});

// IndexReader.ReadStreamEventsForward: hidden, not removed
describe('metadata', () => {
  const limited = async (metadata: Record<string, number>): Promise<string> => {
    const stream = newStream();
    await store.client.appendToStream(stream, notedMany(5));
    await store.client.setStreamMetadata(stream, metadata);
    return stream;
  };

  it('$maxCount shows the last events', async () => {
    const stream = await limited({ maxCount: 2 });
    expect(revisionsOf(await read(stream))).toBe('3 4');
    expect(revisionsOf(await read(stream, { fromRevision: 1n, maxCount: 1 }))).toBe('3');
    expect(revisionsOf(await read(stream, { direction: BACKWARDS, fromRevision: END }))).toBe('4 3');
    expect(revisionsOf(await read(stream, { direction: BACKWARDS, fromRevision: 1n }))).toBe('');
    await store.client.appendToStream(stream, noted());
    expect(revisionsOf(await read(stream))).toBe('4 5');
  });
  it('$tb shows what comes from there', async () => expect(revisionsOf(await read(await limited({ truncateBefore: 3 })))).toBe('3 4'));
  it('$tb behind the end shows nothing, and the stream is there', async () =>
    expect(await read(await limited({ truncateBefore: 9 }))).toEqual([]));
  it('$maxAge shows what is younger', async () => {
    const stream = await limited({ maxAge: 4 });
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(await read(stream)).toEqual([]);
    await store.client.appendToStream(stream, noted());
    expect(revisionsOf(await read(stream))).toBe('5');
  });
  it('is read back as it was set', async () => {
    const stream = newStream();
    const metadata = {
      maxCount: 5,
      maxAge: 100,
      truncateBefore: 1,
      cacheControl: 9,
      acl: { readRoles: ['$all', 'me'] },
      mine: { any: 'thing' },
    };
    await store.client.setStreamMetadata(stream, metadata);
    expect((await store.client.getStreamMetadata(stream)).metadata).toEqual(metadata);
    expect(await refusal(read(stream))).toMatchObject({ type: 'stream-not-found' });
  });
  it('is undefined for a stream that has none', async () =>
    expect((await store.client.getStreamMetadata(newStream())).metadata).toBeUndefined());
  it('that is no JSON counts as none', async () => {
    const stream = await limited({ maxCount: 1 });
    await store.client.appendToStream(`$$${stream}`, jsonEvent({ type: '$metadata', data: 'no object' }));
    expect(revisionsOf(await read(stream))).toBe('0 1 2 3 4');
  });
  it('is a stream of which only the newest event is shown', async () => {
    const stream = newStream();
    await store.client.setStreamMetadata(stream, { maxCount: 1 });
    await store.client.setStreamMetadata(stream, { maxCount: 2 }, { expectedRevision: 0n });
    expect(revisionsOf(await read(`$$${stream}`))).toBe('1');
    expect(await refusal(store.client.setStreamMetadata(stream, {}, { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 1n,
    });
  });
});

describe('$all', () => {
  const position = async (stream: string) => (await read(stream, { maxCount: 1 }))[0]!.event!.position!;
  const namesFrom = async (options: Parameters<StoreUnderTest['client']['readAll']>[0]) =>
    (await collect(store.client.readAll(options))).map(({ event }) => `${event?.streamId}@${event?.revision}`);

  it('holds every event once, in the order of its position, system events too', async () => {
    const [a, b] = [newStream(), newStream()];
    await store.client.appendToStream(a, noted());
    await store.client.appendToStream(b, notedMany(2));
    await store.client.setStreamMetadata(a, { maxCount: 3 });
    await store.client.appendToStream(a, noted());
    const from = await position(a);
    const all = await collect(store.client.readAll({ fromPosition: from }));
    const mine = all.map(({ event }) => event!).filter(({ streamId }) => [a, b, `$$${a}`].includes(streamId));
    expect(mine.map(({ streamId, revision }) => `${streamId}@${revision}`)).toEqual([`${a}@0`, `${b}@0`, `${b}@1`, `$$${a}@0`, `${a}@1`]);
    const positions = all.map(({ event }) => event!.position.commit);
    expect(positions).toEqual([...new Set(positions)].sort((x, y) => (x < y ? -1 : 1)));
  });

  it('begins with a system event', async () => {
    const [first] = await collect(store.client.readAll({ maxCount: 1 }));
    expect(first!.event!.streamId).toMatch(/^\$/);
  });

  it('includes the position read from forwards, and excludes it backwards', async () => {
    const stream = newStream();
    await store.client.appendToStream(stream, notedMany(2));
    const [first, second] = (await read(stream)).map(({ event }) => event!.position!);
    expect(await namesFrom({ fromPosition: first!, maxCount: 2 })).toEqual([`${stream}@0`, `${stream}@1`]);
    expect(await namesFrom({ direction: BACKWARDS, fromPosition: second!, maxCount: 1 })).toEqual([`${stream}@0`]);
  });

  it('gives nothing forwards from the end, nor backwards from the start', async () => {
    expect(await namesFrom({ fromPosition: END })).toEqual([]);
    expect(await namesFrom({ direction: BACKWARDS, fromPosition: START })).toEqual([]);
  });

  it('is the same backwards', async () => {
    await store.client.appendToStream(newStream(), notedMany(100), { expectedRevision: ANY });
    const last = await namesFrom({ direction: BACKWARDS, fromPosition: END, maxCount: 80 });
    const { event } = (await collect(store.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 80 }))).at(-1)!;
    expect(await namesFrom({ fromPosition: event!.position, maxCount: 80 })).toEqual([...last].reverse());
  });

  it('cannot be read from a position that is none', async () => {
    const { commit } = await position(await withEvents());
    expect(await refusal(namesFrom({ fromPosition: { commit: commit + 1n, prepare: commit + 1n } }))).toMatchObject({
      type: 'unknown',
      code: 2,
    });
  });

  it('shows what metadata hides', async () => {
    const stream = await withEvents();
    await store.client.setStreamMetadata(stream, { truncateBefore: 1 });
    const from = await position(stream);
    await store.client.deleteStream(stream);
    expect(await namesFrom({ fromPosition: from, maxCount: 1 })).toEqual([`${stream}@1`]);
  });

  const withEvents = async (): Promise<string> => {
    const stream = newStream();
    await store.client.appendToStream(stream, notedMany(2));
    return stream;
  };
});
