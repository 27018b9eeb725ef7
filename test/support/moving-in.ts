import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from './caller.js';
import type { Page } from './clinic.js';

// Files of packages, and what becomes of them.

export interface Import {
  importId: string;
  status: 'running' | 'completed' | 'stoppedOnError' | 'interrupted';
  rows: number;
  imported: number;
  skipped: number;
  failed: number;
  attempt: number;
  position: string;
}

export interface BadRow {
  line: number;
  problems: { column: string | null; code: string; message: string }[];
}

type Cell = string | number | null | undefined;

/** A file with these rows, its columns being all that any of them has. */
export const csvOf = (rows: readonly Record<string, Cell>[], delimiter = ','): string => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const quoted = (cell: Cell): string => {
    const text = String(cell ?? '');
    return /[",;\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((cells) => cells.map(quoted).join(delimiter)).join('\n');
};

export const sendFile = (caller: Caller, body: string | Uint8Array, asked = '', headers: Record<string, string> = {}) =>
  caller.send<Import>('POST', `/v1/imports${asked}`, { body, headers: { 'content-type': 'text/csv', ...headers } });

/** What has become of an import, once nobody works on it any more. All that it did is there for whoever reads then. */
export const ended = async (caller: Caller, importId: string): Promise<Import> => {
  for (;;) {
    const now = await caller.get<Import>(`/v1/imports/${importId}`);
    if (now.status === 'interrupted') return now;
    const { items } = await caller.get<{ items: { stream: string; position: string }[] }>('/v1/events?types=ImportEnded&limit=200');
    const end = items.findLast(({ stream }) => stream === `import-${importId}`);
    if (end) caller.reach(BigInt(end.position));
    if (end && now.status !== 'running') return now;
    await sleep(100);
  }
};

/** Sends a file, and waits until all of it is done. */
export const importOf = async (caller: Caller, body: string | Uint8Array, asked = ''): Promise<Import> => {
  let sent = await sendFile(caller, body, asked);
  for (let times = 0; sent.status === 503 && times < 12; times += 1) sent = await sendFile(caller, body, asked);
  if (sent.status !== 202) throw new Error(`The file was refused: ${JSON.stringify(sent.body)}`);
  return ended(caller, sent.body.importId);
};

/** Every bad row, page by page, as `line column CODE`. */
export const badRowsOf = async (caller: Caller, { importId }: Pick<Import, 'importId'>): Promise<string[]> => {
  const rows: BadRow[] = [];
  let cursor = '';
  do {
    const page = await caller.get<Page<BadRow>>(`/v1/imports/${importId}/bad-rows?limit=50${cursor}`);
    rows.push(...page.items);
    cursor = page.next === null ? '' : `&cursor=${page.next}`;
  } while (cursor !== '');
  return rows.flatMap(({ line, problems }) => problems.map(({ column, code }) => `${line} ${column} ${code}`));
};
