import type { Aggregate, AnyEvent, Recorded } from '../domain/kernel/event.js';
import { GENESIS } from './chain.js';

/** What is known of one stream up to a revision: the state, and the envelope that the command handling needs beside it. */
export interface KnownStream<State = unknown> {
  state: State;
  revision: bigint; // of the last event; -1: there is none
  position: bigint; // of the last event in $all
  hash: string;
  time: string;
  business: string | undefined;
  commands: Map<string, RecordedCommand>; // by command id: every command that ever changed the stream
  bytes: number; // of what is stored, about
}

/** What a command did to the stream: its events are among those from `first` to `last`. */
export interface RecordedCommand {
  requestHash: string | undefined;
  hashKey: string | undefined;
  first: bigint;
  last: bigint;
  position: bigint;
}

const METADATA_BYTES = 600; // about

export const nothing = <State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>): KnownStream<State> => ({
  state: structuredClone(aggregate.initial),
  revision: -1n,
  position: 0n,
  hash: GENESIS,
  time: '',
  business: undefined,
  commands: new Map(),
  bytes: METADATA_BYTES,
});

/** Folds one more event, in place. @param bytes what it takes to store it, about */
export function grow<State, Event extends AnyEvent>(
  known: KnownStream<State>,
  aggregate: Aggregate<State, Event>,
  event: Recorded<Event>,
  bytes = METADATA_BYTES + JSON.stringify(event.data).length,
): void {
  const { revision, position, metadata } = event;
  if (revision !== known.revision + 1n) throw new Error(`${event.stream}: revision ${revision} can't follow ${known.revision}.`);
  known.state = aggregate.evolve(known.state, event);
  known.revision = revision;
  known.position = position;
  known.hash = metadata.hash;
  known.time = metadata.time;
  known.business = metadata.business;
  known.bytes += bytes;
  const { requestHash, hashKey } = metadata;
  const first = known.commands.get(metadata.commandId)?.first ?? revision;
  known.commands.set(metadata.commandId, { requestHash, hashKey, first, last: revision, position });
}
