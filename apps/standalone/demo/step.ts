import type { Caller, CommandOf } from '../../../libs/command-handling/command.js';
import { commandIdOf, idFor } from '../../../libs/domain/kernel/ids.js';

export const DEMO_BUSINESS = '5f0e8a52-7d3b-5c1e-9f55-0c1d2b7a4e10';
const ACTOR = { id: 'demo-owner', role: 'owner' as const };

export interface Step {
  at: number; // ms
  what: string;
  command: CommandOf<unknown, unknown>;
  /** Given when the first is refused: a booking from a package that has run out is made at the regular fee. */
  instead?: CommandOf<unknown, unknown>;
}

/** What a step makes has the same ids each time: they follow from its key. */
export const callerWith = (key: string): Caller => ({
  ...{ business: DEMO_BUSINESS, actor: ACTOR, idempotencyKey: key },
  correlationId: commandIdOf(DEMO_BUSINESS, ACTOR.id, key),
});
export const idOf = (key: string, name: string): string => idFor(commandIdOf(DEMO_BUSINESS, ACTOR.id, key), name);

export const taxId = (n: number) => idOf(`tax/${n}`, 'tax');
export const serviceId = (n: number) => idOf(`service/${n}`, 'service');
export const providerId = (n: number) => idOf(`provider/${n}`, 'provider');
export const offeringId = (n: number) => idOf(`offering/${n}`, 'offering');
export const clientId = (n: number) => idOf(`client/${n}`, 'client');
export const categoryId = (n: number) => idOf(`category/${n}`, 'category');
