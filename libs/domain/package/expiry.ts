import { lastValidDay } from '../kernel/calendar.js';
import type { Session, SoldPackage } from './package.state.js';

type Day = Pick<Session, 'on'>;

/**
 * The expiry if these sessions stood. Only a rule that counts from first use moves with them, and only until its last
 * valid day has passed: from then on only an adjustment changes it (E3). `today`: local date of the business.
 */
export const expiryOver = (sold: SoldPackage, sessions: readonly Day[], today: string): string | null => {
  const passed = sold.expiresOn !== null && today > sold.expiresOn;
  return movesWithUse(sold) && !passed ? expiryByRule(sold, sessions) : sold.expiresOn;
};

/** What the rule of the sale says over these sessions, whatever was adjusted since. */
export const expiryByRule = (
  { expiryRule, soldOn }: Pick<SoldPackage, 'expiryRule' | 'soldOn'>,
  sessions: readonly Day[],
): string | null => {
  const firstUse = sessions.map(({ on }) => on).toSorted()[0];
  return lastValidDay(expiryRule, { soldOn, firstUse });
};

/** E3, F2: the expiry over these sessions as if it had never been adjusted. */
export const expiryUnadjusted = (sold: SoldPackage, sessions: readonly Day[], today: string): string | null =>
  expiryOver({ ...sold, expiresOn: sold.expiryBefore, adjustedExpiries: [] }, sessions, today);

/** E3: one of these sessions that a new expiry would leave behind it. */
export const strandedBy = (sold: SoldPackage, sessions: readonly Session[], expiresOn: string | null): Session | undefined =>
  expiresOn !== sold.expiresOn && expiresOn !== null ? sessions.find(({ on }) => on > expiresOn) : undefined;

const movesWithUse = ({ expiryRule: rule, adjustedExpiries }: SoldPackage): boolean =>
  rule.kind === 'after' && rule.from === 'firstUse' && adjustedExpiries.length === 0;
