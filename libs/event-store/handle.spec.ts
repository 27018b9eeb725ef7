import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { startParts, type Parts } from '../../test/support/event-store.js';
import { eventIdOf } from '../domain/kernel/ids.js';
import { verifyChain } from './chain.js';
import { createCodec, type Codec } from './codec.js';
import { connectEventStore, type EventStore, OutcomeUnknown } from './event-store.js';
import { createHandle, type Handle, TooBusy } from './handle.js';
import { createPersonalKeys } from './personal-keys.js';
import { open, raise } from './testing/counter.decisions.js';
import { context, counter } from './testing/counters.js';
import { startProxy, type Proxy } from './testing/proxy.js';

let parts: Parts, pool: pg.Pool, proxy: Proxy, store: EventStore, codec: Codec;
beforeAll(async () => {
  parts = await startParts();
  pool = new pg.Pool({ connectionString: parts.databaseUrl });
  const keys = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 7) });
  await keys.migrate();
  codec = createCodec(counter.events, keys);
  proxy = await startProxy(parts.eventStoreUrl);
  store = connectEventStore({ url: proxy.url });
});
afterAll(async () => {
  await store?.dispose();
  await proxy?.stop();
  await pool?.end();
  await parts?.stop();
});

/** A process of its own, as far as the handling can tell: its cache and its queues. It counts its round trips. */
function newProcess(settings: { maxQueued?: number } = {}) {
  const calls = { appends: 0, reads: 0 };
  const counted: Pick<EventStore, 'append' | 'readStream'> = {
    append: (...args) => ((calls.appends += 1), store.append(...args)),
    readStream: (...args) => ((calls.reads += 1), store.readStream(...args)),
  };
  const handle: Handle = createHandle({ store: counted, codec, ...settings });
  const roundTrips = async (work: () => Promise<unknown>) => {
    const before = calls.appends + calls.reads;
    await work();
    return calls.appends + calls.reads - before;
  };
  return { handle, calls, roundTrips };
}

const sole = { soleUntil: Infinity };
const newCommand = (over = {}) => context(randomUUID(), { ...sole, ...over });
const streamOf = (id: string) => store.readStream(`counter-${id}`);
const totals = async (id: string) => (await streamOf(id)).slice(1).map(({ data }) => data.total);

/** A counter that is open, with this limit, and known to nobody's cache. */
async function opened(limit = 100): Promise<string> {
  const id = randomUUID();
  await newProcess().handle(counter, id, newCommand(), open(limit), { create: 'unseen' });
  return id;
}

describe('a command', () => {
  it('appends what was decided, and gives the state after it', async () => {
    const { handle } = newProcess();
    const id = randomUUID();
    const begun = await handle(counter, id, newCommand(), open(3));
    expect(begun).toMatchObject({ revision: 0n, repeated: false, state: { limit: 3, ownerName: 'Anna Ångström' } });
    const command = newCommand({ read: { 'tax-1': '4' } });
    const { state, revision, position, events } = await handle(counter, id, command, raise(2));
    expect({ state, revision }).toMatchObject({ state: { total: 2 }, revision: 1n });
    const [stored] = await codec.decode((await streamOf(id)).slice(1));
    expect(events).toEqual([stored]);
    expect(stored).toMatchObject({ position, id: eventIdOf(command.commandId, `counter-${id}`, 0), metadata: { read: { 'tax-1': '4' } } });
  });

  it('keeps one chain, whoever appends', async () => {
    const id = await opened();
    const processes = [newProcess(), newProcess()];
    for (let n = 0; n < 6; n += 1) await processes[n % 2]!.handle(counter, id, newCommand(), raise(1));
    expect(verifyChain(await streamOf(id))).toBeUndefined();
    expect(await totals(id)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is never recorded before the one before it', async () => {
    const id = await opened();
    const { handle } = newProcess();
    await handle(counter, id, newCommand({ now: '2027-03-01T00:00:00.000Z' }), raise(1));
    await handle(counter, id, newCommand({ now: '2027-02-01T00:00:00.000Z' }), raise(1));
    expect((await streamOf(id)).at(-1)!.metadata.time).toBe('2027-03-01T00:00:00.000Z');
  });

  it('that changes nothing appends nothing, and answers with what there is', async () => {
    const id = await opened();
    const { handle } = newProcess();
    const { position } = await handle(counter, id, newCommand(), raise(5));
    expect(await handle(counter, id, newCommand(), raise(0))).toMatchObject({ revision: 1n, position, events: [], state: { total: 5 } });
    expect(await streamOf(id)).toHaveLength(2);
  });

  it('that is refused, or fails, leaves the state as it was', async () => {
    const id = await opened(3);
    const { handle } = newProcess();
    await handle(counter, id, newCommand(), raise(2));
    await expect(handle(counter, id, newCommand(), raise(2))).rejects.toMatchObject({ code: 'OVER_LIMIT' });
    const broken = () => [{ type: 'CounterRaised' as const, data: { by: 1, total: 0.5 } }];
    await expect(handle(counter, id, newCommand(), broken)).rejects.toThrow();
    expect((await handle(counter, id, newCommand(), raise(1))).state).toMatchObject({ total: 3, raises: [2, 1] });
  });

  it('A3: does not see the stream of another business', async () => {
    const id = await opened();
    const decide = () => {
      throw new Error('asked');
    };
    await expect(newProcess().handle(counter, id, newCommand({ business: randomUUID() }), decide)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { what: 'counter', id },
    });
  });

  it('L4: is refused if the stream is not at the revision that the caller saw', async () => {
    const id = await opened();
    const [here, there] = [newProcess(), newProcess()];
    await here.handle(counter, id, newCommand({ expectedRevision: 0n }), raise(1));
    await expect(here.handle(counter, id, newCommand({ expectedRevision: 0n }), raise(1))).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { revision: '1' },
    });
    await there.handle(counter, id, newCommand(), raise(1));
    expect(await here.handle(counter, id, newCommand({ expectedRevision: 2n }), raise(1))).toMatchObject({ revision: 3n });
    await expect(here.handle(counter, randomUUID(), newCommand({ expectedRevision: 0n }), raise(1))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('makes its answer before anybody changes the state again', async () => {
    const id = await opened();
    const { handle } = newProcess();
    const answer = ({ raises }: { raises: number[] }) => [...raises];
    const raising = Array.from({ length: 5 }, () => handle(counter, id, newCommand(), raise(1), { answer }));
    expect((await Promise.all(raising)).map((handled) => handled.answer)).toEqual([[1], [1, 1], [1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1, 1]]);
  });
});

describe('round trips', () => {
  it('a warm command costs exactly one', async () => {
    const id = randomUUID();
    const { handle, roundTrips } = newProcess();
    expect(await roundTrips(() => handle(counter, id, newCommand(), open(9), { create: 'unseen' }))).toBe(1);
    for (let n = 0; n < 3; n += 1) expect(await roundTrips(() => handle(counter, id, newCommand(), raise(1)))).toBe(1);
  });

  it('a guard, and a command that may be a repeat, cost one read more', async () => {
    const id = await opened();
    const { handle, roundTrips } = newProcess();
    await handle(counter, id, newCommand(), raise(1));
    expect(await roundTrips(() => handle(counter, id, newCommand(), raise(1), { fresh: true }))).toBe(2);
    expect(await roundTrips(() => handle(counter, id, context(randomUUID()), raise(1)))).toBe(2);
    expect(await roundTrips(() => handle(counter, id, newCommand(), raise(1)))).toBe(1);
  });

  it('that only asks what never changes, costs none', async () => {
    const id = await opened(7);
    const { handle, roundTrips } = newProcess();
    const limitOf = () => handle(counter, id, newCommand(), () => [], { anyAge: true, answer: ({ limit }) => limit });
    expect(await roundTrips(limitOf)).toBe(1);
    await newProcess().handle(counter, id, newCommand(), raise(1));
    expect(await roundTrips(async () => expect(await limitOf()).toMatchObject({ answer: 7, revision: 0n }))).toBe(0);
  });

  it('a state that may not be what is stored is not kept', async () => {
    const id = randomUUID();
    const { handle, roundTrips } = newProcess();
    expect(await roundTrips(() => handle(counter, id, context(randomUUID()), open(9), { create: 'unseen' }))).toBe(1);
    expect(await roundTrips(() => handle(counter, id, newCommand(), raise(1)))).toBe(2);
  });
});

describe('a repeat', () => {
  it('L2: gives the answer that was given, also when more has happened since', async () => {
    const id = await opened();
    const [here, there] = [newProcess(), newProcess()];
    const command = newCommand();
    const first = await here.handle(counter, id, command, raise(2), { answer: ({ total }) => total });
    await here.handle(counter, id, newCommand(), raise(3));
    const decide = () => {
      throw new Error('asked');
    };
    for (const { handle } of [here, there, newProcess()]) {
      const again = await handle(counter, id, context(command.commandId), decide, { answer: ({ total }) => total });
      expect(again).toEqual({ ...first, state: { ...first.state, total: 2, raises: [2] }, repeated: true });
    }
    expect(await totals(id)).toEqual([2, 5]);
  });

  it('L2: with another request is refused', async () => {
    const id = await opened();
    const { handle } = newProcess();
    const command = newCommand();
    await handle(counter, id, command, raise(1));
    await expect(handle(counter, id, { ...command, requestHash: 'another' }, raise(2))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    await expect(handle(counter, id, { ...command, requestHash: 'another', hashKey: 'k2' }, raise(2))).resolves.toMatchObject({
      repeated: true,
    });
  });

  it('L2: sent to two processes at once has one effect, and breaks neither chain nor answer', async () => {
    const id = await opened();
    const processes = [newProcess(), newProcess()];
    for (let round = 1; round <= 15; round += 1) {
      const commandId = randomUUID();
      const now = (n: number) => `2027-01-31T09:30:00.${String(round * 10 + n).padStart(3, '0')}Z`;
      const answers = await Promise.all(
        processes.map(({ handle }, n) => handle(counter, id, context(commandId, { now: now(n) }), raise(1))),
      );
      const [stored] = await codec.decode(await store.readStream(`counter-${id}`, { from: BigInt(round) }));
      for (const { events, state } of answers) expect({ events, total: state.total }).toEqual({ events: [stored], total: round });
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    }
    await Promise.all(processes.map(({ handle }) => handle(counter, id, newCommand(), raise(1))));
    expect(verifyChain(await streamOf(id))).toBeUndefined();
    expect(await totals(id)).toEqual(Array.from({ length: 17 }, (_, n) => n + 1));
  });

  it('of a creation that was taken to be new finds what is there', async () => {
    const id = randomUUID();
    const command = context(randomUUID());
    await newProcess().handle(counter, id, command, open(5), { create: 'unseen' });
    const later = { ...command, now: '2027-06-01T00:00:00.000Z' };
    const { handle } = newProcess();
    expect(await handle(counter, id, later, open(5), { create: 'unseen' })).toMatchObject({ revision: 0n, state: { limit: 5 } });
    await handle(counter, id, newCommand(), raise(1));
    expect(verifyChain(await streamOf(id))).toBeUndefined();
    expect(await streamOf(id)).toHaveLength(2);
  });
});

describe('many at once', () => {
  it('E6: of two processes racing for the last, one gets it and the other is told', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await opened(1);
      const racing = [newProcess(), newProcess()].map(({ handle }) => handle(counter, id, newCommand(), raise(1)));
      const outcomes = await Promise.allSettled(racing);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'OVER_LIMIT' } });
    }
  });

  it('on one stream, from two processes: nothing lost, nothing doubled', async () => {
    const id = await opened(1000);
    const processes = [newProcess(), newProcess()];
    const commands = Array.from({ length: 64 }, () => newCommand());
    const raising = commands.map((command, n) => processes[n % 2]!.handle(counter, id, command, raise(1)));
    await Promise.all(raising);
    expect(await totals(id)).toEqual(commands.map((_, n) => n + 1));
    expect(verifyChain(await streamOf(id))).toBeUndefined();
    expect(new Set((await streamOf(id)).map(({ metadata }) => metadata.commandId)).size).toBe(65);
  });

  it('a stale state never says no', async () => {
    const id = await opened(2);
    const [here, there] = [newProcess(), newProcess()];
    await here.handle(counter, id, newCommand(), raise(2));
    await there.handle(counter, id, newCommand(), raise(-2));
    expect(await here.handle(counter, id, newCommand(), raise(1))).toMatchObject({ revision: 3n, state: { total: 1 } });
  });

  it('more than can wait are turned away', async () => {
    const id = await opened();
    const { handle } = newProcess({ maxQueued: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => handle(counter, id, newCommand(), raise(1))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(outcomes[4]).toMatchObject({ reason: expect.any(TooBusy) as TooBusy });
    await expect(handle(counter, id, newCommand(), raise(1))).resolves.toMatchObject({ revision: 4n });
  });

  it('a stream that always moves is given up, not fought over', async () => {
    const id = await opened(1000);
    const { handle } = newProcess();
    const other = newProcess();
    const ahead: Handle = createHandle({
      codec,
      store: {
        readStream: store.readStream,
        append: async (...args) => {
          await other.handle(counter, id, newCommand(), raise(1));
          return store.append(...args);
        },
      },
    });
    await expect(ahead(counter, id, newCommand(), raise(1))).rejects.toThrow(TooBusy);
    await expect(handle(counter, id, newCommand(), raise(1))).resolves.toMatchObject({ revision: 11n });
  });
});

describe('an append whose outcome is not known', () => {
  it('is found in the stream, and answered; the next command goes on from it', async () => {
    const id = await opened();
    const { handle } = newProcess();
    await handle(counter, id, newCommand(), raise(1));
    proxy.loseAnswers(50);
    expect(await handle(counter, id, newCommand(), raise(2))).toMatchObject({ revision: 2n, state: { total: 3 }, repeated: false });
    await handle(counter, id, newCommand(), raise(3));
    expect(await totals(id)).toEqual([1, 3, 6]);
    expect(verifyChain(await streamOf(id))).toBeUndefined();
  });

  it('is made again if it never arrived', async () => {
    const id = await opened();
    const { handle } = newProcess();
    await handle(counter, id, newCommand(), raise(1));
    proxy.setDown(true);
    const raising = handle(counter, id, newCommand(), raise(2));
    setTimeout(() => proxy.setDown(false), 300);
    expect(await raising).toMatchObject({ revision: 2n, state: { total: 3 } });
    expect(await totals(id)).toEqual([1, 3]);
  });

  it('is said to be unknown when the store stays away, and settled by sending the command again', async () => {
    const id = await opened();
    const { handle } = newProcess();
    const command = newCommand();
    await handle(counter, id, newCommand(), raise(1));
    proxy.setDown(true);
    await expect(handle(counter, id, command, raise(2))).rejects.toThrow(OutcomeUnknown);
    proxy.setDown(false);
    expect(await handle(counter, id, context(command.commandId), raise(2))).toMatchObject({ revision: 2n, state: { total: 3 } });
    expect(await totals(id)).toEqual([1, 3]);
  });

  it('many at once, the connection breaking again and again: each exactly once', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => opened(1000)));
    const processes = [newProcess(), newProcess()];
    const breaking = setInterval(() => proxy.loseAnswers(5), 40);
    const raising = ids.flatMap((id) =>
      Array.from({ length: 12 }, async (_, n) => {
        const command = newCommand();
        for (let tries = 0; ; tries += 1) {
          try {
            return await processes[n % 2]!.handle(counter, id, tries ? context(command.commandId) : command, raise(1));
          } catch (error) {
            if (tries === 20) throw error; // the caller sends it again, with the same key
          }
        }
      }),
    );
    setTimeout(() => clearInterval(breaking), 1500);
    await Promise.all(raising);
    clearInterval(breaking);
    for (const id of ids) {
      expect(await totals(id)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
      expect(verifyChain(await streamOf(id))).toBeUndefined();
    }
  });
});
