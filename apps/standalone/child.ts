import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogFile } from './log-file.js';
import type { RunningPart } from './supervisor.js';

export interface ChildOptions {
  script: string;
  env: NodeJS.ProcessEnv;
  log: LogFile;
  spawned?: (part: RunningPart) => void;
  /** Messages other than `{ ready }`. */
  onMessage?: (message: unknown) => void;
  readyPatienceMs?: number;
  stopPatienceMs?: number;
}

interface RunningChild extends RunningPart {
  /** What it said with `{ ready }`: its address, or true. */
  ready: unknown;
}

/**
 * Starts a process of ours and waits until it sends `{ ready }` over its channel. It stops on SIGTERM; when this process is killed, the
 * channel closes, and it stops by itself. Throws, with its last words, if it ends or stays silent before it is ready.
 */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const { script, env, log, spawned, onMessage, readyPatienceMs = 60_000, stopPatienceMs = 4_000 } = options;
  const child = fork(script, {
    env,
    execArgv: [], // a debugger of ours has its own port
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // Ctrl-C in a terminal is for us alone: we stop the processes in order
  });
  const closed = once(child, 'close').then(([code, signal]) =>
    signal === null ? `exit code ${code as number}` : `signal ${signal as string}`,
  );
  const ended = closed.catch((error: Error) => error.message);
  log.follow(child.stdout!, 'output');
  log.follow(child.stderr!, 'errors');
  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, pause(stopPatienceMs)]);
    child.kill('SIGKILL');
    await ended;
  };
  const part: RunningPart = { pid: child.pid ?? 0, ended, stop, kill: () => void child.kill('SIGKILL') };
  spawned?.(part);

  const outcome = await Promise.race([
    readyMessage(child, onMessage),
    ended.then((how) => new NotReady(`It ended before it was ready (${how}).`)),
    pause(readyPatienceMs).then(() => new NotReady(`It was not ready after ${readyPatienceMs / 1000} s.`)),
  ]);
  if (!(outcome instanceof NotReady)) return { ...part, ready: outcome };
  child.kill('SIGKILL');
  await ended;
  throw new Error([outcome.message, ...log.tail(), `(${log.path})`].join('\n  '));
}

class NotReady extends Error {}

const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

const readyMessage = (child: ChildProcess, onMessage: ChildOptions['onMessage']): Promise<unknown> =>
  new Promise((resolve) =>
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'ready' in message) resolve(message.ready);
      else onMessage?.(message);
    }),
  );
