import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandBus } from '@nestjs/cqrs';
import type { Answered, Caller } from '../../../libs/command-handling/command.js';
import {
  EndImport,
  ImportClient,
  ImportPackage,
  RecordProgress,
  TryPackage,
  type RowDone,
} from '../../../libs/command-handling/commands/import.commands.js';
import type { Clock } from '../../../libs/command-handling/clock.js';
import { fewAtOnce } from '../../../libs/command-handling/few-at-once.js';
import type { BadRow, ImportCounts, ImportOutcome } from '../../../libs/domain/import/import.events.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { InvalidInput, Refusal, UnknownReferences } from '../../../libs/domain/kernel/refusal.js';
import type { StartedImport } from '../../../libs/domain/import/import.state.js';
import { failureOf } from '../http/problems.js';
import { columnsOf, type Columns } from './columns.js';
import type { CsvFile, CsvRow } from './csv-file.js';
import type { FoundClients, Places } from './places.js';
import { rowReader, saidBy, type Problem, type SaidRow, type WantedPackage } from './row.js';

export const MAX_ROWS = 100_000;

const TOGETHER = 100; // rows between two notes of the progress
const AT_ONCE = 16; // rows
const SAY_EVERY = 5_000; // ms
const PAUSES = [200, 1_000]; // ms, while a part is away; then the longest
const LONGEST_PAUSE = 3_000; // ms
const PATIENCE = 600_000; // ms, with a part that is away, before the work is left

/** What the work on a file needs of what is around it. */
export interface Surroundings {
  commands: CommandBus;
  caller: Omit<Caller, 'idempotencyKey' | 'ifMatch'>;
  places: Places;
  clientsNamed: (named: readonly string[]) => Promise<FoundClients>;
  isStopping: () => boolean;
  clock: Clock;
  log: (error: unknown) => void;
}

interface ReadRow {
  line: number;
  wanted: WantedPackage | Problem[];
}

type Outcome = RowDone['became'] | Problem[];

/**
 * The work on one file, from its first row to its last, some rows at a time. Each row is a command of its own, whose id follows from what it
 * says: done again after an interruption, by whomever, it has one effect. While a part of the service is away the work pauses, and goes on by
 * itself; what goes wrong inside at one row is told at that row.
 */
export class ImportRun {
  private readonly counts: ImportCounts = { imported: 0, skipped: 0, failed: 0 };
  private readonly badRows: BadRow[] = []; // not yet told
  private readonly brought = new Set<string>(); // references
  private saidAt = performance.now();
  private saidTimes = 0;
  private readonly read: ReturnType<typeof rowReader>;

  constructor(
    private readonly started: StartedImport,
    private readonly file: CsvFile,
    private readonly around: Surroundings,
  ) {
    this.read = rowReader({ ...pick(started, 'source', 'createClients'), places: around.places });
  }

  /** Until the work is done, or left, or another has taken it over. */
  async run(): Promise<void> {
    try {
      const outcome = await this.throughAll().catch((error: unknown): ImportOutcome => {
        if (isTakenOver(error)) throw error;
        this.around.log(error);
        return 'interrupted';
      });
      const { caller } = this.around;
      await this.patiently(() =>
        this.execute(new EndImport({ ...caller, idempotencyKey: this.keyOf('end') }, { ...this.said(), outcome })),
      );
    } catch (error) {
      if (!isTakenOver(error)) throw error;
    }
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
    const read = await this.readAll(rows);
    const { dryRun, onError } = this.started;
    const failedBefore = this.counts.failed;
    await fewAtOnce(onError === 'continue' ? read : await this.upToFirstBad(read), AT_ONCE, async (row) => {
      const outcome = await this.outcomeOf(row, dryRun);
      if (Array.isArray(outcome)) this.badRows.push({ line: row.line, problems: outcome });
      this.counts[Array.isArray(outcome) ? 'failed' : outcome] += 1;
      await this.sayNowAndThen();
    });
    await this.say();
    return onError === 'continue' || this.counts.failed === failedBefore;
  }

  /** Whoever the rows name is looked up for all at once; when that goes wrong inside, row by row, to find the one that it is about. */
  private async readAll(rows: readonly SaidRow[]): Promise<ReadRow[]> {
    const clientsOf = (some: readonly SaidRow[]) => this.around.clientsNamed(some.map(({ cell }) => cell('client')));
    const together = await this.patiently(() => clientsOf(rows)).catch((error: unknown) => {
      if (isAway(error)) throw error;
      return undefined;
    });
    const read: ReadRow[] = [];
    for (const row of rows) {
      const wanted = await this.safely(row.line, async () => this.read(row, together ?? (await clientsOf([row]))));
      read.push({ line: row.line, wanted });
    }
    return read;
  }

  /** All are tried first, so that nothing that comes after a bad row is moved in. */
  private async upToFirstBad(rows: readonly ReadRow[]): Promise<readonly ReadRow[]> {
    const tried = await fewAtOnce(rows, AT_ONCE, async (row) => {
      await this.sayNowAndThen();
      return this.outcomeOf(row, true);
    });
    const bad = tried.findIndex((outcome) => Array.isArray(outcome));
    return bad < 0 ? rows : rows.slice(0, bad + 1);
  }

  private async outcomeOf({ line, wanted }: ReadRow, tryOnly: boolean): Promise<Outcome> {
    if (Array.isArray(wanted)) return wanted;
    let tried: string | undefined; // when first; in vain, if there is another time
    return this.safely(line, () => {
      const triedBefore = tried;
      tried ??= this.around.clock();
      return tryOnly ? this.tryOut(wanted) : this.moveIn(wanted, triedBefore);
    });
  }

  private async tryOut({ moved }: WantedPackage): Promise<RowDone['became']> {
    return (await this.execute(new TryPackage(this.around.caller, moved))).became;
  }

  /** What is there since it was tried in vain, nobody knowing what came of that, was not there before. */
  private async moveIn({ moved, register }: WantedPackage, triedBefore: string | undefined): Promise<RowDone['became']> {
    const { caller } = this.around;
    if (register) {
      await this.execute(new TryPackage(caller, moved)); // of a row that is refused, nobody is registered either
      await this.execute(new ImportClient(caller, register));
    }
    const { became, broughtAt } = await this.execute(new ImportPackage(caller, moved));
    if (became === 'skipped' && (triedBefore === undefined || broughtAt === null || broughtAt < triedBefore)) return 'skipped';
    if (this.brought.has(moved.reference)) return 'skipped'; // the same row twice
    this.brought.add(moved.reference);
    return 'imported';
  }

  /** What a rule refuses, and what nobody foresaw, is told at the row that it is about, and stops no other. */
  private async safely<Done>(line: number, work: () => Promise<Done>): Promise<Done | Problem[]> {
    try {
      return await this.patiently(work);
    } catch (error) {
      if (error instanceof Refusal) return [problemOf(error)];
      if (isAway(error)) throw error;
      const { correlationId } = this.around.caller;
      this.around.log(new Error(`Line ${line} of an import failed, correlation id ${correlationId}`, { cause: error }));
      return [unforeseen(correlationId)];
    }
  }

  /** A part that is away is waited for; at the end of all patience the work is left, to be taken up again. */
  private async patiently<Done>(work: () => Promise<Done>): Promise<Done> {
    const until = performance.now() + PATIENCE;
    for (let n = 0; ; n += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isAway(error) || this.around.isStopping() || performance.now() > until) throw error;
        await sleep(PAUSES[n] ?? LONGEST_PAUSE);
      }
    }
  }

  /** So that it is not taken for dead while some rows take long. */
  private async sayNowAndThen(): Promise<void> {
    if (performance.now() - this.saidAt > SAY_EVERY) await this.say();
  }

  private async say(): Promise<void> {
    this.saidAt = performance.now();
    this.saidTimes += 1;
    const caller = { ...this.around.caller, idempotencyKey: this.keyOf(`${this.saidTimes}`) };
    const said = { ...this.said(), badRows: this.badRows.splice(0) };
    await this.patiently(() => this.execute(new RecordProgress(caller, said)));
  }

  private said(): ImportCounts & { importId: string; attempt: number } {
    const { importId, attempt } = this.started;
    return { importId, attempt, ...this.counts };
  }

  /** Of what is said about the work: repeated when nobody knows whether it was heard, it was said once. No header can hold such a key. */
  private keyOf(what: string): string {
    const { importId, attempt } = this.started;
    return `import\n${importId}\n${attempt}\n${what}`;
  }

  private execute<Answer>(command: { answer: Answer } & object): Promise<Answered<Answer>> {
    return this.around.commands.execute(command as never);
  }
}

const isAway = (error: unknown): boolean => failureOf(error).status === 503;

const isTakenOver = (error: unknown): boolean => error instanceof Refusal && error.code === 'IMPORT_TAKEN_OVER';

const unforeseen = (correlationId: string): Problem => ({
  ...{ column: null, code: 'INTERNAL_ERROR' },
  message: `Something went wrong inside at this row. Send the file again; if it stays, quote the correlation id ${correlationId}.`,
});

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
