import { HistorySealed, type Seal, sealsOf } from '../domain/seal/seal.events.js';
import { type Fault, MOST_FAULTS, type Why } from './fault.js';
import { isSigned, NO_SEAL, sealHash } from './seal.js';

/** So much of a seal that is trusted as it takes to hold events against it; its heads are asked for only when something does not hold. */
export interface Mark {
  number: number;
  through: bigint;
  events: number;
  streams: number;
  log: string;
  signature: string;
  /** The seals between the mark before and this one are not known: its heads are not all that changed since. */
  isLone: boolean;
}

export interface Trust {
  /** Public keys that seals may be signed with; without: the one of the first seal, whosever it is. */
  publicKeys?: readonly string[];
  /** Seals that were kept elsewhere: what the history has must be these. */
  kept?: readonly Seal[];
}

/** The seals of one business, in their order: one after the other, each signed and named by the next (K4). */
export class SealChain {
  readonly marks: Mark[] = [];
  fault: Fault | undefined;
  readonly strays: Fault[] = []; // what stands between the seals, and is none of them; at most some
  private read = 0;
  private unfit: { fault: Fault; revision: bigint }[] = []; // what is not the next seal, while that has not come
  private isBroken = false; // what comes now vouches for nothing
  private previous = NO_SEAL;
  private keys: readonly string[] | undefined;
  private readonly vouchedFor: boolean;
  private readonly kept: Map<number, Seal>;

  constructor(
    private readonly business: string,
    { publicKeys, kept = [] }: Trust,
  ) {
    this.keys = publicKeys;
    this.vouchedFor = publicKeys !== undefined;
    this.kept = new Map(kept.filter(({ businessId }) => businessId === business).map((seal) => [seal.number, seal]));
  }

  get taken(): number {
    return this.marks.length;
  }

  /**
   * What comes next among the seals, as it was read. What is signed with no trusted key, or is a seal once more, is a stray, if the next seal comes later.
   * A trusted seal that does not go on from the one before says that the seals are broken there.
   */
  take(read: unknown): void {
    const revision = BigInt(this.read++);
    if (this.isBroken) return;
    const expected = this.marks.length + 1;
    const seal = HistorySealed.data.safeParse(read).success ? (read as Seal) : undefined;
    const fault = seal ? this.faultOf(seal) : this.faulty('sealChanged', expected, `What stands in the place of seal ${expected} is none.`);
    if (!seal || fault) {
      if (fault && this.unfit.length < MOST_FAULTS) this.unfit.push({ fault, revision });
      this.isBroken = seal !== undefined && seal.number >= expected && this.trustFaultOf(seal) === undefined;
      return;
    }
    for (const unfit of this.unfit) if (this.strays.length < MOST_FAULTS) this.strays.push(this.strayAt(unfit.revision, seal));
    this.unfit = [];
    this.keys ??= [seal.publicKey];
    this.previous = sealHash(seal);
    this.marks.push(markOf(seal));
  }

  /** The marks to hold the events against, once all seals are taken: a seal that was kept elsewhere is one, if the history lacks it. */
  finish(): readonly Mark[] {
    this.fault = this.unfit[0]?.fault;
    const lacking = [...this.kept.values()].filter(({ number }) => number > this.marks.length).sort((a, b) => a.number - b.number);
    for (const seal of lacking) {
      const untrusted = this.trustFaultOf(seal);
      this.fault ??= untrusted ?? this.missing(this.marks.length + 1, `seal ${seal.number} was kept elsewhere`);
      if (untrusted) continue;
      this.keys ??= [seal.publicKey];
      this.marks.push({ ...markOf(seal), isLone: seal.number !== (this.marks.at(-1)?.number ?? 0) + 1 });
    }
    return this.marks;
  }

  /** What does not hold; that there is no seal does not, where somebody says with which key all is sealed. */
  faultGiven(events: number): Fault | undefined {
    if (this.fault || this.marks.length > 0 || !this.vouchedFor || events === 0) return this.fault;
    return this.missing(1, 'nothing is sealed, though it is known with which key it should be');
  }

  private faultOf(seal: Seal): Fault | undefined {
    const expected = this.marks.length + 1;
    const untrusted = this.trustFaultOf(seal);
    if (untrusted) return untrusted;
    if (seal.number > expected) return this.missing(expected, `seal ${seal.number} comes next`);
    const kept = this.kept.get(expected);
    const isKept = kept === undefined || sealHash(kept) === sealHash(seal);
    if (seal.number < expected || seal.previous !== this.previous || !isKept || !this.goesOn(seal))
      return this.faulty('sealReplaced', seal.number, `Seal ${seal.number} is not the one that stood in its place.`);
    return undefined;
  }

  private trustFaultOf(seal: Seal): Fault | undefined {
    const { number, publicKey } = seal;
    if (!isSigned(seal)) return this.faulty('sealChanged', number, `Seal ${number} is not what was signed.`);
    if (seal.businessId !== this.business) return this.faulty('sealReplaced', number, `Seal ${number} is one of another business.`);
    if (this.keys && !this.keys.includes(publicKey))
      return this.faulty('sealKey', number, `Seal ${number} is signed with the key ${publicKey}, which ${this.unknownBecause}.`);
    return undefined;
  }

  private get unknownBecause(): string {
    return this.vouchedFor ? 'was not given' : 'is not that of the first: where the key was changed, give all that were used';
  }

  private goesOn({ through, events, streams }: Seal): boolean {
    const before = this.marks.at(-1);
    return !before || (BigInt(through) > before.through && events > before.events && streams >= before.streams);
  }

  private strayAt(revision: bigint, { number }: Seal): Fault {
    const says = `It is none of the seals: somebody else wrote it. Seal ${number} comes after it, and goes on from the one before.`;
    return { why: 'inserted', business: this.business, stream: sealsOf(this.business), revision, says };
  }

  private missing(number: number, because: string): Fault {
    return this.faulty('sealMissing', number, `Seal ${number} is missing: ${because}.`);
  }

  private faulty(why: Why, seal: number, says: string): Fault {
    return { why, business: this.business, seal, says };
  }
}

const markOf = ({ number, through, events, streams, log, signature }: Seal): Mark => ({
  ...{ number, through: BigInt(through), events, streams, log, signature, isLone: false },
});
