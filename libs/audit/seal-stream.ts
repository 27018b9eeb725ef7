import type { Pool } from 'pg';
import { HistorySealed, type Seal, sealsOf } from '../domain/seal/seal.events.js';
import type { EventStore, StoredEvent } from '../event-store/event-store.js';
import { isSigned, NO_SEAL, sealHash } from './seal.js';
import { sealEventsOf } from './stored-history.js';

// Whoever can write to the event store can write into the stream of the seals too. What is not signed with a key of ours, or stands there once more,
// vouches for nothing, and takes nothing away: seals follow from each other by number, hash and signature, not by where they stand. So it is told,
// and sealing goes on after it from the last seal. A seal of ours that does not go on from the one before it is another thing: what it goes on from
// was changed or taken away, and nothing is signed over that.

export const STRAY_SEALS = `
  CREATE TABLE IF NOT EXISTS audit.stray_seals (
    business_id uuid NOT NULL,
    revision bigint NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    position bigint NOT NULL,
    found_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (business_id, revision)
  );
  CREATE TABLE IF NOT EXISTS audit.stray_counts (business_id uuid PRIMARY KEY, strays bigint NOT NULL);`;

const MOST_NOTED = 1_000; // of a business: the first of them; the rest are counted
const MOST_LETTERS = 100; // of the type that somebody else has made up

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

/** Of a business, a seal of ours stands there that does not go on from the one before: that one was changed or taken away. */
export class BrokenSeals extends Error {
  override name = 'BrokenSeals';
}

/** The seal that an event holds, if it holds one of that business that is what was signed, by whomever. */
export function sealIn({ type, data }: Pick<StoredEvent, 'type' | 'data'>, business: string): Seal | undefined {
  if (type !== HistorySealed.type || !HistorySealed.data.safeParse(data).success) return undefined;
  const seal = data as unknown as Seal;
  return seal.businessId === business && isSigned(seal) ? seal : undefined;
}

const isBelow = (seal: Seal, { position }: StoredEvent): boolean => BigInt(seal.through) < position;

export class SealStreams {
  /**
   * @param keys public ones of this service
   * @param onStray told of each stray that is noted, once, whoever finds it
   */
  constructor(
    private readonly parts: { store: Pick<EventStore, 'readStream' | 'lastOf'>; pool: Pool },
    private readonly keys: ReadonlySet<string>,
    private readonly onStray: (stray: Stray) => void = () => undefined,
  ) {}

  /**
   * The last event says where it stands among the seals. Only if that is not where it is, all of them are read.
   * @throws BrokenSeals
   */
  async of(business: string): Promise<SealStream> {
    const { store, pool } = this.parts;
    const tail = await store.lastOf(sealsOf(business));
    if (!tail) return { last: undefined, end: -1n };
    const { rows } = await pool.query<{ strays: string }>('SELECT strays FROM audit.stray_counts WHERE business_id = $1', [business]);
    return this.isInPlace(tail, business, BigInt(rows[0]?.strays ?? 0)) ? { last: tail, end: tail.revision } : this.walk(business);
  }

  /** Whether the event is a seal of ours where it should be, if there are so many strays before it. */
  isInPlace(event: StoredEvent, business: string, strays = 0n): boolean {
    const seal = sealIn(event, business);
    return seal !== undefined && this.isOurs(seal) && isBelow(seal, event) && BigInt(seal.number) + strays === event.revision + 1n;
  }

  private async walk(business: string): Promise<SealStream> {
    const goesOn = await this.goesOnFromOthers(business);
    const strays: Stray[] = [];
    let [last, end, seals]: [StoredEvent | undefined, bigint, bigint] = [undefined, -1n, 0n];
    for await (const event of sealEventsOf(this.parts.store, business)) {
      end += 1n;
      if (event.revision !== end) throw new BrokenSeals(`Of the seals of the business ${business}, revision ${end} is missing.`);
      if (this.follows(event, last, { business, goesOn })) [last, seals] = [event, seals + 1n];
      else if (strays.length < MOST_NOTED) strays.push(strayOf(event, business));
    }
    await this.note(business, strays, end + 1n - seals);
    return { last, end };
  }

  /** Seals of before this service had the keys that it knows are its own where the first that is signed with one of them goes on from them. */
  private async goesOnFromOthers(business: string): Promise<boolean> {
    for await (const event of sealEventsOf(this.parts.store, business)) {
      const seal = sealIn(event, business);
      if (seal && this.isOurs(seal)) return seal.number > 1;
    }
    return false;
  }

  private follows(event: StoredEvent, last: StoredEvent | undefined, of: { business: string; goesOn: boolean }): boolean {
    const seal = sealIn(event, of.business);
    if (!seal) return false;
    const before = last && (last.data as unknown as Seal);
    const mayBe = this.isOurs(seal) || (of.goesOn && (!before || !this.isOurs(before)));
    const isNext = seal.number === (before?.number ?? 0) + 1 && seal.previous === (before ? sealHash(before) : NO_SEAL);
    if (mayBe && isNext && isBelow(seal, event)) return true;
    const isOnceMore = before !== undefined && this.isOurs(before) && seal.number <= before.number;
    if (this.isOurs(seal) && !isOnceMore)
      throw new BrokenSeals(
        `Seal ${seal.number} of the business ${of.business}, at revision ${event.revision}, does not go on from ${before ? `seal ${before.number}` : 'nothing'}.`,
      );
    return false;
  }

  private isOurs({ publicKey }: Seal): boolean {
    return this.keys.has(publicKey);
  }

  private async note(business: string, strays: readonly Stray[], count: bigint): Promise<void> {
    const { pool } = this.parts;
    const [revisions, ids] = [strays.map(({ revision }) => revision), strays.map(({ eventId }) => eventId)];
    await pool.query(
      `DELETE FROM audit.stray_seals WHERE business_id = $1
        AND (revision, event_id) NOT IN (SELECT * FROM unnest($2::bigint[], $3::text[]))`, // of a store before
      [business, revisions, ids],
    );
    const { rows } = await pool.query<{ revision: string }>(
      `INSERT INTO audit.stray_seals (business_id, revision, event_id, type, position)
        SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) ON CONFLICT DO NOTHING RETURNING revision::text`,
      [business, revisions, ids, strays.map(({ type }) => type), strays.map(({ position }) => position)],
    );
    await pool.query(
      'INSERT INTO audit.stray_counts (business_id, strays) VALUES ($1, $2) ON CONFLICT (business_id) DO UPDATE SET strays = excluded.strays',
      [business, count],
    );
    const added = new Set(rows.map(({ revision }) => revision));
    for (const stray of strays) if (added.has(stray.revision)) this.onStray(stray);
  }
}

const strayOf = ({ revision, id: eventId, type, position }: StoredEvent, business: string): Stray => ({
  ...{ business, revision: String(revision), eventId, position: String(position) },
  type: type.replaceAll('\0', '').slice(0, MOST_LETTERS),
});

/** How many there are, of all businesses. */
export async function strayCount(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ strays: number }>('SELECT coalesce(sum(strays), 0)::float8 AS strays FROM audit.stray_counts');
  return rows[0]!.strays;
}
