import type { LoggerService } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { ApiConfig } from '../config.js';

const SECRETS = ['authorization', 'password', 'secret', 'token', 'cookie'];

/** Structured logs, one JSON object a line. Secrets are cut out wherever an object of ours or of a library carries them. */
export const createLogger = ({ logLevel }: Pick<ApiConfig, 'logLevel'>, to?: DestinationStream): Logger =>
  pino(
    {
      level: logLevel,
      base: { process: 'api' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[cut out]' },
    },
    to ?? pino.destination({ fd: 1, sync: false, minLength: 0 }),
  );

/** A line for each slow call, and for every call at level debug: a line each is what costs a fast server most. */
export const logCalls = (fastify: FastifyInstance, logger: Logger, { slowMs }: Pick<ApiConfig, 'slowMs'>): void => {
  const all = logger.isLevelEnabled('debug');
  fastify.addHook('onResponse', (request, reply, done) => {
    const ms = reply.elapsedTime;
    const slow = ms > slowMs && !request.routeOptions.config?.staysOpen;
    if (slow || all) {
      const call = { method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: Math.round(ms * 10) / 10 };
      if (slow) request.log.warn(call, 'A call was slow');
      else request.log.debug(call, 'A call');
    }
    done();
  });
};

/** What Nest has to say goes the same way; its list of routes only matters to who looks for it. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown): void {
    this.logger.debug(String(message));
  }
  debug(message: unknown): void {
    this.logger.debug(String(message));
  }
  verbose(message: unknown): void {
    this.logger.trace(String(message));
  }
  warn(message: unknown): void {
    this.logger.warn(String(message));
  }
  error(message: unknown, stack?: unknown): void {
    this.logger.error(message instanceof Error ? { err: message } : { stack }, String(message));
  }
  fatal(message: unknown, stack?: unknown): void {
    this.logger.fatal(message instanceof Error ? { err: message } : { stack }, String(message));
  }
}
