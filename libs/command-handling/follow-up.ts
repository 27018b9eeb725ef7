import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { policyCommandIdOf } from '../domain/kernel/ids.js';
import type { Recorded } from '../domain/kernel/event.js';
import { NotFound, Refusal } from '../domain/kernel/refusal.js';
import { policies } from '../domain/policies/policies.js';
import type { PolicyCommand } from '../domain/policies/policy.js';
import type { CommandContext, Handle } from '../event-store/handle.js';
import type { CameToNothing } from './came-to-nothing.js';
import type { Clock } from './clock.js';

/** One command that follows from one event: `ordinal` counts the commands that the policy gives for it. */
export interface FollowUp {
  policy: string;
  ordinal: number;
  commandId: string;
}

/** What follows from an event, as the projector's to-do table notes it. */
export const followUpsOf = (event: Recorded): FollowUp[] =>
  policies.flatMap(({ name, on }) =>
    (on[event.type]?.(event) ?? []).map((_, ordinal) => ({ policy: name, ordinal, commandId: policyCommandIdOf(event.id, name, ordinal) })),
  );

/** What an append was answered with. */
interface Appended {
  events: readonly Recorded[];
  position: bigint;
  repeated: boolean;
}

/** What a policy says about an event, as the command of that number. */
const commandOf = (event: Recorded, { policy, ordinal }: Pick<FollowUp, 'policy' | 'ordinal'>): PolicyCommand => {
  const command = policies.find(({ name }) => name === policy)?.on[event.type]?.(event)[ordinal];
  if (!command) throw new Error(`The policy ${policy} gives no command ${ordinal} for ${event.type}.`);
  return command;
};

/** ms after a trigger in which others leave its commands to us: like the projector, they take them up after 2 s. */
const SOLE_FOR = 1_500;
const LEFT_ALONE_FOR = 2_000;
const POLL = 20;

/** Carries out what follows from events on other streams (docs/operations-over-streams.md). */
export class FollowUps {
  constructor(
    private readonly handle: Handle,
    private readonly nothing: CameToNothing,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly projectorFollows: boolean, // it takes up what is left here
  ) {}

  /**
   * Right after an append, its steps at once, and what follows from those. What fails here is left to the projector,
   * which finds it in its to-do table; where there is none, it is thrown, for the request to be sent again.
   * @param since when the triggers' append was about to be sent, on the clock of performance.now()
   * @returns the highest position that was appended
   */
  async after({ events, position, repeated }: Appended, since: number): Promise<bigint> {
    const soleUntil = repeated ? undefined : since + SOLE_FOR; // whoever appended them first may be at it still
    const steps = events.flatMap((event) =>
      policies.flatMap(({ name, on }) =>
        (on[event.type]?.(event) ?? []).map(async (command, ordinal) => {
          try {
            return await this.carryOut(event, name, ordinal, command, soleUntil);
          } catch (error) {
            if (!this.projectorFollows && !(error instanceof Refusal)) throw error;
            this.log.warn({ err: error, policy: name, trigger: event.id, stream: event.stream }, 'left to the projector');
            return position;
          }
        }),
      ),
    );
    return (await Promise.all(steps)).reduce(later, position);
  }

  /**
   * Carries out all that follows from an event, once whoever appended it has had their time; what fails is thrown. But what
   * is not there yet, an invoice that follows from elsewhere, is left to the projector, which takes what follows from one
   * stream in its order.
   */
  async settle(event: Recorded, which: (command: PolicyCommand) => boolean = () => true): Promise<void> {
    for (const followUp of followUpsOf(event)) {
      if (!which(commandOf(event, followUp))) continue;
      const done = await this.doneByFirst(event, followUp);
      for (const next of done ?? []) await this.settle(next);
      if (done) continue;
      await this.again(event, followUp).catch((error: unknown) => {
        if (!(error instanceof NotFound)) throw error;
      });
    }
  }

  /** Carries out one again, from its trigger: the projector's way. A refusal without compensation is thrown. */
  async again(event: Recorded, { policy, ordinal }: Pick<FollowUp, 'policy' | 'ordinal'>): Promise<void> {
    await this.carryOut(event, policy, ordinal, commandOf(event, { policy, ordinal }));
  }

  /**
   * Whoever appended the event is left alone with what follows from it for as long as they may rely on it. Gives what came of it;
   * undefined: nothing is known of it.
   */
  private async doneByFirst(event: Recorded, followUp: FollowUp): Promise<Recorded[] | undefined> {
    const age = Math.max(0, Date.parse(this.clock()) - Date.parse(event.metadata.time));
    for (let waited = age; waited < LEFT_ALONE_FOR; waited += POLL) {
      const done = await this.outcomeOf(event, followUp);
      if (done) return done;
      await sleep(POLL);
    }
    return this.outcomeOf(event, followUp);
  }

  private async outcomeOf(event: Recorded, { policy, ordinal, commandId }: FollowUp): Promise<Recorded[] | undefined> {
    const events = await this.eventsOf(event, policy, commandId, commandOf(event, { policy, ordinal }));
    return events.length > 0 || (await this.nothing.has(commandId)) ? events : undefined;
  }

  /** What came to nothing, or was refused once and made good, is not asked again: the stream might take it by now. */
  private async carryOut(event: Recorded, policy: string, ordinal: number, command: PolicyCommand, soleUntil?: number): Promise<bigint> {
    const commandId = policyCommandIdOf(event.id, policy, ordinal);
    const compensations = (command.refused?.() ?? []).map((undo, n) => ({
      undo,
      undoId: policyCommandIdOf(event.id, `${policy}/${ordinal}/refused`, n),
    }));
    if (soleUntil === undefined) {
      if (await this.nothing.has(commandId)) return 0n;
      for (const { undo, undoId } of compensations) if ((await this.eventsOf(event, policy, undoId, undo)).length > 0) return 0n;
    }
    const given = await this.give(event, policy, commandId, command, soleUntil).catch((error: unknown) => {
      if (!(error instanceof Refusal) || compensations.length === 0) throw error;
      return undefined;
    });
    if (given && given.events.length > 0) return this.after(given, given.since);
    const undone = given ? [] : await Promise.all(compensations.map(({ undo, undoId }) => this.makeGood(event, policy, undoId, undo)));
    await this.nothing.note(commandId);
    return undone.reduce(later, given?.position ?? 0n);
  }

  private async makeGood(event: Recorded, policy: string, commandId: string, undo: PolicyCommand): Promise<bigint> {
    const given = await this.give(event, policy, commandId, undo);
    return this.after(given, given.since);
  }

  /** What a command appended, if it was carried out. */
  private async eventsOf(event: Recorded, policy: string, commandId: string, { aggregate, id }: PolicyCommand): Promise<Recorded[]> {
    const { events } = await this.handle(aggregate, id, this.contextOf(event, policy, commandId), () => [], { fresh: true });
    return events;
  }

  private async give(
    event: Recorded,
    policy: string,
    commandId: string,
    { aggregate, id, decide, creates, read }: PolicyCommand,
    soleUntil?: number,
  ): Promise<Appended & { since: number }> {
    const { [`${aggregate.category}-${id}`]: _, ...others } = read ?? {};
    const context = { ...this.contextOf(event, policy, commandId), ...(read && { read: others }), soleUntil };
    const since = performance.now();
    return { ...(await this.handle(aggregate, id, context, decide, creates ? { create: 'unseen' } : {})), since };
  }

  /** The person whose doing it follows from stays the one who did it. */
  private contextOf({ id, metadata: { business, actor, $correlationId } }: Recorded, policy: string, commandId: string): CommandContext {
    return { commandId, business, actor, policy, correlationId: $correlationId, causationId: id, now: this.clock() };
  }
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
