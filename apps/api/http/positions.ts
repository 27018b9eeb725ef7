import type { FastifyInstance } from 'fastify';
import { positionOf } from './headers.js';
import { HttpProblem } from './problems.js';

/** Waits, within bounds, until the read models are at least this fresh. False: they are not, in the time there was. */
export type WaitFor = (position: bigint) => Promise<boolean>;

/**
 * What an answer says of time (L3, L4): its `position` is also the header Punchcard-Position, its `revision` the ETag.
 * A query that sends Punchcard-Min-Position is held back until the read models are there.
 */
export const answerPositions = (fastify: FastifyInstance, waitFor: WaitFor): void => {
  fastify.addHook('preSerialization', (_request, reply, payload, done) => {
    const { position, revision } = payload as { position?: unknown; revision?: unknown };
    if (typeof position === 'string') void reply.header('punchcard-position', position);
    if (typeof revision === 'string') void reply.header('etag', `"${revision}"`);
    done(null, payload);
  });

  fastify.addHook('preHandler', (request, _reply, done) => {
    if (request.headers['punchcard-min-position'] === undefined || !isQuery(request.method)) return done();
    untilFresh(waitFor, request.headers['punchcard-min-position']).then(() => done(), done);
  });
};

const isQuery = (method: string): boolean => method === 'GET' || method === 'HEAD';

const untilFresh = async (waitFor: WaitFor, header: string | string[] | undefined): Promise<void> => {
  const position = positionOf(header);
  if (position === undefined || (await waitFor(position))) return;
  throw new HttpProblem(503, 'NOT_YET_FRESH', `What is read here is not yet as fresh as position ${position}. Repeat the call later.`, {
    headers: { 'retry-after': '1' },
    details: { minPosition: String(position) },
  });
};
