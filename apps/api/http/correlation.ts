import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

export const CORRELATION_HEADER = 'x-correlation-id';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TRACE = /^[0-9a-f]{2}-([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})-[0-9a-f]{16}-[0-9a-f]{2}/;

/**
 * The id under which a call is found in logs, events and traces: the caller's own if it is a UUID, else the trace id of
 * W3C Trace Context written as one, else a new one. Whatever else the caller sent is not stored for ever.
 */
export const correlationIdOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string => {
  const sent = headers[CORRELATION_HEADER];
  if (typeof sent === 'string' && UUID.test(sent)) return sent.toLowerCase();
  const trace = typeof headers.traceparent === 'string' ? TRACE.exec(headers.traceparent) : null;
  return trace ? trace.slice(1, 6).join('-') : randomUUID();
};

/** Every answer says its correlation id. */
export const answerCorrelation = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header(CORRELATION_HEADER, request.id);
    done();
  });
};
