import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { usageReport } from '../../apps/api/reports/usage.report.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import { openSources } from '../../libs/projection-engine/sources.js';
import type { Here } from '../../libs/reporting/define-report.js';
import { Reports } from '../../libs/reporting/reports.js';
import { median } from '../measured.js';
import { memoryNow } from '../processes.js';

// A file of all that was used, read from the API, against the same query read from Postgres.

const LOOK = 100; // ms between two looks at the memory

interface Read {
  seconds: number;
  bytes: number;
}

async function readWhole(chunks: AsyncIterable<Uint8Array>, started: number): Promise<Read> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.byteLength;
  return { seconds: (performance.now() - started) / 1_000, bytes };
}

async function fromApi(url: string, token: string): Promise<Read> {
  const started = performance.now();
  const answer = await fetch(`${url}/v1/reports/usage.csv`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(await answer.text());
  return readWhole(answer.body!, started);
}

async function fromPostgres(databaseUrl: string, here: Here): Promise<Read> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2, options: '-c TimeZone=UTC -c DateStyle=ISO' });
  const sources = openSources(pool, await allProjections());
  const order = { sort: usageReport.sortedBy, descending: false };
  const statementOf = new Reports(pool, sources).allRows(usageReport, { here, query: {} }, order);
  const client = await pool.connect();
  try {
    const started = performance.now();
    return await sources.use((sourceOf) =>
      readWhole(client.query(copyTo(`COPY (${statementOf(sourceOf)}) TO STDOUT (FORMAT csv)`)), started),
    );
  } finally {
    client.release();
    await pool.end();
  }
}

/** MiB that a process grows by while something is done. */
async function growthOf(pid: number, work: Promise<unknown>): Promise<number> {
  const before = (await memoryNow(pid)) ?? 0;
  let [most, isDone] = [before, false];
  const done = work.finally(() => (isDone = true));
  while (!isDone) {
    most = Math.max(most, (await memoryNow(pid)) ?? 0);
    await Promise.race([sleep(LOOK), done]);
  }
  await done;
  return most - before;
}

interface Sides {
  api: { url: string; token: string; pid: number };
  databaseUrl: string;
  here: Here;
}

/** Both sides in turn, each once before it counts. */
export async function fileVsCopy({ api, databaseUrl, here }: Sides, rounds: number): Promise<{ csv_vs_copy: number; csv_rss_mb: number }> {
  await fromPostgres(databaseUrl, here);
  const [ratios, growths]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const reading = fromApi(api.url, api.token);
    growths.push(await growthOf(api.pid, reading));
    const [file, copied] = [await reading, await fromPostgres(databaseUrl, here)];
    ratios.push(copied.seconds / file.seconds);
    console.log(`file of ${file.bytes} bytes ${file.seconds.toFixed(1)} s, COPY ${copied.bytes} bytes ${copied.seconds.toFixed(1)} s`);
  }
  return { csv_vs_copy: median(ratios), csv_rss_mb: Math.max(...growths) };
}
