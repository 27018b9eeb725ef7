import type { Head, Seal } from '../domain/seal/seal.events.js';
import type { StoredEvent } from '../event-store/event-store.js';
import { EMPTY_LOG, logAfter, NO_SEAL, sealHash, type SealKey } from './seal.js';

/** What has happened in one business since its last seal, as far as the next one says it. */
export class Unsealed {
  private readonly heads = new Map<string, Omit<Head, 'stream'>>();
  private log: string;
  private events: number;
  private streams: number;
  private through: bigint;

  constructor(
    private readonly business: string,
    private readonly last: Seal | undefined,
  ) {
    this.log = last?.log ?? EMPTY_LOG;
    this.events = last?.events ?? 0;
    this.streams = last?.streams ?? 0;
    this.through = BigInt(last?.through ?? -1);
  }

  /** The next event of the business, in the order of `$all`; what is sealed already is left out. */
  take(event: StoredEvent): void {
    if (event.position <= this.through) return;
    const { stream, revision, metadata } = event;
    this.through = event.position;
    this.log = logAfter(this.log, event);
    this.events += 1;
    if (revision === 0n) this.streams += 1;
    this.heads.set(stream, { revision: revision.toString(), hash: metadata.hash });
  }

  /** Streams that have changed. */
  get changed(): number {
    return this.heads.size;
  }

  /** The next seal. */
  sealed(at: string, key: SealKey): Seal {
    const { business, last, log, events, streams, through } = this;
    const heads = [...this.heads].map(([stream, head]) => ({ stream, ...head })).sort((a, b) => (a.stream < b.stream ? -1 : 1));
    const previous = last ? sealHash(last) : NO_SEAL;
    const number = (last?.number ?? 0) + 1;
    return key.seal({ businessId: business, number, at, through: through.toString(), events, streams, log, heads, previous });
  }
}
