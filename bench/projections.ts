import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deletePostgres, startPostgres } from '../libs/embedded-postgres/embedded-postgres.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { copyRows, foldAndWrite } from './fold-write.js';
import { packageHistory } from './package-history.js';

// npm run bench:projections. Each figure is the median of interleaved rounds; the last line is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 5);
const events = Number(process.env.EVENTS ?? 200_000);
const streams = Number(process.env.STREAMS ?? 20_000);

const dataDir = await mkdtemp(join(tmpdir(), 'punchcard-bench-'));
const postgres = await startPostgres({ dataDir });
try {
  const url = postgres.url();
  const history = packageHistory(events, streams);
  const ratios: number[] = [];
  await foldAndWrite(url, [packageList] as Projection[], history.slice(0, events / 10));
  for (let round = 0; round < rounds; round += 1) {
    const copied = await copyRows(url, packageList as Projection, events);
    const folded = await foldAndWrite(url, [packageList] as Projection[], history);
    ratios.push(copied / folded);
    console.log(
      `fold and write ${Math.round(events / folded)}/s, COPY ${Math.round(events / copied)}/s, ratio ${(copied / folded).toFixed(2)}`,
    );
  }
  ratios.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      fold_write_vs_copy: Number(ratios[Math.floor(rounds / 2)]!.toFixed(2)),
      peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  );
} finally {
  await postgres.stop();
  await deletePostgres(dataDir);
  await rm(dataDir, { recursive: true, force: true });
}
