import fc from 'fast-check';
import {
  bookAppointment,
  cancelAppointment,
  markNoShow,
  moveAppointment,
  rebookAppointment,
  undoNoShow,
} from '../../libs/domain/appointment/appointment.decisions.js';
import { appointment, type AppointmentState, type BookedAppointment } from '../../libs/domain/appointment/appointment.state.js';
import { receivePayment, reissueForRemoval, voidPayment } from '../../libs/domain/invoice/invoice.decisions.js';
import { invoice, keptOf, type InvoiceState } from '../../libs/domain/invoice/invoice.state.js';
import type { Aggregate, AnyEvent, Decide, Recorded } from '../../libs/domain/kernel/event.js';
import { pick } from '../../libs/domain/kernel/pick.js';
import { NotFound, Refusal } from '../../libs/domain/kernel/refusal.js';
import { reinstatePackage } from '../../libs/domain/package/cancellation.decisions.js';
import {
  adjustRemaining,
  consumeSession,
  moveSession,
  sellPackage,
  undoForfeit,
  type ConsumeSession,
} from '../../libs/domain/package/package.decisions.js';
import { packageAggregate, standing, type PackageState, type SoldPackage } from '../../libs/domain/package/package.state.js';
import { shareOut } from '../../libs/domain/package/series-sessions.js';
import { policies } from '../../libs/domain/policies/policies.js';
import type { PolicyCommand } from '../../libs/domain/policies/policy.js';
import { planSeries, series } from '../../libs/domain/series/series.js';
import { at, cad, idOf, massage } from '../../libs/domain/testing/example.js';
import { bookingOf, regular } from '../../libs/domain/testing/example-appointment.js';
import { regularFee } from '../../libs/domain/testing/example-invoice.js';
import { cancelling, january, p, sale, soldMassage, use } from '../../libs/domain/testing/example-package.js';
import { planOf } from '../../libs/domain/testing/example-series.js';
import { disagreements } from '../support/agreement.js';

// H3 over several streams: one package, its appointments and invoices, with what follows carried out at once, later in the
// order of each stream, twice, or not before everything else was done, as when processes die.

const DAY = '2027-02-01';
const LAST_DAY = '2027-02-20'; // of the package
const DAYS = ['2027-02-03', LAST_DAY, '2027-02-21'];

/** There is no offering in this world, and nobody who numbers invoices. */
const NOT_HERE = /its offering|^invoiceNumbers-/;

interface Follow {
  trigger: Recorded;
  policy: string;
  ordinal: number;
  command: PolicyCommand;
}

/** All streams, as the event store and the to-do list of the projector keep them. */
class World {
  readonly events: Recorded[] = [];
  private readonly todo: Follow[] = [];
  private commands = 0;

  constructor() {
    const terms = { services: [soldMassage(3)], expiryRule: { kind: 'onDate', date: LAST_DAY } } as const;
    this.give(
      packageAggregate,
      p,
      'sell',
      sellPackage({ ...sale({ ...terms, services: [...terms.services] }), apply: null, payment: null }),
    );
    this.carryOutAll();
  }

  newCommand = (): string => `command-${(this.commands += 1)}`;

  state<State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>, id: string): State {
    const own = this.events.filter(({ stream }) => stream === `${aggregate.category}-${id}`) as unknown as Event[];
    return own.reduce((state, event) => aggregate.evolve(state, event), structuredClone(aggregate.initial));
  }

  /** Decides and appends, once per command. What follows is noted; whoever calls says when it is carried out. */
  give<State, Event extends AnyEvent>(
    aggregate: Aggregate<State, Event>,
    id: string,
    command: string,
    decide: Decide<State, Event>,
  ): Recorded[] {
    const stream = `${aggregate.category}-${id}`;
    const before = this.events.filter((event) => event.stream === stream && event.metadata.commandId === command);
    return before.length > 0 ? before : this.append(aggregate.category, id, command, decide(this.state(aggregate, id)));
  }

  /** Anything on the list, before what comes before it: a process does at once what follows from its own append. */
  rush(n: number): void {
    const follow = this.todo[n % Math.max(1, this.todo.length)];
    if (follow) this.carryOut(follow);
  }

  /** The next thing to do of the nth stream that has any; with `again`, it stays on the list. */
  carryOutNext(n: number, again = false): boolean {
    const streams = [...new Set(this.todo.map(({ trigger }) => trigger.stream))];
    const stream = streams[n % Math.max(1, streams.length)];
    const next = this.todo.findIndex(({ trigger }) => trigger.stream === stream);
    return next >= 0 && this.carryOut(this.todo[next]!, again);
  }

  carryOutAll(): void {
    for (let left = 500; this.todo.length > 0; left -= 1) {
      if (left === 0) throw new Error(`What follows never ends: ${this.todo[0]!.policy}`);
      if (!this.carryOut(this.todo[0]!)) this.todo.push(this.todo.shift()!);
    }
  }

  /** What follows from the events of a stream, and from those again: as whoever undoes something waits for it. */
  settle(stream: string): void {
    const known = this.events.length;
    for (const follow of this.todo.filter(({ trigger }) => trigger.stream === stream))
      if (this.todo.includes(follow)) this.carryOut(follow);
    for (const next of new Set(this.events.slice(known).map((event) => event.stream))) this.settle(next);
  }

  private carryOut(follow: Follow, again = false): boolean {
    const { trigger, policy, ordinal, command } = follow;
    const id = `${trigger.id}/${policy}/${ordinal}`;
    try {
      const undone = (command.refused?.() ?? []).some(({ aggregate, id: of }) =>
        this.events.some(({ stream, metadata }) => stream === `${aggregate.category}-${of}` && metadata.commandId === `${id}/refused`),
      );
      if (!undone) this.give(command.aggregate, command.id, id, command.decide);
    } catch (error) {
      if (error instanceof NotFound) return false; // its stream is still to come
      if (!(error instanceof Refusal) || !command.refused) throw error;
      for (const undo of command.refused()) this.give(undo.aggregate, undo.id, `${id}/refused`, undo.decide);
    }
    if (!again) this.todo.splice(this.todo.indexOf(follow), 1);
    return true;
  }

  private append(category: string, id: string, commandId: string, decided: readonly AnyEvent[]): Recorded[] {
    const stream = `${category}-${id}`;
    return decided.map((event) => {
      const position = BigInt(this.events.length);
      const revision = BigInt(this.events.filter((earlier) => earlier.stream === stream).length);
      const metadata = { commandId, time: `${DAY}T12:00:00.000Z` } as Recorded['metadata'];
      const recorded: Recorded = { ...event, id: idOf(`${commandId}/${stream}/${revision}`), stream, revision, position, metadata };
      this.events.push(recorded);
      for (const { name, on } of policies)
        (on[event.type]?.(recorded) ?? []).forEach((command, ordinal) =>
          this.todo.push({ trigger: recorded, policy: name, ordinal, command }),
        );
      return recorded;
    });
  }
}

/** What somebody does, in one or two steps: between the two, anything else can happen. Each can be sent again. */
type Step = () => void;
type Action = (world: World) => Step[];

const APPOINTMENTS = [1, 2, 3, 4];
const SERIES = [5, 6, 7]; // appointments of the one series
const [a, c, i] = [(n: number) => idOf(`a${n}`), (n: number) => idOf(`c${n}`), (n: number) => idOf(`i${n}`)];
const feeOf = (n: number) => regularFee([], { invoiceId: i(n), appointmentId: a(n) });

const once =
  (act: (world: World, command: string) => void): Action =>
  (world) => {
    const command = world.newCommand();
    return [() => act(world, command)];
  };

/** As most commands do it: looks at the appointment once all has followed, then asks whoever guards what it wants. */
const afterALook =
  (n: number, act: (world: World, seen: BookedAppointment, command: string) => void): Action =>
  (world) => {
    const command = world.newCommand();
    let seen: BookedAppointment | undefined;
    return [
      () => (seen = look(world, n)),
      () => {
        if (seen) act(world, seen, command);
      },
    ];
  };

const look = (world: World, n: number): BookedAppointment | undefined => {
  world.settle(`appointment-${a(n)}`);
  world.settle(`invoice-${i(n)}`); // its package may have been removed
  return bookedOf(world, n);
};

const bookedOf = (world: World, n: number): BookedAppointment | undefined => {
  const state = world.state<AppointmentState, never>(appointment, a(n));
  return state.status === 'none' ? undefined : structuredClone(state);
};

const sessionsOf = (world: World) => (world.state<PackageState, never>(packageAggregate, p) as SoldPackage).sessions;

/** Of an appointment that is there. */
const sessionFor = (n: number, booked: BookedAppointment, over: Partial<ConsumeSession>): ConsumeSession =>
  use(booked.on, n, { ...pick(booked, 'providerId', 'start', 'end', 'on'), ...over });

const book = (n: number): Action =>
  once((world, command) => {
    if (!bookedOf(world, n)) world.give(packageAggregate, p, command, consumeSession(use(DAY, n)));
  });

const bookAtRegularFee = (n: number): Action =>
  once((world, command) => {
    if (sessionsOf(world).has(c(n))) return;
    const booking = bookingOf({ ...regular, appointmentId: a(n), invoiceId: i(n), invoice: feeOf(n) });
    world.give(appointment, a(n), command, bookAppointment(booking));
  });

const bookSeries: Action = once((world, command) => {
  const { plan } = shareOut(planOf(SERIES), world.state<PackageState, never>(packageAggregate, p));
  world.give(series, plan.seriesId, command, planSeries(plan));
});

const cancel = (n: number, session: 'returned' | 'forfeited'): Action =>
  once((world, command) => {
    const settings = { onLateCancellation: 'returned', lateCancellationWindowMinutes: 0 } as const;
    const ending = { appointmentId: a(n), session, reason: null, endedOn: DAY, byClient: false, now: `${DAY}T12:00:00.000Z`, settings };
    world.give(appointment, a(n), command, cancelAppointment(ending));
  });

const noShow = (n: number, outcome: 'returned' | 'forfeited'): Action =>
  once((world, command) =>
    world.give(
      appointment,
      a(n),
      command,
      markNoShow({ appointmentId: a(n), session: outcome, settings: { onNoShow: 'returned' }, reason: null, endedOn: DAY }),
    ),
  );

const takeAgain = (
  n: number,
  { consumptionId, outcome, ...ended }: BookedAppointment,
  purpose: ConsumeSession['purpose'],
  other: string,
) =>
  outcome === 'forfeited'
    ? undoForfeit({ packageId: p, consumptionId: consumptionId! })
    : consumeSession(sessionFor(n, { ...ended, consumptionId, outcome }, { consumptionId: other, purpose, replaces: consumptionId }));

type How = 'from the package' | 'at the regular fee';

const standsAgain = (n: number, how: How, from: 'noShow' | 'cancelled'): Action =>
  afterALook(n, (world, ended, command) => {
    if (ended.status !== from) return;
    const again = { appointmentId: a(n), session: null };
    const [decide, purpose] = from === 'noShow' ? ([undoNoShow, 'noShowUndone'] as const) : ([rebookAppointment, 'rebooking'] as const);
    if (ended.packageId === null) return void world.give(appointment, a(n), command, decide({ ...again, invoice: null }));
    if (how === 'from the package') return void world.give(packageAggregate, p, command, takeAgain(n, ended, purpose, idOf(command)));
    const issued = world.state<InvoiceState, never>(invoice, i(n));
    if (ended.outcome === 'returned' && issued.status === 'issued' && keptOf(issued) === 0)
      world.give(appointment, a(n), command, decide({ ...again, invoice: feeOf(n) }));
  });

const apply = (n: number): Action =>
  afterALook(n, (world, booked, command) => {
    if ((booked.status === 'booked' || booked.status === 'completed') && booked.packageId === null)
      world.give(
        packageAggregate,
        p,
        command,
        consumeSession(sessionFor(n, booked, { consumptionId: idOf(command), purpose: 'application' })),
      );
  });

const giveUp = (
  world: World,
  n: number,
  { consumptionId }: BookedAppointment,
  command: string,
  moveTo: ReturnType<typeof timesOf> | null,
) => world.give(invoice, i(n), command, reissueForRemoval(feeOf(n), { packageId: p, consumptionId: consumptionId!, moveTo }));

const remove = (n: number): Action =>
  afterALook(n, (world, booked, command) => {
    if ((booked.status === 'booked' || booked.status === 'completed') && booked.packageId !== null) giveUp(world, n, booked, command, null);
  });

const timesOf = (day: string) => ({ providerId: idOf('provider'), ...at(day) });

/** It falls back to the regular fee where the package is not valid. */
const move = (n: number, day: string): Action =>
  afterALook(n, (world, booked, command) => {
    if (booked.status !== 'booked') return;
    const to = timesOf(day);
    if (booked.packageId === null) return void world.give(appointment, a(n), command, moveAppointment({ appointmentId: a(n), to }));
    if (day <= LAST_DAY) {
      const session = { packageId: p, consumptionId: booked.consumptionId!, today: january };
      world.give(packageAggregate, p, command, moveSession({ ...session, ...to }));
    } else giveUp(world, n, booked, command, to);
  });

const pay = (n: number): Action =>
  once((world, command) => {
    const paying = {
      invoiceId: i(n),
      paymentId: idOf(`pay${n}`),
      amount: cad(1_00),
      method: 'cash',
      reference: null,
      receivedOn: DAY,
    } as const;
    world.give(invoice, i(n), command, receivePayment(paying));
  });
const takeBack = (n: number): Action =>
  once((world, command) => world.give(invoice, i(n), command, voidPayment({ invoiceId: i(n), paymentId: idOf(`pay${n}`), reason: null })));

const adjust = (to: number): Action =>
  once((world, command) =>
    world.give(packageAggregate, p, command, adjustRemaining({ packageId: p, serviceId: massage, to, reason: null })),
  );
const endPackage = (appointments: 'stay' | 'regularFee'): Action =>
  once((world, command) => {
    const prices = new Map([[massage, { price: { amount: 110_00, currency: 'CAD' }, taxes: [] }]]);
    const how = { appointments, unpaid: 'writtenOff', prices, now: `${january}T17:00:00.000Z`, adjustmentId: idOf(command) } as const;
    world.give(packageAggregate, p, command, cancelling(how));
  });
const reinstate: Action = once((world, command) => {
  world.settle(`package-${p}`);
  world.give(packageAggregate, p, command, reinstatePackage({ packageId: p, reason: null }));
});

const anAppointment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...APPOINTMENTS) },
  { weight: 1, arbitrary: fc.constantFrom(...SERIES) },
);
const aDay = fc.constantFrom(...DAYS);
const aWay = fc.constantFrom('from the package' as const, 'at the regular fee' as const);
const anOutcome = fc.constantFrom('returned' as const, 'forfeited' as const);
const anAction = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...APPOINTMENTS).map((n) => ({ says: `book ${n}`, act: book(n) })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...APPOINTMENTS).map((n) => ({ says: `book ${n} at the regular fee`, act: bookAtRegularFee(n) })),
  },
  { weight: 2, arbitrary: fc.constant({ says: `book ${SERIES.join()} as a series`, act: bookSeries }) },
  { weight: 4, arbitrary: anAppointment.map((n) => ({ says: `apply to ${n}`, act: apply(n) })) },
  { weight: 4, arbitrary: anAppointment.map((n) => ({ says: `remove from ${n}`, act: remove(n) })) },
  { weight: 3, arbitrary: fc.tuple(anAppointment, aDay).map(([n, day]) => ({ says: `move ${n} to ${day}`, act: move(n, day) })) },
  {
    weight: 4,
    arbitrary: fc.tuple(anAppointment, aWay).map(([n, how]) => ({ says: `book ${n} again ${how}`, act: standsAgain(n, how, 'cancelled') })),
  },
  { weight: 1, arbitrary: anAppointment.map((n) => ({ says: `pay ${n}`, act: pay(n) })) },
  { weight: 1, arbitrary: anAppointment.map((n) => ({ says: `void the payment of ${n}`, act: takeBack(n) })) },
  { weight: 4, arbitrary: fc.tuple(anAppointment, anOutcome).map(([n, how]) => ({ says: `cancel ${n}, ${how}`, act: cancel(n, how) })) },
  { weight: 4, arbitrary: fc.tuple(anAppointment, anOutcome).map(([n, how]) => ({ says: `no-show ${n}, ${how}`, act: noShow(n, how) })) },
  {
    weight: 5,
    arbitrary: fc.tuple(anAppointment, aWay).map(([n, how]) => ({ says: `undo ${n} ${how}`, act: standsAgain(n, how, 'noShow') })),
  },
  { weight: 1, arbitrary: fc.nat(3).map((to) => ({ says: `adjust to ${to}`, act: adjust(to) })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('stay' as const, 'regularFee' as const).map((how) => ({ says: `end, ${how}`, act: endPackage(how) })),
  },
  { weight: 1, arbitrary: fc.constant({ says: 'reinstate', act: reinstate }) },
);

/** What comes next: somebody begins something, goes on with it, sends something again; or something that follows is carried out. */
const aTurn = fc.oneof(
  { weight: 4, arbitrary: anAction.map((action) => ({ kind: 'begin' as const, ...action, [fc.toStringMethod]: () => action.says })) },
  { weight: 3, arbitrary: fc.nat(5).map((n) => ({ kind: 'goOn' as const, n })) },
  { weight: 1, arbitrary: fc.nat(9).map((n) => ({ kind: 'again' as const, n })) },
  { weight: 4, arbitrary: fc.tuple(fc.nat(5), fc.boolean()).map(([n, twice]) => ({ kind: 'follow' as const, n, twice })) },
  { weight: 4, arbitrary: fc.nat(9).map((n) => ({ kind: 'rush' as const, n })) },
);

const unlessRefused = (step: Step): void => {
  try {
    step();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
};

type Turn = typeof aTurn extends fc.Arbitrary<infer Value> ? Value : never;

const play = (turns: readonly Turn[]): World => {
  const world = new World();
  const begun: Step[][] = [];
  const done: Step[] = [];
  const take = (steps: Step[]): void => {
    const step = steps.shift();
    if (!step) return;
    unlessRefused(step);
    done.push(step);
  };
  for (const turn of turns) {
    if (turn.kind === 'begin') {
      begun.push(turn.act(world));
      take(begun.at(-1)!);
    }
    if (turn.kind === 'goOn' && begun.length > 0) take(begun[turn.n % begun.length]!);
    if (turn.kind === 'again' && done.length > 0) unlessRefused(done[turn.n % done.length]!);
    if (turn.kind === 'follow') world.carryOutNext(turn.n, turn.twice);
    if (turn.kind === 'rush') world.rush(turn.n);
  }
  for (const steps of begun) while (steps.length > 0) take(steps);
  world.carryOutAll();
  return world;
};

it('H3, E2: consumed − returned = standing appointments with that package, under every order of repeat, race and crash', () =>
  fc.assert(
    fc.property(fc.array(aTurn, { maxLength: 40, size: 'max' }), (turns) => {
      const world = play(turns);
      const sold = world.state<PackageState, never>(packageAggregate, p) as SoldPackage;
      const count = (type: string): number => world.events.filter((event) => event.type === type).length;
      const using = [...APPOINTMENTS, ...SERIES]
        .map((n) => bookedOf(world, n))
        .filter((booked) => booked?.packageId === p && booked.outcome !== 'returned');
      expect(count('SessionConsumed') - count('SessionReturned')).toBe(using.length);
      expect(standing(sold)).toHaveLength(using.length);
      expect(disagreements(world.events).filter((what) => !NOT_HERE.test(what))).toEqual([]);
    }),
    { numRuns: 500 },
  ));
