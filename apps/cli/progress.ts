import type { WriteStream } from 'node:tty';
import { SingleBar } from 'cli-progress';

interface Progress {
  rows: number;
  imported: number;
  skipped: number;
  failed: number;
}

const EVERY = 2_000; // ms, between two lines where nobody sees a bar move

/** A bar on a terminal; elsewhere, such as in a log, a line now and then. */
export const progressOn = (stream: Pick<WriteStream, 'isTTY' | 'write'>): { update(progress: Progress): void; stop(): void } => {
  const doneOf = ({ imported, skipped, failed }: Progress): number => imported + skipped + failed;
  if (!stream.isTTY) {
    let said = -Infinity;
    return {
      update: (progress) => {
        if (performance.now() - said < EVERY) return;
        said = performance.now();
        stream.write(`${doneOf(progress)} of ${progress.rows} rows\n`);
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({
    format: '{bar} {value} of {total} rows · {imported} moved in · {skipped} there already · {failed} bad · {eta_formatted} to go',
    hideCursor: true,
  });
  let begun = false;
  return {
    update: (progress) => {
      if (!begun) bar.start(progress.rows, 0, progress);
      begun = true;
      bar.update(doneOf(progress), progress);
    },
    stop: () => bar.stop(),
  };
};
