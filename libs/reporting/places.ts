/** Too much of a kind is being read at this moment. */
export class TooManyAtOnce extends Error {
  override name = 'TooManyAtOnce';
}

/** How many reads there can be at once, of a kind: what reads much for one caller must leave enough for the others. */
export class Places {
  private readonly taken = new Map<string, number>(); // by each business

  constructor(private readonly most: { ofABusiness: number; inAll?: number }) {}

  /**
   * @returns what gives the place back, once
   * @throws TooManyAtOnce
   */
  take(business: string): () => void {
    const own = this.taken.get(business) ?? 0;
    const all = [...this.taken.values()].reduce((sum, count) => sum + count, 0);
    const { ofABusiness, inAll = Infinity } = this.most;
    if (own >= ofABusiness || all >= inAll)
      throw new TooManyAtOnce('Too many files or sums are being read now. Repeat the call when one of them is done.');
    this.taken.set(business, own + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.giveBack(business);
      isTaken = false;
    };
  }

  private giveBack(business: string): void {
    const left = this.taken.get(business)! - 1;
    if (left > 0) this.taken.set(business, left);
    else this.taken.delete(business);
  }
}
