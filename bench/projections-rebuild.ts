import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { personalKeysOf } from '../libs/command-handling/command-handling.js';
import { domainEvents } from '../libs/domain/events.js';
import { createCodec } from '../libs/event-store/codec.js';
import type { EventStore } from '../libs/event-store/event-store.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { rebuild } from '../libs/projection-engine/rebuild.js';
import { storeFeed } from '../libs/projection-engine/store-feed.js';
import { clientLinks } from '../projections/client-links.projection.js';
import { openClinic } from './clinic.js';
import type { LoadResult } from './http-load.js';
import type { LoadJob } from './load.js';
import type { Started } from './processes.js';
import { SECRETS, type Stage, UNDER_LOAD } from './stage.js';

const logger = pino({ level: 'warn' });
const POLL = 50; // ms

/** Where a rebuild reads and writes. */
export interface Rebuilding {
  databaseUrl: string;
  store: EventStore;
  storeUrl: string;
  projection: Projection;
}

const settingsOf = ({ databaseUrl, storeUrl }: Rebuilding): Record<string, string> => ({
  ...{ DATABASE_URL: databaseUrl, EVENTSTORE_URL: storeUrl, ...SECRETS, ...UNDER_LOAD },
});

const READ_WITH = clientLinks.name; // the list of packages asks it who shares

/** A projector that leads, a process of its own, once it holds all that there is. */
async function lead({ launch }: Stage, rebuilding: Rebuilding): Promise<Started> {
  const followed = [rebuilding.projection.name, READ_WITH];
  const leader = await launch('projector', 'bench/following.js', { ...settingsOf(rebuilding), ONLY: followed.join() });
  const last = await rebuilding.store.lastPosition();
  const client = new pg.Client(rebuilding.databaseUrl);
  await client.connect();
  for (let there = 0; there < followed.length; await sleep(POLL)) {
    const { rows } = await client.query<{ there: number }>(
      'SELECT count(*)::int AS there FROM read_models.checkpoints WHERE position >= $1',
      [last],
    );
    there = rows[0]!.there;
  }
  await client.end();
  return leader;
}

/** Seconds that a rebuild takes beside a projector that leads. */
export async function rebuildBeside(stage: Stage, rebuilding: Rebuilding): Promise<number> {
  const leader = await lead(stage, rebuilding);
  const seconds = await rebuilt(rebuilding);
  await stage.stop(leader);
  return seconds;
}

async function rebuilt({ databaseUrl, store, storeUrl, projection }: Rebuilding): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined); // connections that are ended with the server
  const feed = storeFeed(store, createCodec(domainEvents, personalKeysOf(pool, SECRETS.OPERATOR_KEY)), storeUrl);
  const started = performance.now();
  const results = await rebuild({ databaseUrl, feed, projections: [projection], logger }, new AbortController().signal);
  const seconds = (performance.now() - started) / 1_000;
  if (results.some(({ poison }) => poison)) throw new Error(JSON.stringify(results));
  await pool.end();
  return seconds;
}

const BOOKED_FROM = 400; // packages
const TURN = { warmUp: 0, time: 1_000 }; // ms, of a job of those at work

/** The same while so many read pages of packages and as many book, each as fast as the API answers. */
export async function rebuildAtWork(stage: Stage, rebuilding: Rebuilding, atWork: number): Promise<number> {
  const { launch, stop } = stage;
  const settings = settingsOf(rebuilding);
  const api = await launch('API', 'apps/api/main.js', settings);
  const { token, catalogue } = await openClinic(api.ready, settings, BOOKED_FROM);
  const leader = await lead(stage, rebuilding);
  const { packages, providerId, service } = catalogue;
  const bookable = packages.map((sold) => ({ ...sold, serviceId: service.serviceId, providerId }));
  const loads = [await launch('readers', 'bench/load.js'), await launch('writers', 'bench/load.js')];
  let over = false;
  const working = ([{ get: ['/v1/packages?sort=soldOn&descending=true&limit=20'] }, { book: bookable }] satisfies LoadJob['what'][]).map(
    async (what, i) => {
      const answered = { requests: 0, seconds: 0 };
      while (!over) {
        const job: LoadJob = { url: api.ready, token, connections: atWork, ...TURN, what };
        answered.requests += (await loads[i]!.ask<LoadResult>(job)).answered;
        answered.seconds += TURN.time / 1_000;
      }
      return Math.round(answered.requests / answered.seconds);
    },
  );
  const seconds = await rebuilt(rebuilding);
  over = true;
  const [pages, bookings] = await Promise.all(working);
  console.log(`meanwhile ${pages} pages and ${bookings} bookings a second`);
  await stop(...loads, api, leader);
  return seconds;
}
