import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failureOf, HttpProblem, PROBLEM_MEDIA_TYPE, problemOf } from './problems.js';
import type { Failure } from './problems.js';

/** Writes every error, whoever threw it, as a problem detail (L1). What is our fault goes to the log, whole but for what the door itself says. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly methodsAt: (path: string) => string[]) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const failure = request.is404 ? this.unknownAddress(request, failureOf(error)) : failureOf(error);
    log(request, failure, error);
    if (reply.sent || reply.raw.headersSent) return void reply.raw.destroy(); // a stream that broke: the caller sees it cut off
    sendProblem(request, reply, failure);
  }

  /** The address may well exist, with another method. */
  private unknownAddress(request: FastifyRequest, failure: Failure): Failure {
    if (failure.status !== 404) return failure;
    const methods = this.methodsAt(pathOf(request));
    if (methods.length === 0) return failure;
    return {
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
      detail: `${request.method} is not for this address.`,
      headers: { allow: methods.join(', ') },
    };
  }
}

export const sendProblem = (request: FastifyRequest, reply: FastifyReply, failure: Failure): void => {
  const problem = problemOf(failure, { correlationId: request.id, path: pathOf(request) });
  void reply
    .status(failure.status)
    .headers({ ...failure.headers, 'cache-control': 'no-store' })
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(problem));
};

const pathOf = ({ url }: Pick<FastifyRequest, 'url'>): string => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};

const log = (request: FastifyRequest, { status, code }: Failure, error: unknown): void => {
  if (status < 500) return;
  const about = { code, method: request.method, route: request.routeOptions.url, ...(error instanceof HttpProblem ? {} : { err: error }) };
  if (status === 500) request.log.error(about, 'A call failed');
  else request.log.warn(about, 'A call could not be served');
};
