import type { Evolve } from '../kernel/event.js';
import { Refusal } from '../kernel/refusal.js';

/** given(initial, evolve)(history).when(decision).emits(events): a decision's test reads as a sentence. */
export const given =
  <State, Event>({ initial, evolve }: { initial: State; evolve: Evolve<State, Event> }) =>
  (history: Event[]) => ({
    when: (decide: (state: State) => Event[]) => {
      const decided = () => decide(history.reduce(evolve, structuredClone(initial)));
      return {
        emits: (expected: Event[]) => expect(decided()).toEqual(expected),
        refuses: (code: string, details: Record<string, unknown> = {}) => {
          try {
            decided();
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
            return expect(error).toMatchObject({ code, details });
          }
          throw new Error(`expected the refusal ${code}`);
        },
      };
    },
  });
