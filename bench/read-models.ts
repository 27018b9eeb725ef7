import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorded } from '../libs/domain/kernel/event.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { catchUp, readAlone, startStoreWith } from './catch-up.js';
import { copyRows, foldAndWrite } from './fold-write.js';
import { answerJobs } from './jobs.js';
import type { Measured } from './measured.js';
import { packageHistory } from './package-history.js';

// What read models cost, in a process of its own: the projector catching up, and the client reading alone; the engine's fold and write, fed
// from memory, and COPY.

export type ReadModelJob = { does: 'open' | 'read' | 'catchUp' | 'fold' | 'copy' | 'close'; events: number; streams: number };

const databaseUrl = process.env.DATABASE_URL!;
const projections = [packageList] as Projection[];
let history: Recorded[] = [];
let running: Awaited<ReturnType<typeof startStoreWith>> | undefined;

/** All of it is one step: each round gives one time. */
const inAll = (events: number, seconds: number): Measured => ({ rate: events / seconds, p50: seconds * 1_000, p99: seconds * 1_000 });

async function secondsOf({ does, events, streams }: ReadModelJob): Promise<number> {
  if (does === 'fold' || does === 'copy') {
    if (history.length === 0) history = packageHistory(events, streams);
    return does === 'fold' ? foldAndWrite(databaseUrl, projections, history) : copyRows(databaseUrl, projections[0]!, events);
  }
  const { store, url } = running!;
  return does === 'read' ? readAlone(url, events) : catchUp(databaseUrl, store, url, projections);
}

answerJobs(async (job: ReadModelJob) => {
  if (job.does === 'open') running = await startStoreWith(databaseUrl, packageHistory(job.events, job.streams));
  else if (job.does === 'close') {
    await Promise.race([running?.store.dispose(), sleep(1_000)]);
    await running?.stop();
  } else return inAll(job.events, await secondsOf(job));
});
