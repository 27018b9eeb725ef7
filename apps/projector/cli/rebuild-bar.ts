import type { WriteStream } from 'node:tty';
import { SingleBar } from 'cli-progress';
import type { RebuildProgress } from '../../../libs/projection-engine/rebuild.js';

const EVERY = 2_000; // ms, between two lines where nobody sees a bar move

interface RebuildBar {
  update(progress: RebuildProgress): void;
  /** A line of its own, such as what went wrong. */
  say(line: string): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere, such as in a log, a line now and then. */
export function rebuildBar(stream: Pick<WriteStream, 'isTTY' | 'write'>): RebuildBar {
  if (!stream.isTTY) {
    let said = -Infinity;
    return {
      update: (progress) => {
        if (performance.now() - said < EVERY) return;
        said = performance.now();
        stream.write(`${progress.events} of ${progress.total} events · ${restOf(progress)}\n`);
      },
      say: (line) => void stream.write(`${line}\n`),
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({ format: '{bar} {value} of {total} events · {rest}', hideCursor: true });
  let begun = false;
  return {
    update: (progress) => {
      if (!begun) bar.start(progress.total, 0, { rest: '' });
      begun = true;
      bar.setTotal(progress.total);
      bar.update(progress.events, { rest: restOf(progress) });
    },
    say: (line) => void stream.write(`\r\u001b[K${line}\n`),
    stop: () => bar.stop(),
  };
}

const restOf = ({ step, rate, secondsLeft }: RebuildProgress): string =>
  `${step} · ${rate.toLocaleString('en')} a second · ${secondsLeft === null ? 'time left unknown' : `${Math.ceil(secondsLeft)} s to go`}`;
