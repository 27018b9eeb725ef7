import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteData, describeData, openDataFolder } from './data-folder.js';
import { demoOf, type DemoInfo } from './demo.js';
import { reset } from './reset.js';
import { secretsOf, withSecrets } from './secrets.js';

let parent: string;
let path: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'data-spec-'));
  path = join(parent, 'data');
});
afterEach(() => rm(parent, { recursive: true }));

describe('the data folder', () => {
  it('has one user at a time, and says which', async () => {
    const folder = await openDataFolder(path);
    await expect(openDataFolder(path)).rejects.toThrow(`already runs on ${path} (process ${process.pid})`);
    await expect(deleteData(path)).rejects.toThrow('already runs');
    await folder.release();
    await (await openDataFolder(path)).release();
  });

  it('is not made in a folder of something else, which is never deleted', async () => {
    await mkdir(path);
    await writeFile(join(path, 'thesis.txt'), 'years of work');
    await expect(openDataFolder(path)).rejects.toThrow('not a data folder of Punchcard');
    await expect(deleteData(path)).rejects.toThrow('nothing in it is deleted');
    expect(await readdir(path)).toEqual(['thesis.txt']);
  });

  it('of another format is refused', async () => {
    await mkdir(path);
    await writeFile(join(path, 'punchcard.json'), '{"format": 99}');
    await expect(openDataFolder(path)).rejects.toThrow('format 99');
  });

  it('is deleted whole by a reset, which needs nothing to be there', async () => {
    expect(await describeData(path)).toBeUndefined();
    const folder = await openDataFolder(path);
    await secretsOf(folder);
    await mkdir(folder.postgres);
    await folder.release();
    const said: string[] = [];
    expect(await reset(path, {}, (line) => said.push(line))).toBe(true);
    expect(said[0]).toContain(`deleted for good: ${path}`);
    expect(await readdir(path)).toEqual([]);
    expect(await reset(path, {}, (line) => said.push(line))).toBe(true);
  });

  it('is not reset while the data is elsewhere', async () =>
    expect(reset(path, { DATABASE_URL: 'postgres://elsewhere' }, () => undefined)).rejects.toThrow('DATABASE_URL is set'));
});

describe('secrets', () => {
  it('are made once, for their owner alone', async () => {
    const folder = await openDataFolder(path);
    const made = await secretsOf(folder);
    expect(Object.values(made).every((secret) => Buffer.from(secret, 'base64url').length === 32)).toBe(true);
    expect((await stat(folder.secrets)).mode & 0o777).toBe(0o600);
    expect(await secretsOf({ ...folder, isNew: false })).toEqual(made);
    await folder.release();
  });

  it('are complete also where they were made before there was a simulated Stripe', async () => {
    const folder = await openDataFolder(path);
    const { STRIPE_WEBHOOK_SECRET: _, ...before } = await secretsOf(folder);
    await writeFile(folder.secrets, JSON.stringify(before));
    const made = await secretsOf({ ...folder, isNew: false });
    expect(made).toEqual({ ...before, STRIPE_WEBHOOK_SECRET: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await secretsOf({ ...folder, isNew: false })).toEqual(made);
    await folder.release();
  });

  it('are not made anew over data that needs the old ones', async () => {
    const folder = await openDataFolder(path);
    await expect(secretsOf({ ...folder, isNew: false })).rejects.toThrow('restore it');
    await writeFile(folder.secrets, '{"JWT_SECRET": "x"}');
    await expect(secretsOf(folder)).rejects.toThrow('lacks OPERATOR_KEY, REQUEST_HASH_KEY');
    await writeFile(folder.secrets, '{"JWT_SEC');
    await expect(secretsOf(folder)).rejects.toThrow('not JSON');
    await folder.release();
  });

  it('of the operator go before them', () => {
    const ours = { JWT_SECRET: 'a', OPERATOR_KEY: 'b', REQUEST_HASH_KEY: 'c' };
    expect(withSecrets({ JWT_SECRET: 'mine', OPERATOR_KEY_FILE: '/run/key' }, ours)).toEqual({
      JWT_SECRET: 'mine',
      OPERATOR_KEY_FILE: '/run/key',
      REQUEST_HASH_KEY: 'c',
    });
    expect(withSecrets({ JWKS_URL: 'https://issuer' }, ours)).not.toHaveProperty('JWT_SECRET');
  });
});

describe('the demo', () => {
  const info = { businessId: 'b' } as DemoInfo;

  it('is loaded once, and again if that was killed in the middle', async () => {
    let loads = 0;
    const path = join(parent, 'demo.json');
    await expect(demoOf(path, true, () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    for (const _ of [1, 2]) expect(await demoOf(path, true, () => Promise.resolve((loads++, info)))).toEqual(info);
    expect(loads).toBe(1);
  });

  it('left out at the first start stays out', async () => {
    const path = join(parent, 'demo.json');
    for (const wanted of [false, true]) expect(await demoOf(path, wanted, () => Promise.reject(new Error('loaded')))).toBeUndefined();
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ leftOut: true });
  });
});
