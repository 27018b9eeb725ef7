import { program } from 'commander';
import pg from 'pg';
import { connectEventStore } from '../../libs/event-store/event-store.js';
import { readStatus, type Status } from '../../libs/projection-engine/status.js';
import { storeFeed } from './store-feed.js';

program.name('projector').description('Looks after the read models. Needs DATABASE_URL and, to tell lags, EVENTSTORE_URL.');
program
  .command('status')
  .description('each projection with version, position, lag, rate and state, and who leads')
  .option('--json', 'as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const status = await read();
    process.stdout.write(json ? `${JSON.stringify(status, undefined, 2)}\n` : table(status));
    if (status.projections.some(({ state }) => state === 'poisoned')) process.exitCode = 2;
  });

async function read(): Promise<Status> {
  const { DATABASE_URL: databaseUrl, EVENTSTORE_URL: eventStoreUrl } = process.env;
  if (!databaseUrl) throw new Error('DATABASE_URL is missing');
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const store = eventStoreUrl ? connectEventStore({ url: eventStoreUrl }) : undefined;
  const noDecoding = { decode: () => Promise.reject(new Error('The status reads no content')) };
  try {
    return await readStatus(pool, store && storeFeed(store, noDecoding, eventStoreUrl!));
  } finally {
    await pool.end();
  }
}

function table({ leader, projections, todo }: Status): string {
  const head = ['projection', 'version', 'position', 'lag', 'events/s', 'state'];
  const lines = projections.map(({ name, version, live, position, lag, rate, state, poison }) => [
    name,
    `${version}${live ? '' : ' (not live)'}`,
    position ?? '-',
    lag === null ? '?' : `${(lag / 1000).toFixed(1)} s`,
    String(rate),
    poison ? `${state}: ${poison.type} ${poison.stream}@${poison.revision}: ${poison.error}` : state,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const text = [head, ...lines].map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  const led = leader
    ? `leader ${leader.name}, epoch ${leader.epoch}, since ${leader.since}, last heard ${(leader.silentFor / 1000).toFixed(1)} s ago`
    : 'no leader yet';
  return `${[...text, led, `policies: ${todo.waiting} waiting, ${todo.parked} parked`].join('\n')}\n`;
}

program.parseAsync().then(
  () => process.exit(), // the store's client would keep us for the reads that it has not seen the end of
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
