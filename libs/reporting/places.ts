/** Too much of a kind is being read at this moment. */
export class TooManyAtOnce extends Error {
  override name = 'TooManyAtOnce';
}

const MOST_WAITING = 16; // of a business

/** How many reads there can be at once, of a kind: what reads much for one caller must leave enough for the others. */
export class Places {
  private readonly taken = new Map<string, number>(); // by each business
  private readonly waiting = new Map<string, (() => void)[]>();

  /** @param most how many; `patience`: ms that a turn is waited for at most */
  constructor(private readonly most: { ofABusiness: number; inAll?: number; patience?: number }) {}

  /**
   * @returns what gives the place back, once
   * @throws TooManyAtOnce
   */
  take(business: string): () => void {
    if (this.isFull(business)) throw tooMany();
    this.taken.set(business, (this.taken.get(business) ?? 0) + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.giveBack(business);
      isTaken = false;
    };
  }

  /**
   * As `take`, for what is over soon: waits for its turn.
   * @throws TooManyAtOnce when many wait already, or when it has waited long enough
   */
  async turn(business: string): Promise<() => void> {
    const until = performance.now() + (this.most.patience ?? Infinity);
    while (this.isFull(business)) await this.wait(business, until - performance.now());
    return this.take(business);
  }

  private wait(business: string, ms: number): Promise<void> {
    const waiting = this.waiting.get(business) ?? [];
    if (waiting.length >= MOST_WAITING) throw tooMany();
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.keepWaiting(
          business,
          this.waiting.get(business)!.filter((other) => other !== goOn),
        );
        reject(tooMany());
      };
      const timer = ms === Infinity ? undefined : setTimeout(giveUp, ms);
      const goOn = () => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting.set(business, [...waiting, goOn]);
    });
  }

  private keepWaiting(business: string, others: (() => void)[]): void {
    if (others.length > 0) this.waiting.set(business, others);
    else this.waiting.delete(business);
  }

  private isFull(business: string): boolean {
    const all = [...this.taken.values()].reduce((sum, count) => sum + count, 0);
    const { ofABusiness, inAll = Infinity } = this.most;
    return (this.taken.get(business) ?? 0) >= ofABusiness || all >= inAll;
  }

  private giveBack(business: string): void {
    const left = this.taken.get(business)! - 1;
    if (left > 0) this.taken.set(business, left);
    else this.taken.delete(business);
    const [next, ...others] = this.waiting.get(business) ?? [];
    this.keepWaiting(business, others);
    next?.();
  }
}

const tooMany = () => new TooManyAtOnce('Too many files or sums are being read now. Repeat the call when one of them is done.');
