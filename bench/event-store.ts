import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import pg from 'pg';
import { startPostgres } from '../libs/embedded-postgres/embedded-postgres.js';

// npm run bench:event-store. Each figure is the median of interleaved rounds; the last line is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 15);
const roundTime = 800; // ms of each measurement: short, so that what else the machine does falls on all alike
const warmUp = 200; // ms before each, not counted
const firstTouches = 5_000; // appends before the first round: see `touch`
const readLength = 20_000; // events of a long read
const stored = { few: 10_000, many: 1_000_000 };
const eventsPerStream = 10;
const activeStreams = 1_000; // the same number in both, spread over all there are: only what is stored differs

interface Node {
  client: EventStoreDBClient;
  memory(): Promise<number>; // bytes resident
  stop(): Promise<void>;
}

const startNode = async (program: string, databaseUrl = ''): Promise<Node> => {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), ['--port', '0'], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`] : [],
  });
  const [{ ready }] = (await once(child, 'message')) as [{ ready: string }];
  const client = EventStoreDBClient.connectionString(ready);
  return {
    client,
    memory: async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    stop: async () => {
      await client.dispose();
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
};

const someEvent = () => jsonEvent({ type: 'SessionConsumed', data: { consumptionId: randomUUID(), remaining: 4 } }); // some 100 bytes

/** What a measurement gives: how many per second, and how long each took in ms. */
interface Measured {
  rate: number;
  p50: number;
  p99: number;
}

/** Does `work` over and over, so many at a time. */
const measure = async (inFlight: number, work: (worker: number) => Promise<unknown>): Promise<Measured> => {
  const times: number[] = [];
  const from = performance.now() + warmUp;
  const to = from + roundTime;
  const worker = async (_: unknown, number: number): Promise<void> => {
    for (let started = performance.now(); started < to; started = performance.now()) {
      await work(number);
      const ended = performance.now();
      if (started >= from && ended <= to) times.push(ended - started);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  times.sort((a, b) => a - b);
  return {
    rate: (times.length * 1_000) / roundTime,
    p50: times[Math.floor(times.length / 2)]!,
    p99: times[Math.floor(times.length * 0.99)]!,
  };
};

const appendTo =
  ({ client }: Node, stream: () => string) =>
  () =>
    client.appendToStream(stream(), someEvent());

const anyOf =
  (count: number, apart = 1) =>
  () =>
    `package-${Math.floor(Math.random() * count) * apart}`;
/** Some streams of a store that holds so many events. */
const activeOf = (events: number) => anyOf(activeStreams, events / eventsPerStream / activeStreams);
const newStream = () => `package-${randomUUID()}`;

const measureRead = async ({ client }: Node): Promise<Measured> => {
  const started = performance.now();
  let count = 0;
  for await (const _ of client.readStream('long')) count += 1;
  const time = performance.now() - started;
  if (count !== readLength) throw new Error(`${count} events were read, not ${readLength}`);
  return { rate: (count * 1_000) / time, p50: time, p99: time };
};

const fillLong = async ({ client }: Node): Promise<void> => {
  for (let n = 0; n < readLength; n += 1_000) await client.appendToStream('long', Array.from({ length: 1_000 }, someEvent));
};

/** A store that holds so many events, in streams of ten, written by SQL as the store itself would. */
const fill = async (databaseUrl: string, events: number): Promise<void> => {
  await (await startNode('../libs/embedded-event-store/main.js', databaseUrl)).stop(); // makes the tables
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  await database.query(
    `INSERT INTO event_store.events (position, revision, created, id, is_json, stream, type, data, metadata)
     SELECT 1000 + 200 * n::bigint, n / $2::int, 17953440000000000, gen_random_uuid(), true, 'package-' || n % $2::int, 'SessionConsumed', convert_to('{"consumptionId":"' || gen_random_uuid() || '","remaining":4}', 'UTF8'), ''
     FROM generate_series(0, $1::int - 1) n`,
    [events, events / eventsPerStream],
  );
  await database.query('VACUUM ANALYZE event_store.events');
  await database.query('CHECKPOINT');
  await database.end();
};

/** Postgres logs each index page whole when it is first touched after a checkpoint; that is not what is measured. */
const touch = async (node: Node, stream: () => string): Promise<void> => {
  let left = firstTouches;
  const worker = async (): Promise<void> => {
    while ((left -= 1) >= 0) await appendTo(node, stream)();
  };
  await Promise.all(Array.from({ length: 200 }, worker));
};

const measureInserts = async (sessions: pg.Client[]): Promise<Measured> =>
  measure(sessions.length, (worker) =>
    sessions[worker]!.query({
      name: 'insert',
      text: 'INSERT INTO inserted (stream, type, data) VALUES ($1, $2, $3)',
      values: [
        `package-${Math.floor(Math.random() * 4_000)}`,
        'SessionConsumed',
        JSON.stringify({ consumptionId: randomUUID(), remaining: 4 }),
      ],
    }),
  );

const median = (numbers: number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

const run = async (): Promise<void> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bench-event-store-'));
  const postgres = await startPostgres({ dataDir });
  const admin = new pg.Client({ connectionString: postgres.url() });
  await admin.connect();
  const database = async (name: string): Promise<string> => {
    await admin.query(`CREATE DATABASE ${name}`);
    return postgres.url(name);
  };
  const [plainUrl, storeUrl, fewUrl, manyUrl] = [
    await database('plain'),
    await database('store'),
    await database('few'),
    await database('many'),
  ];
  await fill(fewUrl, stored.few);
  await fill(manyUrl, stored.many);

  const sessions = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const session = new pg.Client({ connectionString: plainUrl });
      await session.connect();
      return session;
    }),
  );
  await sessions[0]!.query(
    'CREATE TABLE inserted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, type text NOT NULL, data jsonb NOT NULL)',
  );
  const embedded = '../libs/embedded-event-store/main.js';
  const memory = await startNode('./event-store-memory.js');
  const store = await startNode(embedded, storeUrl);
  const few = await startNode(embedded, fewUrl);
  const many = await startNode(embedded, manyUrl);
  await fillLong(memory);
  await fillLong(store);
  for (const [node, events] of [
    [few, stored.few],
    [many, stored.many],
  ] as const)
    await touch(node, activeOf(events));

  const subjects: Record<string, () => Promise<Measured>> = {
    memory_append_100: () => measure(100, appendTo(memory, anyOf(4_000))),
    store_append_100: () => measure(100, appendTo(store, anyOf(4_000))),
    insert_16: () => measureInserts(sessions),
    store_append_16: () => measure(16, appendTo(store, anyOf(4_000))),
    memory_long_read: () => measureRead(memory),
    store_long_read: () => measureRead(store),
    few_append_100: () => measure(100, appendTo(few, activeOf(stored.few))),
    many_append_100: () => measure(100, appendTo(many, activeOf(stored.many))),
    few_new_streams: () => measure(100, appendTo(few, newStream)),
    many_new_streams: () => measure(100, appendTo(many, newStream)),
  };
  const results = new Map<string, Measured[]>(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = Object.entries(subjects);
    if (round % 2 === 1) order.reverse(); // so that none is always first
    for (const [name, subject] of order) results.get(name)!.push(await subject());
  }

  const rates = (name: string): number[] => results.get(name)!.map(({ rate }) => rate);
  const ratio = (of: string, to: string): number => median(rates(of).map((rate, round) => rate / rates(to)[round]!));
  console.log('subject                  per second    p50 ms    p99 ms');
  for (const [name, measured] of results) {
    const column = (pick: (one: Measured) => number, width: number): string =>
      median(measured.map(pick))
        .toFixed(width > 10 ? 0 : 2)
        .padStart(width);
    console.log(`${name.padEnd(22)}${column(({ rate }) => rate, 13)}${column(({ p50 }) => p50, 10)}${column(({ p99 }) => p99, 10)}`);
  }
  const figures = {
    append_100_vs_memory: ratio('store_append_100', 'memory_append_100'),
    append_16_vs_insert: ratio('store_append_16', 'insert_16'),
    long_read_vs_memory: ratio('store_long_read', 'memory_long_read'),
    append_at_1m_vs_10k: ratio('few_append_100', 'many_append_100'),
    new_streams_at_1m_vs_10k: ratio('few_new_streams', 'many_new_streams'),
    memory_at_1m_vs_10k: (await many.memory()) / (await few.memory()),
    memory_mib: Math.round((await many.memory()) / 1024 / 1024),
    rounds,
  };
  for (const node of [memory, store, few, many]) await node.stop();
  for (const session of [...sessions, admin]) await session.end();
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
  console.log(JSON.stringify(figures, (_, value: unknown) => (typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value)));
};

await run();
