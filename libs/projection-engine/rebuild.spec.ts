import pg from 'pg';
import pino from 'pino';
import { createDatabase } from '../../test/support/postgres.js';
import type { Recorded } from '../domain/kernel/event.js';
import { type AnyRow, type Projection } from './define-projection.js';
import type { Fed } from './feed.js';
import { fold } from './fold.js';
import { Projector, type ProjectorOptions } from './projector.js';
import { retireUnfed } from './builders.js';
import { BuildUnderWay, cancelRebuild, rebuild, RebuildLost, type RebuildOptions, type RebuildProgress } from './rebuild.js';
import { migrate } from './schema.js';
import { allSkipped, NotStoppedThere, skipPoison } from './skip.js';
import { openSources } from './sources.js';
import { quoted } from './sql-names.js';
import { StoreMismatch } from './store-check.js';
import { fromText } from './table.js';
import { counts, type Example, exampleHistory, idOf, packages } from './testing/example.js';
import { MemoryFeed } from './testing/memory-feed.js';
import { recorded } from './testing/recorded.js';

// Read models are built again beside those that are live, and switched to; the projector goes on meanwhile.

const all = [packages, counts] as Projection[];
const logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
const running: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined);
  await migrate(pool, all);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()));
  await pool.end();
  await database.drop();
});

function startProjector(options: Partial<ProjectorOptions> & Pick<ProjectorOptions, 'feed'>) {
  const projector = new Projector({ databaseUrl: database.url, projections: all, logger, ...options });
  const stopping = new AbortController();
  const ended = projector.run(stopping.signal);
  ended.catch(() => undefined);
  const stop = async () => {
    stopping.abort();
    await ended.catch(() => undefined);
  };
  running.push({ stop });
  return { projector, stop };
}

function startRebuild(options: Partial<RebuildOptions> & Pick<RebuildOptions, 'feed'>) {
  const stopping = new AbortController();
  const rebuilt = rebuild({ databaseUrl: database.url, projections: all, logger, ...options }, stopping.signal);
  rebuilt.catch(() => undefined);
  const stop = async () => {
    stopping.abort();
    await rebuilt.catch(() => undefined);
  };
  running.push({ stop });
  return { rebuilt, stop };
}

async function until(condition: () => Promise<boolean> | boolean, patience = 60_000): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('It did not come true in time.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const checkpoints = async () =>
  (
    await pool.query<{
      projection: string;
      version: number;
      build: number;
      position: string | null;
      state: string;
      poison: { eventId: string } | null;
    }>('SELECT projection, version, build, position, state, poison FROM read_models.checkpoints ORDER BY 1, 2, 3')
  ).rows;
const live = async () =>
  (
    await pool.query<{ build: string }>(
      `SELECT concat_ws(' ', projection, version, build) AS build FROM read_models.live_builds ORDER BY 1`,
    )
  ).rows.map(({ build }) => build);
const tables = async () =>
  (
    await pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'read_models'::regnamespace AND relname ~ '_v[0-9]+(_b[0-9]+)?$' ORDER BY 1`,
    )
  ).rows.map(({ name }) => name);
const at =
  (position: bigint, names = ['packages', 'counts']) =>
  async () => {
    const rows = await checkpoints();
    return names.every((name) => rows.some((one) => one.projection === name && one.position === String(position)));
  };

async function rowsOf(projection: Projection): Promise<AnyRow[]> {
  const columns = Object.entries(projection.columns);
  const rows = await openSources(pool, [projection]).read(projection, undefined, ({ from, condition }) => ({
    text: `SELECT ${columns.map(([name]) => quoted(name)).join(', ')} FROM ${from} WHERE ${condition} ORDER BY ${projection.key.map(quoted).join(', ')}`,
    values: [],
  }));
  return rows.map((values) => Object.fromEntries(columns.map(([name, column], i) => [name, fromText(column, values[i] ?? null)])));
}
const folded = (projection: Projection, events: readonly Recorded[]): AnyRow[] =>
  [...fold(projection, new Map<string, AnyRow>(), events)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
async function expectFold(events: readonly Recorded[]): Promise<void> {
  for (const projection of all) expect(await rowsOf(projection)).toEqual(folded(projection, events));
}

const history: Recorded<Example>[] = [
  ...exampleHistory(600, 150),
  ...recorded<Example>(
    [
      { type: 'ClientMerged', data: { from: idOf('client 1'), into: idOf('client 2') } },
      { type: 'PackageSold', data: { packageId: idOf(3), clientId: idOf('client 1'), limit: 5 } }, // anew: it was there
      { type: 'ClientForgotten', data: { clientId: idOf('client 4') } },
      { type: 'PackageSold', data: { packageId: idOf(4), clientId: idOf('client 4'), limit: 5 } },
    ],
    { first: 601n },
  ),
];
const END = 604n;

/** Slowly, so that a test can look at it in the middle. */
class SlowFeed extends MemoryFeed {
  after: (bigint | undefined)[] = [];
  override async *read(options: { after: bigint | undefined; signal: AbortSignal }): AsyncGenerator<readonly Fed[]> {
    this.after.push(options.after);
    for await (const batch of super.read(options))
      for (let i = 0; i < batch.length && !options.signal.aborted; i += 20) {
        yield batch.slice(i, i + 20);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
  }
}

it('J5: rebuilds beside the live tables, switches both at once, and the leader goes on with the new ones', async () => {
  const feed = new MemoryFeed(history);
  startProjector({ feed });
  await until(at(END));
  await pool.query(`UPDATE read_models.packages_v1 SET remaining = 999999`); // somebody was at the table
  const told: RebuildProgress[] = [];
  const { rebuilt } = startRebuild({ feed, progress: (progress) => told.push(progress), maxBatch: 200 });
  expect(await rebuilt).toMatchObject([
    { name: 'packages', build: 1, poison: undefined },
    { name: 'counts', build: 1, poison: undefined },
  ]);
  await expectFold(history);
  expect(await live()).toEqual(['counts 1 1', 'packages 1 1']);
  expect(told.at(-1)).toMatchObject({ step: 'catching up', events: history.length, total: history.length });
  const more = exampleHistory(50, 25, 700n).map((event) => ({ ...event, id: idOf(`more ${event.position}`) }));
  feed.append(more);
  await until(at(749n));
  await expectFold([...history, ...more]);
  await until(async () => (await tables()).join() === 'counts_v1_b1,packages_v1_b1');
  const { rows } = await pool.query(`SELECT FROM pg_indexes WHERE schemaname = 'read_models' AND tablename = 'packages_v1_b1'`);
  expect(rows).toHaveLength(5); // the key, two columns, both, and the text that is searched
});

it('a second rebuild follows the first, and a start after it leaves everything as it is', async () => {
  const feed = new MemoryFeed(history);
  const { stop } = startProjector({ feed });
  await until(at(END));
  for (const build of [1, 2])
    expect(await startRebuild({ feed, projections: [counts] as Projection[] }).rebuilt).toMatchObject([{ build }]);
  await stop();
  await migrate(pool, all);
  startProjector({ feed });
  await expectFold(history);
  await until(async () => (await tables()).join() === 'counts_v1_b2,packages_v1');
});

it('readers at work see no error, no wait and nothing but one state or the other; who reads the old table for long reads it to the end', async () => {
  const feed = new MemoryFeed(history);
  startProjector({ feed });
  await until(at(END));
  const sources = openSources(pool, all);
  const expected = folded(packages, history).length;
  const seen = new Set<string | null>();
  const builds = new Set<string>();
  let reading = true;
  const readers = Array.from({ length: 3 }, async () => {
    while (reading) {
      const [row] = await sources.read(packages, undefined, ({ from, condition }) => {
        builds.add(from);
        return { text: `SELECT count(*)::text FROM ${from} WHERE ${condition}`, values: [] };
      });
      seen.add(row![0]!);
    }
  });
  const exporting = await pool.connect();
  await exporting.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await exporting.query('DECLARE export CURSOR FOR SELECT package_id FROM read_models.packages_v1');
  let exported = (await exporting.query('FETCH 10 FROM export')).rowCount!;
  await startRebuild({ feed }).rebuilt;
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // the projector would have dropped it by now
  for (let fetched = 1; fetched > 0; exported += fetched) fetched = (await exporting.query('FETCH 50 FROM export')).rowCount!;
  await exporting.query('COMMIT');
  exporting.release();
  reading = false;
  await Promise.all(readers);
  expect(exported).toBe(expected);
  expect([...seen]).toEqual([String(expected)]);
  expect(builds.size).toBe(2);
  await until(async () => !(await tables()).includes('packages_v1'));
});

it('goes on where it was when it was stopped', async () => {
  const { stop: stopProjector } = startProjector({ feed: new MemoryFeed(history) });
  await until(at(END));
  await stopProjector();
  const feed = new SlowFeed(history);
  const first = startRebuild({ feed, maxBatch: 40 });
  await until(async () => (await checkpoints()).some(({ build, position }) => build === 1 && Number(position) > 100));
  await first.stop();
  expect(await first.rebuilt).toEqual([]);
  expect(await live()).toEqual(['counts 1 0', 'packages 1 0']);
  await startRebuild({ feed, maxBatch: 40 }).rebuilt;
  expect(feed.after[1]).toBeGreaterThan(99n);
  expect(await live()).toEqual(['counts 1 1', 'packages 1 1']);
  await expectFold(history);
});

it('is called off: what it has built goes, the live tables stay; nobody else may do it meanwhile', async () => {
  const feed = new SlowFeed(history);
  startProjector({ feed: new MemoryFeed(history) });
  await until(at(END));
  const { rebuilt } = startRebuild({ feed, maxBatch: 40 });
  await until(async () => (await checkpoints()).some(({ build, position }) => build === 1 && Number(position) > 0));
  await expect(startRebuild({ feed }).rebuilt).rejects.toThrow(BuildUnderWay);
  for (const projection of all) expect(await cancelRebuild(pool, projection)).toBe(true);
  await expect(rebuilt).rejects.toThrow(RebuildLost);
  expect(await cancelRebuild(pool, packages as Projection)).toBe(false);
  await until(async () => (await tables()).join() === 'counts_v1,packages_v1');
  expect(await live()).toEqual(['counts 1 0', 'packages 1 0']);
  await expectFold(history);
});

it('what was called off and is still being read keeps its rows to itself: the next rebuild begins another table', async () => {
  const feed = new SlowFeed(history);
  startProjector({ feed: new MemoryFeed(history) });
  await until(at(END));
  const { rebuilt } = startRebuild({ feed, maxBatch: 40 });
  await until(async () => (await checkpoints()).some(({ build, position }) => build === 1 && Number(position) > 0));
  const reading = await pool.connect();
  await reading.query('BEGIN; SELECT count(*) FROM read_models.packages_v1_b1');
  for (const projection of all) await cancelRebuild(pool, projection);
  await expect(rebuilt).rejects.toThrow(RebuildLost);
  expect(await startRebuild({ feed: new MemoryFeed(history) }).rebuilt).toMatchObject([{ name: 'packages', build: 2 }, { name: 'counts' }]);
  await reading.query('COMMIT');
  reading.release();
  await until(async () => !(await tables()).includes('packages_v1_b1'));
  expect(await tables()).toContain('packages_v1_b2');
  await expectFold(history);
});

it('a version that was superseded goes when nobody has fed it for long; code that has it, started again, begins anew', async () => {
  const feed = new MemoryFeed(history);
  const old = startProjector({ feed });
  await until(at(END));
  await old.stop();
  const next = { ...packages, version: 2 } as Projection;
  const deployed = startProjector({ feed, projections: [next, counts] as Projection[] });
  await until(async () => (await live()).includes('packages 2 0'));
  expect(await retireUnfed(pool)).toEqual([]); // it was fed a moment ago
  await pool.query(`UPDATE read_models.checkpoints SET changed_at = now() - interval '2 days'`);
  await until(async () => (await live()).join() === 'counts 1 0,packages 2 0');
  await until(async () => !(await tables()).includes('packages_v1'));
  await deployed.stop();
  startProjector({ feed });
  await until(async () => (await live()).includes('packages 1 0'));
  await expectFold(history);
});

const nobodys = recorded<Example>([{ type: 'SessionConsumed', data: { packageId: idOf('nobody'), remaining: 1 } }], { first: 605n });

it('J5: a poison event is passed over by that projection alone, with a reason; a rebuild of the version passes over it too', async () => {
  const more = exampleHistory(20, 20, 700n).map((event) => ({ ...event, id: idOf(`more ${event.position}`) }));
  const feed = new MemoryFeed([...history, ...nobodys, ...more]);
  startProjector({ feed });
  await until(async () => (await checkpoints()).some(({ state }) => state === 'poisoned'));
  const [event] = nobodys as [Recorded];
  await expect(skipPoison(pool, packages as Projection, idOf('another'), 'why not')).rejects.toThrow(NotStoppedThere);
  await expect(skipPoison(pool, counts as Projection, event.id, 'why not')).rejects.toThrow(NotStoppedThere);
  await skipPoison(pool, packages, event.id, 'sold in the system before');
  await until(at(719n));
  const folds = [...history, ...more];
  await expectFold(folds);
  expect(await allSkipped(pool)).toMatchObject([{ eventId: event.id, position: '605', reason: 'sold in the system before' }]);
  expect(await startRebuild({ feed }).rebuilt).toMatchObject([{ poison: undefined }, { poison: undefined }]);
  await expectFold(folds);
});

it('a projection that stops in a rebuild stays as it is; the others are switched, and it goes on when the event is passed over', async () => {
  const { stop } = startProjector({ feed: new MemoryFeed(history) });
  await until(at(END));
  await stop();
  const feed = new MemoryFeed([...history, ...nobodys]);
  await pool.query(`UPDATE read_models.checkpoints SET position = 605`);
  expect(await startRebuild({ feed }).rebuilt).toMatchObject([
    { name: 'packages', poison: { position: '605' } },
    { name: 'counts', poison: undefined },
  ]);
  expect(await live()).toEqual(['counts 1 1', 'packages 1 0']);
  await skipPoison(pool, packages, nobodys[0]!.id, 'sold in the system before');
  await startRebuild({ feed, projections: [packages] as Projection[] }).rebuilt;
  expect(await live()).toEqual(['counts 1 1', 'packages 1 1']);
});

it('refuses to go on with a store that does not have what it was built from', async () => {
  const { stop } = startProjector({ feed: new MemoryFeed(history) });
  await until(at(END));
  await stop();
  const first = startRebuild({ feed: new SlowFeed(history), maxBatch: 40 });
  await until(async () => (await checkpoints()).some(({ build, position }) => build === 1 && Number(position) > 60));
  await first.stop();
  const restored = startRebuild({ feed: new MemoryFeed(history.slice(0, 10)) });
  await expect(restored.rebuilt).rejects.toThrow(StoreMismatch);
  await expect(restored.rebuilt).rejects.toThrow('restored from an older backup');
});

it('a new version is built beside the leader that does not know it, then both are kept as new as the events', async () => {
  const feed = new MemoryFeed(history);
  const old = startProjector({ feed });
  await until(at(END));
  const next = { ...packages, version: 2 } as Projection;
  const deployed = startProjector({ feed, projections: [next, counts] as Projection[] });
  await until(async () => (await live()).includes('packages 2 0'));
  expect([old.projector.leading, deployed.projector.leading]).toEqual([true, false]);
  const more = exampleHistory(50, 25, 700n).map((event) => ({ ...event, id: idOf(`more ${event.position}`) }));
  feed.append(more.slice(0, 20));
  await until(async () => (await checkpoints()).every(({ position }) => position === '719'));
  await old.stop();
  await until(() => deployed.projector.leading);
  const late = startProjector({ feed }); // the old one, started again: it stands by, and feeds what only it knows
  feed.append(more.slice(20));
  await until(async () => (await checkpoints()).every(({ position }) => position === '749'));
  expect(late.projector.leading).toBe(false);
  await expectFold([...history, ...more]);
  expect(await rowsOf(next)).toEqual(folded(packages as Projection, [...history, ...more]));
});
