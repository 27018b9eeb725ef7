import { END, eventTypeFilter, excludeSystemEvents, jsonEvent, START, streamNameFilter, type Position } from '@eventstore/db-client';
import { Follower, newStream, noted, notedMany, pause, startStoreUnderTest, type StoreUnderTest } from './store-under-test.js';

let store: StoreUnderTest;
beforeAll(async () => (store = await startStoreUnderTest()));
afterAll(() => store.stop());

const followers: Follower[] = [];
const follow = (subscription: ConstructorParameters<typeof Follower>[0]): Follower => {
  const follower = new Follower(subscription);
  followers.push(follower);
  return follower;
};
afterEach(async () => void (await Promise.all(followers.splice(0).map((follower) => follower.stop()))));

const caughtUp = (told: string[]): boolean => told.includes('caughtUp');
const has = (what: string) => (told: string[]) => told.includes(what);
const written = async (count = 3): Promise<string> => {
  const stream = newStream();
  await store.client.appendToStream(stream, notedMany(count));
  return stream;
};

// Enumerators.StreamSubscription
describe('to a stream', () => {
  it('tells what was there, that it has caught up, and what comes', async () => {
    const stream = await written();
    const follower = follow(store.client.subscribeToStream(stream, { fromRevision: START }));
    await follower.until(caughtUp);
    await store.client.appendToStream(stream, notedMany(2));
    await follower.until(has('Noted@4'));
    expect(follower.told).toEqual(['confirmation', 'Noted@0', 'Noted@1', 'Noted@2', 'caughtUp', 'Noted@3', 'Noted@4']);
  });
  it('starts after the revision given', async () => {
    const follower = follow(store.client.subscribeToStream(await written(), { fromRevision: 0n }));
    await follower.until(caughtUp);
    expect(follower.told).toEqual(['confirmation', 'Noted@1', 'Noted@2', 'caughtUp']);
  });
  it('tells only what comes, from a revision ahead, and only what is after that', async () => {
    const stream = await written();
    const follower = follow(store.client.subscribeToStream(stream, { fromRevision: 3n }));
    await follower.until(caughtUp);
    await store.client.appendToStream(stream, notedMany(2));
    await follower.until(has('Noted@4'));
    expect(follower.told).toEqual(['confirmation', 'caughtUp', 'Noted@4']);
  });
  it('from the end tells what comes', async () => {
    const stream = await written();
    const follower = follow(store.client.subscribeToStream(stream, { fromRevision: END }));
    await follower.until(caughtUp);
    await store.client.appendToStream(stream, noted());
    await follower.until(has('Noted@3'));
    expect(follower.told).toEqual(['confirmation', 'caughtUp', 'Noted@3']);
  });
  it('that does not exist waits for it, and has not caught up before', async () => {
    const stream = newStream();
    const follower = follow(store.client.subscribeToStream(stream));
    await follower.until(has('confirmation'));
    await pause(300);
    expect(follower.told).toEqual(['confirmation']);
    await store.client.appendToStream(stream, noted());
    await follower.until(caughtUp);
    expect(follower.told).toEqual(['confirmation', 'Noted@0', 'caughtUp']);
  });
  it('from the end, of one that does not exist, has caught up at once', async () => {
    const stream = newStream();
    const follower = follow(store.client.subscribeToStream(stream, { fromRevision: END }));
    await follower.until(caughtUp);
    await store.client.appendToStream(stream, noted());
    await follower.until(has('Noted@0'));
  });
  it('hides what metadata hides, until it is live', async () => {
    const stream = await written(4);
    await store.client.setStreamMetadata(stream, { maxCount: 2 });
    const follower = follow(store.client.subscribeToStream(stream));
    await follower.until(caughtUp);
    expect(follower.told).toEqual(['confirmation', 'Noted@2', 'Noted@3', 'caughtUp']);
  });
  it('goes on over soft deletion', async () => {
    const stream = await written(1);
    const follower = follow(store.client.subscribeToStream(stream));
    await follower.until(caughtUp);
    await store.client.deleteStream(stream);
    await store.client.appendToStream(stream, noted());
    await follower.until(has('Noted@1'));
  });
  it('tells the tombstone and ends', async () => {
    const stream = await written(1);
    const follower = follow(store.client.subscribeToStream(stream));
    await follower.until(caughtUp);
    await store.client.tombstoneStream(stream);
    expect(await follower.ended).toBe('stream-deleted');
    expect(follower.told.at(-1)).toBe('$streamDeleted@9223372036854775807');
  });
  it('that is tombstoned is refused', async () => {
    const stream = await written(1);
    await store.client.tombstoneStream(stream);
    expect(await follow(store.client.subscribeToStream(stream)).ended).toBe('stream-deleted');
  });
  it('resolves links, live too', async () => {
    const [stream, links] = [await written(2), newStream()];
    const link = (revision: number) => ({
      ...jsonEvent({ type: '$>', data: {} }),
      contentType: 'application/octet-stream' as const,
      data: Buffer.from(`${revision}@${stream}`),
    });
    await store.client.appendToStream(links, link(0));
    const follower = follow(store.client.subscribeToStream(links, { resolveLinkTos: true }));
    await follower.until(caughtUp);
    await store.client.appendToStream(links, [link(1), noted()]);
    await follower.until(has('Noted@2'));
    expect(follower.events.map(({ event }) => `${event?.streamId === stream ? 'target' : 'own'}@${event?.revision}`)).toEqual([
      'target@0',
      'target@1',
      'own@2',
    ]);
    expect(follower.told.filter((what) => what === 'caughtUp')).toHaveLength(1);
  });
});

// Enumerators.AllSubscription, Enumerators.AllSubscriptionFiltered
describe('to $all', () => {
  const marker = async (): Promise<Position> => (await store.client.appendToStream(newStream(), noted())).position!;

  it('starts after the position given, and tells each event once, in order', async () => {
    const from = await marker();
    const stream = await written(50);
    const follower = follow(store.client.subscribeToAll({ fromPosition: from }));
    await follower.until(caughtUp);
    await store.client.appendToStream(stream, notedMany(50));
    await follower.until(has('Noted@99'));
    const mine = follower.events.filter(({ event }) => event?.streamId === stream).map(({ event }) => event!);
    expect(mine.map(({ revision }) => revision)).toEqual(Array.from({ length: 100 }, (_, n) => BigInt(n)));
    const positions = follower.events.map(({ event }) => event!.position!.commit);
    expect(positions[0]! > from.commit).toBe(true);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('from the end tells what comes', async () => {
    await marker();
    const follower = follow(store.client.subscribeToAll({ fromPosition: END }));
    await follower.until(caughtUp);
    const stream = await written(1);
    await follower.until(has('Noted@0'));
    expect(follower.events.at(-1)!.event!.streamId).toBe(stream);
  });

  it('misses nothing and repeats nothing while much is written', async () => {
    const stream = newStream();
    const from = await marker();
    let following = true;
    const writing = (async () => {
      for (let n = 0; following && n < 100; n += 1) await store.client.appendToStream(stream, notedMany(10));
    })();
    const several = Array.from({ length: 5 }, () =>
      follow(store.client.subscribeToAll({ fromPosition: from, filter: streamNameFilter({ prefixes: [stream] }) })),
    );
    await pause(500);
    following = false;
    await writing;
    await store.client.appendToStream(stream, jsonEvent({ type: 'Last', data: {} }));
    for (const follower of several) {
      await follower.until((told) => told.some((what) => what.startsWith('Last@')));
      const revisions = follower.events.map(({ event }) => event!.revision);
      expect(revisions).toEqual(Array.from({ length: revisions.length }, (_, n) => BigInt(n)));
    }
  });

  describe('with a filter', () => {
    const suffix = newStream();
    let from: Position;
    beforeAll(async () => {
      from = await marker();
      for (const name of ['one', 'two', 'three'])
        await store.client.appendToStream(`${name}-${suffix}`, [
          jsonEvent({ type: `${name}A`, data: {} }),
          jsonEvent({ type: `${name}B`, data: {} }),
        ]);
    });
    it.each([
      ['stream prefixes', streamNameFilter({ prefixes: [`one-${suffix}`, `three-${suffix}`] }), 'oneA oneB threeA threeB'],
      ['a stream pattern', streamNameFilter({ regex: `^t.*-${suffix}$` }), 'twoA twoB threeA threeB'],
      ['a pattern that may match anywhere', streamNameFilter({ regex: `wo-${suffix}` }), 'twoA twoB'],
      ['type prefixes', eventTypeFilter({ prefixes: ['twoA', 'thr'] }), 'twoA threeA threeB'],
      ['a type pattern', eventTypeFilter({ regex: '^(one|two|three)B$' }), 'oneB twoB threeB'],
    ])('of %s', async (_, filter, types) => {
      const follower = follow(store.client.subscribeToAll({ fromPosition: from, filter }));
      await follower.until(caughtUp);
      const mine = follower.events.map(({ event }) => event!).filter(({ streamId }) => streamId.endsWith(suffix));
      expect(mine.map(({ type }) => type).join(' ')).toBe(types);
    });
    it('of system events', async () => {
      await store.client.setStreamMetadata(newStream(), { maxCount: 1 });
      const follower = follow(store.client.subscribeToAll({ fromPosition: START, filter: excludeSystemEvents() }));
      await follower.until(caughtUp);
      expect(follower.events.filter(({ event }) => event!.type.startsWith('$'))).toEqual([]);
    });
    it('that is not a valid pattern is refused', async () =>
      expect(await follow(store.client.subscribeToAll({ filter: streamNameFilter({ regex: '(' }) })).ended).toBe('unknown'));
  });

  describe('with checkpoints', () => {
    const follow32 = (from: Position | typeof END, prefix: string, checkpoints: bigint[], checkpointInterval = 1) =>
      follow(
        store.client.subscribeToAll({
          fromPosition: from,
          filter: streamNameFilter({
            prefixes: [prefix],
            checkpointInterval,
            checkpointReached: async (_, { commit }) => void checkpoints.push(commit),
          }),
        }),
      );

    it('tells how far it has looked, also where nothing matches', async () => {
      const from = await marker();
      await written(200);
      const checkpoints: bigint[] = [];
      const follower = follow32(from, 'matches-nothing', checkpoints);
      await follower.until(caughtUp);
      await pause(100);
      expect(checkpoints.length).toBeGreaterThanOrEqual(6);
      expect(checkpoints).toEqual([...checkpoints].sort((a, b) => (a < b ? -1 : 1)));
      expect(checkpoints[0]! >= from.commit).toBe(true);
    });

    // SubscriptionsService.ProcessEventCommited
    it('after each 32 × interval events when live', async () => {
      const checkpoints: bigint[] = [];
      const follower = follow32(END, 'matches-nothing', checkpoints, 2);
      await follower.until(caughtUp);
      await pause(200); // what other tests have begun ends
      const before = checkpoints.length;
      await written(64 * 3);
      for (let waited = 0; checkpoints.length < before + 3 && waited < 50; waited += 1) await pause(100);
      expect(checkpoints.length - before).toBe(3);
    });

    it('from which it can go on without missing anything', async () => {
      const stream = newStream();
      const from = await marker();
      for (let n = 0; n < 10; n += 1) {
        await store.client.appendToStream(stream, noted(n));
        await written(20);
      }
      const checkpoints: bigint[] = [];
      const first = follow32(from, stream, checkpoints);
      await first.until(caughtUp);
      await pause(100);
      for (const commit of checkpoints) {
        const seen = first.events.filter(({ event }) => event!.position!.commit <= commit).length;
        const resumed = follow(
          store.client.subscribeToAll({ fromPosition: { commit, prepare: commit }, filter: streamNameFilter({ prefixes: [stream] }) }),
        );
        await resumed.until(caughtUp);
        expect(resumed.events.map(({ event }) => event!.revision)).toEqual(first.events.slice(seen).map(({ event }) => event!.revision));
      }
    });
  });
});
