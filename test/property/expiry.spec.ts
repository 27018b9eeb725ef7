import fc from 'fast-check';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import type { Decide } from '../../libs/domain/kernel/event.js';
import { Refusal } from '../../libs/domain/kernel/refusal.js';
import type { ExpiryRule } from '../../libs/domain/kernel/shapes.js';
import {
  adjustExpiry,
  consumeSession,
  forfeitSession,
  moveSession,
  restoreExpiry,
  returnSession,
  sellPackage,
} from '../../libs/domain/package/package.decisions.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import { packageAggregate, type PackageState } from '../../libs/domain/package/package.state.js';
import { idOf } from '../../libs/domain/testing/example.js';
import { p, sale, soldMassage, use } from '../../libs/domain/testing/example-package.js';
import { firstMinuteAfter, plusDays, plusMonths, wallOf, ZONES, type Zone } from '../support/wall-calendar.js';

// E3: until when a package can be used, in any zone, against a model that keeps the dates on the wall of the business and
// adds to them by plain counting. The package is asked in instants, as callers ask it.

const MINUTE = 60_000; // ms
const DAY = 24 * 60 * MINUTE;
const later = (instant: string, ms: number): string => new Date(Date.parse(instant) + ms).toISOString();

/** Where a sale or a rule meets what is odd about calendars: clocks that change, a day that was left out, leap days, ends of months and years. */
const ODD_DAYS = [
  ...['2011-12-28', '2018-11-03', '2027-01-31', '2027-03-13', '2027-03-27', '2027-04-03', '2027-08-31', '2027-09-25', '2027-10-30'],
  ...['2027-11-06', '2027-12-31', '2028-01-30', '2028-02-28', '2028-02-29', '2099-12-30', '2100-02-27'],
];

interface Kept {
  on: string;
  start: string;
  fate: 'standing' | 'returned' | 'forfeited';
}

class Model {
  readonly sessions = new Map<number, Kept>();
  readonly adjusted: string[] = [];
  readonly soldOn: string;
  expiry: string | null;
  before: string | null = null; // what it was when it was first adjusted

  constructor(
    readonly rule: ExpiryRule,
    readonly zone: Zone,
    soldAt: string,
  ) {
    this.soldOn = this.date(soldAt);
    this.expiry = this.byRule([]);
  }

  date = (instant: string): string => wallOf(instant, this.zone).date;
  standing = (but?: number): Kept[] => [...this.sessions].flatMap(([n, kept]) => (kept.fate === 'returned' || n === but ? [] : [kept]));

  byRule(days: string[]): string | null {
    if (this.rule.kind === 'none') return null;
    if (this.rule.kind === 'onDate') return this.rule.date;
    const from = this.rule.from === 'purchase' ? this.soldOn : days.toSorted()[0];
    if (from === undefined) return null;
    const { amount, unit } = this.rule;
    return unit === 'months' ? plusMonths(from, amount) : plusDays(from, amount * (unit === 'weeks' ? 7 : 1));
  }

  /** What the expiry is once these days are used, as seen on a day. */
  over(days: string[], today: string): string | null {
    const counts = this.rule.kind === 'after' && this.rule.from === 'firstUse' && this.adjusted.length === 0;
    return counts && (this.expiry === null || today <= this.expiry) ? this.byRule(days) : this.expiry;
  }

  /** What becomes of a session on a day beside these others: the new expiry, or why not. */
  used(on: string, others: Kept[], today: string): { expiry: string | null } | { refused: string } {
    if (on < this.soldOn) return { refused: 'BEFORE_SALE' };
    const expiry = this.over([...others.map((other) => other.on), on], today);
    if (expiry === null) return { expiry };
    if (on > expiry) return { refused: 'PACKAGE_EXPIRED' };
    return expiry !== this.expiry && others.some((other) => other.on > expiry) ? { refused: 'STRANDS_SESSION' } : { expiry };
  }
}

interface Act {
  decide: Decide<PackageState, PackageEvent>;
  /** What the rules say becomes of it, carried out in the model: `events`, `nothing` or the code of the refusal. */
  expected(): string;
}

/** One act, at a moment: what it is about is a choice among what there is then. */
type Turn = (model: Model, now: string) => Act;

const timesOf = (start: string, zone: Zone) => ({ start, end: later(start, 60 * MINUTE), timeZone: zone, on: localDateOf(start, zone) });
const todayOf = (now: string, zone: Zone): { today: string } => ({ today: localDateOf(now, zone) });
const at = (n: number) => ({ packageId: p, consumptionId: idOf(`c${n}`) });

type When = { from: 'now' | 'sale' | 'expiry' | 'itself'; days: number; minutes: number };

/** Around now or the sale; to the minute where the last valid day ends; or a session some hours from where it is. */
const startOf = (when: When, model: Model, n: number, { now, soldAt }: { now: string; soldAt: string }): string => {
  const itself = model.sessions.get(n);
  if (when.from === 'itself' && itself) return later(itself.start, Math.trunc(when.minutes / 4) * MINUTE);
  if (when.from !== 'expiry' || model.expiry === null)
    return later(when.from === 'sale' ? soldAt : now, when.days * DAY + when.minutes * MINUTE);
  return later(firstMinuteAfter(model.expiry, model.zone), (when.minutes % 2) * MINUTE);
};

const book =
  (n: number, when: When, soldAt: string): Turn =>
  (model, now) => {
    const start = startOf(when, model, n, { now, soldAt });
    return {
      decide: consumeSession(use('', n, { ...timesOf(start, model.zone), ...todayOf(now, model.zone) })),
      expected: () => {
        if (model.sessions.has(n)) return 'nothing';
        const on = model.date(start);
        const outcome = model.used(on, model.standing(), model.date(now));
        if ('refused' in outcome) return outcome.refused;
        model.expiry = outcome.expiry;
        model.sessions.set(n, { on, start, fate: 'standing' });
        return 'events';
      },
    };
  };

const move =
  (n: number, when: When, soldAt: string): Turn =>
  (model, now) => {
    const start = startOf(when, model, n, { now, soldAt });
    const to = { providerId: idOf('provider'), ...timesOf(start, model.zone) };
    return {
      decide: moveSession({ ...at(n), ...to, ...todayOf(now, model.zone) }),
      expected: () => {
        const session = model.sessions.get(n);
        if (session?.fate !== 'standing') return 'SESSION_NOT_STANDING';
        if (session.start === start) return 'nothing';
        const on = model.date(start);
        const outcome = on === session.on ? { expiry: model.expiry } : model.used(on, model.standing(n), model.date(now));
        if ('refused' in outcome) return outcome.refused;
        model.expiry = outcome.expiry;
        model.sessions.set(n, { ...session, on, start });
        return 'events';
      },
    };
  };

const giveBack =
  (n: number): Turn =>
  (model, now) => ({
    decide: returnSession({ ...at(n), because: 'cancelled', ...todayOf(now, model.zone) }),
    expected: () => {
      const session = model.sessions.get(n);
      if (session?.fate !== 'standing') return 'nothing';
      const days = model.standing(n).map(({ on }) => on);
      model.expiry = model.over(days, model.date(now));
      session.fate = 'returned';
      return 'events';
    },
  });

const forfeit =
  (n: number): Turn =>
  (model) => ({
    decide: forfeitSession({ ...at(n), because: 'noShow' }),
    expected: () => {
      const session = model.sessions.get(n);
      if (session?.fate !== 'standing') return 'nothing';
      session.fate = 'forfeited';
      return 'events';
    },
  });

const adjust =
  (days: number): Turn =>
  (model, now) => {
    const to = plusDays(model.date(now), days);
    return {
      decide: adjustExpiry({ packageId: p, to, reason: null }),
      expected: () => {
        if (model.adjusted.at(-1) === to) return 'nothing';
        if (model.adjusted.length === 0) model.before = model.expiry;
        model.adjusted.push(to);
        model.expiry = to;
        return 'events';
      },
    };
  };

const restore: Turn = (model, now) => ({
  decide: restoreExpiry({ packageId: p, reason: null, ...todayOf(now, model.zone) }),
  expected: () => {
    if (model.adjusted.length === 0) return 'EXPIRY_NOT_ADJUSTED';
    model.adjusted.pop();
    const passed = model.before !== null && model.date(now) > model.before;
    const unadjusted = passed ? model.before : model.byRule(model.standing().map(({ on }) => on));
    model.expiry = model.adjusted.at(-1) ?? unadjusted;
    return 'events';
  },
});

const outcomeOf = (decide: Act['decide'], state: PackageState): PackageEvent[] | string => {
  try {
    return decide(state);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

/** Sold at a moment in a zone, to be used without end. */
const selling = (rule: ExpiryRule, zone: Zone, soldAt: string): PackageState => {
  const terms = sale({ expiryRule: rule, services: [soldMassage('unlimited')], soldOn: localDateOf(soldAt, zone), timeZone: zone });
  return sellPackage({ ...terms, apply: null })(packageAggregate.initial).reduce(
    packageAggregate.evolve,
    structuredClone(packageAggregate.initial),
  );
};

const expiryOf = (state: PackageState): string | null => (state.status === 'unsold' ? null : state.expiresOn);

const aZone = fc.constantFrom(...ZONES);
const aMoment = fc
  .tuple(fc.constantFrom(...ODD_DAYS), fc.integer({ min: -14 * 60, max: 38 * 60 }))
  .map(([day, minutes]) => later(`${day}T00:00:00.000Z`, minutes * MINUTE));
const aCount = fc.record({
  kind: fc.constant('after' as const),
  from: fc.constantFrom('purchase' as const, 'firstUse' as const, 'firstUse' as const),
  ...{ amount: fc.integer({ min: 1, max: 6 }), unit: fc.constantFrom('days' as const, 'weeks' as const, 'months' as const) },
});
const aRule = (soldAt: string): fc.Arbitrary<ExpiryRule> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant({ kind: 'none' as const }) },
    { weight: 2, arbitrary: fc.nat(40).map((days) => ({ kind: 'onDate' as const, date: plusDays(soldAt.slice(0, 10), days) })) },
    { weight: 6, arbitrary: aCount },
  );
const aSale = fc.tuple(aZone, aMoment).chain(([zone, soldAt]) => aRule(soldAt).map((rule) => ({ zone, soldAt, rule })));

const aTime: fc.Arbitrary<When> = fc.record({
  from: fc.constantFrom('now' as const, 'sale' as const, 'expiry' as const, 'itself' as const),
  ...{ days: fc.integer({ min: -3, max: 45 }), minutes: fc.integer({ min: -24 * 60, max: 24 * 60 }) },
});
const aSession = fc.integer({ min: 1, max: 6 });
const turns = (soldAt: string) => {
  const aTurn = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(aSession, aTime).map(([n, when]) => book(n, when, soldAt)) },
    { weight: 4, arbitrary: fc.tuple(aSession, aTime).map(([n, when]) => move(n, when, soldAt)) },
    { weight: 4, arbitrary: aSession.map(giveBack) },
    { weight: 1, arbitrary: aSession.map(forfeit) },
    { weight: 1, arbitrary: fc.integer({ min: -5, max: 40 }).map(adjust) },
    { weight: 1, arbitrary: fc.constant(restore) },
  );
  return fc.array(fc.tuple(aTurn, fc.integer({ min: 0, max: 5 * 24 * 60 })), { maxLength: 25, size: 'max' });
};

describe('the expiry of a package, in any zone', () => {
  it('E3: agrees with the model on whatever is booked, moved, returned, forfeited and adjusted, whenever that is', () =>
    fc.assert(
      fc.property(
        aSale.chain((sold) => turns(sold.soldAt).map((list) => ({ ...sold, list }))),
        ({ rule, zone, soldAt, list }) => {
          let state = selling(rule, zone, soldAt);
          let now = soldAt;
          const model = new Model(rule, zone, soldAt);
          expect(expiryOf(state)).toBe(model.expiry);
          for (const [turn, minutes] of list) {
            now = later(now, minutes * MINUTE);
            const { decide, expected } = turn(model, now);
            const outcome = outcomeOf(decide, state);
            expect(typeof outcome === 'string' ? outcome : outcome.length === 0 ? 'nothing' : 'events').toBe(expected());
            if (typeof outcome !== 'string') state = outcome.reduce(packageAggregate.evolve, state);
            expect(expiryOf(state)).toBe(model.expiry);
          }
        },
      ),
      { numRuns: 400 },
    ));

  it('E3: the last minute of the last valid day is valid, and the next one is not', () =>
    fc.assert(
      fc.property(aSale, fc.nat(20), ({ rule, zone, soldAt }, days) => {
        const first = consumeSession(use('', 1, { ...timesOf(later(soldAt, days * DAY), zone), ...todayOf(soldAt, zone) }));
        const sold = selling(rule, zone, soldAt);
        const taken = outcomeOf(first, sold);
        fc.pre(typeof taken !== 'string');
        const state = taken.reduce(packageAggregate.evolve, sold);
        const expiry = expiryOf(state);
        fc.pre(expiry !== null);
        const over = firstMinuteAfter(expiry, zone);
        const asked = (start: string) =>
          outcomeOf(consumeSession(use('', 2, { ...timesOf(start, zone), ...todayOf(soldAt, zone) })), state);
        expect(asked(later(over, -1))).toHaveLength(1);
        expect(asked(over)).toBe('PACKAGE_EXPIRED');
      }),
      { numRuns: 200 },
    ));

  it('E3: given back before midnight at the end of the last valid day, the expiry is worked out again; at midnight no more', () =>
    fc.assert(
      fc.property(aZone, aMoment, aCount, fc.nat(20), (zone, soldAt, rule, days) => {
        const sold = selling({ ...rule, from: 'firstUse' }, zone, soldAt);
        const first = consumeSession(use('', 1, { ...timesOf(later(soldAt, days * DAY), zone), ...todayOf(soldAt, zone) }))(sold);
        const state = first.reduce(packageAggregate.evolve, sold);
        const expiry = expiryOf(state)!;
        const midnight = firstMinuteAfter(expiry, zone);
        const after = (now: string) =>
          expiryOf(
            returnSession({ ...at(1), because: 'cancelled', ...todayOf(now, zone) })(state).reduce(
              packageAggregate.evolve,
              structuredClone(state),
            ),
          );
        expect(after(later(midnight, -1))).toBeNull(); // none stands
        expect(after(midnight)).toBe(expiry);
      }),
      { numRuns: 200 },
    ));
});
