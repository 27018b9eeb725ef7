import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { policyCommandIdOf } from '../domain/kernel/ids.js';
import type { Recorded } from '../domain/kernel/event.js';
import { NotFound, Refusal } from '../domain/kernel/refusal.js';
import { policies } from '../domain/policies/policies.js';
import type { PolicyCommand } from '../domain/policies/policy.js';
import type { CommandContext, Handle } from '../event-store/handle.js';
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
      for (const next of done) await this.settle(next);
      if (done.length > 0) continue;
      await this.again(event, followUp).catch((error: unknown) => {
        if (!(error instanceof NotFound)) throw error;
      });
    }
  }

  /** Carries out one again, from its trigger: the projector's way. A refusal without compensation is thrown. */
  async again(event: Recorded, { policy, ordinal }: Pick<FollowUp, 'policy' | 'ordinal'>): Promise<void> {
    await this.carryOut(event, policy, ordinal, commandOf(event, { policy, ordinal }));
  }

  /** Whoever appended the event is left alone with what follows from it for as long as they may rely on it. Gives what came of it. */
  private async doneByFirst(event: Recorded, { policy, ordinal, commandId }: FollowUp): Promise<Recorded[]> {
    const command = commandOf(event, { policy, ordinal });
    const age = Math.max(0, Date.parse(this.clock()) - Date.parse(event.metadata.time));
    for (let waited = age; waited < LEFT_ALONE_FOR; waited += POLL) {
      const done = await this.eventsOf(event, policy, commandId, command);
      if (done.length > 0) return done;
      await sleep(POLL);
    }
    return this.eventsOf(event, policy, commandId, command);
  }

  private async carryOut(event: Recorded, policy: string, ordinal: number, command: PolicyCommand, soleUntil?: number): Promise<bigint> {
    const compensations = (command.refused?.() ?? []).map((undo, n) => ({
      undo,
      commandId: policyCommandIdOf(event.id, `${policy}/${ordinal}/refused`, n),
    }));
    if (soleUntil === undefined)
      for (const { undo, commandId } of compensations) if ((await this.eventsOf(event, policy, commandId, undo)).length > 0) return 0n;
    try {
      return await this.give(event, policy, policyCommandIdOf(event.id, policy, ordinal), command, soleUntil);
    } catch (error) {
      if (!(error instanceof Refusal) || compensations.length === 0) throw error;
      const given = compensations.map(({ undo, commandId }) => this.give(event, policy, commandId, undo));
      return (await Promise.all(given)).reduce(later, 0n);
    }
  }

  /** What a command appended, if it was carried out. What was refused once and made good is not asked again: the stream might take it by now. */
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
  ): Promise<bigint> {
    const { [`${aggregate.category}-${id}`]: _, ...others } = read ?? {};
    const context = { ...this.contextOf(event, policy, commandId), ...(read && { read: others }), soleUntil };
    const since = performance.now();
    return this.after(await this.handle(aggregate, id, context, decide, creates ? { create: 'unseen' } : {}), since);
  }

  /** The person whose doing it follows from stays the one who did it. */
  private contextOf({ id, metadata: { business, actor, $correlationId } }: Recorded, policy: string, commandId: string): CommandContext {
    return { commandId, business, actor, policy, correlationId: $correlationId, causationId: id, now: this.clock() };
  }
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
