import type { Decide } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import { Refusal } from '../kernel/refusal.js';
import type { Occurrence, SeriesPlan } from '../series/series.events.js';
import { consumeSession, type ConsumeSession } from './package.decisions.js';
import type { PackageEvent } from './package.events.js';
import { packageAggregate, type PackageState } from './package.state.js';

/** Of one append, what its events' data may take up; the store takes 1 MiB, with their metadata. */
const MOST_BYTES = 700_000;

/** E5: the sessions of a whole series in one append, or none of them. */
export const takeSeries =
  (plan: SeriesPlan): Decide<PackageState, PackageEvent> =>
  (state) => {
    const planned = plan.occurrences.flatMap((occurrence) => sessionOf(plan, occurrence) ?? []);
    if (state.status !== 'unsold' && planned.some(({ consumptionId }) => state.sessions.has(consumptionId))) return [];
    let after = structuredClone(state);
    const events = planned.flatMap((session) => {
      const taken = consumeSession(session)(after);
      after = taken.reduce(packageAggregate.evolve, after);
      return taken;
    });
    if (new TextEncoder().encode(JSON.stringify(events)).length > MOST_BYTES)
      throw new Refusal('SERIES_TOO_LARGE', 'So many appointments with so many taxes cannot be booked at once: book fewer.', {
        appointments: plan.occurrences.length,
      });
    if (after.status === 'unsold') return [];
    return [
      ...events,
      { type: 'SeriesTaken', data: { ...pick(after, 'packageId', 'clientId'), seriesId: plan.seriesId, sessions: planned.length } },
    ];
  };

/** What the package says of a date that it has no session for; anything else it says of the whole series. */
const SHORTAGES = new Set(['NO_SESSIONS_LEFT', 'PACKAGE_EXPIRED', 'BEFORE_SALE', 'STRANDS_SESSION']);

/**
 * E5: which dates of a plan get a session, in date order, and what is left after it; the plan is made as if each asked for one.
 * @throws Refusal when the package cannot be used for it at all
 */
export const shareOut = (
  plan: SeriesPlan,
  state: PackageState,
): { plan: SeriesPlan; taken: Extract<PackageEvent, { type: 'SessionConsumed' }>[]; after: PackageState } => {
  let after = structuredClone(state);
  const taken: Extract<PackageEvent, { type: 'SessionConsumed' }>[] = [];
  const occurrences = plan.occurrences.map((occurrence): Occurrence => {
    const session = sessionOf(plan, occurrence);
    if (!session) return occurrence;
    try {
      const events = consumeSession(session)(after);
      after = events.reduce(packageAggregate.evolve, after);
      taken.push(...events.filter((event) => event.type === 'SessionConsumed'));
      return occurrence;
    } catch (error) {
      if (!(error instanceof Refusal) || !SHORTAGES.has(error.code)) throw error;
      return { ...occurrence, consumptionId: null, shortage: error.code };
    }
  });
  return { plan: { ...plan, occurrences }, taken, after };
};

const sessionOf = (plan: SeriesPlan, { consumptionId, shortage: _, ...occurrence }: Occurrence): ConsumeSession | undefined =>
  plan.packageId === null || consumptionId === null
    ? undefined
    : {
        ...pick(plan, 'seriesId', 'clientId', 'shared', 'serviceId', 'serviceName', 'providerId', 'timeZone', 'externalReference'),
        ...{ ...occurrence, packageId: plan.packageId, consumptionId, purpose: 'series', serviceTaxes: plan.taxes, today: plan.plannedOn },
      };
