import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';

export interface Options {
  data: string; // absolute
  host: string; // of the API; everything else listens on 127.0.0.1
  port: number;
  eventStorePort: number;
  postgresPort: number;
  stripePort: number;
  stripe: boolean; // simulated, where the operator has none
  demo: boolean;
  reset: boolean;
}

/** The clone, from dist/apps/standalone/ as from apps/standalone/. */
export const project = fileURLToPath(new URL(import.meta.url.includes('/dist/apps/') ? '../../..' : '../..', import.meta.url));

/** Flags go before environment variables. Writes help and errors, and ends the process, as commander does. */
export function readOptions(argv: string[]): Options {
  const flag = (flags: string, description: string, name: string) => new Option(flags, description).env(name);
  const command = new Command('npm start --')
    .description('Punchcard with everything that it needs: Postgres, event store, API, projector and a simulated Stripe.')
    .addOption(flag('--data <folder>', 'where all data is kept', 'PUNCHCARD_DATA').default(join(project, '.data')))
    .addOption(flag('--host <address>', 'address that the API listens on', 'HOST').default('127.0.0.1'))
    .addOption(
      flag('--port <n>', 'port of the API; any port that is taken is replaced by a free one', 'PORT').default(3000).argParser(port),
    )
    .addOption(flag('--event-store-port <n>', 'port of the event store', 'EVENT_STORE_PORT').default(2113).argParser(port))
    .addOption(flag('--postgres-port <n>', 'port of Postgres', 'POSTGRES_PORT').default(5433).argParser(port))
    .addOption(flag('--stripe-port <n>', 'port of the simulated Stripe', 'STRIPE_PORT').default(3002).argParser(port))
    .option('--no-demo', 'start without the demo business')
    .option('--no-stripe', 'start without the simulated Stripe: no cards are taken')
    .option('--reset', 'delete the data, then start anew', false)
    .addHelpText(
      'after',
      `\nWith DATABASE_URL or EVENTSTORE_URL set, that Postgres or EventStoreDB is used instead of one of its own;\nwith STRIPE_SECRET_KEY set, Stripe itself instead of the simulated one.\nMore: docs/operations.md`,
    );
  const options = command.parse(argv, { from: 'user' }).opts<Options>();
  return { ...options, data: resolve(options.data) };
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('A port is a whole number from 0 (any free one) to 65535.');
  return value;
}
