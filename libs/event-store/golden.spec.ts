import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { domainEvents } from '../domain/events.js';
import { defineEvent, type EventDefinition, personal } from '../domain/kernel/event.js';
import { eventIdOf } from '../domain/kernel/ids.js';
import { chainHash, GENESIS, linkText } from './chain.js';
import { createCodec, type Codec } from './codec.js';
import type { StoredEvent } from './event-store.js';
import type { PersonalKeys } from './personal-keys.js';
import type { JsonObject } from './stored-json.js';
import { examplesOfShape } from './testing/examples-of-shape.js';

// For every version of every event that was ever stored, golden/ keeps examples as they are stored, and what they must read
// as, for ever. A new event or version fails here until its file is written: WRITE_GOLDEN=1 writes those that are missing,
// and never touches one that is there. When a type gets a new version, the `reads` of its older files are edited by hand.

const folder = new URL('golden/', import.meta.url);

interface Golden {
  type: string;
  version: number;
  examples: { stored: JsonObject; reads: JsonObject }[];
}

const metadata = {
  business: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  actor: { id: 'sub', role: 'owner' as const },
  commandId: '0190a8c2-7b1e-7c3a-8f21-3d5e6f708192',
  $correlationId: 'c',
  $causationId: 'c',
  time: '2027-01-31T09:30:00.000Z',
};
const stream = 'golden-1';

/** Everybody's key is 32 bytes of hex 11, so that what was encrypted for a file can be read on any machine. */
const everybody = async (personIds: readonly string[]) => new Map(personIds.map((personId) => [personId, Buffer.alloc(32, 0x11)]));
const keys: Pick<PersonalKeys, 'forWriting' | 'forReading'> = { forWriting: everybody, forReading: everybody };

async function goldenOf(definition: EventDefinition, codec: Codec): Promise<Golden> {
  const { type, version } = definition;
  const events = examplesOfShape(definition.data).map((data) => ({ type, data }));
  const encoded = await codec.encode(events, { stream, revision: 0n, previousHash: GENESIS, metadata });
  return { type, version, examples: encoded.map(({ event, data }) => ({ stored: event.data, reads: data })) };
}

/** The examples, as events of a stream. Their ids follow from their places, as when they were written. */
function storedOf({ type, version, examples }: Golden): StoredEvent[] {
  return examples.map(({ stored }, n) => {
    const event = { stream, revision: BigInt(n), id: eventIdOf(metadata.commandId, stream, n), type, data: stored };
    const beside = { ...metadata, version };
    return { ...event, position: BigInt(n), metadata: { ...beside, hash: chainHash(GENESIS, linkText({ ...event, metadata: beside })) } };
  });
}

const nameOf = (type: string, version: number) => `${type}.v${version}.json`;
const versionsOf = (definitions: readonly EventDefinition[]) =>
  definitions.flatMap((definition) =>
    Array.from({ length: definition.version }, (_, n) => [nameOf(definition.type, n + 1), definition, n + 1] as const),
  );

async function check(golden: Golden, definition: EventDefinition, codec: Codec): Promise<void> {
  const read = await codec.decode(storedOf(golden));
  expect(read.map(({ data }) => data)).toEqual(golden.examples.map(({ reads }) => reads));
  for (const { reads } of golden.examples) expect(definition.data.parse(reads)).toEqual(reads);
  if (golden.version < definition.version) return;
  // A shape that was stored is never edited: what differs from its file is a new version.
  expect(examplesOfShape(definition.data)).toEqual(golden.examples.map(({ reads }) => reads));
}

describe('every event of the domain, in every version that was ever stored', () => {
  const codec = createCodec(domainEvents, keys);
  const versions = versionsOf(domainEvents);

  it.each(versions)('%s', async (name, definition, version) => {
    const file = new URL(name, folder);
    if (!existsSync(file) && process.env.WRITE_GOLDEN === '1' && version === definition.version)
      writeFileSync(file, `${JSON.stringify(await goldenOf(definition, codec), null, 2)}\n`);
    if (!existsSync(file)) throw new Error(`libs/event-store/golden/${name} is missing: WRITE_GOLDEN=1 npm test -- golden writes it.`);
    await check(JSON.parse(readFileSync(file, 'utf8')) as Golden, definition, codec);
  });

  it('none has been taken away', () => {
    const known = new Set(versions.map(([name]) => name));
    expect((existsSync(folder) ? readdirSync(folder) : []).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('a golden file', () => {
  const first = defineEvent(
    'NoteTaken',
    z.object({ clientId: z.uuid(), note: personal('clientId').nullable(), rank: z.enum(['a', 'b', 'c']) }),
  );
  const written = () => goldenOf(first, createCodec([first], keys));
  const checkWith = async (golden: Golden, now: EventDefinition) => check(golden, now, createCodec([now], keys));

  it('holds an example of every branch, personal fields encrypted', async () => {
    const { examples } = await written();
    expect(examples.map(({ reads }) => reads.rank)).toEqual(['a', 'b', 'c']);
    expect(examples.map(({ stored }) => stored.note)).toMatchObject([{ $enc: 1 }, null, { $enc: 1 }]);
    await checkWith(await written(), first);
  });

  it.each([
    ['a field less', z.object({ clientId: z.uuid(), rank: z.enum(['a', 'b', 'c']) })],
    ['a field more, though optional', first.data.extend({ more: z.string().optional() })],
    ['another value of an enum', first.data.extend({ rank: z.enum(['a', 'b', 'c', 'd']) })],
    ['a field that is no longer nullable', first.data.extend({ note: z.string() })],
  ])('fails when its shape is edited: %s', async (_, shape) =>
    expect(checkWith(await written(), { ...first, data: shape })).rejects.toThrow(),
  );

  it('fails when an upcaster makes something else of it than it did', async () => {
    const second = defineEvent('NoteTaken', z.object({ clientId: z.uuid(), note: z.string(), rank: z.int() }), {
      version: 2,
      upcast: { 1: (data) => ({ ...(data as { note: string | null }), note: (data as { note: string | null }).note ?? '', rank: 1 }) },
    });
    const { examples, ...golden } = await written();
    const lifted = {
      ...golden,
      examples: examples.map(({ stored, reads }) => ({ stored, reads: { ...reads, note: reads.note ?? '', rank: 1 } })),
    };
    await checkWith(lifted, second);
    await expect(checkWith({ ...golden, examples }, second)).rejects.toThrow();
  });
});
