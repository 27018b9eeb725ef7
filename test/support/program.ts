import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Program {
  pid: number;
  /** What it said with `{ ready }`: its address, or true. */
  ready: unknown;
  /** What it wrote so far, for a failing test to show. */
  said(): string;
  /** Once the process is gone, whoever ended it. */
  ended(): Promise<void>;
  /** Gently; after it the process is gone. */
  stop(): Promise<void>;
  /** `kill -9`; after it the process is gone. */
  kill(): Promise<void>;
}

const PATIENCE = 180_000; // ms to get ready, and to stop

/** One of our programs as it is run in production: compiled (`npm test` does that first), as a process of its own, by its path under `dist/`. */
export async function startProgram(path: string, env: Record<string, string>): Promise<Program> {
  const script = fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const child = fork(script, { env: { PATH, HOME, TMPDIR, ...env }, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const exited = once(child, 'exit');
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    child.kill(signal);
    await exited;
    clearTimeout(patience);
  };
  const tooSlow = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const ready = await new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'ready' in message) resolve(message.ready);
    });
    exited.then(() => reject(new Error(`${path} ended before it was ready:\n${said}`)), reject);
  });
  clearTimeout(tooSlow);
  return {
    pid: child.pid!,
    ready,
    said: () => said,
    ended: () => exited.then(() => undefined),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
