import { execFile, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import pino from 'pino';
import { type Parts as Servers, startParts } from '../../test/support/event-store.js';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import { sale, sold } from '../../libs/domain/testing/example-package.js';
import { termsOf } from '../../libs/domain/testing/example-catalogue.js';
import type { OfferingEvent } from '../../libs/domain/offering/offering.events.js';
import { offering } from '../../libs/domain/offering/offering.state.js';
import { packageAggregate } from '../../libs/domain/package/package.state.js';
import { connectEventStore, type EventStore } from '../../libs/event-store/event-store.js';
import { openReadModels, type ReadModels } from '../../libs/projection-engine/read-models.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import { migrate } from '../../libs/projection-engine/schema.js';
import type { Status } from '../../libs/projection-engine/status.js';
import { lastVerified } from '../../libs/projection-engine/verified.js';
import { invoiceList } from '../../projections/invoice-list.projection.js';
import { packageList } from '../../projections/package-list.projection.js';
import { storeFeed } from '../../libs/projection-engine/store-feed.js';
import { Verifier } from './verifier.js';

// The projector as a process, over a real Postgres and event store.

const secret = 'only for this spec: thirty-two bytes at least';
const loader = join(process.cwd(), 'test', 'support', 'typescript-loader.mjs');
const programs = join(process.cwd(), 'apps', 'projector');

let servers: Servers;
let env: NodeJS.ProcessEnv;
let pool: pg.Pool;
let store: EventStore;
let commands: Awaited<ReturnType<typeof openCommandHandling>>;
let readModels: ReadModels;
const processes: { kill(signal?: NodeJS.Signals): Promise<number | null> }[] = [];

beforeAll(async () => {
  servers = await startParts();
  env = { ...process.env, DATABASE_URL: servers.databaseUrl, EVENTSTORE_URL: servers.eventStoreUrl, POLICIES: 'projector' };
  Object.assign(env, { REQUEST_HASH_KEY: secret, OPERATOR_KEY: secret, PROJECTOR_PORT: '0', LOG_LEVEL: 'error' });
  pool = new pg.Pool({ connectionString: servers.databaseUrl, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined);
  store = connectEventStore({ url: servers.eventStoreUrl });
  const log = pino({ level: 'silent' });
  commands = await openCommandHandling({ store, pool, operatorKey: secret, requestHashKey: secret, policies: 'projector', log });
  const projections = await allProjections();
  await migrate(pool, projections);
  readModels = await openReadModels(pool, projections);
});
afterAll(async () => {
  await Promise.all(processes.map(({ kill }) => kill('SIGKILL')));
  await readModels.close();
  await commands.close();
  await store.dispose();
  await pool.end();
  await servers.stop();
});

async function startProjector() {
  const child = fork(join(programs, 'main.ts'), { execArgv: ['--import', loader], env });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return (await exited)[0];
  };
  processes.push({ kill });
  const [{ ready }] = (await once(child, 'message')) as [{ ready: string }];
  return { url: ready, kill };
}

const business = randomUUID();
const offeringId = randomUUID();

function context() {
  const commandId = randomUUID();
  const actor = { id: 'rita', role: 'receptionist' as const };
  return { commandId, business, actor, correlationId: commandId, causationId: commandId, now: new Date().toISOString() };
}

const defined = (): OfferingEvent => ({ type: 'OfferingDefined', data: { offeringId, ...termsOf() } });
const define = () =>
  commands.handle(offering, offeringId, context(), () => [defined()], {
    create: 'unseen',
  });

async function sell(): Promise<{ packageId: string; invoiceId: string; position: bigint }> {
  const [packageId, invoiceId] = [randomUUID(), randomUUID()];
  const { invoice } = sale();
  const event = sold({ packageId, offeringId, invoice: { ...invoice, packageId, invoiceId } });
  const { position } = await commands.handle(packageAggregate, packageId, context(), () => [event], { create: 'unseen' });
  return { packageId, invoiceId, position: position };
}

it('brings a sale into the read models, and carries out what its policies ask for', async () => {
  const { url } = await startProjector();
  await define();
  const { packageId, invoiceId, position } = await sell();
  expect(await readModels.waitFor(position, 10_000, ['package_list'])).toBe(true);
  expect(await readModels.row(packageList, business, packageId)).toMatchObject({ packageId, status: 'sold' });
  expect(await readModels.row(packageList, randomUUID(), packageId)).toBeUndefined(); // A3: another business
  for (const end = performance.now() + 10_000; performance.now() < end && !(await readModels.row(invoiceList, business, invoiceId));)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await readModels.row(invoiceList, business, invoiceId)).toMatchObject({ invoiceId });

  const ready = await fetch(`${url}/health/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([200, { leading: true, poisoned: [] }]);
  const isCaughtUp = `punchcard_projection_lag_seconds{projection="package_list",version="${packageList.version}"} 0\n`;
  while (!(await (await fetch(`${url}/metrics`)).text()).includes(isCaughtUp)) await new Promise((resolve) => setTimeout(resolve, 50));
});

it('a second one takes over when the first is killed; SIGTERM ends it cleanly', async () => {
  const second = await startProjector();
  await Promise.all(processes.splice(0, processes.length - 1).map(({ kill }) => kill('SIGKILL')));
  const { packageId, position } = await sell();
  expect(await readModels.waitFor(position, 20_000, ['package_list'])).toBe(true);
  expect(await readModels.row(packageList, business, packageId)).toBeDefined();
  expect(await second.kill()).toBe(0);
});

/** The projector's command line: what it says, and how it ends. */
const cli = (...args: string[]): Promise<{ stdout: string; code: number }> =>
  promisify(execFile)(process.execPath, ['--no-warnings', '--import', loader, join(programs, 'cli.ts'), ...args], { env }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }: { stdout: string; code: number }) => ({ stdout, code }),
  );

it('says how it stands on the command line', async () => {
  await sell();
  const { stdout } = await cli('status');
  expect(stdout).toMatch(/^projection +version +position +lag +events\/s +state\n/);
  expect(stdout).toMatch(/\npackage_list +\d+ +\d+ +[\d.]+ s +\d+ +running\n/);
  expect(stdout).toMatch(/\nleader projector-\d+-/);
});

it('K3, J5: verifies its read models: on the command line, and by itself; what differs is named, and shown until it is mended', async () => {
  const { packageId, position } = await sell();
  const { url } = await startProjector();
  expect(await readModels.waitFor(position, 20_000)).toBe(true);
  const invoices = async () => (await pool.query(`SELECT FROM read_models.invoice_list_v${invoiceList.version}`)).rowCount;
  while ((await invoices())! < 4) await new Promise((resolve) => setTimeout(resolve, 50)); // they follow
  expect(await cli('verify', 'package_list', 'invoice_list')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^invoice_list, version \d+: 4 rows, each as the events say\.\npackage_list, [^\n]* as the events say\.\n$/,
    ) as string,
  });
  const table = `read_models.package_list_v${packageList.version}`;
  const rename = (name: string) =>
    pool.query(`UPDATE ${table} SET name = $2, total = total + $3 WHERE package_id = $1`, [packageId, ...named(name)]);
  const named = (name: string) => [name, name === 'Relax' ? -1 : 1];
  await rename('Anna’s own');
  const { code, stdout } = await cli('verify', 'package_list');
  expect(code).toBe(2);
  expect(stdout).toContain(
    `package_list: the row packageId ${packageId} of business ${business} differs; name is (10 characters) and should be (5 characters); total is`,
  );
  expect(stdout).toContain('1 differences in 4 rows. `projector rebuild package_list` builds it anew');
  expect(((await (await fetch(`${url}/status`)).json()) as Status).verified).toContainEqual(
    expect.objectContaining({ name: 'package_list', differences: 1, rows: 4 }),
  );
  expect(await (await fetch(`${url}/health/ready`)).json()).toMatchObject({ differing: ['package_list'] });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain(
    `punchcard_projection_differences{projection="package_list",version="${packageList.version}"} 1`,
  );

  await rename('Relax');
  const logger = pino({ level: 'silent' });
  const feed = storeFeed(store, commands.codec, servers.eventStoreUrl);
  const options = { databaseUrl: servers.databaseUrl, pool, feed, projections: [packageList] as unknown as Projection[], logger };
  const stopping = new AbortController();
  const verifying = new Verifier({ ...options, everyMs: 1, look: 20, first: 0 }).run(stopping.signal);
  const differing = async () => (await lastVerified(pool)).some(({ differences }) => differences > 0);
  for (const end = performance.now() + 10_000; performance.now() < end && (await differing());)
    await new Promise((resolve) => setTimeout(resolve, 50));
  stopping.abort();
  await verifying;
  expect(await differing()).toBe(false);
  expect(await (await fetch(`${url}/health/ready`)).json()).toMatchObject({ differing: [] });
});
