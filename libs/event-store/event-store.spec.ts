import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startParts, type Parts } from '../../test/support/event-store.js';
import {
  Conflict,
  connectEventStore,
  type EncodedEvent,
  type EventStore,
  OutcomeUnknown,
  type StoredEvent,
  StoreUnavailable,
} from './event-store.js';
import { context } from './testing/counters.js';
import { startProxy, type Proxy } from './testing/proxy.js';

const loader = new URL('../../test/support/typescript-loader.mjs', import.meta.url).href;

let parts: Parts, proxy: Proxy, store: EventStore;
const warnings: string[] = [];
beforeAll(async () => {
  parts = await startParts();
  proxy = await startProxy(parts.eventStoreUrl);
  store = connectEventStore({ url: proxy.url, logger: { warn: (_, message) => warnings.push(message) } });
});
afterAll(async () => {
  await store?.dispose();
  await proxy?.stop();
  await parts?.stop();
});

const event = (n: number): EncodedEvent => {
  const { commandId, business, actor, now: time } = context(randomUUID());
  const metadata = { commandId, business, actor, $correlationId: 'c', $causationId: 'c', time, version: 1, hash: '' };
  return { id: randomUUID(), type: 'Happened', data: { n }, metadata };
};
const events = (count: number, from = 0) => Array.from({ length: count }, (_, n) => event(from + n));
const newStream = (category = 'thing') => `${category}-${randomUUID()}`;
const numbers = (batch: readonly StoredEvent[]) => batch.map(({ data }) => data.n);
const signal = () => new AbortController();

/** So many events of a subscription, and the sizes of its batches. */
async function take(subscription: AsyncIterable<StoredEvent[]>, count: number) {
  const got: StoredEvent[] = [];
  const sizes: number[] = [];
  for await (const batch of subscription) {
    got.push(...batch);
    sizes.push(batch.length);
    if (got.length >= count) break;
  }
  return { got, sizes };
}

/** Also right after a cut, which the client may not have noticed yet. */
async function appendSurely(stream: string, appended: EncodedEvent[]): Promise<void> {
  for (;;) {
    try {
      return void (await store.append(stream, 'no_stream', appended));
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      if ((await store.readStream(stream).catch(() => [])).length > 0) return;
    }
  }
}

describe('streams', () => {
  it('give back what was appended, whole or in part', async () => {
    const stream = newStream();
    const [first, second] = [events(2), events(3, 2)];
    const { revision, position } = await store.append(stream, 'no_stream', first);
    expect(await store.append(stream, revision, second)).toMatchObject({ revision: 4n });
    const stored = await store.readStream(stream);
    expect(stored).toEqual(
      [...first, ...second].map((e, n) => ({ ...e, stream, revision: BigInt(n), position: expect.any(BigInt) as bigint })),
    );
    expect(stored[1]!.position).toBe(position);
    expect(numbers(await store.readStream(stream, { from: 3n }))).toEqual([3, 4]);
    expect(numbers(await store.readStream(stream, { from: 1n, to: 2n }))).toEqual([1, 2]);
    expect(await store.readStream(stream, { from: 5n })).toEqual([]);
    expect(await store.readStream(stream, { from: 3n, to: 2n })).toEqual([]);
  });

  it('that do not exist have no events', async () => expect(await store.readStream(newStream())).toEqual([]));

  it('take an append only at the revision that was expected', async () => {
    const stream = newStream();
    await store.append(stream, 'no_stream', events(2));
    await expect(store.append(stream, 'no_stream', events(1))).rejects.toThrow(Conflict);
    await expect(store.append(stream, 0n, events(1))).rejects.toThrow(Conflict);
    await expect(store.append(stream, 7n, events(1))).rejects.toThrow(Conflict);
    expect(await store.readStream(stream)).toHaveLength(2);
  });

  it('too large an append is refused for good', async () => {
    const large = { ...event(0), data: { text: 'x'.repeat(1_100_000) } };
    const appending = store.append(newStream(), 'no_stream', [large]);
    await expect(appending).rejects.toThrow();
    await expect(appending).rejects.not.toThrow(OutcomeUnknown);
  });
});

describe('$all', () => {
  it('is read from a position on, in batches, without the events of the system', async () => {
    const stream = newStream();
    const { position } = await store.append(stream, 'no_stream', events(1));
    await store.append(stream, 0n, events(25, 1));
    const batches: StoredEvent[][] = [];
    for await (const batch of store.readAll({ after: position, batchSize: 10 })) batches.push(batch);
    const mine = batches.flat().filter((e) => e.stream === stream);
    expect(numbers(mine)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(10);
    expect(await store.lastPosition()).toBeGreaterThanOrEqual(mine.at(-1)!.position);
  });

  it('is followed from a position on, past and new, only the categories asked for', async () => {
    const [category, other] = [`c${randomUUID()}`, `o${randomUUID()}`];
    const { position } = await store.append(newStream(category), 'no_stream', events(1));
    await store.append(newStream(other), 'no_stream', events(3, 100));
    await store.append(newStream(category), 'no_stream', events(4, 1));
    const following = take(store.subscribeAll({ after: position, prefixes: [`${category}-`], signal: signal().signal }), 7);
    await store.append(newStream(category), 'no_stream', events(3, 5));
    expect(numbers((await following).got)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('never gives more at once than asked for, and all that waits up to that', async () => {
    const category = `c${randomUUID()}`;
    const { position } = await store.append(newStream(category), 'no_stream', events(1));
    for (let n = 0; n < 4; n += 1) await store.append(newStream(category), 'no_stream', events(250, n * 250));
    const subscription = store.subscribeAll({ after: position, prefixes: [`${category}-`], signal: signal().signal, batchSize: 100 });
    const { got, sizes } = await take(subscription, 1000);
    expect(numbers(got)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  it('gives a consumer that takes its time more at once, and holds the server back', async () => {
    const category = `c${randomUUID()}`;
    const after = await store.lastPosition();
    for (let n = 0; n < 4; n += 1) await store.append(newStream(category), 'no_stream', events(250, n * 250));
    const sizes: number[] = [];
    for await (const batch of store.subscribeAll({ after, prefixes: [`${category}-`], signal: signal().signal, batchSize: 200 })) {
      sizes.push(batch.length);
      if (sizes.reduce((sum, size) => sum + size) === 1000) break;
      await sleep(500); // by then more is there than it takes at once, also on a busy machine
    }
    expect(Math.max(...sizes)).toBe(200);
    expect(sizes.length).toBeLessThan(20);
  });

  it('comes ahead of what is read, and no further than a megabyte', async () => {
    const category = `c${randomUUID()}`;
    const after = await store.lastPosition();
    const large = (n: number): EncodedEvent => ({ ...event(n), data: { n, text: 'x'.repeat(16_384) } });
    for (let n = 0; n < 6; n += 1)
      await store.append(
        newStream(category),
        'no_stream',
        Array.from({ length: 40 }, (_, i) => large(n * 40 + i)),
      );
    const before = proxy.answered();
    const following = store.subscribeAll({ after, prefixes: [`${category}-`], signal: signal().signal, batchSize: 1 });
    const batches = following[Symbol.asyncIterator]();
    const first = (await batches.next()).value as StoredEvent[];
    expect(numbers(first)).toEqual([0]);
    let ahead = 0;
    const end = performance.now() + 60_000;
    for (let seen = -1; (seen !== ahead || ahead <= 512 * 1024) && performance.now() < end; ahead = proxy.answered() - before) {
      seen = ahead;
      await sleep(300);
    }
    expect(ahead).toBeGreaterThan(512 * 1024);
    expect(ahead).toBeLessThan(2 * 1024 * 1024); // of almost four
    await batches.return?.();
  });

  it('is followed from its end without missing what comes after', async () => {
    const category = `c${randomUUID()}`;
    await store.append(newStream(category), 'no_stream', events(3));
    const live = await store.subscribeFromEnd({ prefixes: [`${category}-`], signal: signal().signal });
    await store.append(newStream(category), 'no_stream', events(2, 3)); // before anybody has asked for a batch
    expect(numbers((await take(live, 2)).got)).toEqual([3, 4]);
  });

  it('is no longer followed once the signal is aborted', async () => {
    const stop = signal();
    const category = `c${randomUUID()}`;
    const following = take(store.subscribeAll({ prefixes: [`${category}-`], signal: stop.signal }), 1);
    setTimeout(() => stop.abort(), 50);
    expect((await following).got).toEqual([]);
  });

  it('is taken up again after the connection broke, nothing lost nor given twice', async () => {
    const category = `c${randomUUID()}`;
    const after = await store.lastPosition();
    const following = take(store.subscribeAll({ after, prefixes: [`${category}-`], signal: signal().signal }), 60);
    for (let n = 0; n < 6; n += 1) {
      await appendSurely(newStream(category), events(10, n * 10));
      proxy.cut();
    }
    expect(numbers((await following).got)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(warnings.length).toBeGreaterThan(0);
  });
});

describe('a store that does not answer', () => {
  it('leaves the outcome of an append unknown', async () => {
    const stream = newStream();
    await appendSurely(newStream(), events(1));
    proxy.loseAnswers(1_000);
    await expect(store.append(stream, 'no_stream', events(1))).rejects.toThrow(OutcomeUnknown);
    while ((await store.readStream(stream)).length === 0) await sleep(50);
    expect(await store.readStream(stream)).toHaveLength(1);
  });

  it('cannot be read, and can again as soon as it is back', async () => {
    proxy.setDown(true);
    await expect(store.readStream(newStream())).rejects.toThrow(StoreUnavailable);
    await expect(store.append(newStream(), 'no_stream', events(1))).rejects.toThrow(OutcomeUnknown);
    await expect(store.lastPosition()).rejects.toThrow(StoreUnavailable);
    proxy.setDown(false);
    expect(await store.readStream(newStream())).toEqual([]);
    await expect(store.append(newStream(), 'no_stream', events(1))).resolves.toMatchObject({ revision: 0n });
  });

  it('does not end a process that is in the middle of many appends', async () => {
    const direct = await startProxy(parts.eventStoreUrl);
    const child = fork(new URL('testing/append-until-told.ts', import.meta.url), [direct.url], { execArgv: ['--import', loader] });
    const ended = once(child, 'exit');
    await Promise.race([once(child, 'message'), ended]);
    const told = once(child, 'message') as Promise<[{ acknowledged: number; unknown: number }]>;
    const cutting = setInterval(() => direct.cut(), 250);
    try {
      await Promise.race([sleep(3_500), ended]);
      clearInterval(cutting);
      expect(child.exitCode).toBeNull();
      child.send('enough');
      const [totals] = await told;
      expect(await ended).toEqual([0, null]);
      expect(totals.unknown).toBeGreaterThan(0);
      expect(totals.acknowledged).toBeGreaterThan(0);
    } finally {
      clearInterval(cutting);
      await direct.stop();
    }
  });
});
