import { deletedStream, noStream, type ExpectedRevision } from './stored-event.js';

/** What the rules need to know of a stream, the appends of the same batch included. */
export interface StreamState {
  revision: bigint; // -1 without events, `deletedStream` after a tombstone
  metadataRevision: bigint;
  softDeleted: boolean;
}

/** Where an event id was stored, as far as a bounded memory goes. */
export interface KnownEvent {
  stream: string;
  revision: bigint;
  position: bigint;
}

export interface EventLookup {
  /** Recently stored event of this id, in any stream. */
  byId(id: string): KnownEvent | undefined;
  /** Id and position of a stored event, `unknown` if it has to be read from storage first. */
  at(stream: string, revision: bigint): { id: string; position: bigint } | 'unknown' | undefined;
}

export type AppendDecision =
  | { kind: 'store'; recreate: boolean }
  | { kind: 'repeat'; revision: bigint; position: bigint }
  | { kind: 'wrongExpectedVersion'; current: bigint }
  | { kind: 'streamDeleted' }
  /** The answer depends on stored ids that are not in memory: read those from `from` on and decide again. */
  | { kind: 'readIds'; from: bigint };

const store = (recreate: boolean): AppendDecision => ({ kind: 'store', recreate });
const wrongExpectedVersion = (current: bigint): AppendDecision => ({ kind: 'wrongExpectedVersion', current });
const streamDeleted: AppendDecision = { kind: 'streamDeleted' };

/**
 * Whether an append is stored: the real server's `IndexWriter.CheckCommit` (23.10), no kinder. Note that a repeat
 * whose expected revision is the current one is stored a second time. A repeat that is only partly known ("corrupted
 * idempotency") is answered as wrong expected version, as `StorageWriterService.ActOnCommitCheckFailure` does.
 */
export const decideAppend = (
  stream: string,
  state: StreamState,
  expected: ExpectedRevision,
  ids: readonly string[],
  events: EventLookup,
): AppendDecision => {
  const current = state.revision;
  if (current === deletedStream) return streamDeleted;
  if (expected === 'streamExists') {
    if (state.softDeleted) return streamDeleted;
    if (current < 0n && state.metadataRevision < 0n) return wrongExpectedVersion(current);
  }
  if (expected === 'any' || expected === 'streamExists') return decideByKnownIds(stream, state, ids, events);
  const revision = expected === 'noStream' ? noStream : expected;
  if (revision > current) return wrongExpectedVersion(current);
  if (revision === current) return store(state.softDeleted);
  return decideByFollowingEvents(stream, state, revision, ids, events);
};

/** No revision expected: a repeat is recognised only while its ids are still remembered. */
const decideByKnownIds = (stream: string, state: StreamState, ids: readonly string[], events: EventLookup): AppendDecision => {
  let last: KnownEvent | undefined;
  for (const id of ids) {
    const known = events.byId(id);
    if (known?.stream !== stream) return last ? wrongExpectedVersion(state.revision) : store(state.softDeleted);
    last = known;
  }
  return last ? { kind: 'repeat', revision: last.revision, position: last.position } : store(state.softDeleted);
};

/** An older revision expected: a repeat has the ids of the very events that follow it. */
const decideByFollowingEvents = (
  stream: string,
  state: StreamState,
  expected: bigint,
  ids: readonly string[],
  events: EventLookup,
): AppendDecision => {
  let revision = expected;
  let position = 0n;
  for (const id of ids) {
    revision += 1n;
    const known = events.byId(id);
    if (known?.stream === stream && known.revision === revision) {
      position = known.position;
      continue;
    }
    const stored = events.at(stream, revision);
    if (stored === 'unknown') return { kind: 'readIds', from: expected + 1n };
    if (stored?.id === id) {
      position = stored.position;
      continue;
    }
    const first = revision === expected + 1n;
    return first && expected === noStream && state.softDeleted ? store(true) : wrongExpectedVersion(state.revision);
  }
  return revision === expected ? wrongExpectedVersion(state.revision) : { kind: 'repeat', revision, position };
};
