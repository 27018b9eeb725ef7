import type { Cause, Simulator } from '../simulator.js';
import type { Form } from './form.js';

/** A call of the API, when it is known whose it is. */
export interface Call extends Cause {
  account: string; // that of the header Stripe-Account, or the platform's own
  id: string; // in the path; empty if there is none
  form: { [name: string]: Form };
}

export interface Route {
  method: 'GET' | 'POST';
  path: RegExp; // its group is the id
  answer(simulator: Simulator, call: Call): object;
}

/** `route('GET', '/v1/refunds/:id', …)` */
export const route = (method: Route['method'], path: string, answer: Route['answer']): Route => ({
  ...{ method, answer },
  path: new RegExp(`^${path.replace(':id', '([^/]+)')}$`),
});
