import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problems.js';

/** What may not be answered yet is told to come again: after a restore, those who are forgotten are forgotten again first. */
export const holdBack = (fastify: FastifyInstance, heldBy: () => string | undefined): void => {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const why = heldBy();
    if (why === undefined || request.routeOptions.config?.public) return done();
    const detail = `${why} Repeat the call later.`;
    done(new HttpProblem(503, 'FORGETTING', detail, { headers: { 'retry-after': '1' } }));
  });
};
