import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AlsoConfig } from './route-config.js';
import { sendProblem } from './problem-filter.js';
import { unavailable } from './problems.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    takesItsTime?: true;
  }
}

/** An operation that may take as long as it takes before it answers: its reader decides. */
export const TakesItsTime = (): MethodDecorator => AlsoConfig({ takesItsTime: true });

const SWEEPS = 10; // within the time that a call has

/**
 * What takes too long is answered with 503, whatever becomes of it. Calls are looked through at intervals: Fastify's own
 * handlerTimeout makes a timer and an abort signal for each, which took a tenth of the time of a POST.
 */
export const limitTime = (fastify: FastifyInstance, ms: number): void => {
  const running = new Map<FastifyReply, { request: FastifyRequest; until: number }>(); // the oldest first
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config?.takesItsTime) running.set(reply, { request, until: performance.now() + ms });
    done();
  });
  fastify.addHook('onResponse', (_request, reply, done) => {
    running.delete(reply);
    done();
  });

  const sweep = (): void => {
    const now = performance.now();
    for (const [reply, { request, until }] of running) {
      if (until > now) return;
      running.delete(reply);
      if (reply.sent || reply.raw.headersSent) continue; // a stream takes as long as it takes
      request.log.warn({ method: request.method, route: request.routeOptions.url }, 'A call took too long');
      sendProblem(request, reply, unavailable('TIMED_OUT', TIMED_OUT));
    }
  };
  const timer = setInterval(sweep, ms / SWEEPS).unref();
  fastify.addHook('onClose', async () => clearInterval(timer));
};

const TIMED_OUT = 'The call took too long; it may still take effect. Repeat it with the same Idempotency-Key.';
