import { SingleBar } from 'cli-progress';
import { readWhole, writeWhole } from './data-folder.js';

/** What the demo business has to try things on (apps/standalone/demo/load-demo.ts makes it; what-next.ts shows it). */
export interface DemoInfo {
  businessId: string;
  clientId: string;
  offeringId: string; // to sell
  packageId: string; // to book from: sessions are left
  serviceId: string; // in that package
  providerId: string;
  appointmentId: string; // booked from a package and not yet started: to cancel
}

export interface LoadDemoOptions {
  /** The same as of every other process. */
  env: NodeJS.ProcessEnv;
  onProgress(done: number, total: number, what: string): void;
}

/** What demo-process.ts sends. */
export type DemoMessage = { progress: { done: number; total: number; what: string } } | { ready: DemoInfo };

/** Kept when the demo was loaded completely, or left out at the first start: it never comes between someone's own data later. */
type Kept = { loaded: DemoInfo } | { leftOut: true };

/** The demo of a data folder, loaded by `load` if it is due. A load that was killed in the middle is done again: it makes nothing twice. */
export async function demoOf(path: string, wanted: boolean, load: () => Promise<DemoInfo>): Promise<DemoInfo | undefined> {
  const kept = await readWhole<Kept>(path);
  if (kept !== undefined) return 'loaded' in kept ? kept.loaded : undefined;
  const made: Kept = wanted ? { loaded: await load() } : { leftOut: true };
  await writeWhole(path, made);
  return 'loaded' in made ? made.loaded : undefined;
}

/** A bar on a terminal; elsewhere a line at each tenth. */
export function progressShower(output: NodeJS.WriteStream) {
  const bar = output.isTTY ? new SingleBar({ format: '  {bar} {percentage} %  {what}', hideCursor: true, stream: output }) : undefined;
  let tenth = -1;
  return {
    show(done: number, total: number, what: string): void {
      const reached = total > 0 ? Math.floor((10 * done) / total) : 0;
      if (bar?.isActive) bar.update(done, { what });
      else if (bar) bar.start(total, done, { what });
      else if (reached > tenth) output.write(`  ${reached * 10} %  ${what}\n`);
      tenth = Math.max(tenth, reached);
    },
    end: () => bar?.stop(),
  };
}
