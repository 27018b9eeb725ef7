import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  START,
  streamNameFilter,
  type AppendExpectedRevision,
  type AppendResult,
  type Position,
} from '@eventstore/db-client';
import { startPostgres, type RunningPostgres } from '../../libs/embedded-postgres/embedded-postgres.js';

// Whatever is killed at whatever moment: what was acknowledged is there, once, in order, for readers and subscribers.
// Few rounds here, a hundred with SOAK=1 (npm run test:soak).

const rounds = process.env.SOAK ? 100 : 4;
const writers = 16;
const prefix = `fault-${randomUUID()}`;

let dataDir: string;
let postgres: RunningPostgres;
let server: ChildProcess;
let client: EventStoreDBClient;
let port: number;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'event-store-fault-'));
  postgres = await startPostgres({ dataDir });
  port = await freePort();
  await startServer();
  client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
});

afterAll(async () => {
  await client?.dispose();
  if (server) await killServer();
  await postgres?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return free;
};

const startServer = async (): Promise<void> => {
  server = fork('libs/embedded-event-store/main.ts', ['--port', String(port)], {
    env: { ...process.env, DATABASE_URL: postgres.url() },
    execArgv: ['--import', join(process.cwd(), 'test/support/typescript-loader.mjs')],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const started = await Promise.race([once(server, 'message').then(() => true), once(server, 'exit').then(() => false)]);
  if (!started) throw new Error('the event store did not start');
};

const killServer = async (): Promise<void> => {
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
};

const killPostgres = async (): Promise<void> => {
  const { port: samePort, pid, ended } = postgres;
  process.kill(pid, 'SIGKILL');
  await ended;
  // Its processes end a moment after it, and hold its memory until then.
  for (let attempt = 1; ; attempt += 1) {
    try {
      postgres = await startPostgres({ dataDir, port: samePort });
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await pause(250);
    }
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves like the promise, or rejects when it has not settled in time: the outcome is then unknown. */
const within = <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error('no answer')), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

let writing = true;

/** Appends to a stream of its own; what fails is repeated as it was, which the server recognises. */
const write = async (stream: string, acknowledged: string[]): Promise<void> => {
  let expectedRevision: AppendExpectedRevision = NO_STREAM;
  while (writing) {
    const events = Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () =>
      jsonEvent({ id: randomUUID(), type: 'Written', data: { stream } }),
    );
    for (;;) {
      try {
        const appended: AppendResult = await within(15_000, client.appendToStream(stream, events, { expectedRevision }));
        expectedRevision = appended.nextExpectedRevision;
        break;
      } catch (error) {
        if ((error as { type?: string }).type === 'wrong-expected-version') throw error;
        await pause(20);
      }
    }
    acknowledged.push(...events.map(({ id }) => id));
  }
};

/** Follows `$all`; when the subscription breaks, it goes on after the last event it was given. */
const follow = async (seen: { id: string; position: bigint }[], isDone: () => boolean): Promise<void> => {
  while (!isDone()) {
    const last = seen.at(-1);
    const fromPosition: Position | typeof START = last ? { commit: last.position, prepare: last.position } : START;
    const subscription = client.subscribeToAll({ fromPosition, filter: streamNameFilter({ prefixes: [prefix] }) });
    const stop = setInterval(() => isDone() && void subscription.unsubscribe(), 50);
    try {
      for await (const { event } of subscription) seen.push({ id: event!.id, position: event!.position.commit });
    } catch {
      await pause(50);
    } finally {
      clearInterval(stop);
    }
  }
};

it(
  `keeps what it acknowledged, once and in order, over ${rounds} kills of the server and of Postgres`,
  async () => {
    const acknowledged = new Map(Array.from({ length: writers }, (_, n) => [`${prefix}-${n}`, [] as string[]]));
    const seen: { id: string; position: bigint }[] = [];
    let done = false;
    const following = follow(seen, () => done);
    const writes = Promise.all([...acknowledged].map(([stream, ids]) => write(stream, ids)));

    for (let round = 0; round < rounds; round += 1) {
      await pause(100 + Math.random() * 400);
      if (round % 2 === 0) {
        await killServer();
        await startServer();
      } else await killPostgres();
    }
    await pause(500);
    writing = false;
    await writes;

    for (const [stream, ids] of acknowledged) {
      const stored: string[] = [];
      for await (const { event } of client.readStream(stream)) stored.push(event!.id);
      expect(stored).toEqual(ids);
    }
    const all: { id: string; position: bigint }[] = [];
    for await (const { event } of client.readAll())
      if (event!.streamId.startsWith(prefix)) all.push({ id: event!.id, position: event!.position.commit });
    const total = [...acknowledged.values()].flat().length;
    expect(all).toHaveLength(total);
    for (let index = 1; index < all.length; index += 1) expect(all[index]!.position).toBeGreaterThan(all[index - 1]!.position);

    for (let waited = 0; seen.length < total && waited < 2_400; waited += 1) await pause(50);
    done = true;
    await following;
    expect(seen).toEqual(all);
    expect(total).toBeGreaterThan(rounds * writers);
  },
  process.env.SOAK ? 3_600_000 : 600_000,
);
