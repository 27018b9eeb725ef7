import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import type { Recorded } from '../domain/kernel/event.js';
import { createDatabase } from '../../test/support/postgres.js';
import { checkpointOf, Fenced } from './checkpoint.js';
import { type AnyRow, column, defineProjection, insert, type Projection } from './define-projection.js';
import type { Fed } from './feed.js';
import { fold } from './fold.js';
import { consumerOf } from './projection-consumer.js';
import { Projector, type ProjectorOptions } from './projector.js';
import { migrate } from './schema.js';
import { StoreMismatch } from './store-check.js';
import { fromText } from './table.js';
import { quoted, tableName } from './sql-names.js';
import { counts, type Example, exampleHistory, idOf, packages } from './testing/example.js';
import { MemoryFeed } from './testing/memory-feed.js';
import { recorded } from './testing/recorded.js';
import { Worker } from './worker.js';

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
const running: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()));
  await pool.end();
  await database.drop();
});

const logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });

function start(options: Partial<ProjectorOptions> & Pick<ProjectorOptions, 'feed'>) {
  const projector = new Projector({ databaseUrl: database.url, projections: [packages, counts] as Projection[], logger, ...options });
  const stopping = new AbortController();
  const ended = projector.run(stopping.signal);
  ended.catch(() => undefined);
  const stop = async () => {
    stopping.abort();
    await ended.catch(() => undefined);
  };
  running.push({ stop });
  return { projector, ended, stop };
}

async function until(condition: () => Promise<boolean> | boolean, patience = 60_000): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('It did not come true in time.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const checkpoints = async () => {
  const { rows } = await pool.query<{
    projection: string;
    version: number;
    position: string | null;
    state: string;
    poison: { position: string; error: string } | null;
  }>('SELECT projection, version, position, state, poison FROM read_models.checkpoints ORDER BY 1, 2');
  return rows;
};
const at = async (position: bigint, names = ['packages', 'counts']) => {
  const all = await checkpoints().catch(() => []);
  return names.every((name) => all.some((one) => one.projection === name && one.position === String(position)));
};

async function rowsOf(projection: Projection): Promise<AnyRow[]> {
  const columns = Object.entries(projection.columns);
  const { rows } = await pool.query<string[]>({
    text: `SELECT ${columns.map(([name]) => quoted(name)).join(', ')} FROM ${tableName(projection)} ORDER BY ${projection.key.map(quoted).join(', ')}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text },
  });
  return rows.map((values) => Object.fromEntries(columns.map(([name, column], i) => [name, fromText(column, values[i] ?? null)])));
}

const folded = (projection: Projection, events: readonly Recorded[]): AnyRow[] =>
  [...fold(projection, new Map<string, AnyRow>(), events)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);

async function expectFold(events: readonly Recorded[]): Promise<void> {
  for (const projection of [packages, counts] as Projection[]) expect(await rowsOf(projection)).toEqual(folded(projection, events));
}

const history: Recorded<Example>[] = [
  ...exampleHistory(300, 40),
  ...recorded<Example>(
    [
      { type: 'ClientMerged', data: { from: idOf('client 1'), into: idOf('client 2') } },
      { type: 'PackageSold', data: { packageId: idOf('late'), clientId: idOf('client 1'), limit: 5 } },
      { type: 'ClientMerged', data: { from: idOf('client 2'), into: idOf('client 3') } },
      { type: 'ClientForgotten', data: { clientId: idOf('client 4') } },
      { type: 'PackageSold', data: { packageId: idOf('again'), clientId: idOf('client 4'), limit: 5 } },
    ],
    { first: 301n },
  ),
];

const slices = (size: number, overlap: number) => (events: readonly Fed[]) =>
  Array.from({ length: Math.ceil(events.length / size) }, (_, i): readonly Fed[] =>
    events.slice(Math.max(0, i * size - overlap), (i + 1) * size),
  );

it.each([
  ['in one batch', (events: readonly Fed[]) => [events]],
  ['one by one', slices(1, 0)],
  ['each twice', (events: readonly Fed[]) => events.map((event) => [event, event])],
  ['in overlapping batches', slices(10, 5)],
  ['the whole history, then again from the start', (events: readonly Fed[]) => [events, events]],
])('gives the rows of a fold, with events delivered %s', async (_, batchOf) => {
  start({ feed: new MemoryFeed(history, batchOf), maxBatch: 64 });
  await until(() => at(305n));
  await expectFold(history);
});

it('finds rows by a column as they are within the batch and in the batch being written', async () => {
  start({ feed: new MemoryFeed(history, slices(1, 0)), maxBatch: 1 });
  await until(() => at(305n));
  await expectFold(history);
});

it('keeps businesses apart, also under the same key', async () => {
  const other = exampleHistory(50, 40, 306n).map((event) => ({
    ...event,
    metadata: { ...event.metadata, business: idOf('another business') },
  }));
  start({ feed: new MemoryFeed([...history, ...other]) });
  await until(() => at(355n));
  const { rows } = await pool.query<{ business_id: string; count: number }>(
    'SELECT business_id, count(*)::int FROM read_models.packages_v1 GROUP BY 1 ORDER BY 2',
  );
  expect(rows.map(({ count }) => count)).toEqual([folded(packages as Projection, history).length, 40].sort((a, b) => a - b));
});

it('goes on with what is appended, and after a stop from where it was', async () => {
  const feed = new MemoryFeed(history.slice(0, 100));
  const first = start({ feed });
  await until(() => at(100n));
  feed.append(history.slice(100, 200));
  await until(() => at(200n));
  await first.stop();
  feed.append(history.slice(200));
  start({ feed });
  await until(() => at(305n));
  await expectFold(history);
});

it('stops one projection at a poison event, with all before it written; the others go on', async () => {
  const events = [
    ...history.slice(0, 100),
    ...recorded<Example>([{ type: 'SessionConsumed', data: { packageId: idOf('nobody'), remaining: 1 } }], { first: 101n }),
    ...history.slice(101),
  ];
  const { projector } = start({ feed: new MemoryFeed(events) });
  await until(async () => (await at(305n, ['counts'])) && (await checkpoints()).some(({ state }) => state === 'poisoned'));
  const [, stopped] = await checkpoints();
  expect(stopped).toMatchObject({
    projection: 'packages',
    position: '100',
    state: 'poisoned',
    poison: { position: '101', type: 'SessionConsumed' },
  });
  expect(stopped?.poison?.error).toContain('not there');
  expect(await rowsOf(packages as Projection)).toEqual(folded(packages as Projection, events.slice(0, 100)));
  expect(projector.progress().find(({ name }) => name === 'packages')?.poison?.position).toBe('101');
});

it.each([
  ['a value that the column does not take', { remaining: 1.5 }],
  ['a text that Postgres does not take', { note: 'NUL \0' }],
  ['a value that is missing', { remaining: undefined }],
])('finds the poison event among many: %s', async (_, wrong) => {
  const events = history.slice(0, 30);
  const spoilt = defineProjection({
    name: 'spoilt',
    version: 1,
    key: 'position',
    columns: { position: column.bigint(), remaining: column.integer(), note: column.text() },
  }).on<Example>({
    PackageSold: insert(({ position }) => ({
      position,
      remaining: 1,
      note: '',
      ...(position === 17n ? (wrong as { remaining: number }) : {}),
    })),
  });
  start({ feed: new MemoryFeed(events), projections: [counts, spoilt] as Projection[] });
  await until(async () => (await at(30n, ['counts'])) && (await checkpoints()).some(({ state }) => state === 'poisoned'));
  expect((await checkpoints()).find(({ projection }) => projection === 'spoilt')).toMatchObject({
    position: '16',
    poison: { position: '17' },
  });
  expect(await rowsOf(spoilt as Projection)).toHaveLength(16);
});

it('an event that can not be decoded is poison to those that it concerns', async () => {
  const unreadable = { ...history[50]!, type: 'SessionConsumed', unreadable: new Error('no such version') };
  start({ feed: new MemoryFeed([...history.slice(0, 50), unreadable, ...history.slice(51)]) });
  await until(async () => (await at(305n, ['counts'])) && (await at(50n, ['packages'])));
  await until(async () => (await checkpoints()).some(({ poison }) => poison?.error === 'no such version'));
});

it('tries a poison event again after a restart, with the code mended', async () => {
  const broken = {
    ...packages,
    on: new Map([
      ...packages.on,
      [
        'ClientMerged',
        [
          {
            does: {
              verb: 'remove',
              key: () => {
                throw new Error('a slip');
              },
            },
          },
        ],
      ],
    ]),
  } as unknown as Projection;
  const feed = new MemoryFeed(history);
  const first = start({ feed, projections: [broken, counts] });
  await until(async () => (await checkpoints().catch(() => [])).some(({ state }) => state === 'poisoned'));
  await first.stop();
  start({ feed });
  await until(() => at(305n));
  await expectFold(history);
  expect((await checkpoints()).every(({ state, poison }) => state === 'running' && poison === null)).toBe(true);
});

it('builds a projection that is added later from the first event, without holding up the others', async () => {
  const feed = new MemoryFeed(history);
  const first = start({ feed, projections: [counts] });
  await until(() => at(305n, ['counts']));
  await first.stop();
  start({ feed });
  await until(() => at(305n));
  feed.append(exampleHistory(20, 40, 400n).map((event) => ({ ...event, type: 'Unrelated' })));
  await until(() => at(419n));
  await expectFold(history);
  expect(feed.reads).toBeGreaterThanOrEqual(3); // one, then one for the new one alone, by whoever was first to see it, and one that goes on
});

it('takes a new version live once it is where the old one was', async () => {
  const feed = new MemoryFeed(history);
  const first = start({ feed });
  await until(() => at(305n));
  await first.stop();
  start({ feed, projections: [{ ...packages, version: 2 }, counts] });
  const live = async () =>
    (await pool.query<{ version: number }>(`SELECT version FROM read_models.live_builds WHERE projection = 'packages' ORDER BY 1`)).rows;
  await until(async () => (await live()).length === 2);
  expect(await rowsOf({ ...packages, version: 2 })).toEqual(folded(packages as Projection, history));
});

it('refuses changed columns under the same version', async () => {
  const first = start({ feed: new MemoryFeed() });
  await until(async () => (await checkpoints().catch(() => [])).length === 2);
  await first.stop();
  const changed = { ...packages, columns: { ...packages.columns, more: column.text() } } as unknown as Projection;
  await expect(start({ feed: new MemoryFeed(), projections: [changed] }).ended).rejects.toThrow('give it version 2');
});

it('refuses a store that does not have the last event', async () => {
  const first = start({ feed: new MemoryFeed(history) });
  await until(() => at(305n));
  await first.stop();
  const restored = start({ feed: new MemoryFeed(history.slice(0, 200)) });
  await expect(restored.ended).rejects.toThrow(StoreMismatch);
  await expect(restored.ended).rejects.toThrow('restored from an older backup');
});

it('starts five at once: one leads, the rows are right', async () => {
  const feed = new MemoryFeed(history.slice(0, 200));
  const all = Array.from({ length: 5 }, () => start({ feed, maxBatch: 16 }));
  await until(() => at(200n));
  feed.append(history.slice(200));
  await until(() => at(305n));
  expect(all.filter(({ projector }) => projector.leading)).toHaveLength(1);
  await expectFold(history);
});

it('another takes over when the leader stops', async () => {
  const feed = new MemoryFeed(history.slice(0, 100));
  const first = start({ feed });
  await until(() => first.projector.leading);
  const second = start({ feed });
  await until(() => at(100n));
  await first.stop();
  feed.append(history.slice(100));
  await until(() => at(305n));
  expect(second.projector.leading).toBe(true);
  await expectFold(history);
});

it('survives its connections being cut, again and again', async () => {
  const feed = new MemoryFeed(history, slices(1, 0));
  start({ feed, maxBatch: 4 });
  for (let cuts = 0; cuts < 5; cuts += 1) {
    await until(async () => (await checkpoints().catch(() => [])).some(({ position }) => position !== null));
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'projector-%' AND datname = current_database()`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await until(() => at(305n), 40_000);
  await expectFold(history);
});

async function startProcess(events: number, sold: number) {
  const loader = join(process.cwd(), 'test', 'support', 'typescript-loader.mjs');
  const program = join(process.cwd(), 'libs', 'projection-engine', 'testing', 'projector-process.ts');
  const child = fork(program, [database.url, String(events), String(sold)], { execArgv: ['--import', loader] });
  const state = { leading: false };
  child.on('message', ({ leading }: { leading: boolean }) => (state.leading = leading));
  const exited = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  running.push({ stop: kill });
  return { child, state, kill };
}

const positionReached = async () => Math.max(-1, ...(await checkpoints().catch(() => [])).map(({ position }) => Number(position ?? -1)));

it('survives kill -9 in the middle, again and again: every event counts once', async () => {
  for (let kills = 0, seen = -1; kills < 3; kills += 1) {
    const { kill } = await startProcess(2_000, 400);
    await until(async () => (await positionReached()) > seen + 50);
    await kill();
    seen = await positionReached();
    expect(seen).toBeLessThan(2_000);
  }
  const events = exampleHistory(2_000, 400);
  start({ feed: new MemoryFeed(events) });
  await until(() => at(2_000n));
  await expectFold(events);
});

it('a leader that was paused is deposed, and when it wakes it does not write', async () => {
  const events = exampleHistory(2_000, 400);
  const { child, state } = await startProcess(2_000, 400);
  await until(async () => state.leading && (await positionReached()) > 50);
  child.kill('SIGSTOP');
  const second = start({ feed: new MemoryFeed(events.slice(0, 1_500)), silence: '1 second' });
  await until(() => at(1_500n));
  const { rows } = await pool.query<{ epoch: string }>('SELECT epoch FROM read_models.leader');
  child.kill('SIGCONT');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await positionReached()).toBe(1_500); // it had more to write
  expect(second.projector.leading).toBe(true);
  expect((await pool.query<{ epoch: string }>('SELECT epoch FROM read_models.leader')).rows).toEqual(rows);
  await expectFold(events.slice(0, 1_500));
});

it('a write under an epoch that is over changes nothing', async () => {
  await migrate(pool, [counts] as Projection[]);
  await pool.query(`INSERT INTO read_models.leader VALUES (true, 7, 'another', now(), now(), '{}')`);
  const consumer = consumerOf(counts, pool);
  const checkpoint = checkpointOf(pool, 'read_models', 'counts', 1);
  const write = await consumer.fold(history.slice(0, 10));
  await expect(checkpoint.move(undefined, history[9]!, 6n, write)).rejects.toThrow(Fenced);
  expect(await rowsOf(counts as Projection)).toEqual([]);
  await checkpoint.move(undefined, history[9]!, 7n, write);
  await expect(checkpoint.move(undefined, history[9]!, 7n, write)).rejects.toThrow(Fenced); // another has moved it since
  expect(await rowsOf(counts as Projection)).toEqual(folded(counts as Projection, history.slice(0, 10)));
});

it('two that both believe to lead: the rows are right, whoever wins each batch', async () => {
  await migrate(pool, [packages, counts] as Projection[]);
  await pool.query(`INSERT INTO read_models.leader VALUES (true, 1, 'both', now(), now(), '{}')`);
  const workers = Array.from({ length: 2 }, () =>
    ([packages, counts] as Projection[]).map(
      (projection) =>
        new Worker({
          consumer: consumerOf(projection, pool),
          checkpoint: checkpointOf(pool, 'read_models', projection.name, 1),
          epoch: 1n,
          leads: () => Promise.resolve(true),
          logger,
          maxBatch: 7,
        }),
    ),
  ).flat();
  const working = workers.map((worker) => worker.run(new AbortController().signal));
  await Promise.all(
    workers.map(async ({ inbox }) => {
      for (const batch of slices(3, 0)(history)) await inbox.offer(batch);
      inbox.close();
    }),
  );
  await Promise.all(working);
  await expectFold(history);
});
