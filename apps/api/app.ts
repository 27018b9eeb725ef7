import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createTokenVerifier } from '../../libs/auth/tokens.js';
import type { ApiConfig } from './config.js';
import { guardRoutes } from './http/access.js';
import { rememberAddresses } from './http/addresses.js';
import { answerCorrelation } from './http/correlation.js';
import { serveHealth } from './http/health.js';
import { holdBack } from './http/held-back.js';
import { readJsonBodies } from './http/json-body.js';
import { createLogger, logCalls, NestLog } from './http/logging.js';
import { refuseOtherTypes } from './http/takes.js';
import { readYamlBodies } from './http/yaml-body.js';
import { readCsvBodies } from './imports/csv-body.js';
import { createMetrics, measureCalls, listenForMetrics, serveMetrics } from './http/metrics.js';
import { answerPositions } from './http/positions.js';
import { ProblemFilter } from './http/problem-filter.js';
import { answerSecurely } from './http/security-headers.js';
import { limitTime } from './http/time-limit.js';
import { documentOf } from './openapi/document.js';
import { serveDocument } from './openapi/pages.js';
import { connectParts } from './parts.js';
import type { Parts, Surroundings } from './parts.js';
import { closeGently, limitRate, serverOptions } from './server.js';
import { ValidationPipe } from './validation/validation-pipe.js';

@Module({})
class Root {}

export interface AppOptions {
  logger?: Logger;
  connect?: (surroundings: Surroundings) => Promise<Parts>;
}

/**
 * The API, complete but not listening: `await app.listen(port, host)` opens its door, `app.inject(…)` and `app.get(…)` work
 * without. `app.close()` answers what has come in, then lets go of the parts.
 */
export const createApp = async (
  config: ApiConfig,
  { logger = createLogger(config), connect = connectParts }: AppOptions = {},
): Promise<NestFastifyApplication> => {
  const metrics = createMetrics();
  const parts = await connect({ config, logger, metrics });
  const adapter = new FastifyAdapter({ ...serverOptions(config), loggerInstance: logger });
  adapter.mapException = (error: unknown) => error; // the problem filter knows Fastify's errors better
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.addHook('onClose', () => parts.close());

  const methodsAt = rememberAddresses(fastify);
  readJsonBodies(fastify);
  readYamlBodies(fastify);
  readCsvBodies(fastify, config.importLimit);
  answerCorrelation(fastify);
  answerSecurely(fastify);
  limitTime(fastify, config.requestTimeoutMs);
  const door = closeGently(fastify);
  guardRoutes(fastify, createTokenVerifier(config.tokens));
  if (parts.heldBy) holdBack(fastify, parts.heldBy);
  refuseOtherTypes(fastify);
  if (config.rateLimit > 0) await limitRate(fastify, config.rateLimit);
  answerPositions(fastify);
  measureCalls(fastify, metrics);
  logCalls(fastify, logger, config);
  serveHealth(fastify, parts.checks, () => door.closing);
  if (config.metricsPort === undefined) serveMetrics(fastify, metrics);
  else listenForMetrics(fastify, metrics, { host: config.host, port: config.metricsPort });

  const app = await NestFactory.create<NestFastifyApplication>({ module: Root, imports: parts.modules }, adapter, {
    logger: new NestLog(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.setGlobalPrefix('v1');
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter(methodsAt));
  serveDocument(fastify, () => documentOf(app));
  await app.init();
  await fastify.ready();
  return app;
};
