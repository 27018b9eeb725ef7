import { createApp } from './app.js';
import { configFromEnv, ConfigError } from './config.js';
import { createLogger } from './http/logging.js';

/** The API as a process of its own: it says when it is ready, and leaves nothing unanswered when it is told to go. */
const main = async (): Promise<void> => {
  const config = configFromEnv(process.env);
  const logger = createLogger(config);
  const app = await createApp(config, { logger });

  let closing = false;
  const close = (reason: string): void => {
    if (closing) return process.exit(1); // asked twice
    closing = true;
    logger.info({ reason }, 'The API is closing');
    setTimeout(() => process.exit(1), config.shutdownTimeoutMs).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'The API did not close cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', close).on('SIGINT', close);
  process.once('disconnect', () => close('its supervisor is gone'));

  await app.listen(config.port, config.host);
  const url = await app.getUrl();
  logger.info({ url }, 'The API is ready');
  process.send?.({ ready: url });
};

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
});
