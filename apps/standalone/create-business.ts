import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { Command, InvalidArgumentError } from 'commander';
import { join } from 'node:path';
import { inspect } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { mintToken } from '../../libs/auth/tokens.js';
import { CommandHandlingModule } from '../../libs/command-handling/command-bus.js';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import { CreateBusiness } from '../../libs/command-handling/commands/business.commands.js';
import { defaultSettings } from '../../libs/domain/business/business.events.js';
import { isTimeZone } from '../../libs/domain/kernel/calendar.js';
import { connectEventStore } from '../../libs/event-store/event-store.js';
import { OperatorError } from './operator-error.js';
import { project } from './options.js';
import { surroundings } from './surroundings.js';

// `npm run business:create -- --name … --time-zone … --currency …`: a business, and a token for its owner.

interface Wanted {
  name: string;
  timeZone: string;
  currency: string;
  owner: string;
  data: string;
}

const TOKEN_LIFE = '30d';

const say = (message: string): void => void process.stdout.write(`${message}\n`);

async function main(wanted: Wanted): Promise<void> {
  const env = await surroundings(wanted.data, ['DATABASE_URL', 'EVENTSTORE_URL', 'OPERATOR_KEY', 'REQUEST_HASH_KEY']);
  const businessId = uuidv7();
  await create(businessId, wanted, env);
  say(`Created the business ${businessId} (${wanted.name}).`);
  if (!env.JWT_SECRET) return say('Tokens come from your issuer: claims sub, business, role (docs/api.md).');
  const token = await mintToken({ secret: env.JWT_SECRET, sub: wanted.owner, business: businessId, role: 'owner', expiresIn: TOKEN_LIFE });
  say(`\nA token for its owner, good for 30 days:\n\n${token}`);
}

async function create(businessId: string, { name, timeZone, currency, owner }: Wanted, env: NodeJS.ProcessEnv): Promise<void> {
  const log = pino({ level: 'warn' });
  const pool = new pg.Pool({ connectionString: env.DATABASE_URL, max: 2 });
  const store = connectEventStore({ url: env.EVENTSTORE_URL!, logger: log });
  const secrets = { operatorKey: env.OPERATOR_KEY!, requestHashKey: env.REQUEST_HASH_KEY! };
  const parts = await openCommandHandling({ store, pool, log, policies: 'api', ...secrets });
  const app = await NestFactory.createApplicationContext(CommandHandlingModule.with(parts), { logger: false });
  try {
    const caller = { business: businessId, actor: { id: owner, role: 'owner' as const }, correlationId: uuidv7() };
    await app.get(CommandBus).execute(new CreateBusiness(caller, { name, timeZone, currency, settings: defaultSettings }));
  } finally {
    await app.close();
    await parts.close();
    await store.dispose();
    await pool.end();
  }
}

const which =
  (holds: (text: string) => boolean, what: string) =>
  (text: string): string => {
    if (!holds(text)) throw new InvalidArgumentError(`It is not ${what}.`);
    return text;
  };
const currencies = new Set(Intl.supportedValuesOf('currency'));

const command = new Command('npm run business:create --')
  .description('Creates a business, and prints a token for its owner. Its currency can never change.')
  .requiredOption('--name <name>', 'what it is called')
  .requiredOption('--time-zone <zone>', 'IANA name, such as America/Toronto', which(isTimeZone, 'an IANA time zone'))
  .requiredOption(
    '--currency <code>',
    'ISO 4217, such as CAD',
    which((code) => currencies.has(code), 'an ISO 4217 currency'),
  )
  .option('--owner <sub>', "the owner's id in tokens; opaque, it is stored in clear", 'owner')
  .option('--data <folder>', 'data folder of a running `npm start`', join(project, '.data'));

main(command.parse().opts<Wanted>()).catch((error: unknown) => {
  process.stderr.write(`${error instanceof OperatorError ? error.message : inspect(error)}\n`);
  process.exitCode = 1;
});
