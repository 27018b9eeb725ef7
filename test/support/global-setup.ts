import { fork } from 'node:child_process';
import { join } from 'node:path';

/** One Postgres for the whole run, its address in PUNCHCARD_TEST_POSTGRES; TEST_DATABASE_URL names another to use instead. */
export default async function globalSetup(_: unknown, { rootDir }: { rootDir: string }): Promise<void> {
  if (process.env.TEST_DATABASE_URL) {
    process.env.PUNCHCARD_TEST_POSTGRES = process.env.TEST_DATABASE_URL;
    return;
  }
  const support = join(rootDir, 'test', 'support');
  const server = fork(join(support, 'postgres-process.ts'), { execArgv: ['--import', join(support, 'typescript-loader.mjs')] });
  process.env.PUNCHCARD_TEST_POSTGRES = await new Promise<string>((resolve, reject) => {
    server.once('message', ({ ready }: { ready: string }) => resolve(ready));
    server.once('exit', (code) => reject(new Error(`The Postgres of the tests did not start (exit code ${code}).`)));
  });
  globalThis.testPostgres = server;
}
