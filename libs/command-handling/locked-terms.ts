import { lockForSale } from '../domain/offering/offering.decisions.js';
import type { Terms } from '../domain/offering/offering.events.js';
import { offering, type DefinedOffering } from '../domain/offering/offering.state.js';
import type { Operation } from './operation.js';

interface Selling {
  offeringId: string;
  because: 'sale' | 'purchase' | 'import';
  on: string; // the local date of the sale
  /** Decides the sale on the terms as they are, and appends nothing: what is refused locks nothing. */
  decided: (terms: Terms) => Promise<unknown>;
}

/**
 * C5, C6: the terms to pin: the offering is locked before a package of it is sold. They are those after the lock, also when the lock is from an
 * earlier try of the same command: others may have changed what may be changed since then, or deleted the offering.
 */
export const lockedTerms = async (operation: Operation, { offeringId, because, on, decided }: Selling): Promise<Terms> => {
  const lock = lockForSale(offeringId, because, on);
  const newest = async (): Promise<DefinedOffering> => {
    const state = await operation.newest(offering, offeringId);
    lock(state);
    return { ...(state as DefinedOffering) };
  };
  const { locked, terms } = await newest();
  if (locked) return terms;
  await decided(terms);
  await operation.decide(offering, offeringId, lock, { fresh: true });
  return (await newest()).terms;
};
