import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopPostgres } from '../../libs/embedded-postgres/embedded-postgres.js';
import { startChild, type ChildOptions } from './child.js';
import { openDataFolder, writeWhole, type DataFolder } from './data-folder.js';
import { demoOf, progressShower, type DemoInfo, type DemoMessage } from './demo.js';
import { childrenNote, endLeftovers } from './leftovers.js';
import { openLog } from './log-file.js';
import { OperatorError } from './operator-error.js';
import { readOptions, type Options } from './options.js';
import { portChooser } from './ports.js';
import { startPostgresPart } from './postgres-part.js';
import { reset } from './reset.js';
import { secretsOf, withSealKey, withSecrets, type Kept } from './secrets.js';
import { connectDemo, DEMO_ACCOUNT, hasStripe, reachable, simulatedStripe } from './stripe-part.js';
import { supervisor, type Start } from './supervisor.js';
import { whatNext } from './what-next.js';

// `npm start`: Postgres, the event store, a simulated Stripe, the API and the projector, each a process, kept running and stopped together.

type Parts = ReturnType<typeof supervisor>;

const say = (message: string) => void process.stdout.write(`${message}\n`);

async function main(options: Options): Promise<void> {
  if (options.reset && !(await reset(options.data, process.env, say))) return;
  const since = performance.now();
  const folder = await openDataFolder(options.data);
  await endLeftovers(folder.children);
  await stopPostgres(folder.postgres, { info: say }).catch((error: Error) => Promise.reject(new OperatorError(error.message)));
  const { parts, end, isEnding } = supervised(folder);
  try {
    await startAll(options, folder, parts, since);
  } catch (error) {
    if (isEnding()) return; // it was stopped while it started, and that is why
    explain(error as Error);
    await end(1);
  }
}

async function startAll(options: Options, folder: DataFolder, parts: Parts, since: number): Promise<void> {
  const secrets = await secretsOf(folder);
  const port = portChooser(say);
  const env = withSecrets({ ...process.env }, secrets);
  env.DATABASE_URL =
    (await given(env, 'DATABASE_URL')) ?? (await startPostgres(parts, folder, await port('Postgres', options.postgresPort)));
  env.EVENTSTORE_URL =
    (await given(env, 'EVENTSTORE_URL')) ??
    (await startEventStore(parts, folder, env, await port('the event store', options.eventStorePort)));

  const demoSince = performance.now();
  const simulates = options.stripe && !hasStripe(env);
  const demoEnv = { ...env, ...(simulates && { DEMO_STRIPE_ACCOUNT: DEMO_ACCOUNT }) };
  const demo = await demoOf(folder.demo, options.demo, () => loadDemo(parts, folder, demoEnv)); // before a projector acts on what it writes
  const demoTook = performance.now() - demoSince;

  const apiPort = await port('the API', options.port, options.host);
  const reached = reachable(options.host, apiPort);
  const stripe = simulates
    ? await startStripe(parts, folder, secrets, await port('the simulated Stripe', options.stripePort), reached)
    : undefined;
  if (stripe && demo) await connectDemo(stripe.url);
  const told = { ...env, ...(stripe && simulatedStripe(stripe, env)) };
  const [, api] = await Promise.all([
    parts.start('projector', child(folder, 'projector', 'apps/projector/main.js', withoutPort(withSealKey(told, secrets)))),
    parts.start('API', child(folder, 'api', 'apps/api/main.js', { ...told, HOST: options.host, PORT: String(apiPort) })),
  ]);

  say(
    `\nPunchcard runs, after ${((performance.now() - since - demoTook) / 1000).toFixed(1)} s. Data and logs: ${folder.path}. Ctrl-C stops it.\n`,
  );
  await writeWhole(folder.connection, { DATABASE_URL: env.DATABASE_URL, EVENTSTORE_URL: env.EVENTSTORE_URL });
  say(await whatNext({ api: String(api.ready), stripe }, folder.path, demo, await given(env, 'JWT_SECRET')));
}

/** The supervisor of a data folder's processes, ended by Ctrl-C, SIGTERM, or a part that cannot be kept running. */
function supervised(folder: DataFolder) {
  const note = childrenNote(folder.children);
  const parts = supervisor({
    say,
    gaveUp: (message) => {
      say(message);
      void end(1);
    },
    changed: (pids) => {
      pids.delete('Postgres'); // its own start looks after one that was left running
      note(pids).catch((error: Error) => say(`${folder.children} cannot be written: ${error.message}`));
    },
  });

  let endingSince: number | undefined;
  async function end(code: number): Promise<void> {
    if (endingSince !== undefined) return;
    endingSince = performance.now();
    await parts.stop();
    await note(new Map());
    await rm(folder.connection, { force: true });
    await folder.release();
    say('Stopped.');
    process.exit(code);
  }
  function onSignal(): void {
    if (endingSince === undefined) {
      say('\nStopping; once more to end it at once.');
      void end(0);
    } else if (performance.now() - endingSince > TWICE_MS) {
      parts.kill();
      process.exit(1);
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.stdout.on('error', () => undefined); // the terminal may be closed: what runs goes on, and stops in order
  return { parts, end, isEnding: () => endingSince !== undefined };
}

const TWICE_MS = 500; // npm passes on a Ctrl-C that the terminal has sent us too: that is not a second one

const startPostgres = async (parts: Parts, folder: DataFolder, port: number): Promise<string> =>
  (await parts.start('Postgres', () => startPostgresPart(folder.postgres, port, say))).url;

async function startEventStore(parts: Parts, folder: DataFolder, env: NodeJS.ProcessEnv, port: number): Promise<string> {
  const own = { ...env, EVENT_STORE_HOST: '127.0.0.1', EVENT_STORE_PORT: String(port) };
  return String((await parts.start('event store', child(folder, 'event-store', 'libs/embedded-event-store/main.js', own))).ready);
}

async function startStripe(parts: Parts, folder: DataFolder, { STRIPE_WEBHOOK_SECRET: webhookSecret }: Kept, port: number, api: string) {
  const { LOG_LEVEL, PATH } = process.env; // and nothing of what is secret
  const own = { LOG_LEVEL, PATH, HOST: '127.0.0.1', PORT: String(port), STATE_FILE: folder.stripe };
  const env = { ...own, WEBHOOK_URL: `${api}/v1/stripe/webhooks`, WEBHOOK_SECRET: webhookSecret };
  const part = await parts.start('simulated Stripe', child(folder, 'stripe', 'apps/stripe-simulator/main.js', env));
  return { url: String(part.ready), webhookSecret, api };
}

async function loadDemo(parts: Parts, folder: DataFolder, env: NodeJS.ProcessEnv): Promise<DemoInfo> {
  say('Making a demo business: a clinic with clients, sales and bookings of six months.');
  const progress = progressShower(process.stdout);
  const onMessage = (message: unknown) => {
    const { done, total, what } = (message as Extract<DemoMessage, { progress: unknown }>).progress;
    progress.show(done, total, what);
  };
  try {
    const options = { onMessage, readyPatienceMs: DEMO_PATIENCE_MS };
    const loaded = await parts.run('demo', child(folder, 'demo', 'apps/standalone/demo-process.js', withoutPort(env), options));
    return loaded.ready as DemoInfo;
  } finally {
    progress.end();
  }
}

const DEMO_PATIENCE_MS = 600_000;

/** A compiled program of ours with a log file of its own. */
function child(folder: DataFolder, name: string, program: string, env: NodeJS.ProcessEnv, options: Partial<ChildOptions> = {}) {
  const log = openLog(join(folder.logs, `${name}.log`), name, (line) => say(`  ${line}`));
  const script = fileURLToPath(new URL(`../../${program}`, import.meta.url));
  const start: Start<Awaited<ReturnType<typeof startChild>>> = (spawned) => startChild({ script, env, log, spawned, ...options });
  return start;
}

const withoutPort = ({ PORT: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv => env;

/** A setting, given as it is or as NAME_FILE. */
async function given(env: NodeJS.ProcessEnv, name: string): Promise<string | undefined> {
  const file = env[`${name}_FILE`];
  if (env[name] || !file) return env[name] || undefined;
  return (await readFile(file, 'utf8').catch((error: Error) => Promise.reject(new OperatorError(`${name}_FILE: ${error.message}`)))).trim();
}

/** What the operator can mend is said without a stack trace. */
function explain(error: Error): void {
  process.stderr.write(`${error instanceof OperatorError ? error.message : (error.stack ?? error.message)}\n`);
}

await main(readOptions(process.argv.slice(2))).catch((error: Error) => {
  explain(error);
  process.exitCode = 1;
});
