import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandBus } from '@nestjs/cqrs';
import canonicalize from 'canonicalize';
import type { Answered, Caller } from '../../../libs/command-handling/command.js';
import {
  EndImport,
  ImportClient,
  ImportPackage,
  RecordProgress,
  TryPackage,
  type MovedPackage,
  type RowDone,
} from '../../../libs/command-handling/commands/import.commands.js';
import type { BadRow, ImportCounts, ImportOutcome } from '../../../libs/domain/import/import.events.js';
import { InvalidInput, Refusal, UnknownReferences } from '../../../libs/domain/kernel/refusal.js';
import type { StartedImport } from '../../../libs/domain/import/import.state.js';
import { failureOf } from '../http/problems.js';
import { columnsOf, type Columns } from './columns.js';
import type { CsvFile, CsvRow } from './csv-file.js';
import type { FoundClients, Places } from './places.js';
import { readRow, saidBy, type Problem, type SaidRow, type WantedPackage } from './row.js';

export const MAX_ROWS = 100_000;

const TOGETHER = 100; // rows between two notes of the progress
const AT_ONCE = 16; // rows
const SAY_EVERY = 5_000; // ms
const PATIENCE = [200, 1_000, 3_000, 5_000]; // ms, with a part that is away, before the work is left

/** What the work on a file needs of what is around it. */
export interface Surroundings {
  commands: CommandBus;
  caller: Omit<Caller, 'idempotencyKey' | 'ifMatch'>;
  places: Places;
  clientsNamed: (named: readonly string[]) => Promise<FoundClients>;
  isStopping: () => boolean;
  log: (error: unknown) => void;
}

type Outcome = RowDone['became'] | Problem[];

/**
 * The work on one file, from its first row to its last, some rows at a time. Each row is a command of its own, whose id follows from what it
 * says: done again after an interruption, by whomever, it has one effect.
 */
export class ImportRun {
  private readonly counts: ImportCounts = { imported: 0, skipped: 0, failed: 0 };
  private readonly seen = new Map<string, number>(); // reference → its line
  private readonly badRows: BadRow[] = []; // not yet told
  private saidAt = performance.now();

  constructor(
    private readonly started: StartedImport,
    private readonly file: CsvFile,
    private readonly around: Surroundings,
  ) {}

  async run(): Promise<void> {
    const outcome = await this.throughAll().catch((error: unknown): ImportOutcome | 'takenOver' => {
      if (error instanceof Refusal && error.code === 'IMPORT_TAKEN_OVER') return 'takenOver';
      this.around.log(error);
      return 'interrupted';
    });
    if (outcome !== 'takenOver') await this.execute(new EndImport(this.around.caller, { ...this.said(), outcome }));
  }

  private async throughAll(): Promise<ImportOutcome> {
    let columns: Columns | undefined;
    let rows: SaidRow[] = [];
    for await (const row of this.file.rows()) {
      if (!columns) columns = columnsOf(row);
      else rows.push(saidBy(row, columns));
      if (rows.length < TOGETHER) continue;
      if (this.around.isStopping()) return 'interrupted';
      if (!(await this.carryOut(rows))) return 'stoppedOnError';
      rows = [];
    }
    return (await this.carryOut(rows)) ? 'completed' : 'stoppedOnError';
  }

  /** False: a row failed, and that was to be the end. */
  private async carryOut(rows: readonly SaidRow[]): Promise<boolean> {
    if (rows.length === 0) return true;
    const clients = await this.around.clientsNamed(rows.map(({ cell }) => cell('client')));
    const read = rows.map((row) => ({ line: row.line, wanted: this.read(row, clients) }));
    const { dryRun, onError } = this.started;
    const failedBefore = this.counts.failed;
    await limited(onError === 'continue' ? read : await this.upToFirstBad(read), async ({ line, wanted }) => {
      const outcome = Array.isArray(wanted) ? wanted : await this.patiently(wanted, dryRun);
      if (Array.isArray(outcome)) this.badRows.push({ line, problems: outcome });
      this.counts[Array.isArray(outcome) ? 'failed' : outcome] += 1;
      await this.sayNowAndThen();
    });
    await this.say();
    return onError === 'continue' || this.counts.failed === failedBefore;
  }

  private read(row: SaidRow, clients: FoundClients): WantedPackage | Problem[] {
    const { source, createClients } = this.started;
    const wanted = readRow(row, {
      places: this.around.places,
      clients,
      source,
      createClients,
      seenAt: (reference) => this.seen.get(reference),
    });
    const reference = row.cell('reference');
    if (reference !== '' && !this.seen.has(reference)) this.seen.set(reference, row.line);
    return wanted;
  }

  /** All are tried first, so that nothing that comes after a bad row is moved in. */
  private async upToFirstBad<Row extends { wanted: WantedPackage | Problem[] }>(rows: readonly Row[]): Promise<readonly Row[]> {
    const tried = await limited(rows, async ({ wanted }) => {
      await this.sayNowAndThen();
      return Array.isArray(wanted) ? wanted : this.patiently(wanted, true);
    });
    const bad = tried.findIndex((outcome) => Array.isArray(outcome));
    return bad < 0 ? rows : rows.slice(0, bad + 1);
  }

  /** Waits for a part that is away, for a while: then the work is left, to be taken up again. */
  private async patiently(wanted: WantedPackage, tryOnly: boolean, [ms, ...more]: readonly number[] = PATIENCE): Promise<Outcome> {
    try {
      return await this.moveIn(wanted, tryOnly);
    } catch (error) {
      if (error instanceof Refusal) return [problemOf(error)];
      if (failureOf(error).status !== 503 || ms === undefined) throw error;
      await sleep(ms);
      return this.patiently(wanted, tryOnly, more);
    }
  }

  private async moveIn({ moved, register }: WantedPackage, tryOnly: boolean): Promise<RowDone['became']> {
    const { caller } = this.around;
    if (tryOnly) return (await this.execute(new TryPackage(caller, moved))).became;
    if (register) await this.execute(new ImportClient(caller, register));
    return (await this.execute(new ImportPackage({ ...caller, idempotencyKey: keyOf(moved) }, moved))).became;
  }

  /** So that it is not taken for dead while some rows take long. */
  private async sayNowAndThen(): Promise<void> {
    if (performance.now() - this.saidAt > SAY_EVERY) await this.say();
  }

  private async say(): Promise<void> {
    this.saidAt = performance.now();
    const badRows = this.badRows.splice(0);
    await this.execute(new RecordProgress(this.around.caller, { ...this.said(), badRows }));
  }

  private said(): ImportCounts & { importId: string; attempt: number } {
    const { importId, attempt } = this.started;
    return { importId, attempt, ...this.counts };
  }

  private execute<Answer>(command: { answer: Answer } & object): Promise<Answered<Answer>> {
    return this.around.commands.execute(command as never);
  }
}

/** No caller can send such a key: a header has no line breaks. */
const keyOf = (moved: MovedPackage): string => `import\n${canonicalize(moved)}`;

const COLUMN_OF: Record<string, string> = {
  ALREADY_IMPORTED: 'reference',
  OFFERING_DELETED: 'offering',
  OFFERING_INACTIVE: 'offering',
  OFFERING_EXPIRED: 'offering',
};

/** What a rule refuses, at the column that it is about. */
const problemOf = (refusal: Refusal): Problem => {
  if (refusal instanceof UnknownReferences && refusal.errors.some(({ field }) => field === '/clientId'))
    return { column: 'client', code: 'UNKNOWN_CLIENT', message: 'This client is not here any more.' };
  return { column: COLUMN_OF[refusal.code] ?? null, code: refusal.code, message: refusal.message };
};

const limited = async <Item, Done>(items: readonly Item[], work: (item: Item) => Promise<Done>): Promise<Done[]> => {
  const done: Done[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [n, item] of waiting) done[n] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return done;
};

/** What the file holds, once through it without doing anything. @throws InvalidInput naming what makes it no file of packages */
export const surveyed = async (file: CsvFile): Promise<{ rows: number }> => {
  let columns: CsvRow | undefined;
  let rows = 0;
  for await (const row of file.rows()) {
    if (columns) rows += 1;
    else columnsOf((columns = row));
  }
  if (!columns) throw invalid('EMPTY', 'The file is empty: its first line names the columns.');
  if (rows === 0) throw invalid('EMPTY', 'The file has no rows below the names of its columns.');
  if (rows > MAX_ROWS) throw invalid('TOO_MANY', `The file has ${rows} rows, more than ${MAX_ROWS}: send it in parts.`);
  return { rows };
};

const invalid = (code: string, message: string): InvalidInput => new InvalidInput([{ field: '', code, message }]);
