import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { type Seal, sealEvents, sealsOf } from '../domain/seal/seal.events.js';
import { startEventStore } from '../embedded-event-store/server.js';
import { createCodec } from '../event-store/codec.js';
import { connectEventStore, type EncodedEvent, type EventStore } from '../event-store/event-store.js';
import { SealFolder } from './seal-folder.js';
import { sealHash } from './seal.js';
import { keepSeals } from './kept-seals.js';
import { BrokenSeals, type Stray, strayCount } from './seal-stream.js';
import { sinceSealed } from './sealed-through.js';
import { migrateSealing, sealAll, sealStreamsOf } from './sealing.js';
import { StoredHistory } from './stored-history.js';
import { BUSINESS, eventAfter, KEY, OTHER_KEY } from './testing/example-history.js';
import { verify } from './verify.js';

// The sealing on a real event store and Postgres, and on a store that was restored from a backup.

let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: Pool;
let folder: string;
let served: { store: EventStore; stop(): Promise<void> };
const codec = createCodec(sealEvents, { forWriting: async () => new Map(), forReading: async () => new Map() });
const errors: object[] = [];

beforeEach(async () => {
  [database, folder] = await Promise.all([createDatabase(), mkdtemp(join(tmpdir(), 'punchcard-folder-'))]);
  pool = new Pool({ connectionString: database.url, max: 2 });
  await migrateSealing(pool);
});
afterEach(async () => {
  await served.stop();
  await pool.end();
  await Promise.all([database.drop(), rm(folder, { recursive: true })]);
  errors.length = 0;
});

async function serve(databaseUrl: string): Promise<typeof served> {
  const server = await startEventStore({ databaseUrl });
  const store = connectEventStore({ url: server.url });
  return { store, stop: async () => store.dispose().then(() => server.stop()) };
}

const newFolder = () => new SealFolder(folder, { error: (about) => void errors.push(about) });
const parts = () => ({ store: served.store, codec, pool, clock: () => new Date().toISOString() });
const seal = (kept?: SealFolder, mostHeads?: number) => sealAll(parts(), { key: KEY, folder: kept, mostHeads });
const faults = async () => (await verify(new StoredHistory(served.store), { publicKeys: [KEY.publicKey] })).flatMap((one) => one.faults);

async function happens(stream: string, times = 1): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const last = await served.store.lastOf(stream);
    const { id, type, data, metadata } = eventAfter(last, { stream, position: 0n, data: { n }, id: randomUUID() });
    await served.store.append(stream, last ? last.revision : 'no_stream', [{ id, type, data, metadata }]);
  }
}

const keepIn = async (kept: SealFolder) =>
  keepSeals(served.store, kept, (await (await sealStreamsOf({ store: served.store, pool })).of(BUSINESS)).last);

/** As somebody else writes, at the end of the seals. */
async function write(...events: [type: string, data: object][]): Promise<void> {
  const last = await served.store.lastOf(sealsOf(BUSINESS));
  const metadata = {} as EncodedEvent['metadata'];
  const written = events.map(([type, data]) => ({ id: randomUUID(), type, data: data as EncodedEvent['data'], metadata }));
  await served.store.append(sealsOf(BUSINESS), last ? last.revision : 'no_stream', written);
}

const seals = async (): Promise<Seal[]> => (await served.store.readStream(sealsOf(BUSINESS))).map(({ data }) => data as unknown as Seal);
const files = async () => (await readdir(join(folder, BUSINESS))).sort();
const kept = async (name: string) => JSON.parse(await readFile(join(folder, BUSINESS, name), 'utf8')) as Seal;

it('K4: where the event store was restored from a backup, all is sealed anew from where its own seals end, and what was kept stays as it is', async () => {
  const live = await createDatabase();
  served = await serve(live.url);
  await happens('package-a', 3);
  await served.stop();
  const backup = await createDatabase(live);
  served = await serve(live.url);
  await happens('package-a', 5);
  expect(await seal(newFolder())).toBe(1);
  const [before] = await seals();
  await served.stop();

  served = await serve(backup.url);
  await happens('package-b', 9); // past the position up to which all was sealed
  const restored = newFolder();
  expect(await seal(restored)).toBe(1);
  expect(await faults()).toEqual([]);
  const [after] = await seals();
  expect(after).toMatchObject({ events: 12, streams: 2 });
  expect(await files()).toEqual([`00000001.${sealHash(after!)}.json`, '00000001.json']);
  expect(await kept('00000001.json')).toEqual(before);
  expect(restored.differing).toBe(1);
  expect(errors).toMatchObject([{ business: BUSINESS, seal: 1 }]);

  await happens('package-b');
  expect(await seal(restored)).toBe(1); // it was told once
  expect([restored.differing, await files()]).toEqual([1, [`00000001.${sealHash(after!)}.json`, '00000001.json', '00000002.json']]);
  await served.stop();
  await Promise.all([live.drop(), backup.drop()]);
  served = { store: served.store, stop: async () => undefined };
});

describe('on a store', () => {
  let live: Awaited<ReturnType<typeof createDatabase>>;
  beforeEach(async () => {
    live = await createDatabase();
    served = await serve(live.url);
  });
  afterEach(() => live.drop());

  it('K4: the folder gets the seals that it lacks, however they were made, and a file in it is never written over', async () => {
    for (const stream of ['package-a', 'package-b', 'package-c']) await happens(stream);
    expect(await seal(undefined, 1)).toBe(3);
    const folderOf = newFolder();
    await keepIn(folderOf);
    expect(await Promise.all((await files()).map(kept))).toEqual(await seals());
    await rm(join(folder, BUSINESS, '00000002.json'));
    await keepIn(folderOf); // also what is lacking in between
    expect(await Promise.all((await files()).map(kept))).toEqual(await seals());

    await writeFile(join(folder, BUSINESS, '00000004.json'), 'what somebody else wrote');
    await happens('package-a');
    expect(await seal(folderOf)).toBe(1);
    expect(await readFile(join(folder, BUSINESS, '00000004.json'), 'utf8')).toBe('what somebody else wrote');
    expect(folderOf.differing).toBe(1);
    expect(await kept(`00000004.${sealHash((await seals())[3]!)}.json`)).toEqual((await seals())[3]);
  });

  it('K4: events that somebody else keeps in the same store hold up neither sealing nor verifying', async () => {
    const append = (stream: string, metadata: object) =>
      served.store.append(stream, 'no_stream', [
        { id: randomUUID(), type: 'SomebodyElses', data: {}, metadata: metadata as EncodedEvent['metadata'] },
      ]);
    await append('theirs-1', {});
    await append('theirs-2', { business: 'Acme', hash: 'none' });
    await happens('package-a', 2);
    await append('theirs-3', { business: 17 });
    await append('theirs-4', { business: BUSINESS }); // says that it is ours
    expect(await seal()).toBe(1);
    expect(await seals()).toMatchObject([{ events: 2, streams: 1 }]);
    const history = new StoredHistory(served.store);
    const verdicts = await verify(history, { publicKeys: [KEY.publicKey] });
    expect(history.foreign).toBe(3);
    expect(verdicts).toMatchObject([{ business: BUSINESS, events: 2, faults: [{ why: 'inserted', stream: 'theirs-4', revision: 0n }] }]);
  });

  it('K4: what somebody else writes among the seals is told once, and sealing goes on after it', async () => {
    const strays: Stray[] = [];
    const sealOn = () => sealAll(parts(), { key: KEY, onStray: (stray) => void strays.push(stray) });
    await write(['SomebodyElses', {}]);
    await happens('package-a', 2);
    expect(await sealOn()).toBe(1);
    await happens('package-a');
    expect(await sealOn()).toBe(1);
    const [, one, two] = await seals();
    await write(['HistorySealed', one!]); // an old one again
    await write(['HistorySealed', OTHER_KEY.seal({ ...two!, number: 3, previous: sealHash(two!) })]); // one that would be the next, with a key of theirs
    await happens('package-b');
    expect(await sealOn()).toBe(1);
    await happens('package-b');
    expect(await sealOn()).toBe(1);
    expect((await seals()).slice(5)).toMatchObject([
      { number: 3, previous: sealHash(two!), events: 4 },
      { number: 4, events: 5 },
    ]);
    expect(strays.map(({ type, revision }) => [type, revision])).toEqual([
      ['SomebodyElses', '0'],
      ['HistorySealed', '3'],
      ['HistorySealed', '4'],
    ]);
    expect(await strayCount(pool)).toBe(3);
    expect(await faults()).toMatchObject([0n, 3n, 4n].map((revision) => ({ why: 'inserted', stream: sealsOf(BUSINESS), revision })));
    const folderOf = newFolder();
    await keepIn(folderOf);
    expect(await Promise.all((await files()).map(kept))).toEqual([one, two, ...(await seals()).slice(5)]); // and none of theirs
  });

  it('K4: a first seal that somebody else has signed is none of ours, and the first is made after it', async () => {
    await happens('package-a', 2);
    const through = '9000000000000000000';
    const unsigned = { businessId: BUSINESS, number: 1, at: '2027-01-31T10:00:00.000Z', through, events: 9, streams: 1, heads: [] };
    const forged = OTHER_KEY.seal({ ...unsigned, log: 'a'.repeat(64), previous: '0'.repeat(64) });
    await write(['HistorySealed', forged]);
    const folderOf = newFolder();
    expect(await seal(folderOf)).toBe(1);
    await happens('package-a');
    expect(await seal(folderOf)).toBe(1);
    expect(await seals()).toMatchObject([
      forged,
      { number: 1, events: 2, publicKey: KEY.publicKey },
      { number: 2, events: 3, publicKey: KEY.publicKey },
    ]);
    expect(await Promise.all((await files()).map(kept))).toEqual((await seals()).slice(1));
    expect(await faults()).toMatchObject([{ why: 'inserted', stream: sealsOf(BUSINESS), revision: 0n }]);
  });

  it('K4: a seal with a key of ours that covers what came after it is not gone on from', async () => {
    await happens('package-a');
    await seal();
    const [one] = await seals();
    await write(['HistorySealed', KEY.seal({ ...one!, number: 2, previous: sealHash(one!), events: 9, through: '9000000000000000000' })]);
    await happens('package-a');
    await expect(seal()).rejects.toThrow(BrokenSeals);
  });

  it('K4: seals that were made with a key of before stay its own where one of ours goes on from them', async () => {
    await happens('package-a');
    await sealAll(parts(), { key: OTHER_KEY });
    await happens('package-a');
    await seal();
    await pool.query('DELETE FROM audit.seal_keys');
    await happens('package-a');
    await write(['SomebodyElses', {}]); // so that all are read
    expect(await seal()).toBe(1);
    expect((await seals()).map(({ number }) => number)).toEqual([1, 2, undefined, 3]);
    expect(await strayCount(pool)).toBe(1);
  });

  it('K4: where a seal was changed nothing is signed over it, each time it is told, and other businesses are sealed', async () => {
    for (const stream of ['package-a', 'package-b']) await happens(stream);
    await seal(undefined, 1);
    const [, two] = await seals();
    const three = KEY.seal({ ...two!, number: 3, previous: sealHash(two!), events: 3 });
    await write(
      ['HistorySealed', { ...three, events: 77 }],
      ['HistorySealed', KEY.seal({ ...three, number: 4, previous: sealHash(three) })],
    );
    await write(['SomebodyElses', {}]); // so that all are read
    await happens('package-a');
    const another = '7c9e6679-7425-40de-944b-e07fc1f90ae8';
    const { id, type, data, metadata } = eventAfter(undefined, { stream: 'package-x', position: 0n, data: {}, id: randomUUID() });
    await served.store.append('package-x', 'no_stream', [{ id, type, data, metadata: { ...metadata, business: another } }]);
    for (let n = 0; n < 2; n += 1) await expect(seal(newFolder())).rejects.toThrow('Seal 4 of the business');
    expect((await seals()).length).toBe(5);
    expect((await served.store.readStream(sealsOf(another))).length).toBe(1);
    expect(await faults()).toContainEqual(expect.objectContaining({ why: 'sealChanged', seal: 3 }));
  });

  it('K4: where seals were taken away from the beginning nothing is signed', async () => {
    for (const stream of ['package-a', 'package-b', 'package-c']) await happens(stream);
    await seal(undefined, 1);
    await write(['SomebodyElses', {}]);
    await happens('package-a');
    const without = new Proxy(served.store, {
      get: (store, name: keyof EventStore) =>
        name === 'readStream'
          ? async (stream: string, range?: { from?: bigint; to?: bigint }) =>
              (await store.readStream(stream, range)).filter(({ revision }) => stream !== sealsOf(BUSINESS) || revision > 0n)
          : store[name],
    });
    await expect(sealAll({ ...parts(), store: without }, { key: KEY })).rejects.toThrow('revision 0 is missing');
  });

  it('K4: what somebody else writes among the seals is told where nothing else happens, too', async () => {
    const strays: Stray[] = [];
    const look = () => sealAll(parts(), { key: KEY, onStray: (stray) => void strays.push(stray) });
    await happens('package-a');
    await look();
    const [one] = await seals();
    await write(['HistorySealed', one!], ['HistorySealed', OTHER_KEY.seal(one!)]);
    expect(await look()).toBe(0);
    expect(strays.map(({ revision }) => revision)).toEqual(['1', '2']);
  });

  it('K4: however much somebody else writes among the seals, some is noted, and all is counted', async () => {
    const strays: Stray[] = [];
    const sealOn = () => sealAll(parts(), { key: KEY, onStray: (stray) => void strays.push(stray) });
    await write(...Array.from({ length: 1_100 }, (): [string, object] => ['S'.repeat(300), {}]));
    await happens('package-a');
    expect(await sealOn()).toBe(1);
    await happens('package-a');
    expect(await sealOn()).toBe(1);
    const { rows } = await pool.query('SELECT count(*)::int AS noted, max(length(type)) AS letters FROM audit.stray_seals');
    expect([rows, strays.length, await strayCount(pool)]).toEqual([[{ noted: 1_000, letters: 100 }], 1_000, 1_100]);
    expect((await faults()).length).toBe(100);
  });

  it('K4: a seal names few streams, so that no event is large', async () => {
    await Promise.all(Array.from({ length: 65 }, (_, n) => happens(`package-${n}`)));
    expect(await seal()).toBe(2);
    expect((await seals()).map(({ heads }) => heads.length)).toEqual([64, 1]);
    expect(await faults()).toEqual([]);
  });

  it('K4: when all was sealed last is known to whoever seals next', async () => {
    expect(await sinceSealed(pool)).toBeUndefined();
    await happens('package-a');
    await seal();
    expect(await seal()).toBe(0);
    await pool.query("UPDATE audit.sealed SET at = now() - interval '1 minute'");
    expect(await sinceSealed(pool)).toBeGreaterThanOrEqual(60_000);
    expect(await seal()).toBe(0); // nothing has happened, and it was looked at
    expect(await sinceSealed(pool)).toBeLessThan(30_000);
  });
});
