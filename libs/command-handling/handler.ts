import { Inject, type Type } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../domain/kernel/refusal.js';
import type { Answered, Caller, CommandOf } from './command.js';
import { Operation, type Parts } from './operation.js';

/** The token under which an application provides the parts that operations work with. */
export const PARTS = Symbol('parts of command handling');

type CommandType<Input, Answer> = new (caller: Caller, input: Input) => CommandOf<Input, Answer>;

/**
 * The handler of one command, as Nest's command bus wants it: a fresh operation is given to the function, and its
 * position goes into the answer, or the refusal (L3). A repeat gets the first answer (L2), unless the command is asked to
 * look anew each time.
 */
export const handlerOf = <Input, Answer>(
  command: CommandType<Input, Answer>,
  carryOut: (operation: Operation, input: Input) => Promise<NoInfer<Answer>>,
  { anew = false } = {},
): Type<ICommandHandler> => {
  @CommandHandler(command)
  class Handler implements ICommandHandler<CommandOf<Input, Answer>, Answered<Answer>> {
    constructor(@Inject(PARTS) private readonly parts: Parts) {}

    async execute(given: CommandOf<Input, Answer>): Promise<Answered<Answer>> {
      const operation = new Operation(this.parts, given.caller, given);
      const answered = async () => ({ ...(await carryOut(operation, given.input)), position: operation.position.toString() });
      try {
        return await (anew ? answered() : operation.once(answered));
      } catch (error) {
        throw error instanceof Refusal ? error.after(operation.position) : error;
      }
    }
  }
  return Handler;
};
