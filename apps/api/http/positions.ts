import type { FastifyInstance } from 'fastify';

/** What an answer says of time (L3, L4): its `position` is also the header Punchcard-Position, its `revision` the ETag. */
export const answerPositions = (fastify: FastifyInstance): void => {
  fastify.addHook('preSerialization', (_request, reply, payload, done) => {
    const { position, revision } = payload as { position?: unknown; revision?: unknown };
    if (typeof position === 'string') void reply.header('punchcard-position', position);
    if (typeof revision === 'string') void reply.header('etag', `"${revision}"`);
    done(null, payload);
  });
};
