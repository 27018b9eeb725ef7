import { pino } from 'pino';
import { configFromEnv } from './config.js';
import { startSimulator } from './server.js';

/** The simulated Stripe as a process of its own, until it is told to go. No card is charged, no money moves. */
const main = async (): Promise<void> => {
  const { host, port, stateFile, webhookUrl, webhookSecret, logLevel } = configFromEnv(process.env);
  const log = pino({ level: logLevel, base: { app: 'stripe-simulator', pid: process.pid } });
  const simulator = await startSimulator({ host, port, stateFile, log, webhook: { url: webhookUrl, secret: webhookSecret } });

  let stopping = false;
  const stop = (reason: string): void => {
    if (stopping) return process.exit(1); // asked twice
    stopping = true;
    log.info({ reason }, 'The simulated Stripe is closing');
    simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.once('disconnect', () => stop('its supervisor is gone'));
  log.info({ url: simulator.url }, 'The simulated Stripe is ready');
  process.send?.({ ready: simulator.url });
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
