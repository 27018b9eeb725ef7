import { randomUUID } from 'node:crypto';
import type { Caller } from '../command.js';

/** Whoever says what is brought in from Stripe: not a person, and nobody who calls. */
export const byStripe = (business: string): Caller => ({
  business,
  actor: { id: 'stripe', role: 'stripe' },
  correlationId: randomUUID(),
});
