import { z } from 'zod';
import type { Aggregate, EventOf } from '../../domain/kernel/event.js';
import { defineEvent, personal } from '../../domain/kernel/event.js';
import type { CommandContext } from '../handle.js';

// An aggregate that is as small as can be, for the specs of the command handling: it counts, up to a limit, and changes
// its state in place as a long one would.

export const CounterOpened = defineEvent(
  'CounterOpened',
  z.object({ limit: z.int(), ownerId: z.string(), ownerName: personal('ownerId') }),
);
export const CounterRaised = defineEvent('CounterRaised', z.object({ by: z.int(), total: z.int(), note: z.string().optional() }));

export type CounterEvent = EventOf<typeof CounterOpened> | EventOf<typeof CounterRaised>;
export interface CounterState {
  limit: number;
  total: number;
  ownerName: string;
  raises: number[];
}

const evolve = (state: CounterState, { type, data }: CounterEvent): CounterState => {
  if (type === 'CounterOpened') return Object.assign(state, { limit: data.limit, ownerName: data.ownerName });
  state.total = data.total;
  state.raises.push(data.by);
  return state;
};

export const counter: Aggregate<CounterState, CounterEvent> = {
  category: 'counter',
  events: [CounterOpened, CounterRaised],
  initial: { limit: 0, total: 0, ownerName: '', raises: [] },
  evolve,
};

export const BUSINESS = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

export const context = (commandId: string, over: Partial<CommandContext> = {}): CommandContext => ({
  commandId,
  business: BUSINESS,
  actor: { id: 'sub-1', role: 'receptionist' },
  requestHash: `hash of ${commandId}`,
  hashKey: 'k1',
  correlationId: commandId,
  causationId: commandId,
  now: '2027-01-31T09:30:00.000Z',
  ...over,
});
