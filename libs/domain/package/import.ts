import { isDeepStrictEqual } from 'node:util';
import type { Decide } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import { Refusal } from '../kernel/refusal.js';
import type { Limit } from '../kernel/shapes.js';
import { adjustExpiry, adjustRemaining, sellPackage } from './package.decisions.js';
import type { PackageEvent, PackageImportedData, PackageSoldData } from './package.events.js';
import { packageAggregate, type PackageState, type SoldPackage } from './package.state.js';

// L7: a package that was sold elsewhere.

/** Kept as the reason of what an import adjusts. */
const REASON = 'import';

export interface ImportPackage {
  sale: Omit<PackageSoldData, 'expiresOn'>; // at no charge, on the day of the sale elsewhere
  imported: PackageImportedData;
}

/**
 * Sold with the terms of now, then adjusted to what is left of it, in one append: limit + adjustments − used remains, and what an
 * adjustment added has no value (H4). Never twice: the same again is [], something else under its reference is refused.
 */
export const importPackage =
  ({ sale, imported }: ImportPackage): Decide<PackageState, PackageEvent> =>
  (state) => {
    if (state.status !== 'unsold') return assertSame(state, imported);
    assertRemainingFits(sale, imported);
    const [sold] = sellPackage({ ...sale, apply: null })(state) as [PackageEvent];
    const after = packageAggregate.evolve(state, sold) as SoldPackage;
    const { packageId, remaining, expiresOn } = imported;
    return [
      sold,
      { type: 'PackageImported', data: imported },
      ...remaining.flatMap((left) =>
        left.remaining === null ? [] : adjustRemaining({ packageId, serviceId: left.serviceId, to: left.remaining, reason: REASON })(after),
      ),
      ...(expiresOn === null || expiresOn === after.expiresOn ? [] : adjustExpiry({ packageId, to: expiresOn, reason: REASON })(after)),
    ];
  };

interface UnfitRemaining {
  serviceId: string;
  code: 'REQUIRED' | 'UNLIMITED' | 'NOT_UNLIMITED' | 'NOT_IN_OFFERING';
}

/** What is wrong with what shall remain of each service, null being unlimited: every service has its number, or is unlimited on both sides. */
const unfitRemaining = (
  services: readonly { serviceId: string; limit: Limit }[],
  remaining: PackageImportedData['remaining'],
): UnfitRemaining[] => [
  ...services.flatMap(({ serviceId, limit }): UnfitRemaining[] => {
    const left = remaining.find((each) => each.serviceId === serviceId);
    if (!left) return [{ serviceId, code: 'REQUIRED' }];
    if ((left.remaining === null) === (limit === 'unlimited')) return [];
    return [{ serviceId, code: limit === 'unlimited' ? 'UNLIMITED' : 'NOT_UNLIMITED' }];
  }),
  ...remaining
    .filter((left) => !services.some(({ serviceId }) => serviceId === left.serviceId))
    .map(({ serviceId }): UnfitRemaining => ({ serviceId, code: 'NOT_IN_OFFERING' })),
];

const assertRemainingFits = ({ services }: ImportPackage['sale'], { remaining }: PackageImportedData): void => {
  const unfit = unfitRemaining(services, remaining);
  if (unfit.length > 0)
    throw new Refusal('REMAINING_UNFIT', 'What remains does not fit the services of the offering: name each of them, and no other.', {
      services: unfit,
    });
};

const assertSame = ({ imported }: SoldPackage, again: PackageImportedData): [] => {
  if (isDeepStrictEqual(imported, again)) return [];
  throw new Refusal(
    'ALREADY_IMPORTED',
    'A package of this source and reference was imported before, and was another then: adjust that one, or use another reference.',
    pick(again, 'packageId', 'source', 'reference'),
  );
};
