import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { NUMBERING } from '../apps/projector/numbering.js';
import { tableName } from '../libs/projection-engine/sql-names.js';
import { invoiceList } from '../projections/invoice-list.projection.js';
import { bookOne, openClinic, type Clinic } from './clinic.js';
import type { LoadResult } from './http-load.js';
import type { LoadJob } from './load.js';
import type { Started } from './processes.js';
import { inRounds, ratioOf, table, type Subjects } from './rounds.js';
import { onStage, openEventStore, type Stage, UNDER_LOAD } from './stage.js';

// npm run bench:numbering: how much of their rate 64 concurrent bookings of one business lose to the numbers of their invoices. A projector
// follows them on both sides, on one without the numbers. What and why is in bench/README.md. The last line is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 5);
const CONNECTIONS = 64;
const TIME = { warmUp: 1_000, time: 4_000 }; // ms of each measurement
const WANTED = 0.9; // of the rate without numbers, at least
const POLL = 50; // ms
const INVOICES = tableName(invoiceList);

/** Until everything that follows `$all` holds what was booked a moment ago: nobody is measured while catching up with what came before. */
async function caughtUp(client: pg.Client, position: string, numbering: boolean): Promise<void> {
  const behind = `SELECT count(*)::int AS behind FROM (SELECT position FROM read_models.checkpoints
    UNION ALL SELECT position FROM policies.checkpoints WHERE $2 OR projection <> $3) c WHERE position IS NULL OR position < $1`;
  for (;;) {
    const { rows } = await client.query<{ behind: number }>(behind, [position, numbering, NUMBERING]);
    if (rows[0]!.behind === 0) return;
    await sleep(POLL);
  }
}

/** Every invoice has one number, and none is missing between the first and the last. */
async function assertNumbered(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ invoices: string; numbers: string; gaps: string }>(
    `SELECT count(*) AS invoices, count(DISTINCT number) AS numbers,
      (SELECT count(*) FROM (SELECT split_part(max(number), '-', 2)::int - count(*) AS missing
        FROM ${INVOICES} GROUP BY split_part(number, '-', 1)) y WHERE missing <> 0) AS gaps
      FROM ${INVOICES}`,
  );
  const { invoices, numbers, gaps } = rows[0]!;
  if (invoices !== numbers || gaps !== '0') throw new Error(`${invoices} invoices have ${numbers} numbers, ${gaps} years have gaps.`);
  console.log(`Each of ${invoices} invoices has its number, without a gap.`);
}

async function measure(stage: Stage): Promise<void> {
  const { launch, stop, postgres } = stage;
  const { stores } = await openEventStore(stage, postgres.url());
  const api = await launch('API', 'apps/api/main.js', { ...stores, ...UNDER_LOAD });
  const load = await launch('load', 'bench/load.js');
  const clinic = await openClinic(api.ready, stores);
  const client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
  try {
    const side = (numbering: boolean) => async () => {
      const projector = await launch('projector', 'bench/following.js', {
        ...stores,
        LOG_LEVEL: 'warn',
        NUMBERING: numbering ? 'on' : 'off',
      });
      await caughtUp(client, (await bookOne(api.ready, clinic)).position, numbering);
      const result = await load.ask<LoadResult>(jobOf(api, clinic));
      await stop(projector);
      return result;
    };
    const subjects: Subjects = { 'bookings, numbered': side(true), 'bookings, not numbered': side(false) };
    await subjects['bookings, numbered']!(); // none is measured cold, and all tables are there
    report(await inRounds(subjects, rounds));

    const projector = await launch('projector', 'bench/following.js', { ...stores, LOG_LEVEL: 'warn', NUMBERING: 'on' });
    const { position } = await bookOne(api.ready, clinic);
    await caughtUp(client, position, true);
    await caughtUp(client, (await bookOne(api.ready, clinic)).position, true); // the numbers of those before have been read by then
    await sleep(1_000); // and now the last one's
    await stop(projector);
    await assertNumbered(client);
  } finally {
    await client.end();
  }
}

const jobOf = ({ ready: url }: Started, { token, catalogue: { packages, providerId, service } }: Clinic): LoadJob => {
  const book = packages.map((sold) => ({ ...sold, serviceId: service.serviceId, providerId }));
  return { url, token, connections: CONNECTIONS, ...TIME, what: { book } };
};

function report(results: Parameters<typeof table>[0]): void {
  const ratio = ratioOf(results, 'bookings, numbered', 'bookings, not numbered');
  console.log(`\n${table(results)}\n`);
  console.log(`${'numbered_vs_not'.padEnd(34)}${ratio.toFixed(2).padStart(12)}   wanted: ${WANTED}${ratio < WANTED ? ', missed' : ''}`);
  console.log(JSON.stringify({ numbered_vs_not: Number(ratio.toFixed(3)) }));
}

await onStage('numbering', measure);
