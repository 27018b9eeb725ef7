import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';

declare global {
  /** The process of global-setup.ts, which ends when its channel closes. */
  var testPostgres: ChildProcess | undefined;
}

export default async function globalTeardown(): Promise<void> {
  const server = globalThis.testPostgres;
  if (!server?.connected) return;
  const exited = once(server, 'exit');
  server.disconnect();
  await exited;
}
