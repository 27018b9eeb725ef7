import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { createHash, hkdfSync } from 'node:crypto';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { domainEvents } from '../domain/events.js';
import { createCodec } from '../event-store/codec.js';
import type { EventStore } from '../event-store/event-store.js';
import { createHandle } from '../event-store/handle.js';
import { createPersonalKeys } from '../event-store/personal-keys.js';
import { CardPayments } from '../payments/card-payments.js';
import { NO_CARDS, type CardSettings } from '../payments/settings.js';
import { CameToNothing } from './came-to-nothing.js';
import { Claims } from './claims.js';
import { type Clock, systemClock } from './clock.js';
import { appointmentPackageHandlers } from './commands/appointment-package.commands.js';
import { appointmentHandlers } from './commands/appointment.commands.js';
import { businessHandlers } from './commands/business.commands.js';
import { catalogueFileHandlers } from './commands/catalogue-file.commands.js';
import { catalogueHandlers } from './commands/catalogue.commands.js';
import { clientLinkHandlers } from './commands/client-link.commands.js';
import { offeringListHandlers } from './commands/offering-list.commands.js';
import { importHandlers } from './commands/import.commands.js';
import { movingHandlers } from './commands/moving.commands.js';
import { invoiceHandlers } from './commands/invoice.commands.js';
import { offeringHandlers } from './commands/offering.commands.js';
import { packageEndingHandlers } from './commands/package-ending.commands.js';
import { packageHandlers } from './commands/package.commands.js';
import { standingAgainHandlers } from './commands/standing-again.commands.js';
import { purchaseHandlers } from './commands/purchase.commands.js';
import { seriesHandlers } from './commands/series.commands.js';
import { stripeAccountHandlers } from './commands/stripe-account.commands.js';
import { Facts } from './facts.js';
import { withFailpoints } from './failpoints.js';
import { FollowUps } from './follow-up.js';
import { PARTS } from './handler.js';
import type { Parts } from './operation.js';

export interface Surroundings {
  store: EventStore;
  pool: Pool;
  operatorKey: string; // wraps the personal keys
  requestHashKey: string;
  policies: 'api' | 'projector' | 'both';
  log: Logger;
  clock?: Clock;
  cards?: CardSettings;
}

/** Whatever carries out commands: the API, the projector for what follows from events, the demo loader. */
export const openCommandHandling = async (surroundings: Surroundings): Promise<Parts & { close(): Promise<void> }> => {
  const { pool, log, requestHashKey, clock = systemClock, cards: { stripe, checkouts } = NO_CARDS } = surroundings;
  const store = withFailpoints(surroundings.store);
  const keys = createPersonalKeys({ pool, operatorKey: derived(surroundings.operatorKey, 'personal keys') });
  const claims = new Claims(pool, log);
  await keys.migrate();
  await claims.migrate();
  const cameToNothing = new CameToNothing(pool);
  await cameToNothing.migrate();

  const codec = createCodec(domainEvents, keys);
  const facts = new Facts(store, codec, log);
  await facts.start();
  const handle = createHandle({ store, codec, logger: log });
  return {
    ...{ store, codec, handle, facts, claims, clock, checkouts, cards: stripe && new CardPayments(stripe) },
    followUps: new FollowUps(handle, cameToNothing, clock, log, surroundings.policies !== 'api'),
    requestHashKey: { id: createHash('sha256').update(requestHashKey).digest('hex').slice(0, 16), secret: requestHashKey },
    policiesHere: surroundings.policies !== 'projector',
    close: () => {
      facts.stop();
      return claims.close();
    },
  };
};

const handlers: Provider[] = [
  ...businessHandlers,
  ...catalogueHandlers,
  ...catalogueFileHandlers,
  ...clientLinkHandlers,
  ...offeringHandlers,
  ...offeringListHandlers,
  ...packageHandlers,
  ...packageEndingHandlers,
  ...appointmentHandlers,
  ...importHandlers,
  ...appointmentPackageHandlers,
  ...movingHandlers,
  ...standingAgainHandlers,
  ...invoiceHandlers,
  ...purchaseHandlers,
  ...stripeAccountHandlers,
  ...seriesHandlers,
];

/** All commands on Nest's command bus. */
@Module({ imports: [CqrsModule.forRoot()], providers: handlers, exports: [CqrsModule] })
export class CommandHandlingModule {
  static with(parts: Parts): DynamicModule {
    const provided = { provide: PARTS, useValue: parts };
    return { module: CommandHandlingModule, providers: [provided], exports: [provided] };
  }
}

const derived = (secret: string, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `punchcard ${purpose}`, 32));
