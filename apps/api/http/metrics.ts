import { once } from 'node:events';
import { createServer } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]; // seconds

export const createMetrics = (): Registry => {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  return metrics;
};

/** How long calls take, by route and answer. The route as it is declared, not the address: addresses have no bound. */
export const measureCalls = (fastify: FastifyInstance, metrics: Registry): void => {
  const histogram = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: BUCKETS,
    registers: [metrics],
  });
  const series = new Map<string, { observe(seconds: number): void }>(); // made once each: labels are dear
  fastify.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.config?.staysOpen && reply.statusCode === 200) return done();
    const { method } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const status = String(reply.statusCode);
    const key = `${method} ${route} ${status}`;
    const one = series.get(key) ?? histogram.labels({ method, route, status });
    series.set(key, one);
    one.observe(reply.elapsedTime / 1000);
    done();
  });
};

/** Prometheus reads at /metrics: beside the API, */
export const serveMetrics = (fastify: FastifyInstance, metrics: Registry): void => {
  fastify.get('/metrics', { config: { public: true } }, async (_request, reply) => {
    void reply.type(metrics.contentType);
    return metrics.metrics();
  });
};

/** or, kept from the public, on a port of its own for as long as the API listens. */
export const listenForMetrics = (fastify: FastifyInstance, metrics: Registry, { host, port }: { host: string; port: number }): void => {
  const server = createServer((_request, response) => {
    void metrics.metrics().then((text) => response.setHeader('content-type', metrics.contentType).end(text));
  });
  fastify.addHook('onListen', async () => {
    server.listen(port, host);
    await once(server, 'listening');
    fastify.log.info({ metrics: server.address() }, 'Metrics are served');
  });
  fastify.addHook('onClose', async () => void server.close());
};
