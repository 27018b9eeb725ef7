import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'prepare-spec-'));
  for (const path of ['tools/prepare.mjs', '.swcrc']) await cp(join(repository, path), join(clone, path));
  await mkdir(join(clone, 'apps'));
  await mkdir(join(clone, 'node_modules'));
  await symlink(join(repository, 'node_modules', '@swc'), join(clone, 'node_modules', '@swc'));
  await write('package-lock.json', JSON.stringify({ packages: { '': {} } }));
  await write('package.json', JSON.stringify({ type: 'module' }));
  await write('apps/main.ts', 'const n: number = 7;\nconsole.log(n);\n');
});
afterEach(() => rm(clone, { recursive: true, force: true }));

const write = (path: string, content: string) => writeFile(join(clone, path), content);
const read = (path: string) => readFile(join(clone, path), 'utf8');

const prepare = async (...flags: string[]): Promise<{ code: number | null; said: string }> => {
  const child = spawn(process.execPath, [join(clone, 'tools', 'prepare.mjs'), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
};

describe('prepare', () => {
  it('compiles what changed, and then has nothing to do', async () => {
    expect(await prepare()).toMatchObject({ code: 0, said: expect.stringContaining('1 files') as string });
    expect(await read('dist/apps/main.js')).toContain('const n = 7;');
    expect(await prepare()).toEqual({ code: 0, said: '' });
    await write('apps/other.ts', 'export {};\n');
    expect((await prepare()).said).toContain('1 files');
  });

  it('takes other files along, and removes what came from a source that is gone', async () => {
    await write('apps/schema.sql', 'SELECT 1;');
    await write('apps/main.spec.ts', 'export {};\n');
    await prepare();
    expect(await readdir(join(clone, 'dist', 'apps'))).toEqual(['main.js', 'main.js.map', 'schema.sql']);
    await rm(join(clone, 'apps', 'main.ts'));
    await rm(join(clone, 'apps', 'schema.sql'));
    await write('apps/other.ts', 'export {};\n');
    await prepare();
    expect(await readdir(join(clone, 'dist', 'apps'))).toEqual(['other.js', 'other.js.map']);
  });

  it('builds from nothing after a build that was killed, and with --build', async () => {
    await prepare();
    await write('dist/apps/stale.js', '');
    await rm(join(clone, 'dist', '.sources.json')); // it is the first to go and the last to come
    await prepare();
    expect(await readdir(join(clone, 'dist', 'apps'))).toEqual(['main.js', 'main.js.map']);
    await write('dist/apps/stale.js', '');
    await prepare('--build');
    expect(await readdir(join(clone, 'dist', 'apps'))).toEqual(['main.js', 'main.js.map']);
  });

  it('works for several at once, and after one that was killed', async () => {
    await mkdir(join(clone, '.cache', 'prepare'), { recursive: true });
    await write('.cache/prepare/999999999-1', '');
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => prepare()));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(outcomes.filter(({ said }) => said.includes('Compiling'))).toHaveLength(1);
    expect(await readdir(join(clone, '.cache', 'prepare'))).toEqual([]);
  });

  it('names the file that does not compile, and says so again the next time', async () => {
    await write('apps/broken.ts', 'const = ;');
    for (const { code, said } of [await prepare(), await prepare()]) {
      expect(code).toBe(1);
      expect(said).toContain('apps/broken.ts');
    }
  });
});
