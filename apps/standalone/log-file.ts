import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const MAX_BYTES = 20_000_000; // then the file becomes NAME.1, which replaces the one before
const MAX_SHOWN = 5; // lines on the console per process and window
const WINDOW_MS = 5_000;

export interface LogFile {
  /** Writes every line of a process to the file; of what matters, the console gets a summary. */
  follow(stream: Readable, what: 'output' | 'errors'): void;
  /** The last lines, newest last. */
  tail(): string[];
  path: string;
}

export function openLog(path: string, name: string, show: (line: string) => void): LogFile {
  let file = open(path);
  let bytes = sizeOf(path);
  const last: string[] = [];
  const shown = throttled((line) => show(`${name}: ${line}`), path);

  const write = (line: string, what: 'output' | 'errors') => {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > MAX_BYTES) {
      file.end();
      renameSync(path, `${path}.1`);
      file = open(path);
      bytes = 0;
    }
    file.write(`${line}\n`);
    last.push(line);
    if (last.length > 30) last.shift();
    const summary = summaryOf(line, what);
    if (summary !== undefined) shown(summary);
  };
  return {
    follow: (stream, what) => void createInterface({ input: stream }).on('line', (line) => write(line, what)),
    tail: () => [...last],
    path,
  };
}

const open = (path: string): WriteStream => createWriteStream(path, { flags: 'a', mode: 0o600 });

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const LEVELS: Record<string, number> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/**
 * What the console shows of a line, in one line: a line of pino's at level warn or above, and of the errors
 * anything else but Node's own warnings, such as the stack trace of a crash. Undefined: nothing.
 */
export function summaryOf(line: string, what: 'output' | 'errors' = 'errors'): string | undefined {
  if (/^\{"level":("(trace|debug|info)"|[123]0),/.test(line) || /^\s*$|^\((node:\d+|Use `node)/.test(line)) return undefined; // nearly all: no parsing
  const { level, msg, err } = parsed(line);
  if (level === undefined) return what === 'errors' ? line.slice(0, 300) : undefined;
  const severity = typeof level === 'number' ? level : (LEVELS[level] ?? 50);
  if (severity < 40) return undefined;
  const cause = err?.message !== undefined && err.message !== msg ? ` (${err.message})` : '';
  return `${severity < 50 ? 'warning' : 'error'}: ${msg ?? ''}${cause}`.slice(0, 300);
}

function parsed(line: string): { level?: number | string; msg?: string; err?: { message?: string } } {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** At most MAX_SHOWN lines in a window; how many more there were is told when it ends. */
function throttled(show: (line: string) => void, path: string): (line: string) => void {
  let count = 0;
  return (line) => {
    if (count === 0)
      setTimeout(() => {
        if (count > MAX_SHOWN) show(`… and ${count - MAX_SHOWN} more lines, in ${path}`);
        count = 0;
      }, WINDOW_MS).unref();
    if (++count <= MAX_SHOWN) show(line);
  };
}
