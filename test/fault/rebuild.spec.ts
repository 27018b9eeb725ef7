import { setTimeout as sleep } from 'node:timers/promises';
import { isUpToDate, readModelDifferences } from '../support/afresh.js';
import { commandLine, type Running } from '../support/command-line.js';
import { startFleet, until, type Fleet } from '../support/fleet.js';
import { Load } from '../support/load.js';
import { startOwnPostgres } from '../support/own-postgres.js';
import { openQuietBusiness, type QuietBusiness } from '../support/quiet-business.js';
import { openShop } from '../support/shop.js';

// Read models are rebuilt while staff read and write, and whatever happens to the rebuild meanwhile: nobody sees an error, and the rows are those
// of a fresh fold. More readers, more writers and more rounds with SOAK=1.

const soak = Boolean(process.env.SOAK);
const AT_WORK = soak ? 16 : 4;
const ROUNDS = soak ? 20 : 1;
const REBUILT = soak ? ['--all'] : ['package_list', 'invoice_list'];

let postgres: Awaited<ReturnType<typeof startOwnPostgres>>;
let fleet: Fleet;
let load: Load;
const started: Running[] = [];
const watching: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  postgres = await startOwnPostgres();
  // However slow this machine is: no reader is given up for want of one of the few connections of reports.
  fleet = await startFleet({ databaseUrl: postgres.url, env: { PROJECTOR_PORT: '0', REQUEST_TIMEOUT_MS: '120000' } });
  load = new Load(fleet.desk, [fleet.apis[0]!.url]);
  await load.prepare(await openShop(fleet.desk, fleet.apis[0]!.url));
});
afterEach(async () => {
  await Promise.all(watching.splice(0).map((stop) => stop()));
  await load.stop();
  for (const { kill, ended } of started.splice(0)) {
    kill('SIGKILL');
    await ended;
  }
});
afterAll(async () => {
  await fleet?.stop();
  await postgres?.stop();
});

/** The projector's command line, as a process of its own. */
function projector(args: readonly string[], failpoint?: string): Running {
  const running = commandLine(fleet, args, failpoint);
  started.push(running);
  return running;
}

const builds = async () =>
  (
    await fleet.pool.query<{ step: string; holder: string | null; epoch: string; silent: boolean; position: string | null }>(
      `SELECT step, holder, epoch::text, position::text,
          (holder LIKE 'rebuild-%' AND beat < clock_timestamp() - interval '2.5 s') IS TRUE AS silent
        FROM read_models.builders JOIN read_models.checkpoints USING (projection, version, build) ORDER BY projection`,
    )
  ).rows;
const liveBuild = async () =>
  (await fleet.pool.query<{ build: number }>(`SELECT build FROM read_models.live_builds WHERE projection = 'package_list'`)).rows[0]!.build;
const isPaused = async () => (await builds().catch(() => [])).some(({ silent }) => silent);

async function expectFreshFold(): Promise<void> {
  await load.stop();
  await until(async () => isUpToDate(fleet.pool, fleet.reader.store), 'the read models are up to date');
  expect(await readModelDifferences(fleet.pool, fleet.reader)).toEqual([]);
}

/** Staff who read without a pause; gives the answers that were none. */
function readers(): () => Promise<object[]> {
  let reading = true;
  const { url } = fleet.apis[0]!;
  const paths = ['/packages?limit=20', '/appointments?limit=20', '/offerings', '/invoices?limit=5'];
  const failed: object[] = [];
  const all = Array.from({ length: AT_WORK }, async (_, n) => {
    while (reading) {
      const path = paths[n % paths.length]!;
      const { status, body } = await fleet.desk.send(url, { method: 'GET', path });
      if (status !== 200) failed.push({ path, status, body });
    }
  });
  return async () => {
    reading = false;
    await Promise.all(all);
    return failed;
  };
}

it(
  'J5: killed at any moment and started again, a rebuild ends with the rows of a fresh fold; who reads and writes meanwhile sees no error',
  async () => {
    load.start(AT_WORK);
    const stopReading = readers();
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await liveBuild();
      for (const place of soak ? ['folding', 'indexing', 'switching'] : ['folding', 'switching']) {
        expect(await projector(['rebuild', ...REBUILT], `rebuild:${place}`).ended).toBe('SIGKILL');
        expect(await liveBuild()).toBe(before);
      }
      expect(await projector(['rebuild', ...REBUILT], 'rebuild:switched').ended).toBe('SIGKILL');
      expect(await liveBuild()).toBe(before + 1);
    }
    const last = projector(['rebuild', ...REBUILT]);
    expect([await last.ended, last.said()]).toEqual([0, expect.stringMatching(/package_list: version \d+, build \d+ is live\./)]);
    expect(await stopReading()).toEqual([]);
    expect(load.given.filter(({ reply }) => reply && reply.status >= 500)).toEqual([]);
    await expectFreshFold();
  },
  soak ? 3_600_000 : 600_000,
);

it('J5: a rebuild that was paused while another took over does not write when it wakes', async () => {
  load.start(2);
  const paused = projector(['rebuild', 'package_list'], 'rebuild:folding:paused');
  await until(isPaused, 'it is silent');
  await fleet.pool.query(`UPDATE read_models.builders SET beat = now() + interval '1 minute'`); // however slow this machine is
  const refused = projector(['rebuild', 'package_list']);
  expect([await refused.ended, refused.said()]).toEqual([1, expect.stringContaining('package_list is being rebuilt by another')]);
  await fleet.pool.query(`UPDATE read_models.builders SET beat = now() - interval '1 minute'`); // as it would be by then
  const second = projector(['rebuild', 'package_list'], 'rebuild:folding:paused');
  await until(
    async () => (await builds()).some(({ epoch, silent }) => Number(epoch) > 1 && silent),
    'another has taken over, and is silent too',
  );
  const [before] = await builds();
  paused.goOn();
  expect([await paused.ended, paused.said()]).toEqual([1, expect.stringContaining('called off, or is done by another')]);
  expect((await builds())[0]).toMatchObject({ epoch: before!.epoch, position: before!.position });
  second.goOn();
  expect(await second.ended).toBe(0);
  await expectFreshFold();
});

it('J5: Ctrl-C leaves it to be gone on with, --cancel calls it off; the status says how it stands', async () => {
  const first = projector(['rebuild', 'package_list'], 'rebuild:folding:paused');
  await until(isPaused, 'it is silent');
  const status = projector(['status']);
  await status.ended;
  expect(status.said()).toMatch(/\npackage_list +\d+, build \d+ \(not live\) .* folding: \d+ of \d+ events.*, by rebuild-\d+-/);
  expect(
    (await (await fetch(`${fleet.projectors[0]!.url}/metrics`)).text()).match(
      /^punchcard_projection_building_events\{projection="package_list",.*/m,
    ),
  ).not.toBeNull();
  first.kill('SIGINT');
  first.goOn();
  expect([await first.ended, first.said()]).toEqual([130, expect.stringContaining('The same command goes on from here')]);
  expect(await builds()).toMatchObject([{ holder: null }]);
  const cancel = projector(['rebuild', '--cancel', 'package_list']);
  expect([await cancel.ended, cancel.said()]).toEqual([0, 'package_list: the rebuild is called off.\n']);
  expect(await builds()).toEqual([]);
  await expectFreshFold();
});

it('J5, K3: a verification that was killed says nothing, holds up nobody, and what it had folded goes', async () => {
  await until(async () => isUpToDate(fleet.pool, fleet.reader.store), 'the read models are up to date');
  expect(await projector(['verify', 'tax_list']).ended).toBe(0);
  const results = async () => (await fleet.pool.query<object>('SELECT projection, verified_at FROM read_models.verified ORDER BY 1')).rows;
  const before = await results();
  const killed = projector(['verify', '--all']);
  await until(async () => (await fleet.pool.query('SELECT FROM read_models.builders WHERE build < 0')).rowCount! > 1, 'it folds');
  killed.kill('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  expect(await results()).toEqual(before);
  const ready = await fetch(`${fleet.projectors[0]!.url}/health/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ok', poisoned: [], building: [] }]);
  const again = projector(['verify', 'tax_list']); // at once, though nobody has cleared away
  expect([await again.ended, again.said()]).toEqual([
    0,
    expect.stringMatching(/^tax_list, version \d+: \d+ rows, each as the events say\./),
  ]);
  await fleet.pool.query(`UPDATE read_models.builders SET beat = now() - interval '2 minutes' WHERE build < 0`); // as it will be
  await until(async () => {
    const { rowCount } = await fleet.pool.query(
      `SELECT FROM pg_tables WHERE tablename LIKE '%afresh%' UNION ALL SELECT FROM read_models.checkpoints WHERE build < 0`,
    );
    return rowCount === 0;
  }, 'nothing of it is left');
  await expectFreshFold();
});

it('a read model that has stopped goes on when the event is passed over with a reason, which the status shows', async () => {
  const poison = { eventId: fleet.desk.business, type: 'PackageSold', stream: 'package-x', revision: '0', position: '1', error: 'a slip' };
  await until(async () => isUpToDate(fleet.pool, fleet.reader.store), 'the read models are up to date');
  await fleet.pool.query(`UPDATE read_models.checkpoints SET state = 'poisoned', poison = $1 WHERE projection = 'tax_list'`, [poison]);
  const run = async (...args: string[]) => {
    const { ended, said } = projector(args);
    return [await ended, said()];
  };
  expect(await run('skip', 'tax_list', '--event', poison.eventId, '--reason', 'never sold')).toEqual([
    ...[0, expect.stringMatching(/^tax_list, version \d+, passes over PackageSold package-x@0\./)],
  ]);
  expect(await run('status')).toEqual([0, expect.stringMatching(/\ntax_list, version \d+, passes over .*: never sold\)\n/)]);
  expect(await (await fetch(`${fleet.projectors[0]!.url}/status`)).json()).toMatchObject({
    skipped: [{ name: 'tax_list', reason: 'never sold' }],
  });
  expect(await run('skip', 'tax_list', '--event', poison.eventId, '--reason', 'again')).toEqual([
    ...[1, expect.stringContaining('has not stopped at event')],
  ]);
  const refused = expect.stringMatching(/^numbering cannot pass over an event\. Invoices get their numbers in the order/);
  expect(await run('skip', 'numbering', '--event', poison.eventId, '--reason', 'in the way')).toEqual([1, refused]);
  expect((await run('skip', 'forgetting', '--event', poison.eventId, '--reason', 'in the way'))[0]).toBe(1);
  await fleet.pool.query(`UPDATE policies.checkpoints SET state = 'poisoned', poison = $1 WHERE projection = 'todo'`, [poison]);
  expect(await run('skip', 'todo', '--event', poison.eventId, '--reason', 'done by hand')).toEqual([
    ...[
      0,
      expect.stringMatching(/^todo, version 1, passes over PackageSold package-x@0\..*\nWhat follows from that event is not on the list/),
    ],
  ]);
  expect(await run('rebuild', 'no_list')).toEqual([1, expect.stringContaining('There is no read model no_list. There are: ')]);
});

/** What each of so many who read without a pause is answered, and how long each answer took. */
function watchers(quiet: QuietBusiness): () => Promise<{ took: number[]; wrong: object[] }> {
  const { url } = fleet.apis[0]!;
  let reading = true;
  const took: number[] = []; // ms
  const wrong: object[] = [];
  const watch = async ([kind, { path, isWrong }]: (typeof WATCHED)[number]): Promise<void> => {
    for (let before = 0; reading;) {
      const since = performance.now();
      const { status, body } = await (kind === 'quiet' ? quiet : fleet).desk.send(url, { method: 'GET', path });
      took.push(performance.now() - since);
      const seen = body as unknown as Seen;
      if (status !== 200 || isWrong(seen, before, quiet)) wrong.push({ kind, status, before, body: JSON.stringify(body).slice(0, 2_000) });
      before = seen.total?.packages ?? before;
      await sleep(50); // they look at it
    }
  };
  const all = Array.from({ length: 16 }, (_, n) => watch(WATCHED[n % WATCHED.length]!));
  const stop = async () => {
    reading = false;
    await Promise.all(all);
    return { took, wrong };
  };
  watching.push(stop);
  return stop;
}

type Figures = QuietBusiness['figures'];
interface Seen {
  total?: Figures;
  groups: Figures[];
  items: Record<'total' | 'adjustments' | 'paid' | 'refunded' | 'outstanding', number>[];
}

/** What is read, and what could not be read of one build alone, or of one that is not whole. */
const WATCHED: [string, { path: string; isWrong(seen: Seen, before: number, quiet: QuietBusiness): boolean }][] = Object.entries({
  quiet: {
    path: '/reports/sales/totals?by=month',
    isWrong: ({ total }, _, { figures }) =>
      (['packages', 'fee', 'outstanding'] as const).some((figure) => total?.[figure] !== figures[figure]),
  },
  sums: {
    path: '/reports/sales/totals?by=offering&limit=200',
    isWrong: ({ total, groups }, before) =>
      total!.packages < before || // none is ever taken away
      (['packages', 'fee', 'outstanding'] as const).some(
        (figure) => groups.reduce((sum, group) => sum + group[figure], 0) !== total![figure],
      ),
  },
  sales: {
    path: '/reports/sales?limit=20',
    isWrong: ({ items }) =>
      items.length === 0 || items.some((row) => row.total + row.adjustments - row.paid + row.refunded !== row.outstanding),
  },
  packages: { path: '/packages?limit=20', isWrong: ({ items }) => items.length < 20 },
});

const GENEROUS = 10; // times: while it is rebuilt there is less of the processor for each

/** So long took all but one of twenty. */
const most = (took: readonly number[]): number => took.toSorted((a, b) => a - b)[Math.floor(0.95 * (took.length - 1))]!;

it('J5, J2: while 16 read, 16 write and a long file is exported, nobody sees an error, a wait or a half state of a rebuild', async () => {
  const quiet = await openQuietBusiness(fleet);
  load.start(16);
  await until(
    () => load.given.filter(({ kind, reply }) => kind === 'sell' && reply?.status === 201).length >= 20,
    'there is a page of packages',
  );
  const inPeace = watchers(quiet);
  await sleep(2_500);
  const usual = await inPeace();

  const before = await liveBuild();
  const exported = quiet.export(fleet.apis[0]!.url);
  const during = watchers(quiet);
  const since = performance.now();
  const rebuilding = projector(['rebuild', '--all']);
  expect([
    await rebuilding.ended,
    rebuilding
      .said()
      .split('\n')
      .filter((line) => line.includes(': stopped')),
  ]).toEqual([0, []]);
  const rebuilt = performance.now() - since;
  expect([await liveBuild(), exported.isOver()]).toEqual([before + 1, false]); // it began with rows that are old now
  await sleep(500);
  const seen = await during();
  expect(await exported.hurry()).toEqual(quiet.figures);
  await load.stop();
  expect([usual.wrong, seen.wrong]).toEqual([[], []]);
  expect(load.given.filter(({ reply }) => reply && reply.status >= 500)).toEqual([]);
  expect(Math.max(...seen.took)).toBeLessThan(Math.max(3_000, rebuilt / 2)); // nobody waits for the rebuild, however slow this machine is
  expect(most(seen.took)).toBeLessThan(Math.max(500, GENEROUS * most(usual.took)));
  await until(async () => (await fleet.pool.query('SELECT FROM read_models.retired')).rowCount === 0, 'the old tables are gone');
  await expectFreshFold();
}, 600_000);

it('J5: goes on by itself when its connections are cut, and when Postgres was killed', async () => {
  const rebuilding = projector(['rebuild', ...REBUILT], 'rebuild:folding:paused');
  await until(isPaused, 'it is silent');
  await fleet.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'rebuild-%'`);
  await postgres.killAndStart();
  for (const part of [fleet.eventStore, ...fleet.projectors, ...fleet.apis]) {
    await sleep(200);
    if (part.hasEnded) await part.start();
  }
  rebuilding.goOn();
  expect([await rebuilding.ended, rebuilding.said()]).toEqual([0, expect.stringContaining('package_list: version')]);
  await expectFreshFold();
});
