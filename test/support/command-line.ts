import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Fleet } from './fleet.js';

export interface Running {
  ended: Promise<number | string>; // its exit code, or what killed it
  said(): string;
  kill(signal: NodeJS.Signals): void;
  /** Lets it go on that has stopped at a failpoint, also if it stops there only in a moment. */
  goOn(): void;
}

/** The projector's command line, as a process of its own, beside a fleet. */
export function commandLine({ pool, eventStore, secrets }: Fleet, args: readonly string[], failpoint?: string): Running {
  const program = fileURLToPath(new URL('../../dist/apps/projector/cli.js', import.meta.url));
  const { PATH = '', HOME = '' } = process.env;
  const databaseUrl = pool.options.connectionString!;
  const env = { PATH, HOME, DATABASE_URL: databaseUrl, EVENTSTORE_URL: eventStore.url, OPERATOR_KEY: secrets.operatorKey };
  const child = spawn(process.execPath, [program, ...args], { env: { ...env, ...(failpoint && { FAILPOINT: failpoint }) } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? '')));
  const goOn = (): void => {
    const again = setInterval(() => child.kill('SIGCONT'), 200);
    void ended.then(() => clearInterval(again));
    child.kill('SIGCONT');
  };
  return { ended, said: () => said, kill: (signal) => void child.kill(signal), goOn };
}
