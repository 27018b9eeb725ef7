import type { Command as NestCommand } from '@nestjs/cqrs';
import type { Actor } from '../domain/kernel/event.js';

/** Who asks, and how: what a command needs to know of its caller. */
export interface Caller {
  business: string;
  actor: Actor;
  clientId?: string; // of an actor with the role `client`
  idempotencyKey?: string;
  correlationId: string;
  ifMatch?: bigint; // the revision that the caller has seen
}

/** Nest's class of this name is empty: it tells the compiler what a command's answer is. Whoever has no bus loads nothing of Nest. */
const Command = class {} as unknown as typeof NestCommand;

/** Something that a caller wants done; `input` is what the caller said, checked for its form. */
export abstract class CommandOf<Input, Answer> extends Command<Answered<Answer>> {
  declare readonly answer: Answer; // only for the compiler

  constructor(
    readonly caller: Caller,
    readonly input: Input,
  ) {
    super();
  }

  /** What of it the caller said: for that an Idempotency-Key stands. */
  get said(): unknown {
    return this.input;
  }

  /** Its id, if it is the same command whoever sends it; else that follows from the caller and the Idempotency-Key. */
  get ownId(): string | undefined {
    return undefined;
  }
}

/** What a command answers of one thing: how it is now, and the revision at which it is so: the ETag (L4). */
export type Versioned<View> = View & { revision: string };

/**
 * The same of what may follow from what was decided elsewhere: by then somebody else may have changed it, so that no revision that could be
 * told of it is sure to be one at which it is so. null: it has to be read.
 */
export type Following<View> = View & { revision: string | null };

/** Something done to one thing, or with which it begins: the answer is its new state. */
export abstract class ChangeOf<Input, View> extends CommandOf<Input, Versioned<View>> {}

/** The new state, and where in the event store it can be read (L3). */
export type Answered<Answer> = Answer & { position: string };
