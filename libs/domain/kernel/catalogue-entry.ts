import { isDeepStrictEqual } from 'node:util';
import type { Aggregate, Decide, EventDefinition, EventOf } from './event.js';
import { said } from './pick.js';
import { NotFound, Refusal } from './refusal.js';

/**
 * Something that a business keeps a description of (a tax, a service, a provider, a client): it is made once, then
 * changed. Both events carry the whole description, so that the newest one says all.
 */
export const catalogueEntry = <Made extends EventDefinition, Changed extends EventDefinition<string, Made['data']>>(
  category: string,
  made: Made,
  changed: Changed,
  fixed: readonly (keyof EventOf<Made>['data'] & string)[],
) => {
  type Description = EventOf<Made>['data'];
  type Event = { type: Made['type'] | Changed['type']; data: Description };
  type State = Description | null;

  const aggregate: Aggregate<State, Event> = {
    category,
    events: [made, changed],
    initial: null,
    evolve: (_, { data }) => data,
  };

  const make =
    (description: Description): Decide<State, Event> =>
    (state) => {
      if (state === null) return [{ type: made.type, data: description }];
      if (isDeepStrictEqual(state, description)) return [];
      throw new Refusal('ALREADY_EXISTS', `This ${category} exists already.`);
    };

  const change =
    (id: string, changes: Partial<Description> | ((before: Description) => Partial<Description>)): Decide<State, Event> =>
    (state) => {
      if (state === null) throw new NotFound(category, id);
      const description = { ...state, ...said(typeof changes === 'function' ? changes(state) : changes) };
      const kept = fixed.filter((field) => !isDeepStrictEqual(description[field], state[field]));
      if (kept.length > 0) throw new Refusal('FIXED', `The ${kept.join(', ')} of a ${category} can't change.`, { fields: kept });
      return isDeepStrictEqual(state, description) ? [] : [{ type: changed.type, data: description }];
    };

  return { aggregate, make, change };
};
