import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { Claims, type Claim } from './claims.js';

const log = { warn: () => undefined };

let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: Pool;
let claims: Claims;

beforeAll(async () => {
  database = await createDatabase();
  pool = new Pool({ connectionString: database.url, max: 4 });
  claims = new Claims(pool, log);
  await claims.migrate();
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const aClaim = (over: Partial<Claim> = {}): Claim => ({ commandId: randomUUID(), requestHash: 'a'.repeat(64), hashKey: 'k1', ...over });
const another = (claim: Claim): Claim => ({ ...claim, requestHash: 'b'.repeat(64) });
const seen = { is: 'seen', age: expect.any(Number) as number };
const STORED = 'SELECT request_hash AS "requestHash", hash_key AS "hashKey" FROM commands.claim WHERE command_id = $1';
const storedFor = async ({ commandId }: Claim) => (await pool.query<Partial<Claim>>(STORED, [commandId])).rows;

/** What so many API processes have: each groups its own claims. */
const processes = (n: number) => Array.from({ length: n }, () => new Claims(pool, log));

describe('a command that is claimed', () => {
  it('L2: is new once', async () => {
    const claim = aClaim();
    expect(await claims.claim(claim)).toEqual({ is: 'new' });
    expect(await claims.claim(claim)).toEqual(seen);
    expect(await storedFor(claim)).toEqual([{ requestHash: claim.requestHash, hashKey: 'k1' }]);
  });
  it('L2: is reused when its id stands for another request, and keeps the first', async () => {
    const claim = aClaim();
    await claims.claim(claim);
    expect(await claims.claim(another(claim))).toEqual({ is: 'reused' });
    expect(await claims.claim(claim)).toEqual(seen);
    expect(await storedFor(claim)).toEqual([{ requestHash: claim.requestHash, hashKey: 'k1' }]);
  });
  it('L2: is not reused because the key of the hashes has changed since', async () => {
    const claim = aClaim();
    await claims.claim(claim);
    expect(await claims.claim({ ...another(claim), hashKey: 'k2' })).toEqual(seen);
  });
  it('L2: is known by how long ago it came, by the clock of the database', async () => {
    const claim = aClaim();
    const before = performance.now();
    await claims.claim(claim);
    const after = performance.now();
    await sleep(50);
    const asked = performance.now();
    const claimed = await claims.claim(claim);
    const answered = performance.now();
    if (claimed.is !== 'seen') throw new Error(claimed.is);
    expect(claimed.age).toBeGreaterThanOrEqual(asked - after - 1);
    expect(claimed.age).toBeLessThanOrEqual(answered - before + 1);
  });
  it('L2: is known to another process', async () => {
    const claim = aClaim();
    const [one, other] = processes(2);
    expect(await one!.claim(claim)).toEqual({ is: 'new' });
    expect(await other!.claim(claim)).toEqual(seen);
    expect(await other!.claim(another(claim))).toEqual({ is: 'reused' });
  });
});

describe('commands that are claimed at once', () => {
  it('L2: of two in one process, one is new', async () => {
    const claim = aClaim();
    const claimed = await Promise.all([claims.claim(claim), claims.claim(claim)]);
    expect(claimed.map(({ is }) => is).toSorted()).toEqual(['new', 'seen']);
  });
  it('L2: of two in one group, one is new', async () => {
    const [first, claim] = [aClaim(), aClaim()];
    const [, ...claimed] = await Promise.all([claims.claim(first), claims.claim(claim), claims.claim(claim)]);
    expect(claimed).toEqual([{ is: 'new' }, seen]);
  });
  it('L2: of two requests under one id in one group, the first is new and the other reused', async () => {
    const [first, claim] = [aClaim(), aClaim()];
    const [, ...claimed] = await Promise.all([claims.claim(first), claims.claim(claim), claims.claim(another(claim)), claims.claim(claim)]);
    expect(claimed).toEqual([{ is: 'new' }, { is: 'reused' }, seen]);
    expect(await storedFor(claim)).toEqual([{ requestHash: claim.requestHash, hashKey: 'k1' }]);
  });
  it('L2: of ten processes, one is told that it is new', async () => {
    for (let round = 0; round < 20; round++) {
      const claim = aClaim();
      const claimed = await Promise.all(processes(10).map((api) => api.claim(claim)));
      expect(claimed.map(({ is }) => is).toSorted()).toEqual(['new', ...Array<string>(9).fill('seen')]);
    }
  });
  it('L2: of two requests under one id in two processes, one is new and the other reused', async () => {
    for (let round = 0; round < 20; round++) {
      const claim = aClaim();
      const [one, other] = processes(2);
      const claimed = await Promise.all([one!.claim(claim), other!.claim(another(claim))]);
      expect(claimed.map(({ is }) => is).toSorted()).toEqual(['new', 'reused']);
    }
  });
  it('L2: groups that share ids in opposite orders do not lock each other out', async () => {
    const shared = Array.from({ length: 200 }, () => aClaim());
    const [one, other] = processes(2);
    const inOrder = async (api: Claims, list: Claim[]) => Promise.all([aClaim(), ...list].map((claim) => api.claim(claim)));
    const [ones, others] = await Promise.all([inOrder(one!, shared), inOrder(other!, shared.toReversed())]);
    for (const [n, { is }] of ones.slice(1).entries())
      expect([is, others.slice(1).toReversed()[n]!.is].toSorted()).toEqual(['new', 'seen']);
  });
});

describe('the answer of a command', () => {
  const kept = async (claim: Claim, answer: object) => {
    const api = new Claims(pool, log);
    await api.claim(claim);
    api.keep(claim.commandId, answer);
    await api.close();
  };
  const seenWith = (answer: unknown) => ({ ...seen, answer });

  it('L2: is what a repeat gets, whichever process it comes to; another request does not', async () => {
    const claim = aClaim();
    await kept(claim, { status: 'booked', charge: null, session: { place: 'Session 2 of 5' } });
    expect(await claims.claim(claim)).toEqual(seenWith({ status: 'booked', charge: null, session: { place: 'Session 2 of 5' } }));
    expect(await claims.claim(another(claim))).toEqual({ is: 'reused' });
  });
  it('L2: is known here at once, before it is stored', async () => {
    const claim = aClaim();
    await claims.claim(claim);
    claims.keep(claim.commandId, { n: 1 });
    expect(await claims.claim(claim)).toEqual(seenWith({ n: 1 }));
  });
  it('L2: is the first that was given', async () => {
    const claim = aClaim();
    await kept(claim, { n: 1 });
    await kept(claim, { n: 2 });
    expect(await claims.claim(claim)).toEqual(seenWith({ n: 1 }));
  });
  it('L2: that cannot be stored is said in the log, and harms no other', async () => {
    const warnings: string[] = [];
    const api = new Claims(pool, { warn: (_: unknown, message?: string) => void warnings.push(message!) });
    api.keep('no uuid', { n: 1 });
    await api.close();
    expect(warnings).toEqual(['Answers could not be kept: their repeats are answered by what is stored.']);
    const claim = aClaim();
    await kept(claim, { n: 2 });
    expect(await claims.claim(claim)).toEqual(seenWith({ n: 2 }));
  });
  it('is dropped after a week, when a process starts; that the command was there is not', async () => {
    const [old, young] = [aClaim(), aClaim()];
    for (const claim of [old, young]) await kept(claim, { n: 1 });
    const age = (claim: Claim, days: number) =>
      pool.query("UPDATE commands.claim SET answered_at = now() - $2 * interval '1 day' WHERE command_id = $1", [claim.commandId, days]);
    await age(old, 7.1);
    await age(young, 6.9);
    await claims.migrate();
    expect(await claims.claim(old)).toEqual(seen);
    expect(await claims.claim(young)).toEqual(seenWith({ n: 1 }));
  });
  it('is kept also where claims were stored before answers were', async () => {
    const claim = aClaim();
    await claims.claim(claim);
    await pool.query('ALTER TABLE commands.claim DROP COLUMN answer, DROP COLUMN answered_at');
    await new Claims(pool, log).migrate();
    const { rows } = await pool.query('SELECT answer FROM commands.claim WHERE command_id = $1', [claim.commandId]);
    expect(rows).toEqual([{ answer: null }]);
  });
});

it('claims that come while another is being stored go together in one statement', async () => {
  const own = new Pool({ connectionString: database.url });
  let statements = 0;
  own.on('acquire', () => (statements += 1));
  const claims = new Claims(own, log);
  const claimed = await Promise.all(Array.from({ length: 100 }, () => claims.claim(aClaim())));
  await own.end();
  expect(claimed).toEqual(Array(100).fill({ is: 'new' }));
  expect(statements).toBe(2); // the first by itself, then the 99 that came meanwhile
});

it('is set up by several processes at once, and again', async () => {
  await Promise.all(processes(4).map((api) => api.migrate()));
  const claim = aClaim();
  expect(await claims.claim(claim)).toEqual({ is: 'new' });
});

it('a claim that could not be stored is an error, and the next one is stored', async () => {
  expect(await claims.claim(aClaim())).toEqual({ is: 'new' });
  await expect(claims.claim(aClaim({ commandId: 'no uuid' }))).rejects.toThrow();
  expect(await claims.claim(aClaim())).toEqual({ is: 'new' });
});
