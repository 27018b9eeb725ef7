import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { createDatabase } from '../../test/support/postgres.js';
import { defineEvent, personal, type AnyEvent } from '../domain/kernel/event.js';
import { eventIdOf } from '../domain/kernel/ids.js';
import { GENESIS, verifyChain } from './chain.js';
import { createCodec, UnknownEvent } from './codec.js';
import type { EncryptedField } from './encrypted-field.js';
import type { StoredEvent } from './event-store.js';
import { FORGOTTEN } from '../domain/kernel/event.js';
import { createPersonalKeys, type PersonalKeys } from './personal-keys.js';
import { NotStorable } from './stored-json.js';

const Renamed = z.object({ clientId: z.string(), name: personal('clientId'), email: personal('clientId').nullable() });
const ClientRenamed = defineEvent('ClientRenamed', Renamed);
const PriceSet1 = defineEvent('PriceSet', z.object({ amount: z.int(), note: z.string().optional() }));
const PriceSet2 = defineEvent('PriceSet', z.object({ price: z.object({ amount: z.int(), currency: z.string() }) }), {
  version: 2,
  upcast: { 1: (data) => ({ price: { amount: (data as { amount: number }).amount, currency: 'CAD' } }) },
});
const PriceSet3 = defineEvent('PriceSet', z.object({ price: z.object({ amount: z.int(), currency: z.string() }), from: z.string() }), {
  version: 3,
  upcast: { ...PriceSet2.upcast, 2: (data) => ({ ...(data as object), from: 'always' }) },
});

let database: Awaited<ReturnType<typeof createDatabase>>, pool: pg.Pool, keys: PersonalKeys;
beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  keys = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 1) });
  await keys.migrate();
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const codecOf = (...definitions: Parameters<typeof createCodec>[0]) => createCodec(definitions, keys);
const stream = 'client-1';
const metadata = {
  business: 'b',
  actor: { id: 'sub', role: 'owner' as const },
  commandId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  $correlationId: 'c',
  $causationId: 'c',
  time: '2027-01-31T09:30:00.000Z',
  read: { 'tax-1': '4' },
  requestHash: undefined,
};

/** Through the codec and JSON, as the store would give them back. */
async function stored(codec: ReturnType<typeof codecOf>, events: AnyEvent[], after: StoredEvent[] = []): Promise<StoredEvent[]> {
  const [revision, previousHash] = [BigInt(after.length), after.at(-1)?.metadata.hash ?? GENESIS];
  const encoded = await codec.encode(events, { stream, revision, previousHash, metadata });
  return encoded.map(({ event }, n) => {
    const parsed = JSON.parse(JSON.stringify(event)) as typeof event;
    return { ...parsed, stream, revision: revision + BigInt(n), position: 0n };
  });
}

const anna = (clientId: string, name = 'Anna Ångström 🧘') => ({ type: 'ClientRenamed', data: { clientId, name, email: null } });
const nameIn = (event: StoredEvent | undefined) => event!.data.name as EncryptedField;

describe('what is stored', () => {
  it('comes back as it was, chained, with ids that follow from the command', async () => {
    const codec = codecOf(ClientRenamed, PriceSet1);
    const events = [anna('anna'), { type: 'PriceSet', data: { amount: 5, note: undefined } }];
    const saved = await stored(codec, events);
    expect(verifyChain(saved)).toBeUndefined();
    expect(saved.map(({ id }) => id)).toEqual([0, 1].map((n) => eventIdOf(metadata.commandId, stream, n)));
    expect(saved[1]!.data).toStrictEqual({ amount: 5 });
    const { requestHash: _, ...present } = metadata;
    expect(saved[1]!.metadata).toStrictEqual({ ...present, version: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    const read = await codec.decode(saved);
    expect(read.map(({ type, data }) => ({ type, data }))).toEqual([events[0], { type: 'PriceSet', data: { amount: 5 } }]);
  });

  it('is what its schema allows, nothing that could not be hashed again', async () => {
    const codec = codecOf(PriceSet1);
    await expect(stored(codec, [{ type: 'PriceSet', data: { amount: 'five' } }])).rejects.toThrow(z.ZodError);
    await expect(stored(codec, [{ type: 'PriceSet', data: { amount: 1, note: '\ud800' } }])).rejects.toThrow(NotStorable);
    await expect(stored(codec, [anna('anna')])).rejects.toThrow(UnknownEvent);
  });
});

describe('versions', () => {
  it('old and new ones in one stream read as the newest, and their chain holds', async () => {
    const first = await stored(codecOf(PriceSet1), [{ type: 'PriceSet', data: { amount: 1, note: 'old' } }]);
    const price = { amount: 2, currency: 'JPY' };
    const second = await stored(codecOf(PriceSet2), [{ type: 'PriceSet', data: { price } }], first);
    const third = await stored(codecOf(PriceSet3), [{ type: 'PriceSet', data: { price, from: '2027' } }], [...first, ...second]);
    const mixed = [...first, ...second, ...third];
    expect(verifyChain(mixed)).toBeUndefined();
    expect((await codecOf(PriceSet3).decode(mixed)).map(({ data }) => data)).toEqual([
      { price: { amount: 1, currency: 'CAD' }, from: 'always' },
      { price, from: 'always' },
      { price, from: '2027' },
    ]);
    expect(mixed.map(({ metadata: { version } }) => version)).toEqual([1, 2, 3]);
  });

  it('a type or version that this build does not know is named', async () => {
    const newer = await stored(codecOf(PriceSet2), [{ type: 'PriceSet', data: { price: { amount: 2, currency: 'JPY' } } }]);
    await expect(codecOf(PriceSet1).decode(newer)).rejects.toThrow('"PriceSet" up to version 1, not 2');
    await expect(codecOf(ClientRenamed).decode(newer)).rejects.toThrow('no event "PriceSet" (version 2)');
  });

  it('a gap in the upcasters and a type defined twice are found at the start', () => {
    expect(() => codecOf({ ...PriceSet3, upcast: { 2: PriceSet3.upcast[2]! } })).toThrow('upcaster from version 1 to 2');
    expect(() => codecOf(PriceSet1, PriceSet2)).toThrow('Two definitions');
  });
});

describe('personal fields', () => {
  const codec = () => codecOf(ClientRenamed);

  it('are stored encrypted, each time anew, null as null', async () => {
    const id = randomUUID();
    const [first, second] = await stored(codec(), [anna(id), anna(id)]);
    expect(first!.data).toMatchObject({ clientId: id, name: { $enc: 1, key: id }, email: null });
    expect(Object.keys(nameIn(first))).toEqual(['$enc', 'key', 'iv', 'ct']);
    expect(Buffer.from(nameIn(first).iv, 'base64url')).toHaveLength(12);
    expect(nameIn(first)).not.toEqual(nameIn(second));
    expect(JSON.stringify(first!.data)).not.toContain('Anna');
  });

  it('read as forgotten once the key is gone; the chain holds', async () => {
    const [forgotten, kept] = [randomUUID(), randomUUID()];
    const saved = await stored(codec(), [anna(forgotten), anna(kept)]);
    await keys.forget(forgotten);
    await keys.forget(forgotten);
    expect((await codec().decode(saved)).map(({ data }) => data)).toMatchObject([{ name: FORGOTTEN }, { name: 'Anna Ångström 🧘' }]);
    expect(verifyChain(saved)).toBeUndefined();
  });

  it('of someone forgotten can still be stored, and are forgotten at once', async () => {
    const id = randomUUID();
    await keys.forget(id);
    const [encoded] = await codec().encode([anna(id)], { stream, revision: 0n, previousHash: GENESIS, metadata });
    expect(encoded!.data).toMatchObject({ name: FORGOTTEN, email: null });
    const [event] = await stored(codec(), [anna(id)]);
    expect((await codec().decode([event!]))[0]!.data).toMatchObject({ name: FORGOTTEN });
  });

  it('whose key is neither there nor on the list are an error', async () => {
    const id = randomUUID();
    const saved = await stored(codec(), [anna(id)]);
    await pool.query('delete from personal_keys.keys where person_id = $1', [id]);
    const restarted = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 1) });
    await expect(createCodec([ClientRenamed], restarted).decode(saved)).rejects.toThrow(`no key for the person ${id}`);
  });

  it('that were changed, or moved to another event or field, are an error', async () => {
    const [first, second] = await stored(codec(), [anna(randomUUID()), anna(randomUUID())]);
    const tampered = (data: object) => codec().decode([{ ...first!, data: { ...first!.data, ...data } }]);
    await expect(tampered({ name: { ...nameIn(first), ct: nameIn(second).ct } })).rejects.toThrow();
    await expect(tampered({ name: nameIn(second) })).rejects.toThrow();
    await expect(tampered({ email: nameIn(first) })).rejects.toThrow();
    await expect(tampered({ name: { ...nameIn(first), $enc: 2 } })).rejects.toThrow('form 2');
  });

  it('about nobody are a fault of ours', () =>
    expect(stored(codecOf({ ...ClientRenamed, personal: { name: 'providerId' } }), [anna('anna')])).rejects.toThrow('about nobody'));
});
