import type Stripe from 'stripe';

type Type = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

/** What an answer of Stripe's says when it refuses. */
export interface FailureSaid {
  type: Type;
  message: string;
  code?: string;
  param?: string;
  decline_code?: string;
  charge?: string;
  payment_intent?: Stripe.PaymentIntent;
}

/** A refusal in Stripe's shape. `begun`: the endpoint had begun its work, so that a repeat of an idempotency key gets the same answer. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly said: FailureSaid,
    readonly begun = status !== 401 && status !== 403 && status !== 409 && status !== 429,
  ) {
    super(said.message);
  }
}

/** The parameters themselves are wrong: nothing was begun. */
export const invalid = (message: string, param?: string, code?: string): Failure =>
  new Failure(400, { type: 'invalid_request_error', message, code, param }, false);

/** The parameters are right, but what they ask for can't be. */
export const refused = (message: string, more: Partial<FailureSaid> = {}): Failure =>
  new Failure(400, { type: 'invalid_request_error', message, ...more });

export const missing = (what: string, id: string, param = 'id'): Failure =>
  new Failure(404, { type: 'invalid_request_error', code: 'resource_missing', message: `No such ${what}: '${id}'`, param });

export const rateLimited = (): Failure =>
  new Failure(429, { type: 'invalid_request_error', code: 'rate_limit', message: 'Request rate limit exceeded.' });

export const broken = (): Failure =>
  new Failure(500, { type: 'api_error', message: 'Simulated: an error of Stripe itself. It says nothing about what was done.' });
