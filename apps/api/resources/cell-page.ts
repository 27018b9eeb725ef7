import type { Recorded } from '../../../libs/domain/kernel/event.js';
import type { Share } from '../../../libs/domain/kernel/explanation.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import type { CellRow, CellRows } from '../../../libs/reporting/reports.js';
import type { CellPlace } from './cell-place.js';
import { eventRead } from './history.js';

const AT_ONCE = 32; // rows whose events are read

/** A row by its events. */
export interface ExplainedRow {
  shares: readonly Share[];
  says: Readonly<Record<string, unknown>>; // of what decides in which cells it is; no event, no word
}

/** How rows are held against their events. */
interface Explaining<Id extends string> {
  ids: readonly Id[]; // columns that name a row
  checked: readonly string[]; // columns that its events must say alike
  explain(columns: Record<Id, string>): Promise<ExplainedRow>;
  limit: number; // events
  isOver(): boolean; // there is no more time: the page ends after a whole row
}

/** A page of the events that make up a cell, from a place on. */
export async function cellPage<Id extends string>(cell: CellRows, place: CellPlace, explaining: Explaining<Id>): Promise<CellPage<Id>> {
  const page = new CellPage<Id>(cell, place, explaining);
  for (let n = 0; n < cell.rows.length && !page.isFull && !(n > 0 && explaining.isOver()); n += AT_ONCE) {
    const rows = cell.rows.slice(n, n + AT_ONCE);
    const explained = await Promise.all(rows.map(({ columns }) => explaining.explain(columns as Record<Id, string>)));
    rows.forEach((row, i) => page.add(row, explained[i]!));
  }
  return page;
}

/** It fills up with the events of one row after the other: it goes on where the page before has ended, be it within a row. */
class CellPage<Id extends string> {
  readonly items: (ReturnType<typeof itemOf> & Record<Id, string>)[] = [];
  readonly differing: (Record<Id, string> & { reported: number; explained: number; columns: string[] })[] = [];
  isFull = false; // there is an event that has no place on it
  private rows = 0; // that are on it to their end
  private agrees: boolean; // what is explained comes to what the report has, up to the end of a row, but for rows that are known to differ

  constructor(
    private readonly cell: CellRows,
    public place: CellPlace,
    private readonly explaining: Pick<Explaining<Id>, 'ids' | 'checked' | 'limit'>,
  ) {
    this.agrees = this.reported === cell.value; // of no rows
  }

  get holds(): boolean {
    return this.agrees && this.differing.length === 0;
  }

  get isLast(): boolean {
    return this.rows === this.cell.rows.length && !this.cell.more;
  }

  add(row: CellRow, { shares, says }: ExplainedRow): void {
    if (this.isFull) return;
    const { given } = this.place;
    if (this.rows === 0) this.agrees = this.reported - totalOf(shares.slice(0, given)) === row.sum - row.adds;
    const rest = shares.slice(given);
    const fitting = rest.slice(0, this.explaining.limit - this.items.length);
    for (const share of fitting) this.give(row, share);
    if (fitting.length < rest.length) {
      this.isFull = true;
      this.place = { ...this.place, given: given + fitting.length };
      return;
    }
    this.rows += 1;
    const explained = totalOf(shares);
    this.place = { ...this.place, after: row.place, given: 0, off: this.place.off + row.adds - explained };
    const columns = this.explaining.checked.filter((column) => row.columns[column] !== says[column]);
    if (explained !== row.adds || columns.length > 0) this.differing.push({ ...this.idsOf(row), reported: row.adds, explained, columns });
  }

  /** What the rows up to here come to in the report. */
  private get reported(): number {
    return this.place.sum + this.place.off;
  }

  private give(row: CellRow, { event, adds }: Share): void {
    this.place = { ...this.place, sum: this.place.sum + (adds ?? 0) };
    this.items.push({ ...this.idsOf(row), ...itemOf(event, adds ?? 0, this.place.sum) });
  }

  private readonly idsOf = ({ columns }: CellRow) => pick(columns as Record<Id, string>, ...this.explaining.ids);
}

const itemOf = (event: Recorded, adds: number, sum: number) => ({ stream: event.stream, ...eventRead(event), adds, sum });

const totalOf = (shares: readonly Share[]): number => shares.reduce((sum, { adds }) => sum + (adds ?? 0), 0);
