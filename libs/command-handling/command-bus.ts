import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
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
import { PARTS } from './handler.js';
import type { Parts } from './operation.js';

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
