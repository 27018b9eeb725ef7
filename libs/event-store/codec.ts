import { randomBytes } from 'node:crypto';
import { type AnyEvent, type EventDefinition, FORGOTTEN, type Metadata, type Recorded } from '../domain/kernel/event.js';
import { eventIdOf } from '../domain/kernel/ids.js';
import { chainHash, linkText } from './chain.js';
import { decryptField, encryptField, isEncrypted, keysOf } from './encrypted-field.js';
import type { EncodedEvent, StoredEvent } from './event-store.js';
import type { PersonalKey, PersonalKeys } from './personal-keys.js';
import { type JsonObject, storableObject } from './stored-json.js';

/** Where the events go, and what is stored beside each of them. */
export interface EncodeContext {
  stream: string;
  revision: bigint; // of the first of them
  previousHash: string; // of the event before it; GENESIS for the first of a stream
  metadata: Omit<Metadata, 'version' | 'hash'>;
}

/** An event as it is stored, and its data as they will be read back: personal fields readable, of whoever is forgotten as forgotten. */
export interface Encoded {
  event: EncodedEvent;
  data: JsonObject;
  bytes: number; // of what is stored, about
}

export interface Codec {
  /**
   * Checks the events against their schemas, encrypts, chains. The keys of the persons are committed when it resolves.
   * @throws ZodError, NotStorable, UnknownEvent: faults of ours, not of the caller
   */
  encode(events: readonly AnyEvent[], context: EncodeContext): Promise<Encoded[]>;
  /**
   * Events of the newest version, personal fields readable. Data that need no change are handed on, not copied.
   * @throws UnknownEvent, or whatever a key that is missing or a field that was tampered with makes it throw
   */
  decode(stored: readonly StoredEvent[]): Promise<Recorded[]>;
}

/** This build is older than the event, or has lost its definition. Readers of a version ship before its writers. */
export class UnknownEvent extends Error {
  constructor(type: string, version: number, newest: number | undefined) {
    super(
      newest === undefined
        ? `This build knows no event "${type}" (version ${version}).`
        : `This build knows the event "${type}" up to version ${newest}, not ${version}.`,
    );
    this.name = 'UnknownEvent';
  }
}

/** `forgotten` is told of whoever is forgotten by an event that is read: from then on nothing of them is read, though the key may still be there. */
export type CodecKeys = Pick<PersonalKeys, 'forWriting' | 'forReading'> & Partial<Pick<PersonalKeys, 'forgotten'>>;

/** @param definitions of every event that is stored anywhere */
export function createCodec(definitions: readonly EventDefinition[], keys: CodecKeys): Codec {
  const known = registry(definitions);

  const definitionOf = (type: string, version?: number): EventDefinition => {
    const definition = known.get(type);
    if (!definition || (version ?? 0) > definition.version) throw new UnknownEvent(type, version ?? 1, definition?.version);
    return definition;
  };

  const read = (event: StoredEvent, personalKeys: ReadonlyMap<string, PersonalKey>): Recorded => {
    const definition = definitionOf(event.type, event.metadata.version);
    const readable = decrypted(event, personalKeys);
    const data = upcast(definition, event.metadata.version, readable);
    return data === event.data ? event : { ...event, data };
  };

  return {
    encode: async (events, { stream, revision, previousHash, metadata }) => {
      const facts = events.map(({ type, data }) => {
        const definition = definitionOf(type);
        return { definition, data: storableObject(definition.data.parse(data)) };
      });
      const personalKeys = await keys.forWriting([...new Set(facts.flatMap(({ definition, data }) => personsIn(definition, data)))]);
      const common = storableObject(metadata) as unknown as EncodeContext['metadata'];
      let hash = previousHash;
      return facts.map(({ definition, data }, index) => {
        const id = eventIdOf(metadata.commandId, stream, index);
        const event = { id, type: definition.type, data: encrypted(definition, data, id, personalKeys) };
        const beside = { ...common, version: definition.version };
        const text = linkText({ ...event, stream, revision: revision + BigInt(index), metadata: beside });
        hash = chainHash(hash, text);
        return { event: { ...event, metadata: { ...beside, hash } }, data: readBack(definition, data, personalKeys), bytes: text.length };
      });
    },

    decode: async (stored) => {
      for (const { type, data } of stored) {
        const forgets = known.get(type)?.forgets;
        if (forgets !== undefined) keys.forgotten?.(data[forgets] as string);
      }
      const ids = keysOf(stored.map(({ data }) => data));
      const personalKeys = ids.length > 0 ? await keys.forReading(ids) : none;
      return stored.map((event) => read(event, personalKeys));
    },
  };
}

const none: ReadonlyMap<string, PersonalKey> = new Map();

function registry(definitions: readonly EventDefinition[]): Map<string, EventDefinition> {
  const known = new Map<string, EventDefinition>();
  for (const definition of definitions) {
    const { type, version, upcast: lifts } = definition;
    if (known.has(type)) throw new Error(`Two definitions of the event "${type}".`);
    for (let from = 1; from < version; from += 1)
      if (!lifts[from]) throw new Error(`The event "${type}" lacks the upcaster from version ${from} to ${from + 1}.`);
    known.set(type, definition);
  }
  return known;
}

function upcast({ version, upcast: lifts }: EventDefinition, from: number, data: JsonObject): JsonObject {
  let lifted: unknown = data;
  for (let at = from; at < version; at += 1) lifted = lifts[at]!(lifted);
  return lifted as JsonObject;
}

const isText = (value: unknown): value is string => typeof value === 'string';

const personsIn = ({ type, personal }: EventDefinition, data: JsonObject): string[] =>
  Object.entries(personal).flatMap(([field, about]) => {
    if (!isText(data[field])) return [];
    const personId = data[about];
    if (!isText(personId))
      throw new Error(`The field "${field}" of the event "${type}" is about nobody: "${about}" is ${JSON.stringify(personId)}.`);
    return [personId];
  });

function encrypted({ personal }: EventDefinition, data: JsonObject, eventId: string, keys: ReadonlyMap<string, PersonalKey>): JsonObject {
  let stored = data;
  for (const [field, about] of Object.entries(personal)) {
    const text = data[field];
    if (!isText(text)) continue;
    const personId = data[about] as string;
    const key = keys.get(personId)!;
    const own = key === FORGOTTEN ? randomBytes(32) : key; // kept nowhere: it reads as forgotten at once
    stored = { ...stored, [field]: encryptField(text, personId, own, eventId, field) };
  }
  return stored;
}

function readBack({ personal }: EventDefinition, data: JsonObject, keys: ReadonlyMap<string, PersonalKey>): JsonObject {
  let readable = data;
  for (const [field, about] of Object.entries(personal))
    if (isText(data[field]) && keys.get(data[about] as string) === FORGOTTEN) readable = { ...readable, [field]: FORGOTTEN };
  return readable;
}

function decrypted({ id, data }: StoredEvent, keys: ReadonlyMap<string, PersonalKey>): JsonObject {
  let readable = data;
  for (const field in data) {
    const value = data[field];
    if (isEncrypted(value)) readable = { ...readable, [field]: decryptField(value, keys.get(value.key)!, id, field) };
  }
  return readable;
}
