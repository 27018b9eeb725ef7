import pg from 'pg';
import { pino } from 'pino';
import { todoOptions } from '../apps/projector/carry-out.js';
import { configFromEnv } from '../apps/projector/config.js';
import { numberingOf } from '../apps/projector/numbering.js';
import { storeFeed } from '../libs/projection-engine/store-feed.js';
import { openCommandHandling } from '../libs/command-handling/command-handling.js';
import { connectEventStore } from '../libs/event-store/event-store.js';
import { allProjections } from '../libs/projection-engine/all-projections.js';
import { Projector } from '../libs/projection-engine/projector.js';

// The projector as apps/projector runs it, with NUMBERING=off without the numbers of invoices, with ONLY=package_list,client_links with
// those projections and nothing else: there are no such settings outside of here.

const config = configFromEnv(process.env);
const logger = pino({ level: config.logLevel });
const pool = new pg.Pool({ connectionString: config.databaseUrl, max: 8, options: '-c TimeZone=UTC' });
const store = connectEventStore({ url: config.eventStoreUrl, logger });
const commands = await openCommandHandling({ ...config, store, pool, log: logger });
const { ONLY, NUMBERING } = process.env;
const projections = await allProjections();
const projector = new Projector({
  databaseUrl: config.databaseUrl,
  feed: storeFeed(store, commands.codec, config.eventStoreUrl),
  logger,
  ...(ONLY
    ? { projections: projections.filter(({ name }) => ONLY.split(',').includes(name)) }
    : { projections, publish: true, todo: todoOptions(commands, false), effects: NUMBERING === 'off' ? [] : [numberingOf(commands)] }),
});
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
process.once('disconnect', () => process.exit(0));
process.send!({ ready: true });
await projector.run(stopping.signal);
process.exit(0);
