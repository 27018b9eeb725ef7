import { randomUUID } from 'node:crypto';
import { decideAppend, type AppendDecision, type EventLookup, type KnownEvent, type StreamState } from './append-rules.js';
import { streamHead, type StreamHead } from './event-log.js';
import type { RecentIds } from './recent-ids.js';
import type { StreamHeads } from './stream-heads.js';
import {
  deletedStream,
  isMetastream,
  metastreamOf,
  noStream,
  originalOf,
  recordSize,
  systemEventTypes,
  type ExpectedRevision,
  type ProposedEvent,
  type StoredEvent,
} from './stored-event.js';
import { firstReadable, isSoftDeleted, recreatedMetadata, softDeletedMetadata } from './stream-metadata.js';

export type Write =
  | { kind: 'append'; stream: string; expected: ExpectedRevision; events: readonly ProposedEvent[] }
  | { kind: 'delete' | 'tombstone'; stream: string; expected: ExpectedRevision };

/**
 * What a write that was decided gets for an answer; `revision` is -1 where the stream has no event. A repeat of an
 * event that cannot be read any more has no position.
 */
export type WriteOutcome =
  | { kind: 'stored'; revision: bigint; position: bigint | undefined }
  | { kind: 'wrongExpectedVersion'; current: bigint }
  | { kind: 'streamDeleted' };

/** Ids read from storage because the decision depends on them, by revision. */
export type ReadIds = ReadonlyMap<bigint, { id: string; position: bigint }>;

const noBytes = Buffer.alloc(0);

/** The stream under whose name the head of a stream is kept: a metastream's is part of its original's. */
export const headKey = (stream: string): string => (isMetastream(stream) ? originalOf(stream) : stream);

/**
 * The writes of one transaction: each is decided on what is committed plus what this batch has stored before it.
 * Nothing of it is visible to anyone until the transaction is on disk and `apply` is called.
 */
export class Batch {
  readonly events: StoredEvent[] = [];
  private readonly heads = new Map<string, StreamHead>();
  private readonly idsByPlace = new Map<string, { id: string; position: bigint }>();
  private readonly byEventId = new Map<string, KnownEvent>();

  /**
   * @param position where the log goes on
   * @param now ticks; the time of every event of this batch
   */
  constructor(
    private readonly committedHeads: StreamHeads,
    private readonly recentIds: RecentIds,
    private position: bigint,
    private readonly now: bigint,
  ) {}

  get nextPosition(): bigint {
    return this.position;
  }

  /** Decides one write and stores its events in the batch; `readIds` asks to come again with those ids. */
  add(write: Write, idsRead?: ReadIds): WriteOutcome | Extract<AppendDecision, { kind: 'readIds' }> {
    const { stream, expected } = write;
    const state = this.stateOf(stream);
    const id = write.kind === 'append' ? '' : randomUUID();
    const ids = write.kind === 'append' ? write.events.map((event) => event.id) : [id];
    const decision = decideAppend(stream, state, expected, ids, this.lookup(state.revision, idsRead));
    if (decision.kind === 'repeat') {
      const { revision, position } = decision;
      return { kind: 'stored', revision, position: this.isReadable(stream, revision) ? position : undefined };
    }
    if (decision.kind !== 'store') return decision;
    if (write.kind === 'append') return this.append(stream, state.revision, write.events, decision.recreate);
    return write.kind === 'tombstone' ? this.tombstone(stream, id) : this.softDelete(stream, state, id);
  }

  /** Makes the batch what everyone sees: called when its transaction has been committed. */
  apply(): void {
    for (const [stream, head] of this.heads) this.committedHeads.set(stream, head);
    for (const event of this.events) this.recentIds.add(event);
  }

  private append(stream: string, current: bigint, events: readonly ProposedEvent[], recreate: boolean): WriteOutcome {
    const revivesOriginal = isMetastream(stream) && isSoftDeleted(this.head(originalOf(stream)).metadata);
    let position = this.position;
    if (events.length === 0) this.position += recordSize({ stream, type: '', data: noBytes, metadata: noBytes });
    events.forEach((event, index) => {
      position = this.position;
      this.store({ ...event, stream, revision: current + 1n + BigInt(index), position, created: this.now });
    });
    if (recreate) this.recreate(stream, current + 1n, this.head(stream).rawMetadata);
    if (revivesOriginal) {
      const { revision, rawMetadata } = this.head(originalOf(stream));
      this.recreate(originalOf(stream), revision + 1n, events.at(-1)?.data ?? rawMetadata);
    }
    return { kind: 'stored', revision: current + BigInt(events.length), position };
  }

  private tombstone(stream: string, id: string): WriteOutcome {
    const position = this.position;
    this.store({ ...systemEvent(id, systemEventTypes.streamDeleted), stream, revision: deletedStream, position, created: this.now });
    return { kind: 'stored', revision: deletedStream, position };
  }

  private softDelete(stream: string, { revision, metadataRevision }: StreamState, id: string): WriteOutcome {
    if (revision < 0n && metadataRevision < 0n) return { kind: 'wrongExpectedVersion', current: noStream };
    const position = this.position;
    this.storeMetadata(stream, softDeletedMetadata(), id);
    return { kind: 'stored', revision, position };
  }

  /** A soft-deleted stream goes on with its next revision; only what comes from here on can be read. */
  private recreate(stream: string, from: bigint, rawMetadata: Uint8Array | null): void {
    const metadata = rawMetadata && recreatedMetadata(rawMetadata, BigInt.asIntN(64, from));
    if (metadata) this.storeMetadata(stream, metadata, randomUUID());
  }

  private storeMetadata(stream: string, data: Buffer, id: string): void {
    const metastream = metastreamOf(stream);
    const revision = this.head(stream).metadataRevision + 1n;
    const event = { ...systemEvent(id, systemEventTypes.metadata), isJson: true, data };
    this.store({ ...event, stream: metastream, revision, position: this.position, created: this.now });
  }

  private store(event: StoredEvent): void {
    this.events.push(event);
    this.position += recordSize(event);
    if (!this.recentIds.byId(event.id) && !this.byEventId.has(event.id)) this.byEventId.set(event.id, event);
    this.idsByPlace.set(`${event.revision}@${event.stream}`, event);
    const head = this.head(headKey(event.stream));
    this.heads.set(
      headKey(event.stream),
      isMetastream(event.stream)
        ? streamHead(head.revision, event.revision, event.isJson ? event.data : null)
        : { ...head, revision: event.revision },
    );
  }

  private isReadable(stream: string, revision: bigint): boolean {
    if (isMetastream(stream)) return revision === this.head(originalOf(stream)).metadataRevision;
    const { metadata, revision: last } = this.head(stream);
    return revision >= firstReadable(metadata, last);
  }

  private head(stream: string): StreamHead {
    const head = this.heads.get(stream) ?? this.committedHeads.peek(stream);
    if (!head) throw new Error(`the head of ${stream} is not loaded`);
    return head;
  }

  private stateOf(stream: string): StreamState {
    const head = this.head(headKey(stream));
    if (!isMetastream(stream))
      return { revision: head.revision, metadataRevision: head.metadataRevision, softDeleted: isSoftDeleted(head.metadata) };
    return { revision: head.metadataRevision, metadataRevision: noStream, softDeleted: false };
  }

  private lookup(current: bigint, idsRead: ReadIds | undefined): EventLookup {
    return {
      byId: (id) => this.byEventId.get(id) ?? this.recentIds.byId(id),
      at: (stream, revision) => {
        if (revision > current) return undefined;
        const known = this.idsByPlace.get(`${revision}@${stream}`) ?? this.recentIds.at(stream, revision) ?? idsRead?.get(revision);
        return known ?? (idsRead ? undefined : 'unknown');
      },
    };
  }
}

const systemEvent = (id: string, type: string): ProposedEvent => ({ id, type, isJson: false, data: noBytes, metadata: noBytes });
