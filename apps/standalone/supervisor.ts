import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from './operator-error.js';

/** Something that runs beside us: a process of ours, or Postgres. */
export interface RunningPart {
  pid: number;
  ended: Promise<string>; // how, for people
  stop(): Promise<void>;
  kill(): void;
}

/** Starts a part and waits until it is ready; `spawned` is told of it before, so that it can be stopped while it is starting. */
export type Start<P extends RunningPart> = (spawned: (part: RunningPart) => void) => Promise<P>;

interface SupervisorOptions {
  say(message: string): void;
  /** A part could not be kept running. */
  gaveUp(message: string): void;
  /** What runs now, by name; called on each change. */
  changed?(pids: Map<string, number>): void;
  firstBackoffMs?: number;
}

const MAX_RESTARTS = 8; // in a row
const MAX_BACKOFF_MS = 5_000;
const STEADY_MS = 60_000; // a part that ran this long starts with a clean slate

/** Keeps parts running: one that ends is started again, ever later; all are stopped in the reverse order of their start. */
export function supervisor({ say, gaveUp, changed, firstBackoffMs = 100 }: SupervisorOptions) {
  const running = new Map<string, RunningPart>();
  const starting = new Map<string, Promise<unknown>>();
  const order: string[] = [];
  const stopping = new AbortController();

  const note = (name: string, part: RunningPart | undefined) => {
    if (part) running.set(name, part);
    else running.delete(name);
    changed?.(new Map([...running].map(([each, { pid }]) => [each, pid])));
  };

  async function launch<P extends RunningPart>(name: string, start: Start<P>): Promise<P> {
    const started = start((part) => note(name, part));
    starting.set(name, started);
    try {
      const part = await started;
      note(name, part);
      return part;
    } catch (error) {
      note(name, undefined);
      throw error;
    } finally {
      starting.delete(name);
    }
  }

  async function keep<P extends RunningPart>(name: string, start: Start<P>, first: P): Promise<void> {
    let part: P | undefined = first;
    let restarts = 0;
    for (;;) {
      const since = Date.now();
      const how: string = part ? await part.ended : 'it did not start';
      note(name, undefined);
      if (stopping.signal.aborted) return;
      restarts = Date.now() - since > STEADY_MS ? 1 : restarts + 1;
      if (restarts > MAX_RESTARTS) return gaveUp(`${name}: ended ${restarts} times in a row (${how}).`);
      const backoff = Math.min(firstBackoffMs * 2 ** (restarts - 1), MAX_BACKOFF_MS);
      say(`${name}: ended (${how}), starting again in ${(backoff / 1000).toFixed(1)} s.`);
      await sleep(backoff, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      part = await launch(name, start).catch((error: Error) => void say(`${name}: did not start. ${error.message}`));
      if (part) say(`${name}: runs again.`);
    }
  }

  return {
    /** Starts a part and keeps it running from then on. Throws if its first start fails. */
    async start<P extends RunningPart>(name: string, start: Start<P>): Promise<P> {
      if (stopping.signal.aborted) throw new OperatorError(`${name}: not started, as everything is being stopped.`);
      order.push(name);
      const part = await launch(name, start).catch((error: Error) => {
        throw new OperatorError(`${name}: did not start. ${error.message}`, { cause: error });
      });
      void keep(name, start, part);
      return part;
    },
    /** Starts a part that has done its work when it is ready, and stops it then. */
    async run<P extends RunningPart>(name: string, start: Start<P>): Promise<P> {
      order.push(name);
      const part = await launch(name, start).catch((error: Error) => {
        throw new OperatorError(`${name}: failed. ${error.message}`, { cause: error });
      });
      await part.stop();
      note(name, undefined);
      return part;
    },
    /** Stops what was started last first. Nothing is started again from here on. */
    async stop(): Promise<void> {
      stopping.abort();
      for (const name of [...order].reverse()) {
        if (!running.has(name)) await starting.get(name)?.catch(() => undefined);
        await running
          .get(name)
          ?.stop()
          .catch((error: Error) => say(`${name}: ${error.message}`));
      }
    },
    /** At once, without asking. What was committed is kept. */
    kill(): void {
      stopping.abort();
      for (const part of running.values()) part.kill();
    },
  };
}
