import type { Aggregate, AnyEvent, Decide, Recorded } from '../kernel/event.js';

/**
 * What follows from an event on another stream. Pure: the event carries all that its commands need. The aggregate
 * that guards the invariant has written first; what a policy's command refuses is compensated, or parked visibly.
 */
export interface Policy {
  name: string; // pinned: the ids of its commands follow from it
  on: Record<string, (event: Recorded) => PolicyCommand[]>;
}

export interface PolicyCommand {
  aggregate: Aggregate<unknown, AnyEvent>;
  id: string;
  decide: Decide<unknown, AnyEvent>;
  creates: boolean; // the stream is expected to be new
  /** Facts that the trigger read, on which this decision rests too: stream → revision. */
  read?: Record<string, string>;
  /** What undoes the trigger if this is refused; without it the command is parked. */
  refused?: () => PolicyCommand[];
}

type Handlers<Event extends AnyEvent> = {
  [Type in Event['type']]?: (event: Recorded<Extract<Event, { type: Type }>>) => PolicyCommand[];
};

export const definePolicy = <Event extends AnyEvent>(name: string, on: Handlers<Event>): Policy => ({
  name,
  on: on as unknown as Policy['on'],
});

type Options<State, Event extends AnyEvent> = Pick<PolicyCommand, 'read' | 'refused'> & { decide: Decide<State, Event> };

const commandOf = (aggregate: unknown, id: string, options: { decide: unknown }, creates: boolean) =>
  ({ aggregate, id, creates, ...options }) as PolicyCommand;

/** A command to a stream that is there. */
export const change = <State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>, id: string, options: Options<State, Event>) =>
  commandOf(aggregate, id, options, false);

/** A command that begins a stream. */
export const create = <State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>, id: string, options: Options<State, Event>) =>
  commandOf(aggregate, id, options, true);
