import { Refusal } from '../../domain/kernel/refusal.js';
import type { CounterEvent, CounterState } from './counters.js';

export const open =
  (limit: number, ownerId = 'anna') =>
  (): CounterEvent[] => [{ type: 'CounterOpened', data: { limit, ownerId, ownerName: 'Anna Ångström' } }];

/** Refuses what would go over the limit; raising by nothing is a repeat of what is there already. */
export const raise =
  (by: number) =>
  ({ limit, total }: CounterState): CounterEvent[] => {
    if (by === 0) return [];
    if (total + by > limit) throw new Refusal('OVER_LIMIT', `The limit is ${limit}.`, { total });
    return [{ type: 'CounterRaised', data: { by, total: total + by } }];
  };
