import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { accessOf, apiCommand, CliError, run, send, type Access } from './api.js';
import { progressOn } from './progress.js';

// `npm run import -- --file packages.csv`: packages that were sold elsewhere (docs/moving-in.md).

interface Wanted {
  file: string;
  source?: string;
  dryRun?: boolean;
  createClients?: boolean;
  stopOnError?: boolean;
}

export interface Import {
  importId: string;
  status: 'running' | 'completed' | 'stoppedOnError' | 'interrupted';
  dryRun: boolean;
  rows: number;
  imported: number;
  skipped: number;
  failed: number;
}

interface BadRows {
  items: { line: number; problems: { column: string | null; code: string; message: string }[] }[];
  next: string | null;
}

const POLL = 300; // ms
const PATIENCE = 120_000; // ms, with an API that is away
const MOST_SAID = 200; // bad rows; the API has all

const say = (message: string): void => void process.stdout.write(`${message}\n`);

async function main(access: Access, wanted: Wanted): Promise<void> {
  const file = await openAsBlob(wanted.file).catch(() => {
    throw new CliError(`${wanted.file} can't be read.`);
  });
  const upload: Upload = { file, asked: askedBy(wanted), key: randomUUID() };
  const progress = progressOn(process.stdout);
  let done = await patiently(() => start(access, upload));
  for (let heard = performance.now(); !['completed', 'stoppedOnError'].includes(done.status); await sleep(POLL)) {
    const now = await stateOf(access, done.importId);
    if (now) heard = performance.now();
    else if (performance.now() - heard > PATIENCE) throw new CliError('The API is away. Run this again: what is there already is skipped.');
    if (!now) continue;
    done = now;
    progress.update(done);
    if (done.status === 'interrupted') await start(access, upload).catch(unlessFinal); // the same key: it is taken up again
  }
  progress.stop();
  await report(access, done);
}

const askedBy = ({ source, dryRun, createClients, stopOnError }: Wanted): string =>
  new URLSearchParams({
    ...(source !== undefined && { source }),
    ...(dryRun && { dryRun: 'true' }),
    ...(createClients && { createClients: 'true' }),
    ...(stopOnError && { onError: 'stop' }),
  }).toString();

interface Upload {
  file: Blob;
  asked: string;
  key: string;
}

async function start(access: Access, { file, asked, key }: Upload): Promise<Import> {
  return (await (await send(access, `/imports?${asked}`, { method: 'POST', type: 'text/csv', body: file, key })).json()) as Import;
}

/** An API that is there, but has too much to do or has not come so far yet, says so by 503: it is asked again for a while. */
async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (const since = performance.now(); ; await sleep(1_000)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof CliError) || error.status !== 503 || performance.now() - since > PATIENCE) throw error;
    }
  }
}

/** Undefined: the API is away, or its lists are not that far yet. */
async function stateOf(access: Access, importId: string): Promise<Import | undefined> {
  const answer = await send(access, `/imports/${importId}`).catch(unlessFinal);
  return answer && ((await answer.json().catch(() => undefined)) as Import | undefined);
}

/** Whatever may go by is tried again; a token that has expired does not. */
function unlessFinal(error: unknown): undefined {
  if (error instanceof CliError && error.isFinal && error.status !== 404) throw error; // the list may not be that far yet
  return undefined;
}

async function report(access: Access, { importId, status, dryRun, rows, imported, skipped, failed }: Import): Promise<void> {
  if (failed > 0) await tellBadRows(access, importId, failed);
  const were = dryRun ? 'would be moved in' : 'moved in';
  say(`${imported} of ${rows} packages ${were}, ${skipped} were there already, ${failed} rows are bad.`);
  if (status === 'stoppedOnError') say('Nothing after the first bad row was moved in: mend it, and run this again.');
  if (failed > 0) process.exitCode = 2;
}

async function tellBadRows(access: Access, importId: string, failed: number): Promise<void> {
  let told = 0;
  let cursor = '';
  do {
    const answer = await patiently(() => send(access, `/imports/${importId}/bad-rows?limit=100${cursor}`));
    const page = (await answer.json()) as BadRows;
    for (const { line, problems } of page.items)
      for (const { column, code, message } of problems) say(`line ${line}${column === null ? '' : `, ${column}`}: ${message} (${code})`);
    told += page.items.length;
    cursor = page.next === null || told >= MOST_SAID ? '' : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== '');
  if (told < failed) say(`… and ${failed - told} more: GET /v1/imports/${importId}/bad-rows`);
}

const command = apiCommand('npm run import --', 'Moves packages in that were sold elsewhere. Safe to run again: nothing is moved in twice.')
  .requiredOption('--file <path>', 'the CSV file; its columns are in docs/moving-in.md')
  .option('--source <name>', 'where they were sold; within it, each reference is moved in once')
  .option('--dry-run', 'only say what would become of each row')
  .option('--create-clients', 'register clients that are not there, under their clientName')
  .option('--stop-on-error', 'move in nothing after the first bad row');

const options = command.parse().opts<Wanted & { api: string; token?: string }>();
run((async () => main(accessOf(options), options))());
