import type { Pool } from 'pg';
import { HistorySealed, type Seal, sealsOf } from '../domain/seal/seal.events.js';
import type { EventStore, StoredEvent } from '../event-store/event-store.js';
import { isSigned, NO_SEAL, sealHash } from './seal.js';
import { sealEventsOf } from './stored-history.js';

// Whoever can write to the event store can write into the stream of the seals too. What stands there and is not the next of our seals vouches for
// nothing, and takes nothing away: seals follow from each other by number, hash and signature, not by where they stand. So it is told, and sealing
// goes on after it from the last seal.

export const STRAY_SEALS = `
  CREATE TABLE IF NOT EXISTS audit.stray_seals (
    business_id uuid NOT NULL,
    revision bigint NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    position bigint NOT NULL,
    found_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (business_id, revision)
  );`;

/** An event among the seals of a business that is none of them. */
export interface Stray {
  business: string;
  revision: string;
  eventId: string;
  type: string;
  position: string;
}

/** Where sealing goes on: the last seal, and the end of its stream, -1 when there is none. */
export interface SealStream {
  last: StoredEvent | undefined;
  end: bigint;
}

/** The seal that an event holds, if it holds one of that business that is what was signed, by whomever. */
export function sealIn({ type, data }: Pick<StoredEvent, 'type' | 'data'>, business: string): Seal | undefined {
  if (type !== HistorySealed.type || !HistorySealed.data.safeParse(data).success) return undefined;
  const seal = data as unknown as Seal;
  return seal.businessId === business && isSigned(seal) ? seal : undefined;
}

export class SealStreams {
  /**
   * @param keys public ones of this service
   * @param onStray told of each stray once, whoever finds it
   */
  constructor(
    private readonly parts: { store: Pick<EventStore, 'readStream' | 'lastOf'>; pool: Pool },
    private readonly keys: ReadonlySet<string>,
    private readonly onStray: (stray: Stray) => void,
  ) {}

  /** The last event says where it stands among the seals. Only if that is not where it is, all of them are read. */
  async of(business: string): Promise<SealStream> {
    const { store, pool } = this.parts;
    const tail = await store.lastOf(sealsOf(business));
    if (!tail) return { last: undefined, end: -1n };
    const seal = sealIn(tail, business);
    const { rows } = await pool.query<{ strays: string }>('SELECT count(*) AS strays FROM audit.stray_seals WHERE business_id = $1', [
      business,
    ]);
    const isLast = seal && this.keys.has(seal.publicKey) && BigInt(seal.number) + BigInt(rows[0]!.strays) === tail.revision + 1n;
    return isLast ? { last: tail, end: tail.revision } : this.walk(business);
  }

  private async walk(business: string): Promise<SealStream> {
    const found: StoredEvent[] = [];
    let [last, end]: [StoredEvent | undefined, bigint] = [undefined, -1n];
    for await (const event of sealEventsOf(this.parts.store, business)) {
      if (this.follows(event, last, business)) last = event;
      else found.push(event);
      end = event.revision;
    }
    await this.note(business, found);
    return { last, end };
  }

  /** Once the seals are signed with a key of ours, one with a key of nobody knows whom is none of them. */
  private follows(event: StoredEvent, before: StoredEvent | undefined, business: string): boolean {
    const seal = sealIn(event, business);
    const previous = before && (before.data as unknown as Seal);
    if (!seal || seal.number !== (previous?.number ?? 0) + 1 || seal.previous !== (previous ? sealHash(previous) : NO_SEAL)) return false;
    return this.keys.has(seal.publicKey) || !previous || !this.keys.has(previous.publicKey);
  }

  private async note(business: string, found: readonly StoredEvent[]): Promise<void> {
    const { pool } = this.parts;
    const revisions = found.map(({ revision }) => String(revision));
    await pool.query('DELETE FROM audit.stray_seals WHERE business_id = $1 AND revision <> ALL ($2::bigint[])', [business, revisions]); // of a store before
    for (const { revision, id: eventId, type, position } of found) {
      const { rowCount } = await pool.query(
        'INSERT INTO audit.stray_seals (business_id, revision, event_id, type, position) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
        [business, revision, eventId, type, position],
      );
      if (rowCount) this.onStray({ business, revision: String(revision), eventId, type, position: String(position) });
    }
  }
}

/** How many are known, of all businesses. */
export async function strayCount(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ strays: number }>('SELECT count(*)::float8 AS strays FROM audit.stray_seals');
  return rows[0]!.strays;
}
