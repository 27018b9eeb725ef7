import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deletePostgres, startPostgres } from '../libs/embedded-postgres/embedded-postgres.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { catchUp, readAlone, startStoreWith } from './catch-up.js';
import { copyRows, foldAndWrite } from './fold-write.js';
import { packageHistory } from './package-history.js';

// npm run bench:projections. Each figure is the median of interleaved rounds; the last line is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 5);
const folded = { events: 200_000, streams: 20_000 };
const caughtUp = { events: 200_000, streams: 100_000 };
const projections = [packageList] as Projection[];

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const perSecond = (events: number, seconds: number): string => `${Math.round(events / seconds).toLocaleString('en')}/s`;

async function foldWriteVsCopy(url: string): Promise<number> {
  const { events, streams } = folded;
  const history = packageHistory(events, streams);
  const ratios: number[] = [];
  await foldAndWrite(url, projections, history.slice(0, streams));
  for (let round = 0; round < rounds; round += 1) {
    const copy = await copyRows(url, projections[0]!, events);
    const engine = await foldAndWrite(url, projections, history);
    ratios.push(copy / engine);
    console.log(`fold and write ${perSecond(events, engine)}, COPY ${perSecond(events, copy)}: ${(copy / engine).toFixed(2)}`);
  }
  return median(ratios);
}

async function catchUpVsClientRead(url: string): Promise<number> {
  const { events, streams } = caughtUp;
  const { store, url: storeUrl, stop } = await startStoreWith(url, packageHistory(events, streams));
  const ratios: number[] = [];
  await readAlone(store, events);
  for (let round = 0; round < rounds; round += 1) {
    const alone = await readAlone(store, events);
    const engine = await catchUp(url, store, storeUrl, projections);
    ratios.push(alone / engine);
    console.log(`catch up ${perSecond(events, engine)}, the client alone ${perSecond(events, alone)}: ${(alone / engine).toFixed(2)}`);
  }
  await Promise.race([store.dispose(), sleep(1_000)]);
  await stop();
  return median(ratios);
}

const dataDir = await mkdtemp(join(tmpdir(), 'punchcard-bench-'));
const postgres = await startPostgres({ dataDir });
try {
  const fold_write_vs_copy = await foldWriteVsCopy(postgres.url());
  const catch_up_vs_client_read = await catchUpVsClientRead(postgres.url());
  const peak_rss_mb = Math.round(process.resourceUsage().maxRSS / 1024);
  const figures = { fold_write_vs_copy, catch_up_vs_client_read };
  console.log(
    JSON.stringify({
      ...Object.fromEntries(Object.entries(figures).map(([name, ratio]) => [name, Number(ratio.toFixed(2))])),
      peak_rss_mb,
    }),
  );
} finally {
  await postgres.stop();
  await deletePostgres(dataDir);
  await rm(dataDir, { recursive: true, force: true });
}
process.exit();
