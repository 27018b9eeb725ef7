import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import { LogController } from 'fastify';
import type { FastifyError, FastifyHttpOptions, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiConfig } from './config.js';
import { CORRELATION_HEADER, correlationIdOf } from './http/correlation.js';
import { sendProblem } from './http/problem-filter.js';
import { failureOf, HttpProblem, ofStatus, PROBLEM_MEDIA_TYPE, problemOf } from './http/problems.js';
import { secureDataHeaders } from './http/security-headers.js';

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_PATH_PARAMETER = 100; // characters
const KEEP_ALIVE_MS = 72_000; // longer than a load balancer's 60 s, so that it is never us who hangs up first

/** How the server takes requests: a bound for everything that a caller could send without end. */
export const serverOptions = ({ bodyLimit, trustProxy, requestTimeoutMs }: ApiConfig) =>
  ({
    bodyLimit,
    trustProxy: typeof trustProxy === 'number' ? (_address: string, hop: number) => hop < trustProxy : trustProxy,
    requestTimeout: requestTimeoutMs, // to arrive
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    exposeHeadRoutes: false, // they would do all the work of a GET, of a whole file too, for nobody
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    genReqId: correlationIdOf,
    requestIdHeader: false,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    forceCloseConnections: 'idle',
    return503OnClosing: false, // ours says it as a problem detail
    skipMiddie: true,
    clientErrorHandler,
    frameworkErrors: refuseAddress,
  }) satisfies FastifyHttpOptions<Server> & { skipMiddie: boolean };

/** What the router can't read runs no hook: the headers of every answer are set here. */
const refuseAddress = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
  void reply.headers({ ...secureDataHeaders, [CORRELATION_HEADER]: request.id });
  sendProblem(request, reply, failureOf(error));
};

/** What Node itself can't read as a request never reaches Fastify. */
function clientErrorHandler(this: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const failure = ofStatus(STATUS_OF_CLIENT_ERROR[error.code ?? ''] ?? 400);
  const body = JSON.stringify(problemOf(failure, { correlationId: randomUUID(), path: '' }));
  const lines = [
    `HTTP/1.1 ${failure.status} ${failure.code}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const STATUS_OF_CLIENT_ERROR: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Each caller so many requests a minute in this process; the nameless are counted by address. */
export const limitRate = async (fastify: FastifyInstance, perMinute: number): Promise<void> => {
  await fastify.register(rateLimit, {
    max: perMinute,
    timeWindow: 60_000,
    cache: 10_000,
    keyGenerator: (request) => (request.caller ? `${request.caller.business} ${request.caller.sub}` : request.ip),
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpProblem(429, 'TOO_MANY_REQUESTS', `More than ${perMinute} requests a minute. Repeat the call later.`, {
        headers: { 'retry-after': String(Math.ceil(ttl / 1000)) },
      }),
  });
};

const IDLE_SWEEP_MS = 50;

/**
 * What comes while we close is sent elsewhere; what came before is answered, and its connection then closed: kept alive by its
 * caller, it would keep the server from closing for over a minute.
 */
export const closeGently = (fastify: FastifyInstance): { closing: boolean } => {
  const door = { closing: false };
  fastify.addHook('onRequest', (_request, reply, done) => {
    if (!door.closing) return done();
    void reply.header('connection', 'close');
    done(new HttpProblem(503, 'CLOSING', 'This process is closing. Repeat the call.', { headers: { 'retry-after': '1' } }));
  });
  let sweep: NodeJS.Timeout | undefined;
  fastify.addHook('preClose', async () => {
    door.closing = true;
    sweep = setInterval(() => fastify.server.closeIdleConnections(), IDLE_SWEEP_MS);
  });
  fastify.addHook('onClose', async () => clearInterval(sweep));
  return door;
};
