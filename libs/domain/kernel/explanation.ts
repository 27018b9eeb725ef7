import type { AnyEvent, Recorded } from './event.js';

/** What one event adds to a figure, and what the figure has come to with it. Minor units of money, or a count; null: unlimited. */
export interface Share<Event extends AnyEvent = AnyEvent> {
  event: Recorded<Event>;
  adds: number | null;
  sum: number | null;
}

/** The events that make up a figure, in their order: those that add nothing are left out. */
export const sharesOf = <Event extends AnyEvent, Figure extends string>(
  events: readonly Recorded<Event>[],
  figure: Figure,
  adds: (event: Event) => { [One in Figure]?: number },
): Share<Event>[] => {
  const shares: Share<Event>[] = [];
  let sum = 0;
  for (const event of events) {
    const added = adds(event)[figure] ?? 0;
    sum += added;
    if (added !== 0) shares.push({ event, adds: added, sum });
  }
  return shares;
};

/** H5, H6: each refund by itself: asked for, given back, or neither any more; what becomes of one adds to the two sums. */
export class RefundsSoFar {
  private readonly known = new Map<string, { refunded: number; pending: number }>();

  becomes(is: 'refunded' | 'pending' | 'none', { refundId, amount }: { refundId: string; amount: { amount: number } }) {
    const before = this.known.get(refundId) ?? { refunded: 0, pending: 0 };
    const now = { refunded: 0, pending: 0, ...(is !== 'none' && { [is]: amount.amount }) };
    this.known.set(refundId, now);
    return { refunded: now.refunded - before.refunded, pending: now.pending - before.pending };
  }
}
