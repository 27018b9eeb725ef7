import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { startEventStore } from './server.js';

// Runs the event store as a process of its own, until SIGTERM or SIGINT.

interface Flags {
  databaseUrl?: string;
  host: string;
  port: string;
  tlsCert?: string;
  tlsKey?: string;
}

const flags = new Command('event-store')
  .description('A server that speaks the gRPC protocol of EventStoreDB, on Postgres')
  .option('--database-url <url>', 'Postgres database to store in (DATABASE_URL)', process.env.DATABASE_URL)
  .option('--host <address>', 'address to listen on (EVENT_STORE_HOST)', process.env.EVENT_STORE_HOST ?? '127.0.0.1')
  .option('--port <number>', 'port to listen on, 0 for any (EVENT_STORE_PORT)', process.env.EVENT_STORE_PORT ?? '2113')
  .option('--tls-cert <file>', 'certificate in PEM: serve with TLS (EVENT_STORE_TLS_CERT)', process.env.EVENT_STORE_TLS_CERT)
  .option('--tls-key <file>', 'its private key in PEM (EVENT_STORE_TLS_KEY)', process.env.EVENT_STORE_TLS_KEY)
  .parse()
  .opts<Flags>();

const run = async (): Promise<void> => {
  const { databaseUrl, host, port, tlsCert, tlsKey } = flags;
  if (!databaseUrl) throw new Error('Say where to store: --database-url or DATABASE_URL');
  if (!tlsCert !== !tlsKey) throw new Error('TLS needs both --tls-cert and --tls-key');
  const server = await startEventStore({
    databaseUrl,
    host,
    port: Number(port),
    tls: tlsCert && tlsKey ? { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) } : undefined,
    logger: {
      info: (message) => console.error(message),
      error: (details, message) => console.error(message, details instanceof Error ? details.message : details),
    },
  });
  const stop = (): void => {
    server.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(server.url);
  process.send?.({ ready: server.url });
};

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
