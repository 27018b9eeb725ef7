import type { KnownEvent } from './append-rules.js';
import type { StoredEvent } from './stored-event.js';

/** The real server keeps 8 MiB of them (`ESConsts.CommitedEventsMemCacheLimit`). */
const byteLimit = 8 * 1024 * 1024;
/** What one entry counts for there: id, number and a reference, beside its stream name in UTF-16. */
const sizeOf = ({ stream }: KnownEvent): number => 28 + 2 * stream.length;

const key = (stream: string, revision: bigint): string => `${revision}@${stream}`;

interface Place extends KnownEvent {
  id: string;
}

/**
 * The events stored last, by id and by place. An id that was stored more than once is known by where it was stored
 * first, so that a repeat in another stream is stored again, as in the real server. Empty after a restart, as there.
 */
export class RecentIds {
  private readonly byEventId = new Map<string, Place>();
  private readonly byPlace = new Map<string, Place>();
  private bytes = 0;

  byId(id: string): KnownEvent | undefined {
    return this.byEventId.get(id);
  }

  at(stream: string, revision: bigint): { id: string; position: bigint } | undefined {
    return this.byPlace.get(key(stream, revision));
  }

  add({ id, stream, revision, position }: StoredEvent): void {
    const place = { id, stream, revision, position };
    this.byPlace.set(key(stream, revision), place);
    if (!this.byEventId.has(id)) this.byEventId.set(id, place);
    this.bytes += sizeOf(place);
    while (this.bytes > byteLimit) this.forgetOldest();
  }

  clear(): void {
    this.byEventId.clear();
    this.byPlace.clear();
    this.bytes = 0;
  }

  private forgetOldest(): void {
    const [oldestKey, oldest] = this.byPlace.entries().next().value!;
    this.byPlace.delete(oldestKey);
    if (this.byEventId.get(oldest.id) === oldest) this.byEventId.delete(oldest.id);
    this.bytes -= sizeOf(oldest);
  }
}
