import type { Pool } from 'pg';
import type { Recorded } from '../domain/kernel/event.js';
import { policyCommandIdOf } from '../domain/kernel/ids.js';
import { businessOfSeals, HistorySealed, isSeal, type Seal, sealsOf } from '../domain/seal/seal.events.js';
import { GENESIS } from '../event-store/chain.js';
import type { Codec } from '../event-store/codec.js';
import { Conflict, type EventStore, type StoredEvent } from '../event-store/event-store.js';
import { isHashed, isOfABusiness } from '../event-store/foreign-events.js';
import type { SealKey } from './seal.js';
import { noteSealed, SEALED_THROUGH, sealedThrough } from './sealed-through.js';
import { BrokenSeals, type SealStream, SealStreams, STRAY_SEALS, type Stray } from './seal-stream.js';
import { keepSeals, type Keeps } from './kept-seals.js';
import { Unsealed } from './unsealed.js';

/** Pinned: the ids of its commands follow from it. */
const SEALING = 'sealing';

const MOST_HEADS = 64; // of one seal, some 170 bytes each: events are read in batches by their number, so none may be large
const MOST_KEPT = 100_000; // heads, of all businesses
const MOST_LOOKED_AT = 10_000; // businesses in which nothing but seals has happened, in one run
const MOST_NAMED = 20; // businesses, in one message

export interface SealingParts {
  store: EventStore;
  codec: Codec;
  pool: Pool;
  clock: () => string;
}

export interface SealingOptions {
  key: SealKey;
  /** Where the seals are written to as well, to be kept elsewhere. */
  folder?: Keeps;
  mostHeads?: number;
  /** Told of each event among the seals that is none, once. */
  onStray?: (stray: Stray) => void;
}

const SCHEMA = `
  SELECT pg_advisory_xact_lock(hashtext('punchcard audit'));
  CREATE SCHEMA IF NOT EXISTS audit;
  ${SEALED_THROUGH}
  ${STRAY_SEALS}
  CREATE TABLE IF NOT EXISTS audit.seal_keys (public_key text PRIMARY KEY, since timestamptz(3) NOT NULL DEFAULT now());`;

/** Safe to run from several processes at once. */
export const migrateSealing = async (pool: Pool): Promise<void> => void (await pool.query(SCHEMA));

/** The public keys of this service, the newest first: whoever seals says with which key. */
export async function publicKeysOf(pool: Pool): Promise<{ publicKey: string; since: string }[]> {
  const { rows } = await pool.query<{ public_key: string; since: Date }>(
    'SELECT public_key, since FROM audit.seal_keys ORDER BY since DESC',
  );
  return rows.map(({ public_key: publicKey, since }) => ({ publicKey, since: since.toISOString() }));
}

/** A business whose events are being sealed: what its last seal is, and what has happened since. */
interface Sealed {
  last: StoredEvent | undefined;
  end: bigint; // revision of the last event of its stream, which others may have written
  unsealed: Unsealed;
  newest: StoredEvent | undefined; // the event that a seal follows from
}

/**
 * Seals what has happened in each business since its last seal (K4). Two that seal at once do no harm: each appends after the very seal that it read, and
 * whoever comes second stops, and finds nothing to seal when it comes again.
 * @returns how many seals it has made
 * @throws Conflict when somebody else was first
 * @throws BrokenSeals when all is sealed but businesses whose seals do not go on from each other: it comes back to them each time
 */
export async function sealAll(parts: SealingParts, options: SealingOptions): Promise<number> {
  const { store, pool } = parts;
  await pool.query('INSERT INTO audit.seal_keys (public_key) VALUES ($1) ON CONFLICT DO NOTHING', [options.key.publicKey]);
  const through = await store.lastPosition();
  if (through === undefined) return 0;
  const run = new Run(parts, options, await sealStreamsOf(parts, options.onStray));
  let last: StoredEvent | undefined;
  for await (const batch of store.readAll({ after: await sealedThrough(pool, store) })) {
    const events: StoredEvent[] = batch.filter(({ position }) => position <= through);
    for (const event of events) {
      if (isSeal(event)) await run.look(event);
      else if (isOfABusiness(event) && isHashed(event)) await run.take(event);
    }
    last = events.at(-1) ?? last;
    if (events.length < batch.length || last?.position === through) break;
  }
  await run.sealEach();
  const broken = [...run.broken.values()];
  if (broken.length > 0) throw new BrokenSeals(broken.slice(0, MOST_NAMED).join(' '));
  await noteSealed(pool, last);
  return run.made;
}

/** The streams of the seals, as this service has signed them. */
export async function sealStreamsOf(parts: Pick<SealingParts, 'store' | 'pool'>, onStray?: (stray: Stray) => void): Promise<SealStreams> {
  return new SealStreams(parts, new Set((await publicKeysOf(parts.pool)).map(({ publicKey }) => publicKey)), onStray);
}

class Run {
  made = 0;
  readonly broken = new Map<string, string>(); // businesses of which nothing is sealed, and why
  private readonly looked = new Set<string>();
  private readonly businesses = new Map<string, Sealed>();
  private heads = 0;

  constructor(
    private readonly parts: SealingParts,
    private readonly options: SealingOptions,
    private readonly streams: SealStreams,
  ) {}

  async take(event: StoredEvent): Promise<void> {
    const { business } = event.metadata;
    const sealed = this.businesses.get(business) ?? (await this.read(business));
    if (!sealed) return;
    const before = sealed.unsealed.changed;
    sealed.unsealed.take(event);
    sealed.newest = event;
    this.heads += sealed.unsealed.changed - before;
    if (sealed.unsealed.changed >= (this.options.mostHeads ?? MOST_HEADS)) await this.seal(business, sealed);
    if (this.heads >= MOST_KEPT) await this.sealEach();
  }

  /** At the seals of a business in which nothing else may have happened, once: what somebody else wrote among them is told. */
  async look(event: StoredEvent): Promise<void> {
    const business = businessOfSeals(event);
    if (business === undefined || this.streams.isInPlace(event, business)) return;
    if (this.looked.has(business) || this.looked.size >= MOST_LOOKED_AT) return;
    this.looked.add(business);
    await this.streamOf(business);
  }

  /** What is left of each business; then it is forgotten, and read again if there is more. */
  async sealEach(): Promise<void> {
    for (const [business, sealed] of this.businesses) if (sealed.unsealed.changed > 0) await this.seal(business, sealed);
    this.businesses.clear();
    this.heads = 0;
  }

  private async read(business: string): Promise<Sealed | undefined> {
    const stream = await this.streamOf(business);
    if (!stream) return undefined;
    const { folder } = this.options;
    if (folder) await keepSeals(this.parts.store, folder, stream.last); // whoever appended the last may have died before it was kept, or had no folder
    const seal = stream.last && (stream.last.data as unknown as Seal);
    const sealed = { ...stream, unsealed: new Unsealed(business, seal), newest: undefined };
    this.businesses.set(business, sealed);
    return sealed;
  }

  /** Undefined where its seals are broken: the others are sealed all the same. */
  private async streamOf(business: string): Promise<SealStream | undefined> {
    if (this.broken.has(business)) return undefined;
    try {
      return await this.streams.of(business);
    } catch (error) {
      if (!(error instanceof BrokenSeals)) throw error;
      this.broken.set(business, error.message);
      return undefined;
    }
  }

  private async seal(business: string, sealed: Sealed): Promise<void> {
    const { store, clock, codec } = this.parts;
    const { last, end, unsealed, newest } = sealed;
    const now = clock();
    const time = last && last.metadata.time > now ? last.metadata.time : now;
    const seal = unsealed.sealed(time, this.options.key);
    const stream = sealsOf(business);
    const { id, metadata } = newest as Recorded;
    const [encoded] = await codec.encode([{ type: HistorySealed.type, data: seal }], {
      ...{ stream, revision: end + 1n, previousHash: last?.metadata.hash ?? GENESIS },
      metadata: {
        ...{ business, actor: metadata.actor, policy: SEALING, commandId: policyCommandIdOf(id, SEALING, 0) },
        ...{ $correlationId: metadata.$correlationId, $causationId: id, time },
      },
    });
    await store.append(stream, end < 0n ? 'no_stream' : end, [encoded!.event]);
    const stored = await store.lastOf(stream);
    if (stored?.metadata.hash !== encoded!.event.metadata.hash) throw new Conflict(`Somebody else sealed ${stream}`);
    await this.options.folder?.keep(seal);
    this.made += 1;
    this.heads -= unsealed.changed;
    sealed.last = stored;
    sealed.end = stored.revision;
    sealed.unsealed = new Unsealed(business, seal);
  }
}
