import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface Started {
  name: string;
  pid: number;
  ready: string; // its address, if it has one
  /** Gives it a job (jobs.ts). @throws Error with what it said of its failure */
  ask<Done>(job: object): Promise<Done>;
  stop(): Promise<void>;
}

type Said = { ready: string } | { done: unknown } | { failed: string };

const PATIENCE = 15_000; // ms to stop

/** A compiled program as a process of its own, by its path under dist/. With PROFILE=folder a CPU profile is left there. */
export async function start(name: string, path: string, env: Record<string, string> = {}): Promise<Started> {
  const child = fork(fileURLToPath(new URL(`../${path}`, import.meta.url)), {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    execArgv: process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}/${name.replaceAll(' ', '-')}`] : [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const answer = async (): Promise<Said> => {
    const gone = exited.then(() => ({ failed: `${name} ended` }));
    const [said] = await Promise.race([once(child, 'message') as Promise<[Said]>, gone.then((failed) => [failed] as const)]);
    if ('failed' in said) throw new Error(`${name}: ${said.failed}`);
    return said;
  };
  const ready = (await answer()) as { ready: string };
  return {
    name,
    pid: child.pid!,
    ready: ready.ready,
    ask: async <Done>(job: object) => {
      child.send(job);
      return ((await answer()) as { done: Done }).done;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      if (process.env.PROFILE && path.startsWith('bench/'))
        child.disconnect(); // they know no signals, and a profile is written at a proper end
      else child.kill('SIGTERM');
      await exited;
      clearTimeout(patience);
    },
  };
}

const MIB = 1024; // KiB

/** The most that a process had in memory so far, MiB. Undefined where there is no /proc. */
export async function peakMemory(pid: number): Promise<number | undefined> {
  const kib = fieldOf(await statusOf(pid), 'VmHWM');
  return kib === undefined ? undefined : Math.round(kib / MIB);
}

/** What a process has in memory now, MiB. Undefined where there is no /proc. */
export async function memoryNow(pid: number): Promise<number | undefined> {
  const kib = fieldOf(await statusOf(pid), 'VmRSS');
  return kib === undefined ? undefined : Math.round(kib / MIB);
}

/** What Postgres has in memory now, all its processes: their own, and the shared buffers once. MiB; undefined without /proc. */
export async function postgresMemory(postmaster: number): Promise<number | undefined> {
  const statuses = [await statusOf(postmaster), ...(await Promise.all((await childrenOf(postmaster)).map(statusOf)))];
  if (statuses[0] === '') return undefined;
  const own = statuses.reduce((sum, status) => sum + (fieldOf(status, 'RssAnon') ?? 0), 0);
  return Math.round((own + Math.max(...statuses.map((status) => fieldOf(status, 'RssShmem') ?? 0))) / MIB);
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(async (pid) => fieldOf(await statusOf(pid), 'PPid')));
  return pids.filter((_, n) => parents[n] === parent);
}

const statusOf = (pid: number): Promise<string> => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');

const fieldOf = (status: string, field: string): number | undefined => {
  const value = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1];
  return value === undefined ? undefined : Number(value);
};
