import pg from 'pg';
import pino from 'pino';
import { createDatabase } from '../../test/support/postgres.js';
import type { Recorded } from '../domain/kernel/event.js';
import { policyCommandIdOf } from '../domain/kernel/ids.js';
import { counts, type Example, exampleHistory } from './testing/example.js';
import type { Projection } from './define-projection.js';
import { MemoryFeed } from './testing/memory-feed.js';
import { Projector } from './projector.js';
import { allSkipped, NotStoppedThere, skipPoison } from './skip.js';
import { TODO, TODO_VERSION, type TodoOptions, type TriggerRef } from './todo.js';

// Each sale asks for one command, whose event is any event with that command's id.

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
const running: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  pool.on('error', () => undefined);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()));
  await pool.end();
  await database.drop();
});

const commandsOf = ({ id, type }: Recorded) =>
  type === 'PackageSold' ? [{ policy: 'welcoming', ordinal: 0, commandId: policyCommandIdOf(id, 'welcoming', 0) }] : [];

function start(feed: MemoryFeed, todo: Partial<TodoOptions>) {
  const carriedOut: TriggerRef[] = [];
  const projector = new Projector({
    databaseUrl: database.url,
    feed,
    projections: [counts] as Projection[],
    logger: pino({ level: 'silent' }),
    todo: {
      policies: ['welcoming'],
      triggers: new Set(['PackageSold']),
      commandsOf,
      grace: 300,
      carryOut: (trigger) => {
        carriedOut.push(trigger);
        return Promise.resolve('done');
      },
      ...todo,
    },
  });
  const stopping = new AbortController();
  const ended = projector.run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  running.push(stop);
  return { carriedOut, stop };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !(await condition());) {
    if (performance.now() > end) throw new Error('It did not come true in time.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const list = async () => (await pool.query<{ parked: string | null; attempts: number }>('SELECT * FROM policies.todo')).rows;
const at = async (position: bigint) => {
  const { rows } = await pool.query<{ position: string }>('SELECT position::text FROM policies.checkpoints').catch(() => ({ rows: [] }));
  return rows[0]?.position === String(position);
};

const sales: Recorded<Example>[] = exampleHistory(3, 3);
const done = (sale: Recorded, position: bigint): Recorded => ({
  ...exampleHistory(1, 1, position)[0]!,
  type: 'Welcomed',
  metadata: { ...sale.metadata, commandId: policyCommandIdOf(sale.id, 'welcoming', 0) },
});

it('carries out what nobody has done', async () => {
  const { carriedOut } = start(new MemoryFeed(sales), {});
  await until(() => carriedOut.length === 3);
  const { id, stream, revision, position } = sales[0]!;
  expect(carriedOut[0]).toMatchObject({
    policy: 'welcoming',
    ordinal: 0,
    id,
    stream,
    revision,
    position,
    business: sales[0]!.metadata.business,
  });
  await until(async () => (await list()).length === 0);
});

it('leaves alone what was done, in the same batch or a later one', async () => {
  const feed = new MemoryFeed([...sales, done(sales[0]!, 4n)]);
  const { carriedOut } = start(feed, { grace: 60_000 });
  await until(() => at(4n));
  expect(await list()).toHaveLength(2);
  feed.append([done(sales[1]!, 5n)]);
  await until(() => at(5n));
  await pool.query('UPDATE policies.todo SET due = now()');
  await until(() => carriedOut.length > 0);
  await until(async () => (await list()).length === 0);
  expect(carriedOut.map(({ position }) => position)).toEqual([3n]);
});

it('parks what is refused, visibly, and tries it no more', async () => {
  let attempts = 0;
  const feed = new MemoryFeed(sales.slice(0, 1));
  const carryOut = () => {
    attempts += 1;
    return Promise.resolve({ parked: 'PACKAGE_CANCELLED' });
  };
  const first = start(feed, { carryOut });
  await until(async () => (await list().catch(() => []))[0]?.parked === 'PACKAGE_CANCELLED');
  await first.stop();
  start(feed, { carryOut });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(attempts).toBe(1);
});

it('tries again what fails, later each time', async () => {
  let attempts = 0;
  start(new MemoryFeed(sales.slice(0, 1)), {
    carryOut: () => {
      attempts += 1;
      return attempts === 2 ? Promise.resolve('done') : Promise.reject(new Error('no connection'));
    },
  });
  await until(() => attempts === 2);
  await until(async () => (await list()).length === 0);
});

it('carries out what follows from one stream in its order, whatever has to be tried again', async () => {
  const tried: bigint[] = [];
  start(new MemoryFeed(sales), {
    carryOut: ({ position }) => {
      tried.push(position);
      return tried.length === 1 ? Promise.reject(new Error('no connection')) : Promise.resolve('done');
    },
  });
  await until(async () => tried.length === 4 && (await list()).length === 0);
  expect(tried).toEqual([1n, 1n, 2n, 3n]);
});

it('a policy that is added later starts with what comes after it', async () => {
  const feed = new MemoryFeed(sales);
  const first = start(feed, {});
  await until(async () => (await at(3n)) && (await list()).length === 0);
  await first.stop();
  feed.append(exampleHistory(2, 2, 4n));
  const { carriedOut } = start(feed, {
    policies: ['welcoming', 'reminding'],
    commandsOf: ({ id, type }) =>
      type === 'PackageSold' ? [{ policy: 'reminding', ordinal: 0, commandId: policyCommandIdOf(id, 'reminding', 0) }] : [],
  });
  await until(() => carriedOut.length === 2);
  expect(carriedOut.map(({ position }) => position).sort()).toEqual([4n, 5n]);
});

it('passes over a poison event, with a reason, and carries out what follows from those after it', async () => {
  const { carriedOut } = start(new MemoryFeed(sales), {
    commandsOf: (event) => {
      if (event.position === 2n) throw new Error('a slip');
      return commandsOf(event);
    },
  });
  const isStopped = async () => (await pool.query(`SELECT FROM policies.checkpoints WHERE state = 'poisoned'`)).rowCount === 1;
  await until(() => isStopped().catch(() => false));
  const list = { name: TODO, version: TODO_VERSION, schema: 'policies' } as const;
  await expect(skipPoison(pool, list, sales[0]!.id, 'not this one')).rejects.toThrow(NotStoppedThere);
  await skipPoison(pool, list, sales[1]!.id, 'done by hand');
  await until(() => carriedOut.length === 2);
  expect(carriedOut.map(({ position }) => position)).toEqual([1n, 3n]);
  expect(await allSkipped(pool)).toMatchObject([{ name: TODO, eventId: sales[1]!.id, error: 'a slip', reason: 'done by hand' }]);
});
