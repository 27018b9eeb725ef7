import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import { connectEventStore } from '../../libs/event-store/event-store.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import { Projector } from '../../libs/projection-engine/projector.js';
import { readStatus } from '../../libs/projection-engine/status.js';
import { todoOptions } from './carry-out.js';
import { configFromEnv, type ProjectorConfig } from './config.js';
import { Forgetter } from './forgetter.js';
import { serve } from './http.js';
import { numberingOf } from './numbering.js';
import { Sealer } from './sealer.js';
import { storeFeed } from '../../libs/projection-engine/store-feed.js';
import { StripeClerk } from './stripe-clerk.js';
import { Verifier } from './verifier.js';

const CONNECTIONS = 8; // beside those of the projections: personal keys, status, what policies do
const GOODBYE = 500; // ms for the store's client, which may wait for ever for reads that were not read to their end
const PATIENCE = 10_000; // ms to finish what is being written

/** The projector as a process of its own: leads, or stands by for the one that does, until it is told to go. */
async function main(): Promise<void> {
  const config = configFromEnv(process.env);
  const logger = pino({ level: config.logLevel, base: { app: 'projector', pid: process.pid } });
  const stopping = new AbortController();
  const stop = (reason: string): void => {
    if (stopping.signal.aborted) return process.exit(1); // asked twice
    logger.info({ reason }, 'The projector is closing');
    stopping.abort();
    setTimeout(() => process.exit(1), PATIENCE).unref();
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.once('disconnect', () => stop('its supervisor is gone'));
  await run(config, logger, stopping.signal);
  process.exit(0);
}

async function run(config: ProjectorConfig, logger: pino.Logger, signal: AbortSignal): Promise<void> {
  const { databaseUrl, eventStoreUrl, policies } = config;
  const pool = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS, options: '-c TimeZone=UTC' });
  pool.on('error', (error) => logger.warn({ err: error }, 'An idle connection broke'));
  const store = connectEventStore({ url: eventStoreUrl, logger });
  const commands = await openCommandHandling({ ...config, store, pool, log: logger });
  const feed = storeFeed(store, commands.codec, eventStoreUrl);
  const todo = policies === 'api' ? undefined : todoOptions(commands, policies === 'projector');
  const sealer = config.seals && new Sealer(commands, pool, logger, config.seals);
  if (!sealer) logger.warn({}, 'No seals are made: SEAL_KEY is not set (docs/auditing.md).');
  const clerk = commands.cards && new StripeClerk(commands, pool, logger, config.lookSeconds * 1_000);
  const projections = await allProjections();
  const forgetter = new Forgetter(commands, pool, projections, logger);
  await forgetter.start(feed, signal);
  const verifier = config.verifying && new Verifier({ databaseUrl, pool, feed, projections, logger, ...config.verifying });
  const projector = new Projector({
    databaseUrl,
    feed,
    projections,
    publish: true,
    todo,
    effects: [numberingOf(commands), forgetter.consumer],
    beside: [forgetter, clerk, sealer, verifier].filter((one) => one !== undefined).map((one) => (signal) => one.run(signal)),
    logger,
  });
  const http =
    config.port === undefined
      ? undefined
      : await serve({ host: config.host, port: config.port, projector, clerk, sealer, status: () => readStatus(pool, feed) });
  logger.info({ name: projector.name, url: http?.url }, 'The projector is ready');
  process.send?.({ ready: http?.url ?? true });
  try {
    await projector.run(signal);
  } finally {
    await http?.close();
    await commands.close();
    await Promise.race([store.dispose(), sleep(GOODBYE)]);
    await pool.end();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
