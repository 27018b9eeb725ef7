import { followUpsOf } from '../../libs/command-handling/follow-up.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { NotFound, Refusal } from '../../libs/domain/kernel/refusal.js';
import { policies } from '../../libs/domain/policies/policies.js';
import type { TodoOptions } from '../../libs/projection-engine/todo.js';

/** The policies' to-do list: the projector carries out what the API did not, from the event that asks for it. */
export const todoOptions = ({ store, codec, followUps }: Pick<Parts, 'store' | 'codec' | 'followUps'>, sole: boolean): TodoOptions => ({
  policies: policies.map(({ name }) => name),
  triggers: new Set(policies.flatMap(({ on }) => Object.keys(on))),
  commandsOf: followUpsOf,
  grace: sole ? 0 : undefined,
  carryOut: async ({ stream, revision, id, policy, ordinal }) => {
    const [event] = await codec.decode(await store.readStream(stream, { from: revision, to: revision }));
    if (event?.id !== id) throw new Error(`${stream}@${revision} is not the event ${id}`);
    try {
      await followUps.again(event, { policy, ordinal });
      return 'done';
    } catch (error) {
      // What is not there may be about to come: the stream follows from another event, whose turn comes later.
      if (!(error instanceof Refusal) || error instanceof NotFound) throw error;
      return { parked: `${error.code}: ${error.message}` };
    }
  },
});
