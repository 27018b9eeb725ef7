import { closeSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';

/** One thing as it is from then on: its table, whose it is, and the thing. */
export type Change = [table: string, account: string, item: { id: string }];

export interface Journal {
  /** All of them or none are there after a `kill -9`; and after a loss of power, unless they are `cheap`. */
  append(changes: Change[], cheap: boolean): void;
  close(): void;
}

export const noJournal: Journal = { append: () => undefined, close: () => undefined };

/** A file with a line for what changed together. What is in it is handed over first; a last line that was not written whole is cut off. */
export const openJournal = (path: string, replay: (changes: Change[]) => void): Journal => {
  const file = openSync(path, 'a', 0o600);
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  for (const line of whole.split('\n')) if (line !== '') replay(JSON.parse(line) as Change[]);
  return {
    append(changes, cheap) {
      writeSync(file, `${JSON.stringify(changes)}\n`);
      if (!cheap) fsyncSync(file);
    },
    close: () => closeSync(file),
  };
};
