import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { auditTags } from '../projections/audit-tags.projection.js';
import { directory } from '../projections/directory.projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { packageSales } from '../projections/package-sales.projection.js';
import { packageUsage } from '../projections/package-usage.projection.js';
import { catchUp, readAlone, startStoreWith } from './catch-up.js';
import { copyRows, foldAndWrite } from './fold-write.js';
import { median } from './measured.js';
import { packageHistory } from './package-history.js';
import { rebuildAtWork, rebuildBeside } from './projections-rebuild.js';
import { onStage, type Stage } from './stage.js';

// npm run bench:projections: what it measures is in bench/README.md. Each figure is the median of interleaved rounds; the last line is one JSON
// object. EVENTS and ROUNDS make it smaller.

const rounds = Number(process.env.ROUNDS ?? 3);
const EVENTS = Number(process.env.EVENTS ?? 200_000);
const STREAMS = EVENTS / 10;
const MINUTES = { fold: 2, store: 6 }; // since the start, after which no further round begins
const AT_WORK = 16; // who read, and as many who write
const ROWS = { few: EVENTS / 2, many: EVENTS * 5 }; // in whose making the memory is looked at

const one = [packageList] as Projection[];
const written = [packageList, packageUsage, packageSales, auditTags] as Projection[];
const five = [...written, directory as Projection]; // of which the last has nothing to do here

const perSecond = (seconds: number): string => `${Math.round(EVENTS / seconds).toLocaleString('en')}/s`;

/** Rounds, at least one, as long as there is time. */
async function inRounds<Measured>(minutes: number, round: () => Promise<Measured>): Promise<Measured[]> {
  const measured = [await round()];
  while (measured.length < rounds && performance.now() < minutes * 60_000) measured.push(await round());
  return measured;
}

async function foldVsCopy(url: string): Promise<{ fold_write_vs_copy: number; five_projections_vs_copy: number }> {
  const history = packageHistory(EVENTS, STREAMS);
  await foldAndWrite(url, five, history.slice(0, 2 * STREAMS)); // rows for COPY to be like, and everything warm
  const copies = Math.max(...(await Promise.all(written.map((each) => copyRows(url, each, EVENTS)))));
  const ratios = await inRounds(MINUTES.fold, async () => {
    const [copy, fold] = [await copyRows(url, packageList, EVENTS), await foldAndWrite(url, one, history)];
    console.log(`COPY ${perSecond(copy)}, fold ${perSecond(fold)}`);
    return copy / fold;
  });
  const folds = await foldAndWrite(url, five, history);
  console.log(`${written.length} COPY at once ${perSecond(copies)}, five folds ${perSecond(folds)}`);
  return { fold_write_vs_copy: median(ratios), five_projections_vs_copy: copies / folds };
}

async function fromTheStore(stage: Stage, url: string): Promise<Record<string, number>> {
  const { store, url: storeUrl, stop } = await startStoreWith(url, packageHistory(EVENTS, STREAMS));
  const rebuilding = { databaseUrl: url, store, storeUrl, projection: one[0]! };
  await readAlone(storeUrl, STREAMS); // everything warm
  const seconds = await inRounds(MINUTES.store, async () => {
    const read = await readAlone(storeUrl, EVENTS);
    const caughtUp = await catchUp(url, store, storeUrl, one);
    const rebuilt = await rebuildBeside(stage, rebuilding);
    console.log(`client alone ${perSecond(read)}, catch up ${perSecond(caughtUp)}, rebuild ${perSecond(rebuilt)}`);
    return { read, catchUp: caughtUp, rebuild: rebuilt };
  });
  const atWork = await rebuildAtWork(stage, rebuilding, AT_WORK); // last, as it makes the history longer
  console.log(`rebuild with ${AT_WORK} readers and ${AT_WORK} writers ${perSecond(atWork)}`);
  await Promise.race([store.dispose(), sleep(1_000)]);
  await stop();
  return {
    catch_up_vs_client_read: median(seconds.map(({ read, catchUp: caughtUp }) => read / caughtUp)),
    rebuild_vs_catch_up: median(seconds.map(({ catchUp: caughtUp, rebuild }) => caughtUp / rebuild)),
    rebuild_at_work_vs_catch_up: median(seconds.map(({ catchUp: caughtUp }) => caughtUp)) / atWork,
  };
}

/** MiB that a process has at most while it folds so many new rows. */
async function peakOf(url: string, rows: number): Promise<number> {
  const child = fork(fileURLToPath(new URL('projections-memory.js', import.meta.url)), [url, String(rows)]);
  const [peak] = (await once(child, 'message')) as [number];
  await once(child, 'exit');
  return peak;
}

await onStage('projections', async (stage) => {
  const url = stage.postgres.url();
  const figures = { ...(await foldVsCopy(url)), ...(await fromTheStore(stage, url)) };
  const peak_rss_mb = { [ROWS.few]: await peakOf(url, ROWS.few), [ROWS.many]: await peakOf(url, ROWS.many) };
  const ratios = Object.entries(figures).map(([name, ratio]) => [name, Number(ratio.toFixed(2))]);
  console.log(JSON.stringify({ ...Object.fromEntries(ratios), peak_rss_mb }));
});
process.exit();
