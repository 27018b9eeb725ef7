import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { migrateSealing } from '../../libs/audit/sealing.js';
import type { Clock } from '../../libs/command-handling/clock.js';
import { Knocks } from '../../libs/command-handling/card-payments/knocks.js';
import { CommandHandlingModule } from '../../libs/command-handling/command-bus.js';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import type { Parts as CommandParts } from '../../libs/command-handling/operation.js';
import { forgetAgain } from '../../libs/command-handling/forgotten.js';
import { connectEventStore } from '../../libs/event-store/event-store.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import { EventReaders } from '../../libs/projection-engine/event-readers.js';
import { checkpointOfForgetting, FORGETTING } from '../../libs/projection-engine/forgotten.js';
import { openReadModels, type ReadModels } from '../../libs/projection-engine/read-models.js';
import { migrate } from '../../libs/projection-engine/schema.js';
import { requireSameStore } from '../../libs/projection-engine/store-check.js';
import { storeFeed } from '../../libs/projection-engine/store-feed.js';
import { Exports } from '../../libs/reporting/exports.js';
import { Reports } from '../../libs/reporting/reports.js';
import type { ApiConfig } from './config.js';
import { EVENT_READERS, EventStreams } from './events/event-streams.js';
import { Imports } from './imports/imports.js';
import { ForgettingAgain } from './forgetting-again.js';
import type { HealthCheck } from './http/health.js';
import { AppointmentsController } from './resources/appointments.controller.js';
import { AuditController } from './resources/audit.controller.js';
import { ClientLinksController } from './resources/client-links.controller.js';
import { CatalogueFiles } from './catalogue-file/catalogue-files.js';
import { Bookable } from './resources/bookable.js';
import { BusinessDays } from './resources/business-days.js';
import { CatalogueFileController } from './resources/catalogue-file.controller.js';
import { ClientsController } from './resources/clients.controller.js';
import { EventsController } from './resources/events.controller.js';
import { ExplainedCells } from './resources/explained-cells.js';
import { Explanations } from './resources/explanations.js';
import { History } from './resources/history.js';
import { ImportsController } from './resources/imports.controller.js';
import { Suggestions } from './resources/suggested-refund.js';
import { InvoicesController } from './resources/invoices.controller.js';
import { Links } from './resources/links.js';
import { ManagedAppointments } from './resources/managed-appointments.js';
import { OfferingListController } from './resources/offering-list.controller.js';
import { OfferingsController } from './resources/offerings.controller.js';
import { PackageSessions } from './resources/package-sessions.js';
import { PackagesController } from './resources/packages.controller.js';
import { OwnPrintsController, PrintsController } from './resources/prints.controller.js';
import { OwnController } from './resources/own.controller.js';
import { OnlineOfferings } from './resources/online-offerings.js';
import { OwnPurchasesController } from './resources/own-purchases.controller.js';
import { OwnThings } from './resources/own-things.js';
import { Past } from './resources/past.js';
import { ProvidersController } from './resources/providers.controller.js';
import { PurchasesController } from './resources/purchases.controller.js';
import { POOL, READ_MODELS, Reading } from './resources/reading.js';
import { EXPORTS, Reported, REPORTS } from './resources/reported.js';
import { ReportsController } from './resources/reports.controller.js';
import { SeriesController } from './resources/series.controller.js';
import { ServicesController } from './resources/services.controller.js';
import { SettingsController } from './resources/settings.controller.js';
import { SharedPackages } from './resources/shared-packages.js';
import { OwnStatementPrintsController, PrintedStatements, StatementPrintsController } from './resources/statement-prints.controller.js';
import { OwnStatementController, Statements, StatementsController } from './resources/statements.controller.js';
import { Streams } from './resources/streams.js';
import { StripeController } from './resources/stripe.controller.js';
import { StripeWebhooksController } from './resources/stripe-webhooks.controller.js';
import { TaxesController } from './resources/taxes.controller.js';
import { CountedKnocks } from './stripe/counted-knocks.js';

/** What stands behind the HTTP door. */
export interface Parts {
  modules: (Type | DynamicModule)[]; // the resources' controllers and what they need
  checks: Record<string, HealthCheck>; // each part that must answer before we are ready
  heldBy?(): string | undefined; // why nothing is answered yet
  close(): Promise<void>; // after the last call has been answered
}

export interface Surroundings {
  config: ApiConfig;
  logger: Logger;
  metrics: Registry;
  clock?: Clock; // that of the system unless told
}

interface Reporting {
  reports: Reports;
  exports: Exports;
}

const CONNECTIONS = 16; // to Postgres
const REPORTING = 8; // more of them, so that large reports hold up nothing else

/** Connects to the parts that the settings name. */
export const connectParts = async ({ config, logger, metrics, clock }: Surroundings): Promise<Parts> => {
  const pool = new pg.Pool({ connectionString: config.databaseUrl, max: CONNECTIONS, options: '-c TimeZone=UTC' });
  const onError = (error: Error) => logger.warn({ err: error }, 'A connection to Postgres broke');
  pool.on('error', onError);
  const reporters = reportingPool(config);
  reporters.on('error', onError);
  const store = connectEventStore({ url: config.eventStoreUrl, logger });
  const projections = await allProjections();
  await migrate(pool, projections, [FORGETTING]);
  await migrateSealing(pool);
  const readModels = await openReadModels(pool, projections);
  const { sources } = readModels;
  const reporting: Reporting = {
    reports: new Reports(reporters, sources, timesOf(config)),
    exports: new Exports(config.databaseUrl, { pool, sources, onError }),
  };
  const commands = await openCommandHandling({ store, pool, log: logger, clock, ...config });

  const ofStore = storeFeed(store, commands.codec, config.eventStoreUrl);
  const requireStore = () => requireSameStore(ofStore, checkpointOfForgetting(pool), new AbortController().signal, logger);
  const forgetting = new ForgettingAgain(pool, projections, logger);
  await forgetting.start(await forgetAgain(commands, pool, requireStore));

  return {
    heldBy: () => forgetting.heldBy,
    modules: [ResourcesModule.with(pool, commands, readModels, reporting, new CountedKnocks(new Knocks(commands, logger), metrics))],
    checks: {
      postgres: () => pool.query('SELECT 1'),
      eventStore: () => store.lastPosition(),
      forgetting: () => forgetting.done(),
      readModels: () => readModels.sources.requireBuilt(),
    },
    close: async () => {
      forgetting.stop();
      await commands.close();
      await readModels.close();
      await reporting.exports.close();
      await reporters.end();
      await store.dispose();
      await pool.end();
    },
  };
};

/** Of the time that the caller of a report waits: for its turn, for a connection, and for Postgres; with the events of a cell, all together. */
const OF_ITS_TIME = { turn: 0.1, connection: 0.1, asking: 0.7, cell: 0.8 };

const timesOf = ({ requestTimeoutMs }: ApiConfig) => ({
  ...{ turn: requestTimeoutMs * OF_ITS_TIME.turn, cell: requestTimeoutMs * OF_ITS_TIME.cell },
});

const reportingPool = ({ databaseUrl, requestTimeoutMs }: ApiConfig): pg.Pool => {
  const [waiting, asking] = [OF_ITS_TIME.connection, OF_ITS_TIME.asking].map((part) => Math.round(requestTimeoutMs * part));
  const options = `-c TimeZone=UTC -c work_mem=32MB -c statement_timeout=${asking}`;
  return new pg.Pool({ connectionString: databaseUrl, max: REPORTING, connectionTimeoutMillis: waiting, options });
};

const controllers = [
  SettingsController,
  TaxesController,
  ServicesController,
  ProvidersController,
  ClientsController,
  ClientLinksController,
  OfferingsController,
  OfferingListController,
  PackagesController,
  AppointmentsController,
  SeriesController,
  InvoicesController,
  ImportsController,
  PrintsController,
  OwnController,
  OwnPrintsController,
  StatementsController,
  EventsController,
  OwnStatementController,
  StatementPrintsController,
  OwnStatementPrintsController,
  ReportsController,
  CatalogueFileController,
  PurchasesController,
  OwnPurchasesController,
  StripeController,
  StripeWebhooksController,
  AuditController,
];

@Module({ controllers })
class ResourcesModule {
  static with(
    pool: pg.Pool,
    commands: CommandParts,
    readModels: ReadModels,
    { reports, exports }: Reporting,
    knocks: CountedKnocks,
  ): DynamicModule {
    const files: Provider[] = [Imports, CatalogueFiles];
    const ofPackages: Provider[] = [SharedPackages, Bookable, PackageSessions, Suggestions];
    const ofThePast: Provider[] = [Past, History, Explanations, ExplainedCells];
    const linked: Provider[] = [Links, ManagedAppointments, OwnThings, Statements, PrintedStatements, OnlineOfferings];
    const readers: Provider[] = [
      { provide: POOL, useValue: pool },
      { provide: READ_MODELS, useValue: readModels },
      { provide: REPORTS, useValue: reports },
      { provide: EXPORTS, useValue: exports },
      { provide: CountedKnocks, useValue: knocks },
      { provide: EVENT_READERS, useValue: new EventReaders(pool, readModels) },
      EventStreams,
      Reading,
      Streams,
      BusinessDays,
      ...ofThePast,
      Reported,
      ...linked,
      ...ofPackages,
      ...files,
    ];
    return { module: ResourcesModule, imports: [CommandHandlingModule.with(commands)], providers: readers };
  }
}
