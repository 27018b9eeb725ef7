import type { Metadata } from '../domain/kernel/event.js';
import type { JsonObject } from './stored-json.js';

/** An event as it is stored, encrypted fields and chain hash included. */
export interface EncodedEvent {
  id: string;
  type: string;
  data: JsonObject;
  metadata: Metadata;
}

/** The same, with its place in the store. */
export interface StoredEvent extends EncodedEvent {
  stream: string;
  revision: bigint; // in its stream, from 0
  position: bigint; // commit position in $all
}
