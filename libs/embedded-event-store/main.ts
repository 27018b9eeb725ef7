import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { generateCertificate } from './certificate.js';
import type { TlsKeyPair } from './listener.js';
import { startEventStore } from './server.js';

// Runs the event store as a process of its own, until SIGTERM or SIGINT.

interface Flags {
  databaseUrl?: string;
  host: string;
  advertisedHost?: string;
  port: string;
  tlsDir?: string;
}

const { env } = process;
const flags = new Command('event-store')
  .description('A server that speaks the gRPC protocol of EventStoreDB, on Postgres.')
  .option('--database-url <url>', 'Postgres database to store in (DATABASE_URL)', env.DATABASE_URL)
  .option('--host <address>', 'address to listen on (EVENT_STORE_HOST)', env.EVENT_STORE_HOST ?? '127.0.0.1')
  .option('--advertised-host <name>', 'name that clients are told to use (EVENT_STORE_ADVERTISED_HOST)', env.EVENT_STORE_ADVERTISED_HOST)
  .option('--port <number>', 'port to listen on, 0 for any (EVENT_STORE_PORT)', env.EVENT_STORE_PORT ?? '2113')
  .option(
    '--tls-dir <folder>',
    'serve with TLS by its cert.pem and key.pem, made if missing (EVENT_STORE_TLS_DIR)',
    env.EVENT_STORE_TLS_DIR,
  )
  .addHelpText('after', '\nEVENT_STORE_USER and EVENT_STORE_PASSWORD: credentials that every call then needs.')
  .parse()
  .opts<Flags>();

/** Clients trust a generated certificate by `tlsCAFile`. */
const keyPairIn = (folder: string, host: string): TlsKeyPair => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  if (!existsSync(cert) && !existsSync(key)) {
    const generated = generateCertificate([...new Set([host, 'localhost', '127.0.0.1'])]);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(key, generated.key, { mode: 0o600 });
    writeFileSync(cert, generated.cert);
  }
  return { cert: readFileSync(cert), key: readFileSync(key) };
};

const credentials = (): Record<string, string> | undefined => {
  const { EVENT_STORE_USER: user, EVENT_STORE_PASSWORD: password } = env;
  if (!user !== !password) throw new Error('Set EVENT_STORE_USER and EVENT_STORE_PASSWORD both, or neither.');
  return user && password ? { [user]: password } : undefined;
};

const run = async (): Promise<void> => {
  const { databaseUrl, host, advertisedHost, port, tlsDir } = flags;
  if (!databaseUrl) throw new Error('Say where to store: --database-url or DATABASE_URL.');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`${port} is not a port.`);
  const server = await startEventStore({
    databaseUrl,
    host,
    advertisedHost,
    port: Number(port),
    tls: tlsDir === undefined ? undefined : keyPairIn(tlsDir, advertisedHost ?? host),
    credentials: credentials(),
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
  process.once('disconnect', stop); // whoever started it is gone
  console.log(server.url);
  process.send?.({ ready: server.url });
};

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
