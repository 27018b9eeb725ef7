import type { AnyEvent, Recorded } from '../kernel/event.js';
import type { Policy, PolicyCommand } from '../policies/policy.js';
import { given } from './given.js';
import { idOf } from './example.js';

type When = Partial<Pick<Recorded['metadata'], 'time' | 'read'>>;

/** An event as the store gives it back. */
const recorded = (event: AnyEvent, { time = '2027-01-31T12:00:00.000Z', read }: When): Recorded => ({
  ...{ ...event, id: idOf('trigger'), stream: 'trigger', revision: 0n, position: 0n },
  metadata: {
    ...{ business: idOf('clinic'), actor: { id: 'sub', role: 'receptionist' }, commandId: idOf('command'), time, version: 1, hash: '' },
    ...(read && { read }),
    ...{ $correlationId: idOf('correlation'), $causationId: idOf('causation') },
  },
});

/** The commands that follow from an event; `time`: when it was recorded; `read`: on what it rested. */
export const following = (policies: readonly Policy[], event: AnyEvent, when: When = {}): PolicyCommand[] =>
  policies.flatMap(({ on }) => on[event.type]?.(recorded(event, when)) ?? []);

/** To which streams commands go: `package-<id>`, and `new invoice-<id>` for one that they begin. */
export const streamsOf = (commands: readonly PolicyCommand[]): string[] =>
  commands.map(({ aggregate, id, creates }) => `${creates ? 'new ' : ''}${aggregate.category}-${id}`);

/** on(command)(history).emits(events): its decision, run on its own kind of stream. */
export const on =
  ({ aggregate, decide }: PolicyCommand) =>
  (history: readonly AnyEvent[]) =>
    given(aggregate)(history).when(decide);
