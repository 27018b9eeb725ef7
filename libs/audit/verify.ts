import type { Head, Seal } from '../domain/seal/seal.events.js';
import type { StoredEvent } from '../event-store/event-store.js';
import { type Fault, MOST_FAULTS, type Verdict } from './fault.js';
import { type Found, HistoryVerifier } from './verify-history.js';
import { SealChain, type Trust } from './verify-seals.js';

/** Where a history is read: the event store, or the file of an export. It is read from its beginning each time. */
export interface HistorySource {
  /** All events but seals, in the order of `$all`, of all businesses that are to be verified. */
  events(): AsyncIterable<readonly StoredEvent[]>;
  /** The business whose history it stands in. */
  businessOf(event: StoredEvent): string;
  /** The seals of a business, in their order, as they are read. */
  seals(business: string): AsyncIterable<unknown>;
  /** Businesses that are verified though there is no event of theirs. */
  businesses: readonly string[];
}

export interface VerifyOptions extends Trust {
  /** Events that were looked at in this pass, and which pass of how many it is. */
  progress?: (events: number, pass: number, passes: number) => void;
  /** Streams whose places are kept at once: when there are more, the history is read several times. */
  streamsAtOnce?: number;
}

const STREAMS_AT_ONCE = 400_000; // some 300 bytes each

/** Which streams a pass is about: those whose name has this remainder. */
interface Share {
  of: number;
  nth: number;
}

/**
 * Verifies the histories of all businesses of a source (K4): every event against its hash and the one before it in its stream, all of them together
 * against the seals, and the seals against each other and those that were kept elsewhere.
 */
export async function verify(source: HistorySource, options: VerifyOptions = {}): Promise<Verdict[]> {
  const histories = new Histories(source, options);
  const share: Share = { of: 1, nth: 0 };
  do await histories.pass(share);
  while (++share.nth < share.of);
  return histories.verdicts();
}

class Histories {
  private readonly chains = new Map<string, SealChain>();
  private readonly found = new Map<string, Found[]>();
  private readonly misfits = new Map<string, Found>();
  private readonly events = new Map<string, number>();
  private readonly streams = new Map<string, number>();

  constructor(
    private readonly source: HistorySource,
    private readonly options: VerifyOptions,
  ) {}

  async pass(share: Share): Promise<void> {
    const { streamsAtOnce = STREAMS_AT_ONCE, progress, kept = [] } = this.options;
    const verifiers = new Map<string, HistoryVerifier>();
    const verifierOf = async (business: string): Promise<HistoryVerifier> => {
      const verifier = verifiers.get(business) ?? (await this.verifier(business, share));
      verifiers.set(business, verifier);
      return verifier;
    };
    for (const business of [...this.source.businesses, ...kept.map(({ businessId }) => businessId)]) await verifierOf(business);
    let events = 0;
    for await (const batch of this.source.events()) {
      for (const event of batch) {
        const business = this.source.businessOf(event);
        (verifiers.get(business) ?? (await verifierOf(business))).take(event);
      }
      events += batch.length;
      progress?.(events, share.nth + 1, share.of);
      if (share.nth === 0 && sum(verifiers.values()) > streamsAtOnce) {
        share.of *= 2;
        for (const verifier of verifiers.values()) verifier.narrow();
      }
    }
    for (const [business, verifier] of verifiers) await this.settle(business, verifier);
  }

  verdicts(): Verdict[] {
    return [...this.chains].map(([business, chain]) => ({
      business,
      events: this.events.get(business) ?? 0,
      streams: this.streams.get(business) ?? 0,
      seals: chain.marks.filter(({ isLone }) => !isLone).length,
      sealed: chain.marks.at(-1)?.events ?? 0,
      faults: this.faultsOf(business, chain),
    }));
  }

  private async verifier(business: string, share: Share): Promise<HistoryVerifier> {
    const chain = this.chains.get(business) ?? (await this.chainOf(business));
    this.chains.set(business, chain);
    return new HistoryVerifier({
      ...{ business, marks: chain.marks, headsOf: (number) => this.headsOf(business, number) },
      concerns: (stream) => remainder(stream, share.of) === share.nth,
    });
  }

  private async chainOf(business: string): Promise<SealChain> {
    const chain = new SealChain(business, this.options);
    for await (const seal of this.source.seals(business)) chain.take(seal);
    chain.finish();
    return chain;
  }

  private async headsOf(business: string, number: number): Promise<readonly Head[]> {
    const kept = this.options.kept?.find((seal) => seal.businessId === business && seal.number === number);
    if (kept) return kept.heads;
    const signature = this.chains.get(business)?.marks.find((mark) => mark.number === number)?.signature;
    for await (const read of this.source.seals(business)) {
      const seal = read as Seal | null;
      if (seal?.number === number && seal.signature === signature) return seal.heads; // others may have written between them
    }
    return [];
  }

  private async settle(business: string, verifier: HistoryVerifier): Promise<void> {
    const { found, misfit } = await verifier.finish();
    this.found.set(business, [...(this.found.get(business) ?? []), ...found]);
    if (misfit) this.misfits.set(business, misfit);
    this.events.set(business, verifier.events);
    this.streams.set(business, (this.streams.get(business) ?? 0) + verifier.size);
  }

  /** The first event that does not hold before all; then the seals; that they do not fit the events only when no event is named; at last what is none of them. */
  private faultsOf(business: string, chain: SealChain): Fault[] {
    const found = (this.found.get(business) ?? []).toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
    const faults = new Map(found.map(({ fault: one }) => [`${one.stream}@${one.revision}`, one]));
    const misfit = faults.size === 0 ? this.misfits.get(business)?.fault : undefined;
    const ofSeals = chain.faultGiven(this.events.get(business) ?? 0);
    return [...faults.values(), ofSeals, misfit, ...chain.strays].filter((one) => one !== undefined).slice(0, MOST_FAULTS);
  }
}

const sum = (verifiers: Iterable<HistoryVerifier>): number => [...verifiers].reduce((total, { size }) => total + size, 0);

/** FNV-1a: which share of the streams one is in. */
function remainder(stream: string, of: number): number {
  if (of === 1) return 0;
  let hash = 0x811c9dc5;
  for (let n = 0; n < stream.length; n += 1) hash = Math.imul(hash ^ stream.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % of;
}
