import type { Metadata } from '../domain/kernel/event.js';
import { ProtoReader, tagOf } from './proto-reader.js';
import type { StoredEvent } from './stored-event.js';
import type { JsonObject } from './stored-json.js';

// `ReadResp` of streams.proto, read by hand: every event that is read passes through here. The client makes three generated objects of each, then
// its own, and sends that through two streams, which takes three times as much processor time. What comes of it is the same: read-answers.spec.ts.

/** An event; or there is no such stream; or what else the server says, which nobody asks here. */
export type ReadAnswer = StoredEvent | 'no stream' | 'nothing';

const EVENT = tagOf(1, 'delimited'); // of ReadResp its ReadEvent, and of that the RecordedEvent
const COMMIT_POSITION = tagOf(3, 'number');
const STREAM_NOT_FOUND = tagOf(4, 'delimited');

/** @throws RangeError if it is no such message */
export function readAnswer(message: Buffer): ReadAnswer {
  const reader = new ProtoReader(message);
  while (reader.isBefore(message.length)) {
    const tag = reader.tag();
    if (tag === EVENT) return eventOf(reader) ?? 'nothing';
    if (tag === STREAM_NOT_FOUND) return 'no stream';
    reader.skip(tag);
  }
  return 'nothing';
}

/** Undefined for a link whose event is gone: nothing of ours. */
function eventOf(reader: ProtoReader): StoredEvent | undefined {
  const end = reader.end();
  let event: StoredEvent | undefined;
  let position: bigint | undefined; // of the link, where it was read through one
  while (reader.isBefore(end)) {
    const tag = reader.tag();
    if (tag === EVENT) event = recordedOf(reader);
    else if (tag === COMMIT_POSITION) position = reader.uint64();
    else reader.skip(tag);
  }
  if (event && position !== undefined) event.position = position;
  return event;
}

const ID = tagOf(1, 'delimited');
const STREAM = tagOf(2, 'delimited');
const REVISION = tagOf(3, 'number');
const POSITION = tagOf(5, 'number');
const OF_THE_SERVER = tagOf(6, 'delimited');
const METADATA = tagOf(7, 'delimited');
const DATA = tagOf(8, 'delimited');

const NOTHING = Buffer.alloc(0);
const NO_DATA = {} as JsonObject;
const NO_METADATA = {} as Metadata;

function recordedOf(reader: ProtoReader): StoredEvent {
  const end = reader.end();
  const event: StoredEvent = { stream: '', id: '', revision: 0n, position: 0n, type: '', data: NO_DATA, metadata: NO_METADATA };
  let isJson = false;
  let data: Buffer = NOTHING;
  let metadata: Buffer = NOTHING;
  while (reader.isBefore(end)) {
    const tag = reader.tag();
    if (tag === ID) event.id = textIn(reader, UUID_TEXT);
    else if (tag === STREAM) event.stream = textIn(reader, STREAM_NAME);
    else if (tag === REVISION) event.revision = reader.uint64();
    else if (tag === POSITION) event.position = reader.uint64();
    else if (tag === OF_THE_SERVER) {
      const { key, value } = entryOf(reader);
      if (key === 'type') event.type = value;
      else if (key === 'content-type') isJson = value === 'application/json';
    } else if (tag === METADATA) metadata = reader.bytes();
    else if (tag === DATA) data = reader.bytes();
    else reader.skip(tag);
  }
  event.data = (isJson ? jsonOr(data, String) : copyOf(data)) as JsonObject;
  event.metadata = (metadata.length ? jsonOr(metadata, copyOf) : undefined) as Metadata;
  return event;
}

const UUID_TEXT = tagOf(2, 'delimited');
const STREAM_NAME = tagOf(3, 'delimited');

/** Of a message the one field that is text. */
function textIn(reader: ProtoReader, field: number): string {
  const end = reader.end();
  let text = '';
  while (reader.isBefore(end)) {
    const tag = reader.tag();
    if (tag === field) text = reader.text();
    else reader.skip(tag);
  }
  return text;
}

const KEY = tagOf(1, 'delimited');
const VALUE = tagOf(2, 'delimited');

/** Of a map. */
function entryOf(reader: ProtoReader): { key: string; value: string } {
  const end = reader.end();
  const entry = { key: '', value: '' };
  while (reader.isBefore(end)) {
    const tag = reader.tag();
    if (tag === KEY) entry.key = reader.text();
    else if (tag === VALUE) entry.value = reader.text();
    else reader.skip(tag);
  }
  return entry;
}

const copyOf = (bytes: Buffer): Uint8Array => Uint8Array.from(bytes);

/** Others may keep in the store what they like. */
function jsonOr(bytes: Buffer, otherwise: (bytes: Buffer) => unknown): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return otherwise(bytes);
  }
}
