import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Projector } from '../../libs/projection-engine/projector.js';
import type { Status } from '../../libs/projection-engine/status.js';
import type { Sealer } from './sealer.js';
import type { StripeClerk } from './stripe-clerk.js';

export interface HttpOptions {
  host: string;
  port: number;
  projector: Projector;
  clerk?: Pick<StripeClerk, 'underWay' | 'failures'>;
  sealer?: Pick<Sealer, 'lastAt' | 'failures' | 'differing' | 'strays'>;
  status: () => Promise<Status>;
}

/** Health, status and metrics, for probes and Prometheus: nothing of any business. */
export async function serve({
  host,
  port,
  projector,
  clerk,
  sealer,
  status,
}: HttpOptions): Promise<{ url: string; close(): Promise<void> }> {
  const registry = new Registry();
  if (clerk) measureClerk(registry, clerk);
  if (sealer) measureSealer(registry, sealer);
  const metrics = metricsOf(registry, projector, status);
  const answers: Record<string, () => Promise<[status: number, type: string, body: string]>> = {
    '/health/live': async () => [200, JSON_TYPE, JSON.stringify({ status: 'ok' })],
    '/health/ready': async () => readiness(await status(), projector, sealer?.strays ?? 0),
    '/status': async () => [200, JSON_TYPE, JSON.stringify({ ...(await status()), seals: sealing(sealer) })],
    '/metrics': async () => [200, Registry.PROMETHEUS_CONTENT_TYPE, await metrics()],
  };
  const server = createServer((request, response) => {
    const answer = request.method === 'GET' ? answers[request.url?.split('?')[0] ?? ''] : undefined;
    const answered = answer ? answer().catch((error: unknown) => failed(error)) : Promise.resolve([404, JSON_TYPE, '{}'] as const);
    void answered.then(([code, type, body]) => response.writeHead(code, { 'content-type': type }).end(body));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, close: () => closed(server) };
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Ready while it leads or stands by, once all versions that its code has are built, here or by another; that a projection is stopped is for an
 * alarm, not for a restart.
 */
const readiness = ({ leader, projections, verified }: Status, projector: Projector, strays: number): [number, string, string] => {
  const poisoned = projections.filter(({ state }) => state === 'poisoned').map(({ name }) => name);
  const own = projector.progress();
  const isLive = (one: { name: string; version: number }) =>
    projections.some(({ name, version, live }) => live && name === one.name && version === one.version);
  const building = own.filter((one) => !isLive(one)).map(({ name }) => name);
  const status = !leader ? 'starting' : building.length ? 'building' : 'ok';
  const differing = verified.filter(({ differences }) => differences > 0).map(({ name }) => name); // from their events, when they were verified last
  const body = { status, leading: projector.leading, leader: leader?.name ?? null, building, poisoned, differing, strays };
  return [status === 'ok' ? 200 : 503, JSON_TYPE, JSON.stringify(body)];
};

const failed = (error: unknown) =>
  [503, JSON_TYPE, JSON.stringify({ status: 'unavailable', error: error instanceof Error ? error.message : String(error) })] as const;

const closed = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** All of them from one look at the status. */
function metricsOf(registry: Registry, projector: Projector, status: () => Promise<Status>): () => Promise<string> {
  const registers = [registry];
  const labelNames = ['projection', 'version'] as const;
  const position = new Gauge({ name: 'punchcard_projection_position', help: 'Position of the last event held', labelNames, registers });
  const lag = new Gauge({ name: 'punchcard_projection_lag_seconds', help: 'Age of the oldest event not held', labelNames, registers });
  const rate = new Gauge({ name: 'punchcard_projection_events_per_second', help: 'Events written', labelNames, registers });
  const poisoned = new Gauge({ name: 'punchcard_projection_poisoned', help: '1: stopped by a poison event', labelNames, registers });
  const skipped = new Gauge({
    name: 'punchcard_projection_skipped_events',
    help: 'Poison events that are passed over',
    labelNames,
    registers,
  });
  const events = new Gauge({ name: 'punchcard_projection_building_events', help: 'Events in what is being built', labelNames, registers });
  const total = new Gauge({
    name: 'punchcard_projection_building_events_total',
    help: 'Events that there are for it',
    labelNames,
    registers,
  });
  const differences = new Gauge({
    name: 'punchcard_projection_differences',
    help: 'Rows that were not as the events say, when they were verified last',
    labelNames,
    registers,
  });
  const verifiedAt = new Gauge({
    name: 'punchcard_projection_verified_timestamp',
    help: 'When they were verified last, in seconds since 1970',
    labelNames,
    registers,
  });
  const todo = new Gauge({
    name: 'punchcard_policy_todo',
    help: 'Commands of policies not yet done',
    labelNames: ['state'] as const,
    registers,
  });
  const leading = new Gauge({ name: 'punchcard_projector_leading', help: '1: this process leads', registers });
  return async () => {
    const now = await status();
    leading.set(projector.leading ? 1 : 0);
    events.reset();
    total.reset();
    skipped.reset();
    for (const { name: projection, version } of now.skipped) skipped.inc({ projection, version });
    for (const { name: projection, version, differences: found, problem, verifiedAt: at } of now.verified) {
      differences.set({ projection, version }, problem === null ? found : NaN);
      verifiedAt.set({ projection, version }, Date.parse(at) / 1000);
    }
    for (const one of now.projections) {
      if (one.building) {
        events.set({ projection: one.name, version: one.version }, one.building.events);
        total.set({ projection: one.name, version: one.version }, one.building.total);
      }
      if (!one.live && one.build !== 0) continue; // folded beside the live one: its metrics are those
      const labels = { projection: one.name, version: one.version };
      position.set(labels, Number(one.position ?? -1));
      lag.set(labels, one.lag === null ? NaN : one.lag / 1000);
      rate.set(labels, one.rate);
      poisoned.set(labels, one.state === 'poisoned' ? 1 : 0);
    }
    todo.set({ state: 'waiting' }, now.todo.waiting);
    todo.set({ state: 'parked' }, now.todo.parked);
    return registry.metrics();
  };
}

/** What is under way at Stripe, and whether it goes on. */
function measureClerk(registry: Registry, clerk: Pick<StripeClerk, 'underWay' | 'failures'>): void {
  const registers = [registry];
  new Gauge({
    name: 'punchcard_stripe_under_way',
    help: 'Purchases and refunds that are under way at Stripe',
    registers,
    collect() {
      this.set(clerk.underWay);
    },
  });
  new Counter({
    name: 'punchcard_stripe_clerk_failures_total',
    help: 'Looks of the clerk at Stripe that failed',
    registers,
    collect() {
      this.reset();
      this.inc(clerk.failures);
    },
  });
}

function sealing(sealer: HttpOptions['sealer']): object {
  if (!sealer) return { made: false };
  const { lastAt, failures, differing, strays } = sealer;
  return { made: true, lastAt: lastAt === undefined ? null : new Date(lastAt).toISOString(), failures, differing, strays };
}

/** When all was sealed last by this process, and whether that goes on. */
function measureSealer(registry: Registry, sealer: Pick<Sealer, 'lastAt' | 'failures' | 'differing' | 'strays'>): void {
  const registers = [registry];
  new Gauge({
    name: 'punchcard_sealed_timestamp_seconds',
    help: 'When all that had happened was sealed last; 0: not known to this process',
    registers,
    collect() {
      this.set((sealer.lastAt ?? 0) / 1000);
    },
  });
  new Counter({
    name: 'punchcard_seal_failures_total',
    help: 'Times that what had happened could not be sealed',
    registers,
    collect() {
      this.reset();
      this.inc(sealer.failures);
    },
  });
  new Gauge({
    name: 'punchcard_seals_stray_events',
    help: 'Events among the seals that are none: somebody else has written to the event store',
    registers,
    collect() {
      this.set(sealer.strays);
    },
  });
  new Counter({
    name: 'punchcard_seals_differing_total',
    help: 'Seals that are not those that were kept in SEAL_FOLDER: a history was restored, or written anew',
    registers,
    collect() {
      this.reset();
      this.inc(sealer.differing);
    },
  });
}
