import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problems.js';

/** Resolves when the part answers, rejects when it does not. */
export type HealthCheck = () => Promise<unknown>;

const CHECK_TIMEOUT_MS = 2_000;

/** `/health/live`: the process turns. `/health/ready`: it can serve, with each part by name. */
export const serveHealth = (fastify: FastifyInstance, checks: Record<string, HealthCheck>, isClosing: () => boolean): void => {
  const route = { config: { public: true }, exposeHeadRoute: true } as const; // some load balancers ask so
  fastify.get('/health/live', route, async () => ({ status: 'live' }));
  fastify.get('/health/ready', route, async (request) => {
    const results = await Promise.all(Object.entries(checks).map(async ([part, check]) => [part, await outcome(check)] as const));
    const failed = results.filter(([, error]) => error !== undefined);
    for (const [part, err] of failed) request.log.warn({ part, err }, 'A part does not answer');
    const parts = Object.fromEntries(results.map(([part, error]) => [part, error === undefined ? 'ok' : 'unavailable']));
    if (failed.length === 0 && !isClosing()) return { status: 'ready', parts };
    throw new HttpProblem(503, 'NOT_READY', 'Not all that the service needs is there.', {
      details: { parts },
      headers: { 'retry-after': '1' },
    });
  });
};

const outcome = async (check: HealthCheck): Promise<unknown> => {
  const timeout = new AbortController();
  const tooSlow = delay(CHECK_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(
    () => new Error(`No answer within ${CHECK_TIMEOUT_MS} ms.`),
    () => undefined,
  );
  try {
    return await Promise.race([check().then(() => undefined), tooSlow]);
  } catch (error) {
    return error;
  } finally {
    timeout.abort();
  }
};
