import type { KnownEvent } from './append-rules.js';
import type { StoredEvent } from './stored-event.js';

/** The real server keeps 8 MiB of them (`ESConsts.CommitedEventsMemCacheLimit`). */
const byteLimit = 8 * 1024 * 1024;
/** What one entry counts for there: id, number and a reference, beside its stream name in UTF-16. */
const sizeOf = ({ stream }: KnownEvent): number => 28 + 2 * stream.length;

const key = (stream: string, revision: bigint): string => `${revision}@${stream}`;

/** The ids stored last, by id and by place. Empty after a restart, as it is in the real server. */
export class RecentIds {
  private readonly byEventId = new Map<string, KnownEvent>();
  private readonly byPlace = new Map<string, string>();
  private bytes = 0;

  byId(id: string): KnownEvent | undefined {
    return this.byEventId.get(id);
  }

  at(stream: string, revision: bigint): { id: string; position: bigint } | undefined {
    const id = this.byPlace.get(key(stream, revision));
    const known = id === undefined ? undefined : this.byEventId.get(id);
    return id !== undefined && known?.stream === stream && known.revision === revision ? { id, position: known.position } : undefined;
  }

  add({ id, stream, revision, position }: StoredEvent): void {
    this.remove(id); // stored twice: the later one counts
    const known = { stream, revision, position };
    this.byEventId.set(id, known);
    this.byPlace.set(key(stream, revision), id);
    this.bytes += sizeOf(known);
    while (this.bytes > byteLimit) this.remove(this.byEventId.keys().next().value!);
  }

  clear(): void {
    this.byEventId.clear();
    this.byPlace.clear();
    this.bytes = 0;
  }

  private remove(id: string): void {
    const known = this.byEventId.get(id);
    if (!known) return;
    this.byEventId.delete(id);
    this.byPlace.delete(key(known.stream, known.revision));
    this.bytes -= sizeOf(known);
  }
}
