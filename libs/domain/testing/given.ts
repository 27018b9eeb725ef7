import type { Aggregate, AnyEvent } from '../kernel/event.js';
import { Refusal } from '../kernel/refusal.js';

/**
 * given(aggregate)(history).when(decision).emits(events): a decision's test reads as a sentence. What is emitted is also
 * held against its stored shape, field by field, and the decision must leave the state that it was given as it was.
 */
export const given =
  <State, Event extends AnyEvent>({ initial, evolve, events }: Aggregate<State, Event>) =>
  (history: readonly Event[]) => ({
    when: (decide: (state: State) => Event[]) => {
      const decided = (): Event[] => {
        const state = history.reduce(evolve, structuredClone(initial));
        const before = structuredClone(state);
        try {
          return decide(state);
        } finally {
          expect(state).toEqual(before);
        }
      };
      return {
        emits: (expected: readonly Event[]) => {
          const emitted = decided();
          expect(emitted).toEqual(expected);
          for (const { type, data } of emitted) expect(events.find((event) => event.type === type)?.data.parse(data)).toEqual(data);
        },
        refuses: (code: string, details: Record<string, unknown> = {}) => {
          try {
            decided();
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            return expect(error).toMatchObject({ code, details });
          }
          throw new Error(`expected the refusal ${code}`);
        },
      };
    },
  });
