import { execFile } from 'node:child_process';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A folder is in use by a process that lives. */
export class FolderInUse extends Error {
  constructor(
    readonly folder: string,
    readonly pid: number,
  ) {
    super(`${folder} is in use by process ${pid}.`);
  }
}

export interface Ownership {
  release(): Promise<void>;
}

/**
 * Makes this process the only owner of a folder until it releases it or dies, `kill -9` included. Throws FolderInUse.
 *
 * Each claimant writes a file of its own first and looks for others' second, so that of two at once the later sees the earlier.
 * A claim names its process and when that process started: a dead one's is no claim, even if its pid was given away since.
 */
export async function own(folder: string): Promise<Ownership> {
  const claim = `owner-${process.pid}-${await startOf(process.pid)}`;
  for (let attempt = 1; ; attempt++) {
    await writeFile(join(folder, claim), '', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new FolderInUse(folder, process.pid) : error;
    });
    const other = await otherOwner(folder, claim);
    if (other === undefined) return { release: () => rm(join(folder, claim), { force: true }) };
    await rm(join(folder, claim), { force: true });
    if (attempt === ATTEMPTS) throw new FolderInUse(folder, other);
    await sleep(50 * Math.random()); // two that saw each other try again, not in step
  }
}

const ATTEMPTS = 4;

/** A living process with a claim of its own; claims of dead ones are removed. */
async function otherOwner(folder: string, mine: string): Promise<number | undefined> {
  for (const file of await readdir(folder)) {
    const [, pid, start] = /^owner-(\d+)-(\w+)$/.exec(file) ?? [];
    if (pid === undefined || file === mine) continue;
    if ((await startOf(Number(pid))) === start) return Number(pid);
    await rm(join(folder, file), { force: true });
  }
  return undefined;
}

/** What tells a process from a later one with the same pid; undefined if there is none (a zombie is none). */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const started = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    return started.stdout.replace(/\W+/g, '') || undefined;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold anything
  if (!stat || state === 'Z' || state === 'X') return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return `${boot.slice(0, 8)}${rest[18]}`; // clock ticks from boot to the start of the process
}

/** The command line of a process, blanks between its words; empty if there is no such process. */
export async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
  return (await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))).stdout;
}
