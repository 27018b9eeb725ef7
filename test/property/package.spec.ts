import fc from 'fast-check';
import type { Decide } from '../../libs/domain/kernel/event.js';
import { Refusal } from '../../libs/domain/kernel/refusal.js';
import type { ExpiryRule, Limit } from '../../libs/domain/kernel/shapes.js';
import {
  adjustExpiry,
  adjustRemaining,
  consumeSession,
  forfeitSession,
  restoreExpiry,
  returnSession,
  sellPackage,
  undoForfeit,
} from '../../libs/domain/package/package.decisions.js';
import { pick } from '../../libs/domain/kernel/pick.js';
import { explainExpiry, explainService, SERVICE_FIGURES, usesIn } from '../../libs/domain/package/explanation.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import { packageAggregate, type PackageState } from '../../libs/domain/package/package.state.js';
import { saleIn, standingOf } from '../../libs/domain/package/sale-explanation.js';
import { facial, idOf, massage } from '../../libs/domain/testing/example.js';
import { cancelling, p, sale, soldFacial, soldMassage, use } from '../../libs/domain/testing/example-package.js';
import { fold as foldRows } from '../../libs/projection-engine/fold.js';
import { recorded } from '../../libs/projection-engine/testing/recorded.js';
import { packageSales, type PackageSalesRow } from '../../projections/package-sales.projection.js';
import { packageUsage, type PackageUsageRow } from '../../projections/package-usage.projection.js';
import { expectSame } from '../support/expect-same.js';

// The package against a model that knows the product rules only: it keeps what was done, as a list, and works every
// figure out from it anew. Days are numbers, counted from the sale; a month is left to the calendar's own test.

type Rule = { from: 'never' | 'purchase' | 'firstUse'; days: number };
type Fate = 'standing' | 'returned' | 'forfeited';

class Model {
  sold = false;
  cancelled = false;
  rule: Rule = { from: 'never', days: 0 };
  limits = new Map<string, number>(); // Infinity: unlimited
  adjustments = new Map<string, number>();
  sessions = new Map<number, { service: string; day: number; fate: Fate }>();
  adjusted: number[] = [];
  expiry = Infinity;
  before = Infinity; // what it was when it was first adjusted

  standing = (service?: string) =>
    [...this.sessions.values()].filter((session) => session.fate !== 'returned' && (!service || session.service === service));
  remaining = (service: string) => this.limits.get(service)! + this.adjustments.get(service)! - this.standing(service).length;
  byRule = (days: number[]) =>
    this.rule.from === 'never' ? Infinity : (this.rule.from === 'purchase' ? 0 : Math.min(...days)) + this.rule.days;
  moves = (today: number) => this.rule.from === 'firstUse' && this.adjusted.length === 0 && today <= this.expiry;
}

/** A command as both sides understand it. `expected`: what the rules say becomes of it; `apply` carries it out in the model. */
interface Command {
  [fc.toStringMethod]: () => string;
  decide: Decide<PackageState, PackageEvent>;
  expected: (model: Model) => string; // `events`, `nothing` or the code of the refusal
  apply: (model: Model) => void;
}

const epoch = Date.UTC(2027, 0, 31);
const dateOf = (day: number): string => new Date(epoch + day * 86_400_000).toISOString().slice(0, 10);
const dayOf = (date: string | null): number => (date === null ? Infinity : (Date.parse(date) - epoch) / 86_400_000);

const sell = (rule: Rule, limits: [number, number]): Command => {
  const limitOf = (limit: number): Limit => (limit === Infinity ? 'unlimited' : limit);
  const expiryRule: ExpiryRule =
    rule.from === 'never' ? { kind: 'none' } : { kind: 'after', from: rule.from, amount: rule.days, unit: 'days' };
  return {
    [fc.toStringMethod]: () => `sell ${JSON.stringify(rule)} ${limits.join()}`,
    decide: sellPackage({
      ...sale({ expiryRule, services: [soldMassage(limitOf(limits[0])), soldFacial(limitOf(limits[1]))] }),
      apply: null,
    }),
    expected: ({ sold }) => (sold ? 'ALREADY_EXISTS' : 'events'),
    apply: (model) => {
      Object.assign(model, { sold: true, rule, expiry: rule.from === 'purchase' ? rule.days : Infinity });
      [massage, facial].forEach((service, n) => {
        model.limits.set(service, limits[n]!);
        model.adjustments.set(service, 0);
      });
    },
  };
};

const consume = (n: number, service: string, day: number, today: number): Command => {
  const expiryWith = (model: Model) =>
    model.moves(today) ? model.byRule([...model.standing(), { day }].map((session) => session.day)) : model.expiry;
  return {
    [fc.toStringMethod]: () => `book c${n}: a ${service === massage ? 'massage' : 'facial'} on day ${day}, on day ${today}`,
    decide: consumeSession(use(dateOf(day), n, { serviceId: service, today: dateOf(today) })),
    expected: (model) => {
      const expiry = expiryWith(model);
      if (!model.sold) return 'NOT_FOUND';
      if (model.sessions.has(n)) return 'nothing';
      if (model.cancelled) return 'PACKAGE_CANCELLED';
      if (model.remaining(service) === 0) return 'NO_SESSIONS_LEFT';
      if (day < 0) return 'BEFORE_SALE';
      if (day > expiry) return 'PACKAGE_EXPIRED';
      return expiry !== model.expiry && model.standing().some((session) => session.day > expiry) ? 'STRANDS_SESSION' : 'events';
    },
    apply: (model) => {
      model.expiry = expiryWith(model);
      model.sessions.set(n, { service, day, fate: 'standing' });
    },
  };
};

const end = (n: number, to: 'returned' | 'forfeited', today: number): Command => ({
  [fc.toStringMethod]: () => `c${n} is ${to} on day ${today}`,
  decide:
    to === 'returned'
      ? returnSession({ packageId: p, consumptionId: idOf(`c${n}`), because: 'cancelled', today: dateOf(today) })
      : forfeitSession({ packageId: p, consumptionId: idOf(`c${n}`), because: 'noShow' }),
  expected: ({ sold, sessions }) => (!sold ? 'NOT_FOUND' : sessions.get(n)?.fate === 'standing' ? 'events' : 'nothing'),
  apply: (model) => {
    const moves = model.moves(today);
    model.sessions.get(n)!.fate = to;
    if (to === 'returned' && moves) model.expiry = model.byRule(model.standing().map(({ day }) => day));
  },
});

const undo = (n: number): Command => ({
  [fc.toStringMethod]: () => `undo the forfeit of c${n}`,
  decide: undoForfeit({ packageId: p, consumptionId: idOf(`c${n}`) }),
  expected: ({ sold, sessions }) => (!sold ? 'NOT_FOUND' : sessions.get(n)?.fate === 'forfeited' ? 'events' : 'nothing'),
  apply: ({ sessions }) => (sessions.get(n)!.fate = 'standing'),
});

const adjust = (service: string, to: number): Command => ({
  [fc.toStringMethod]: () => `adjust the ${service === massage ? 'massages' : 'facials'} to ${to}`,
  decide: adjustRemaining({ packageId: p, serviceId: service, to, reason: null }),
  expected: (model) => {
    if (!model.sold) return 'NOT_FOUND';
    if (model.cancelled) return 'PACKAGE_CANCELLED';
    if (model.limits.get(service) === Infinity) return 'UNLIMITED';
    return model.remaining(service) === to ? 'nothing' : 'events';
  },
  apply: (model) => model.adjustments.set(service, model.adjustments.get(service)! + to - model.remaining(service)),
});

const setExpiry = (to: number): Command => ({
  [fc.toStringMethod]: () => `set the expiry to day ${to}`,
  decide: adjustExpiry({ packageId: p, to: dateOf(to), reason: null }),
  expected: ({ sold, adjusted }) => (!sold ? 'NOT_FOUND' : adjusted.at(-1) === to ? 'nothing' : 'events'),
  apply: (model) => {
    if (model.adjusted.length === 0) model.before = model.expiry;
    model.adjusted.push(to);
    model.expiry = to;
  },
});

const undoExpiry = (today: number): Command => ({
  [fc.toStringMethod]: () => `undo the expiry on day ${today}`,
  decide: restoreExpiry({ packageId: p, today: dateOf(today), reason: null }),
  expected: ({ sold, adjusted }) => (!sold ? 'NOT_FOUND' : adjusted.length === 0 ? 'EXPIRY_NOT_ADJUSTED' : 'events'),
  apply: (model) => {
    model.adjusted.pop();
    const unadjusted = today > model.before ? model.before : model.byRule(model.standing().map(({ day }) => day));
    model.expiry = model.adjusted.at(-1) ?? unadjusted;
  },
});

const cancel: Command = {
  [fc.toStringMethod]: () => 'cancel',
  decide: cancelling(),
  expected: ({ sold, cancelled }) => (!sold ? 'NOT_FOUND' : cancelled ? 'nothing' : 'events'),
  apply: (model) => (model.cancelled = true),
};

const aRule = fc.record({ from: fc.constantFrom('never', 'purchase', 'firstUse', 'firstUse'), days: fc.integer({ min: 1, max: 20 }) });
const aLimit = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(Infinity));
const aSale = fc.tuple(aRule, fc.tuple(aLimit, aLimit)).map(([rule, limits]) => sell(rule, limits));
const aService = fc.constantFrom(massage, facial);
const aSession = fc.integer({ min: 1, max: 8 });
const aDay = fc.integer({ min: -2, max: 40 });

/** What is done after the sale; `today` moves on from one to the next, as it does. */
const aCommand = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ n: aSession, service: aService, day: aDay }).map(
      ({ n, service, day }) =>
        (today: number) =>
          consume(n, service, day, today),
    ),
  },
  { weight: 4, arbitrary: aSession.map((n) => (today: number) => end(n, 'returned', today)) },
  { weight: 2, arbitrary: aSession.map((n) => (today: number) => end(n, 'forfeited', today)) },
  { weight: 2, arbitrary: aSession.map((n) => () => undo(n)) },
  {
    weight: 2,
    arbitrary: fc.tuple(aService, fc.nat(6)).map(
      ([service, to]) =>
        () =>
          adjust(service, to),
    ),
  },
  { weight: 1, arbitrary: aDay.map((day) => () => setExpiry(day)) },
  { weight: 1, arbitrary: fc.constant(undoExpiry) },
  { weight: 1, arbitrary: aSale.map((again) => () => again) },
  { weight: 1, arbitrary: fc.nat(7).map((n) => (today: number) => (n === 0 ? cancel : end(n, 'returned', today))) },
);
const commands = fc
  .tuple(fc.nat(9), aSale, fc.array(fc.tuple(aCommand, fc.integer({ min: 0, max: 3 })), { maxLength: 40, size: 'max' }))
  .map(([chance, first, rest]) => {
    let today = 0;
    return [...(chance > 0 ? [first] : []), ...rest.map(([command, passed]) => command((today += passed)))];
  });

const fold = (history: readonly PackageEvent[]): PackageState => history.reduce(packageAggregate.evolve, packageAggregate.initial);

const outcomeOf = ({ decide }: Command, state: PackageState): PackageEvent[] | string => {
  try {
    return decide(state);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

const assertSame = (state: PackageState, model: Model): void => {
  if (state.status === 'unsold') return expect(model.sold).toBe(false);
  expectSame([state.status, dayOf(state.expiresOn)], [model.cancelled ? 'cancelled' : 'sold', model.expiry]);
  for (const { serviceId, remaining, limit, adjustments, used } of state.services.values()) {
    expectSame({ adjustments, used }, { adjustments: model.adjustments.get(serviceId), used: model.standing(serviceId).length });
    if (limit === 'unlimited') {
      expect(remaining).toBeNull();
      continue;
    }
    expectSame(remaining, model.remaining(serviceId));
    expect(remaining).toBeGreaterThanOrEqual(0);
    expect(remaining).toBeLessThanOrEqual(limit + adjustments);
  }
  const fates = [...model.sessions.values()].map(({ fate }) => fate);
  expectSame(
    [...state.sessions.values()].map(({ outcome }) => outcome),
    fates,
  );
};

/** Every command in turn: both sides agree on what becomes of it, and the decision leaves its state alone. */
const run = (list: readonly Command[]): PackageEvent[] => {
  const model = new Model();
  const history: PackageEvent[] = [];
  let state = fold([]);
  for (const command of list) {
    const before = structuredClone(state);
    const outcome = outcomeOf(command, state);
    expectSame(state, before);

    const expected = command.expected(model);
    expectSame(typeof outcome === 'string' ? outcome : outcome.length === 0 ? 'nothing' : 'events', expected);
    if (typeof outcome === 'string' || outcome.length === 0) continue;
    command.apply(model);
    history.push(...outcome);
    state = outcome.reduce(packageAggregate.evolve, state);
    assertSame(state, model);
  }
  expectSame(fold(history), state);
  return history;
};

describe('a package under any commands', () => {
  const runs = { numRuns: process.env.SOAK ? 3_000 : 100 };

  it('E2, F1: agrees with the model after each: remaining = limit + adjustments − standing, between 0 and limit + adjustments', () =>
    fc.assert(
      fc.property(commands, (list) => void run(list)),
      runs,
    ));

  it('H3: returns each consumption at most once, and never takes one twice', () =>
    fc.assert(
      fc.property(commands, (list) => {
        const history = run(list);
        for (const type of ['SessionConsumed', 'SessionReturned']) {
          const ids = history.flatMap((event) => (event.type === type && 'consumptionId' in event.data ? [event.data.consumptionId] : []));
          expect(new Set(ids).size).toBe(ids.length);
        }
      }),
      runs,
    ));

  it('D5, E2, H3: agrees also when each command comes twice, or all of them once more', () =>
    fc.assert(
      fc.property(commands, (list) => {
        run(list.flatMap((command) => [command, command]));
        run([...list, ...list]);
      }),
      runs,
    ));

  it('J5, K1: every count is explained: what the events add to it, one after the other, adds up to it', () =>
    fc.assert(
      fc.property(commands, (list) => {
        const history = recorded(run(list));
        const state = fold(history);
        for (const service of state.status === 'unsold' ? [] : state.services.values())
          for (const figure of SERVICE_FIGURES) {
            const shares = explainService(history, service.serviceId, figure);
            const isCounted = service[figure] !== null;
            expect(shares.reduce((sum, { adds }) => sum + (adds ?? 0), 0)).toBe(service[figure] ?? 0);
            expect(shares.at(-1)?.sum ?? (isCounted ? 0 : null)).toBe(service[figure]);
          }
      }),
      runs,
    ));

  it('J5, K1: the day on which it ends is explained: each event that moved it goes on from the one before', () =>
    fc.assert(
      fc.property(commands, (list) => {
        const history = recorded(run(list));
        const state = fold(history);
        const steps = explainExpiry(history);
        expect(steps.at(-1)?.to).toBe(state.status === 'unsold' ? undefined : state.expiresOn);
        expect(steps.map(({ from }) => from)).toEqual([null, ...steps.map(({ to }) => to)].slice(0, steps.length));
      }),
      runs,
    ));

  it('J3, J5, K1: each row of the report of usage is explained: its event adds what the row says', () =>
    fc.assert(
      fc.property(commands, (list) => {
        const history = recorded(run(list));
        const rows = [...foldRows(packageUsage, new Map<string, PackageUsageRow>(), history).values()];
        const said = usesIn(history).map(({ entryId, adds: { taken, returned, forfeited, adjusted, effect }, says }) => [
          ...[entryId, effect, taken, returned, forfeited, adjusted, says],
        ]);
        const shown = rows.map(({ entryId, what, effect, at, ...row }) => [
          ...[entryId, effect, Number(what === 'consumed'), Number(what === 'returned')],
          ...[what === 'forfeited' ? 1 : what === 'forfeitUndone' ? -1 : 0, what === 'adjusted' ? effect : 0],
          { what, recordedAt: at, ...pick(row, 'packageId', 'offeringId', 'ownerId', 'clientId', 'serviceId', 'appointmentId') },
        ]);
        expect(said).toEqual(shown);
      }),
      runs,
    ));

  it('J2, J5, K1: what decides in which figures of the report of sales it is, is what its events say', () =>
    fc.assert(
      fc.property(commands, (list) => {
        const history = recorded(run(list));
        const row = foldRows(packageSales, new Map<string, PackageSalesRow>(), history).get(p);
        const OF_SALE = ['packageId', 'soldOn', 'clientId', 'offeringId', 'channel', 'invoiceId'] as const;
        const OF_STANDING = ['expiresOn', 'cancelled', 'remaining', 'paid', 'refunded', 'outstanding'] as const;
        expect(saleIn(history.slice(0, 1))).toEqual(row && pick(row, ...OF_SALE));
        expect(standingOf(history, [])).toEqual(row && pick(row, ...OF_STANDING));
      }),
      runs,
    ));

  it('K1: each event folded twice does no harm, and every event fits its stored shape', () =>
    fc.assert(
      fc.property(commands, (list) => {
        const history = run(list);
        expect(fold(history.flatMap((event) => [event, event]))).toEqual(fold(history));
        for (const { type, data } of history) {
          expect(packageAggregate.events.find((event) => event.type === type)!.data.parse(data)).toEqual(data);
        }
      }),
      runs,
    ));
});
