/** Too many files are being read at this moment. */
export class TooManyExports extends Error {
  override name = 'TooManyExports';
}

/** How many files can be read at once: what reads much for one caller must leave enough for the others. */
export class Places {
  private readonly taken = new Map<string, number>(); // by each business

  constructor(private readonly most: { ofABusiness: number; inAll: number }) {}

  /**
   * @returns what gives the place back, once
   * @throws TooManyExports
   */
  take(business: string): () => void {
    const own = this.taken.get(business) ?? 0;
    const all = [...this.taken.values()].reduce((sum, count) => sum + count, 0);
    if (own >= this.most.ofABusiness || all >= this.most.inAll)
      throw new TooManyExports('Too many files are being read now. Repeat the call when one of them is done.');
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
