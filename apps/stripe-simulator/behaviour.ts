import { z } from 'zod';

// What tests tell the simulator to do otherwise than well. It is forgotten when the process ends.

export const webhookMode = z.strictObject({
  /** `late`: after `ms`. `shuffled`: each after a time of its own, up to `ms`. `held`: not at all, until they are sent again. */
  mode: z.enum(['normal', 'late', 'twice', 'shuffled', 'held']),
  ms: z.int().min(0).max(600_000).default(0),
});
export type WebhookMode = z.output<typeof webhookMode>;

export const refundMode = z.strictObject({
  /** `pending…`: after `ms`; `pending`: until it is settled on the dashboard; `refused`: by the call itself. */
  outcome: z.enum(['succeeded', 'pending', 'pendingThenSucceeded', 'pendingThenFailed', 'failed', 'refused']),
  ms: z.int().min(0).max(600_000).default(0),
});
export type RefundMode = z.output<typeof refundMode>;

export const fault = z.strictObject({
  /** `delay`: it answers `ms` later. `reset`: the connection breaks without an answer. `error`: 500. `rateLimit`: 429. `refuse`: with `said`. */
  kind: z.enum(['delay', 'reset', 'error', 'rateLimit', 'refuse']),
  when: z.enum(['before', 'after']).default('before'), // it has acted
  ms: z.int().min(0).max(600_000).default(0),
  times: z.int().min(1).nullable().default(1), // null: until it is healed
  on: z.string().nullable().default(null), // "POST /v1/refunds": the beginning of a method and a path
  said: z
    .strictObject({
      status: z.int().min(400).max(499),
      type: z.enum(['card_error', 'invalid_request_error']),
      code: z.string().optional(),
      message: z.string(),
    })
    .optional(),
});
export type Fault = z.output<typeof fault>;

export interface Behaviour {
  webhooks: WebhookMode;
  refunds: RefundMode;
  /** The one that strikes this call, if any; it is one less then. */
  strike(call: string): Fault | undefined;
  addFault(fault: Fault): void;
  heal(): void;
}

export const goodBehaviour = (): Behaviour => {
  let faults: Fault[] = [];
  return {
    webhooks: { mode: 'normal', ms: 0 },
    refunds: { outcome: 'succeeded', ms: 0 },
    strike(call) {
      const struck = faults.find(({ on }) => on === null || call.startsWith(on));
      if (struck?.times) struck.times -= 1;
      faults = faults.filter(({ times }) => times !== 0);
      return struck;
    },
    addFault: (added) => void faults.push({ ...added }),
    heal: () => void (faults = []),
  };
};
