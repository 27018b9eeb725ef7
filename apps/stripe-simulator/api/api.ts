import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PLATFORM, type Simulator } from '../simulator.js';
import { newId } from '../state/ids.js';
import { accountRoutes, checkAccess } from './accounts.js';
import { checkoutSessionRoutes } from './checkout-sessions.js';
import { eventRoutes } from './events.js';
import { broken, Failure, rateLimited, type FailureSaid } from './failure.js';
import { readForm } from './form.js';
import { paymentRoutes } from './payments.js';
import { refundRoutes } from './refunds.js';
import type { Call, Route } from './route.js';
import type { Fault } from '../behaviour.js';

const ROUTES: Route[] = [...accountRoutes, ...checkoutSessionRoutes, ...paymentRoutes, ...refundRoutes, ...eventRoutes];

export interface ApiRequest {
  method: string;
  path: string;
  query: string;
  body: string;
  header(name: string): string | undefined;
}

export interface ApiAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Answers calls of the API. `reset`: the connection is to break without an answer. */
export const apiOf = (simulator: Simulator) => {
  const inProgress = new Set<string>();
  return async (request: ApiRequest): Promise<ApiAnswer | 'reset'> => {
    const requestId = newId('req_', 14);
    const { answered, after } = await answerTo(simulator, inProgress, request, requestId);
    if (after?.kind === 'delay') await sleep(after.ms);
    if (after?.kind === 'reset' || answered === 'reset') return 'reset';
    return { ...answered, headers: { ...headersFor(request, requestId), ...answered.headers } };
  };
};

type Answered = { answered: ApiAnswer | 'reset'; after?: Fault };

const answerTo = async (simulator: Simulator, inProgress: Set<string>, request: ApiRequest, requestId: string): Promise<Answered> => {
  let begun: string | undefined;
  try {
    const call = callOf(simulator, request, requestId);
    const key = call.idempotencyKey === null || request.method !== 'POST' ? undefined : `${call.account}/${call.idempotencyKey}`;
    const fault = simulator.behaviour.strike(`${request.method} ${request.path}`);
    if (key !== undefined) {
      if (inProgress.has(key)) throw inUse(call.idempotencyKey!);
      const kept = keptAnswer(simulator, key, request);
      if (kept) return { answered: kept, after: fault?.when === 'after' ? fault : undefined };
      inProgress.add((begun = key));
    }
    if (fault?.when === 'before') {
      if (fault.kind === 'delay') await sleep(fault.ms);
      if (fault.kind === 'reset') return { answered: 'reset' };
      if (fault.kind === 'rateLimit') throw rateLimited();
    }
    return { answered: acted(simulator, request, call, key, fault), after: fault?.when === 'after' ? fault : undefined };
  } catch (error) {
    return { answered: refusal(error) };
  } finally {
    if (begun !== undefined) inProgress.delete(begun);
  }
};

/** Acts, and keeps the answer for repeats of the idempotency key, as one. */
const acted = (simulator: Simulator, request: ApiRequest, call: Call, key: string | undefined, fault: Fault | undefined): ApiAnswer => {
  const { state } = simulator;
  const keep = (answer: ApiAnswer): ApiAnswer => {
    if (key !== undefined)
      state.answers.put(call.account, { id: key, request: fingerprint(request), status: answer.status, body: answer.body });
    return answer;
  };
  try {
    return state.transact(() => {
      if (fault?.when === 'before' && fault.kind === 'error') throw broken();
      if (fault?.kind === 'refuse') throw refusedAsTold(fault);
      const answer: ApiAnswer = { status: 200, headers: {}, body: JSON.stringify(routed(simulator, request, call), null, 2) };
      return keep(fault?.kind === 'error' ? refusal(broken()) : answer);
    });
  } catch (error) {
    if (!(error instanceof Failure)) simulator.log.error({ err: error }, 'The simulator itself failed');
    const answer = refusal(error);
    return error instanceof Failure && error.begun ? state.transact(() => keep(answer)) : answer;
  }
};

const routed = (simulator: Simulator, { method, path }: ApiRequest, call: Call): object => {
  for (const route of ROUTES) {
    const [hit, id = ''] = route.path.exec(path) ?? [];
    if (hit !== undefined && route.method === method) return route.answer(simulator, { ...call, id });
  }
  const message = `Unrecognized request URL (${method}: ${path}). The simulator knows only what Punchcard uses.`;
  throw new Failure(404, { type: 'invalid_request_error', message }, false);
};

const callOf = (simulator: Simulator, request: ApiRequest, requestId: string): Call => {
  const key = keyOf(request);
  const account = request.header('stripe-account') ?? PLATFORM;
  checkAccess(simulator, account, key);
  const form = readForm(request.method === 'GET' ? request.query : request.body);
  return { account, id: '', form, requestId, idempotencyKey: request.header('idempotency-key') ?? null };
};

const keyOf = ({ header }: ApiRequest): string => {
  const [, bearer, basic] = /^(?:bearer (\S+)|basic (\S+))$/i.exec(header('authorization') ?? '') ?? [];
  const key = bearer ?? (basic === undefined ? undefined : Buffer.from(basic, 'base64').toString().split(':')[0]);
  if (!key) throw unauthorized('You did not provide an API key. Set STRIPE_SECRET_KEY to any that begins with sk_test_.');
  if (/^(sk|rk)_live_/.test(key))
    throw unauthorized('This is a simulator of Stripe, and this is a live key: nothing was charged. Take the key out of its settings.');
  if (!/^sk_test_\w+$/.test(key)) throw unauthorized('Invalid API Key provided. The simulator takes any that begins with sk_test_.');
  return key;
};

const unauthorized = (message: string): Failure => new Failure(401, { type: 'invalid_request_error', message });

const inUse = (key: string): Failure =>
  new Failure(409, {
    ...{ type: 'idempotency_error', code: 'idempotency_key_in_use' },
    message: `There is currently another in-progress request using this Idempotent Key (${key}).`,
  });

/** @throws Failure if the key was used for something else */
const keptAnswer = ({ state }: Simulator, key: string, request: ApiRequest): ApiAnswer | undefined => {
  const kept = state.answers.find(key)?.item;
  if (kept && kept.request !== fingerprint(request))
    throw new Failure(
      400,
      {
        type: 'idempotency_error',
        message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.',
      },
      false,
    );
  return kept && { status: kept.status, headers: { 'idempotent-replayed': 'true', ...adviceFor(kept.status) }, body: kept.body };
};

const fingerprint = ({ method, path, body }: ApiRequest): string =>
  createHash('sha256')
    .update(`${method} ${path}\n${[...new URLSearchParams(body)].sort().join('\n')}`)
    .digest('base64');

const refusedAsTold = ({ said }: Fault): Failure => {
  const { status, ...rest } = said ?? {
    status: 402,
    type: 'card_error' as const,
    message: 'Your card was declined.',
    code: 'card_declined',
  };
  return new Failure(status, rest);
};

const refusal = (error: unknown): ApiAnswer => {
  const failure = error instanceof Failure ? error : broken();
  const said: FailureSaid = failure.said;
  return { status: failure.status, headers: adviceFor(failure.status), body: JSON.stringify({ error: said }, null, 2) };
};

/** A 500 stays one for its idempotency key: repeats are useless. */
const adviceFor = (status: number): Record<string, string> =>
  status === 409 ? { 'stripe-should-retry': 'true' } : status >= 500 ? { 'stripe-should-retry': 'false' } : {};

const headersFor = ({ header }: ApiRequest, requestId: string): Record<string, string> => {
  const echoed = ['idempotency-key', 'stripe-account', 'stripe-version'].flatMap((name) => {
    const value = header(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...{ 'content-type': 'application/json', 'request-id': requestId, 'x-simulated': 'true' },
    ...(Object.fromEntries(echoed) as Record<string, string>),
  };
};
