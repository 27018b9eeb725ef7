import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { RunningPostgres } from '../libs/embedded-postgres/embedded-postgres.js';
import { tableName } from '../libs/projection-engine/sql-names.js';
import { invoiceList } from '../projections/invoice-list.projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { bookOne, openClinic, SESSIONS, untilFresh, type Clinic } from './clinic.js';
import { createCrud } from './crud/schema.js';
import type { LoadResult } from './http-load.js';
import type { LoadJob } from './load.js';
import type { Measured } from './measured.js';
import type { AppendJob } from './plain-appends.js';
import { peakMemory, postgresMemory, type Started } from './processes.js';
import type { ReadModelJob } from './read-models.js';
import { inRounds, ratioOf, table, type Subjects } from './rounds.js';
import { onStage, openEventStore, SECRETS, type Stage, UNDER_LOAD } from './stage.js';

// npm run bench: what it measures and what limits it is in bench/README.md. The last line is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 5);
const CONNECTIONS = 64;
const TIME = { warmUp: 1_000, time: 4_000 }; // ms of each measurement
const APPENDS = 3; // of a booking: SessionConsumed, AppointmentBooked, InvoiceIssued
const CAUGHT_UP = { events: 200_000, streams: 100_000 };
const WATCH = 500; // ms between looks at Postgres's memory
const FOLDED = { events: 200_000, streams: 20_000 };

const peaks = new Map<string, number>(); // MiB

const notePeak = (name: string, mib: number | undefined): void => {
  if (mib !== undefined) peaks.set(name, Math.max(mib, peaks.get(name) ?? 0));
};

/** Notes what each had in memory at most, then stops it. */
async function stop(stage: Stage, ...those: Started[]): Promise<void> {
  for (const { name, pid } of those) notePeak(name, await peakMemory(pid));
  await stage.stop(...those);
}

async function databaseIn(postgres: RunningPostgres, name: string): Promise<string> {
  await onDatabase(postgres.url(), (client) => client.query(`CREATE DATABASE ${name}`));
  return postgres.url(name);
}

async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return work(client).finally(() => client.end());
}

/** Every booking that was answered with success has taken a session and made an invoice, and nothing else has. */
async function assertAllThere(url: string, whose: string, answered: number, counts: string): Promise<void> {
  const { rows } = await onDatabase(url, (client) => client.query<{ remaining: string; invoices: string }>(counts));
  const { remaining, invoices } = rows[0]!;
  const used = SESSIONS - Number(remaining);
  if (used !== answered || Number(invoices) !== answered)
    throw new Error(`${whose}: ${answered} bookings were answered, ${used} sessions are used and ${invoices} invoices are there.`);
  console.log(`${whose}: each of the ${answered} bookings answered has taken one session and made one invoice.`);
}

const IN_TABLES = 'SELECT (SELECT sum(remaining) FROM package_services) AS remaining, (SELECT count(*) FROM invoices) AS invoices';
const IN_READ_MODELS = `SELECT (SELECT sum(remaining) FROM ${tableName(packageList)}) AS remaining,
  (SELECT count(*) FROM ${tableName(invoiceList)} WHERE kind = 'appointment') AS invoices`;

interface Service {
  clinic: Clinic;
  databaseUrl: string;
  settings: Record<string, string>;
  eventStore: Started;
  api: Started;
}

async function openService(stage: Stage): Promise<Service> {
  const databaseUrl = await databaseIn(stage.postgres, 'punchcard');
  const { eventStore, stores } = await openEventStore(stage, databaseUrl);
  const settings = { ...stores, ...UNDER_LOAD };
  const api = await stage.launch('API', 'apps/api/main.js', settings);
  const clinic = await openClinic(api.ready, settings);
  return { clinic, databaseUrl, settings, eventStore, api };
}

/** The read models follow up to now, and then the projector is stopped again: it would take part in what is measured. */
async function project(stage: Stage, { api, clinic, settings }: Service, position: string): Promise<void> {
  const projector = await stage.launch('projector', 'apps/projector/main.js', settings);
  await untilFresh(api.ready, clinic, position);
  await stop(stage, projector);
}

/** Everything over HTTP, and the appends: the projector is stopped meanwhile. */
async function measureService(stage: Stage): Promise<Map<string, Measured[]>> {
  const service = await openService(stage);
  const { clinic, api, databaseUrl } = service;
  await project(stage, service, clinic.position);
  const crudUrl = await databaseIn(stage.postgres, 'crud');
  await onDatabase(crudUrl, (client) => createCrud(client, clinic.catalogue));
  const { streams: samples } = await bookOne(api.ready, clinic);

  const booked = { api: 1, crud: 0 };
  const { subjects, stopAll } = await subjectsOf(stage, service, crudUrl, samples, booked);
  for (const subject of Object.values(subjects)) await subject(); // none is measured cold
  const results = await inRounds(subjects, rounds);
  await stopAll();

  const { position } = await bookOne(api.ready, clinic);
  await project(stage, service, position);
  await assertAllThere(databaseUrl, 'Punchcard', booked.api + 1, IN_READ_MODELS);
  await assertAllThere(crudUrl, 'CRUD', booked.crud, IN_TABLES);
  await stop(stage, api, service.eventStore);
  return results;
}

/** @param booked counts the bookings answered with success */
async function subjectsOf(
  stage: Stage,
  { clinic, api, settings }: Service,
  crudUrl: string,
  samples: string[],
  booked: { api: number; crud: number },
) {
  const { launch } = stage;
  const { token, catalogue } = clinic;
  const crud = await launch('CRUD service', 'bench/crud/main.js', { DATABASE_URL: crudUrl, ...SECRETS });
  const hello = await launch('fixed answer', 'bench/hello.js', settings);
  const load = await launch('load', 'bench/load.js');
  const plain = await launch('plain appends', 'bench/plain-appends.js', { EVENTSTORE_URL: settings.EVENTSTORE_URL! });

  const { packages, providerId, service } = catalogue;
  const bookable = packages.map((sold) => ({ ...sold, serviceId: service.serviceId, providerId }));
  const loadOn = ({ ready: url }: Started, what: LoadJob['what']) =>
    load.ask<LoadResult>({ url, token, connections: CONNECTIONS, ...TIME, what } satisfies LoadJob);
  const bookAt = (whose: 'api' | 'crud', server: Started) => async () => {
    const result = await loadOn(server, { book: bookable });
    booked[whose] += result.answered;
    return result;
  };
  const appends = { samples, streams: packages.length, inFlight: CONNECTIONS, ...TIME } satisfies AppendJob;
  const subjects: Subjects = {
    bookings: bookAt('api', api),
    'bookings by CRUD': bookAt('crud', crud),
    'plain appends': () => plain.ask<Measured>(appends),
    'GET of a package': () => loadOn(api, { get: packages.map(({ packageId }) => `/v1/packages/${packageId}`) }),
    'GET of a fixed answer': () => loadOn(hello, { get: packages.map(({ packageId }) => `/v1/hello/${packageId}`) }),
  };
  return { subjects, stopAll: () => stop(stage, plain, load, hello, crud) };
}

/** The read models without HTTP and commands. */
async function measureReadModels(stage: Stage): Promise<Map<string, Measured[]>> {
  const { launch, postgres } = stage;
  const catching = await launch('catching up', 'bench/read-models.js', { DATABASE_URL: await databaseIn(postgres, 'caught_up') });
  const folding = await launch('fold and write', 'bench/read-models.js', { DATABASE_URL: await databaseIn(postgres, 'folded') });
  const ask = (whom: Started, does: ReadModelJob['does'], what: Omit<ReadModelJob, 'does'>) => () =>
    whom.ask<Measured>({ does, ...what } satisfies ReadModelJob);
  await ask(catching, 'open', CAUGHT_UP)();
  const subjects: Subjects = {
    'fold and write': ask(folding, 'fold', FOLDED),
    'COPY of as many rows': ask(folding, 'copy', FOLDED),
    'catching up': ask(catching, 'catchUp', CAUGHT_UP),
    'client reading alone': ask(catching, 'read', CAUGHT_UP),
  };
  const results = await inRounds(subjects, rounds);
  await ask(catching, 'close', CAUGHT_UP)();
  await stop(stage, catching, folding);
  return results;
}

const TARGETS = {
  appends_in_commands_vs_plain: 0.5,
  commands_vs_crud: 0.5,
  catch_up_vs_client_read: 0.7,
  fold_write_vs_copy: 0.5,
  get_vs_hello: 0.25,
};

function report(results: Map<string, Measured[]>): void {
  const ratios: Record<keyof typeof TARGETS, number> = {
    appends_in_commands_vs_plain: ratioOf(results, 'bookings', 'plain appends', APPENDS),
    commands_vs_crud: ratioOf(results, 'bookings', 'bookings by CRUD'),
    catch_up_vs_client_read: ratioOf(results, 'catching up', 'client reading alone'),
    fold_write_vs_copy: ratioOf(results, 'fold and write', 'COPY of as many rows'),
    get_vs_hello: ratioOf(results, 'GET of a package', 'GET of a fixed answer'),
  };
  console.log(`\n${table(results)}\n\npeak memory, MiB`);
  for (const [name, mib] of peaks) console.log(`${name.padEnd(34)}${String(mib).padStart(12)}`);
  console.log('');
  for (const [name, target] of Object.entries(TARGETS)) {
    const ratio = ratios[name as keyof typeof TARGETS];
    console.log(`${name.padEnd(34)}${ratio.toFixed(2).padStart(12)}   wanted: ${target}${ratio < target ? ', missed' : ''}`);
  }
  console.log(JSON.stringify(Object.fromEntries(Object.entries(ratios).map(([name, ratio]) => [name, Number(ratio.toFixed(3))]))));
}

await onStage('bench', async (stage) => {
  const over = new AbortController();
  const watch = async () => {
    for (; !over.signal.aborted; await sleep(WATCH)) notePeak('Postgres', await postgresMemory(stage.postgres.pid));
  };
  const watched = watch();
  try {
    const service = await measureService(stage);
    const readModels = await measureReadModels(stage);
    report(new Map([...service, ...readModels]));
  } finally {
    over.abort();
    await watched;
  }
});
