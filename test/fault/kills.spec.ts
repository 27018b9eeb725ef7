import { setTimeout as sleep } from 'node:timers/promises';
import { brokenChains, isUpToDate, readModelDifferences, wholeHistory } from '../support/afresh.js';
import { disagreements } from '../support/agreement.js';
import { startFleet, until, type Fleet, type Part } from '../support/fleet.js';
import { effectsOf, isLasting, Load, type Given } from '../support/load.js';
import { startOwnPostgres } from '../support/own-postgres.js';
import { openShop } from '../support/shop.js';

// Whatever is killed in the middle of whatever load: what was acknowledged is there, once; what was not is there at most once, and once when it
// is sent again; streams and read models agree. Each part is killed once here, for minutes with SOAK=1.

const soak = Boolean(process.env.SOAK);
const ROUNDS = soak ? 12 : 1;
const WORKERS = soak ? 32 : 20;
const RESENT = 40;

let postgres: Awaited<ReturnType<typeof startOwnPostgres>>;
let fleet: Fleet;
let load: Load;

beforeAll(async () => {
  postgres = await startOwnPostgres();
  fleet = await startFleet({ databaseUrl: postgres.url, apis: 2 });
  load = new Load(fleet.desk, urlsOf(fleet));
  await load.prepare(await openShop(fleet.desk, fleet.apis[0]!.url));
});

afterAll(async () => {
  await fleet?.stop();
  await postgres?.stop();
});

const urlsOf = ({ apis }: Fleet): string[] => apis.map(({ url }) => url);

const killAndStart = async (...parts: Part[]): Promise<void> => {
  await Promise.all(parts.map((part) => part.kill()));
  for (const part of parts) await part.start();
};

/** What ends by itself is started again, as a supervisor would. */
const revive = async (): Promise<void> => {
  for (const part of [fleet.eventStore, ...fleet.apis, ...fleet.projectors]) if (part.hasEnded) await part.start();
};

const kills: [string, () => Promise<void>][] = [
  ['an API', () => killAndStart(fleet.apis[0]!)],
  ['the projector', () => killAndStart(fleet.projectors[0]!)],
  ['the event store', () => killAndStart(fleet.eventStore)],
  ['Postgres', () => postgres.killAndStart()],
  ['everything but Postgres', () => killAndStart(fleet.eventStore, ...fleet.apis, ...fleet.projectors)],
];

/** Everything that follows has followed. */
const quiet = async () => {
  await until(async () => isUpToDate(fleet.pool, fleet.reader.store).catch(() => false), 'all is carried out and read', 240_000);
  return wholeHistory(fleet.reader);
};

const isAcknowledged = ({ reply }: Given): boolean => reply !== undefined && reply.status < 300;

/** Commands that did not have the effects that their answers say. */
const wrong = (given: readonly Given[], effects: readonly number[]): object[] =>
  given.flatMap((command, n) => {
    const { kind, reply } = command;
    const least = isAcknowledged(command) && kind !== 'adjust' ? 1 : 0; // an adjustment to what remains is none
    const most = reply === undefined || isAcknowledged(command) ? 1 : 0;
    return effects[n]! >= least && effects[n]! <= most ? [] : [{ ...command, effects: effects[n] }];
  });

it(
  'D5, E6, H3, L2: every acknowledged command is there once, every other at most once, whatever is killed',
  async () => {
    load.start(WORKERS);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [, kill] of kills) {
        await sleep(soak ? 500 + Math.random() * 3_000 : 1_200);
        await kill();
        await revive();
      }
    }
    await sleep(1_000);
    await load.stop();

    const { events } = await quiet();
    expect(wrong(load.given, effectsOf(events, load.given))).toEqual([]);
    expect(load.given.filter(({ reply }) => reply && reply.status >= 500)).toEqual([]);
    expect(load.given.filter(isAcknowledged).length).toBeGreaterThan(WORKERS);
  },
  soak ? 3_600_000 : 600_000,
);

it('L2: what was given up is sent again, and is there once', async () => {
  const unanswered = load.given.filter(({ reply }) => reply === undefined);
  for (const command of unanswered) command.reply = await load.insist(command);

  const { events } = await quiet();
  expect(wrong(unanswered, effectsOf(events, unanswered))).toEqual([]);
});

it('L2: what was acknowledged is answered the same again, and nothing more is stored', async () => {
  const before = await quiet();
  const acknowledged = load.given.filter((command) => isAcknowledged(command) && isLasting(command));
  for (const command of acknowledged.slice(-RESENT)) {
    const { body } = await load.insist(command);
    const { position: _, ...answer } = body;
    expect({ ...command, answer }).toEqual({ ...command, answer: { ...command.reply!.body, position: undefined } });
  }
  expect((await quiet()).stored.length).toBe(before.stored.length);
});

it('D3, E2, E9, H3, K3, K4: chains hold, streams agree, and the read models are what a fresh fold gives', async () => {
  const { stored, events } = await quiet();
  expect(brokenChains(stored)).toEqual([]);
  expect(disagreements(events)).toEqual([]);
  expect(await readModelDifferences(fleet.pool, fleet.reader)).toEqual([]);
  const { rows: parked } = await fleet.pool.query('SELECT policy, stream, failure, parked FROM policies.todo WHERE parked IS NOT NULL');
  expect(parked).toEqual([]);
});
