import fc from 'fast-check';
import { cancelAppointment, existing, markNoShow, undoNoShow } from '../../libs/domain/appointment/appointment.decisions.js';
import { appointment, type AppointmentState, type BookedAppointment } from '../../libs/domain/appointment/appointment.state.js';
import type { Aggregate, AnyEvent, Decide, Recorded } from '../../libs/domain/kernel/event.js';
import { NotFound, Refusal } from '../../libs/domain/kernel/refusal.js';
import { reinstatePackage } from '../../libs/domain/package/cancellation.decisions.js';
import { adjustRemaining, consumeSession, sellPackage, undoForfeit } from '../../libs/domain/package/package.decisions.js';
import { packageAggregate, standing, type PackageState, type SoldPackage } from '../../libs/domain/package/package.state.js';
import { policies } from '../../libs/domain/policies/policies.js';
import type { PolicyCommand } from '../../libs/domain/policies/policy.js';
import { idOf, massage } from '../../libs/domain/testing/example.js';
import { cancelling, january, p, sale, soldMassage, use } from '../../libs/domain/testing/example-package.js';
import { disagreements } from '../support/agreement.js';

// H3 over several streams: one package, its appointments and invoices, with what follows carried out at once, later in the
// order of each stream, twice, or not before everything else was done, as when processes die.

const DAY = '2027-02-01';

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
    this.give(packageAggregate, p, 'sell', sellPackage({ ...sale({ services: [soldMassage(3)] }), apply: null, payment: null }));
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
      const recorded: Recorded = { ...event, id: `${commandId}/${stream}/${revision}`, stream, revision, position, metadata };
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

const a = (n: number) => idOf(`a${n}`);

const once =
  (act: (world: World, command: string) => void): Action =>
  (world) => {
    const command = world.newCommand();
    return [() => act(world, command)];
  };

const book = (n: number): Action => once((world, command) => world.give(packageAggregate, p, command, consumeSession(use(DAY, n))));

const cancel = (n: number, session: 'returned' | 'forfeited'): Action =>
  once((world, command) => {
    const settings = { onLateCancellation: 'returned', lateCancellationWindowMinutes: 0 } as const;
    const ending = { appointmentId: a(n), session, reason: null, endedOn: DAY, byClient: false, now: `${DAY}T12:00:00.000Z`, settings };
    world.give(appointment, a(n), command, cancelAppointment(ending));
  });

const noShow = (n: number, outcome: 'returned' | 'forfeited'): Action =>
  once((world, command) =>
    world.give(appointment, a(n), command, markNoShow({ appointmentId: a(n), outcome, reason: null, endedOn: DAY })),
  );

/** As the command does it: looks at the appointment once all has followed, then asks the package. */
const undo =
  (n: number): Action =>
  (world) => {
    const [command, other] = [world.newCommand(), idOf(world.newCommand())];
    let marked: BookedAppointment | undefined;
    return [
      () => {
        world.settle(`appointment-${a(n)}`);
        world.settle(`invoice-${idOf(`i${n}`)}`); // its package may have been removed
        marked = existing(world.state<AppointmentState, never>(appointment, a(n)), a(n));
      },
      () => {
        if (marked?.status !== 'noShow') return;
        const { outcome, consumptionId, packageId } = marked;
        if (packageId === null)
          return void world.give(appointment, a(n), command, undoNoShow({ appointmentId: a(n), consumptionId: null }));
        const take =
          outcome === 'forfeited'
            ? undoForfeit({ packageId: p, consumptionId: consumptionId! })
            : consumeSession(use(DAY, n, { consumptionId: other, purpose: 'noShowUndone', replaces: consumptionId }));
        world.give(packageAggregate, p, command, take);
      },
    ];
  };

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

const anAppointment = fc.integer({ min: 1, max: 4 });
const anOutcome = fc.constantFrom('returned' as const, 'forfeited' as const);
const anAction = fc.oneof(
  { weight: 5, arbitrary: anAppointment.map((n) => ({ says: `book ${n}`, act: book(n) })) },
  { weight: 2, arbitrary: fc.tuple(anAppointment, anOutcome).map(([n, how]) => ({ says: `cancel ${n}, ${how}`, act: cancel(n, how) })) },
  { weight: 4, arbitrary: fc.tuple(anAppointment, anOutcome).map(([n, how]) => ({ says: `no-show ${n}, ${how}`, act: noShow(n, how) })) },
  { weight: 5, arbitrary: anAppointment.map((n) => ({ says: `undo ${n}`, act: undo(n) })) },
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
      const using = [1, 2, 3, 4]
        .map((n) => world.state<AppointmentState, never>(appointment as never, a(n)))
        .filter((state) => state.status !== 'none' && state.packageId === p && state.outcome !== 'returned');
      expect(count('SessionConsumed') - count('SessionReturned')).toBe(using.length);
      expect(standing(sold)).toHaveLength(using.length);
      expect(disagreements(world.events).filter((what) => !NOT_HERE.test(what))).toEqual([]);
    }),
    { numRuns: 500 },
  ));
