import { Injectable } from '@nestjs/common';
import { invoice } from '../../../libs/domain/invoice/invoice.state.js';
import type { AnyEvent, Recorded } from '../../../libs/domain/kernel/event.js';
import type { Share } from '../../../libs/domain/kernel/explanation.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { usesIn, type Use, type UsageFigure } from '../../../libs/domain/package/explanation.js';
import { packageAggregate } from '../../../libs/domain/package/package.state.js';
import { explainSale, type SalesFigure } from '../../../libs/domain/package/sale-explanation.js';
import type { Report } from '../../../libs/reporting/define-report.js';
import type { CellRow } from '../../../libs/reporting/reports.js';
import type { CallContext } from '../http/call.js';
import { salesReport } from '../reports/sales.report.js';
import { usageReport } from '../reports/usage.report.js';
import { cellCursorOf, type CellPlace } from './cell-place.js';
import type { SalesCellExplanation, SalesCellQuery, UsageCellExplanation, UsageCellQuery } from './cell.shapes.js';
import { eventRead } from './history.js';
import { PAGE } from './paging.js';
import { Reported, type CellQuery } from './reported.js';
import { Streams } from './streams.js';

const AT_ONCE = 32; // rows whose streams are read

/** What the rows of a report are made of. */
interface Making<Column extends string> {
  columns: readonly Column[]; // that say which streams, and name a row
  /** Of each of some rows, the events that add up to a figure. */
  sharesOf(rows: readonly Record<Column, string>[], until: bigint): Promise<Share[][]>;
}

/** J2, J3, K: why a cell of a report is what it is: the rows that make it up, and the events that make up each, read from what is stored. */
@Injectable()
export class ExplainedCells {
  constructor(
    private readonly reported: Reported,
    private readonly streams: Streams,
  ) {}

  async ofSales(call: CallContext, query: SalesCellQuery): Promise<SalesCellExplanation> {
    const { figure } = query;
    const explained = await this.of(salesReport, call, query, {
      columns: ['packageId', 'invoiceId'] as const,
      sharesOf: (rows, until) => Promise.all(rows.map((row) => this.sharesOfSale(call, row, { figure, until }))),
    });
    return { figure, by: query.by ?? null, ...explained, ...(figure === 'packages' && COUNT) };
  }

  async ofUsage(call: CallContext, query: UsageCellQuery): Promise<UsageCellExplanation> {
    const { figure } = query;
    const explained = await this.of(usageReport, call, query, {
      columns: ['packageId', 'entryId'] as const,
      sharesOf: (rows, until) => this.sharesOfUses(call, rows, { figure, until }),
    });
    return { figure, by: query.by ?? null, ...explained, ...(figure !== 'fee' && COUNT) };
  }

  private async sharesOfSale(
    call: CallContext,
    { packageId, invoiceId }: Record<'packageId' | 'invoiceId', string>,
    { figure, until }: { figure: SalesFigure; until: bigint },
  ): Promise<Share[]> {
    const invoiced = figure === 'packages' ? [] : upTo(until, await this.streams.anyEvents(invoice, call, invoiceId));
    const sold = invoiced.length > 0 ? [] : upTo(until, await this.streams.anyEvents(packageAggregate, call, packageId));
    return explainSale(sold, invoiced, figure);
  }

  /** Rows of one package stand close to each other, so each stream is read once for all of them. */
  private async sharesOfUses(
    call: CallContext,
    rows: readonly Record<'packageId' | 'entryId', string>[],
    { figure, until }: { figure: UsageFigure; until: bigint },
  ): Promise<Share[][]> {
    const uses = new Map<string, Use>();
    const read = async (packageId: string) => {
      const events = upTo(until, await this.streams.anyEvents(packageAggregate, call, packageId));
      for (const use of usesIn(events)) uses.set(use.entryId, use);
    };
    await Promise.all([...new Set(rows.map(({ packageId }) => packageId))].map(read));
    return rows.map(({ entryId }) => {
      const use = uses.get(entryId);
      return use && use.adds[figure] !== 0 ? [{ event: use.event, adds: use.adds[figure], sum: use.adds[figure] }] : [];
    });
  }

  private async of<Filters, Column extends string>(
    report: Report<Filters>,
    call: CallContext,
    query: Filters & CellQuery,
    { columns, sharesOf }: Making<Column>,
  ) {
    const { place, prefix, currency, cell, ...then } = await this.reported.cell(report, call, query, columns);
    const page = new Page<Column>(place, query.limit ?? PAGE, cell.value);
    for (let n = 0; n < cell.rows.length && !page.isFull; n += AT_ONCE) {
      const rows = cell.rows.slice(n, n + AT_ONCE) as (CellRow & { columns: Record<Column, string> })[];
      const shares = await sharesOf(
        rows.map((row) => row.columns),
        place.until,
      );
      rows.forEach((row, i) => page.add(row, shares[i]!));
    }
    return {
      ...{ key: query.key ?? null, value: cell.value, currency: currency as string | null, sum: page.place.sum },
      ...pick(page, 'items', 'differing', 'holds'),
      ...{ position: place.until < 0n ? null : String(place.until) },
      next: page.isFull || cell.more ? prefix + cellCursorOf(page.place) : null,
      ...then,
    };
  }
}

const COUNT = { currency: null };

const upTo = <Event extends AnyEvent>(until: bigint, events: readonly Recorded<Event>[]): Recorded<Event>[] =>
  events.filter(({ position }) => position <= until);

/** A page as it fills up with the events of one row after the other: it goes on where the page before has ended, be it within a row. */
class Page<Column extends string> {
  readonly items: (ReturnType<typeof itemOf> & Record<Column, string>)[] = [];
  readonly differing: (Record<Column, string> & { reported: number; explained: number })[] = [];
  isFull = false; // there is an event that has no place on it
  private agrees: boolean; // what is explained comes to what the report has, up to the end of a row

  constructor(
    public place: CellPlace,
    private readonly limit: number,
    value: number,
  ) {
    this.agrees = place.sum === value; // of no rows
  }

  get holds(): boolean {
    return this.agrees && this.differing.length === 0;
  }

  add(row: CellRow & { columns: Record<Column, string> }, shares: readonly Share[]): void {
    if (this.isFull) return;
    const { given } = this.place;
    this.agrees = this.place.sum - totalOf(shares.slice(0, given)) === row.sum - row.adds;
    const rest = shares.slice(given);
    const fitting = rest.slice(0, this.limit - this.items.length);
    for (const share of fitting) this.give(row.columns, share);
    if (fitting.length < rest.length) {
      this.isFull = true;
      this.place = { ...this.place, given: given + fitting.length };
      return;
    }
    this.place = { ...this.place, after: row.place, given: 0 };
    this.agrees = this.place.sum === row.sum;
    const explained = totalOf(shares);
    if (explained !== row.adds) this.differing.push({ ...row.columns, reported: row.adds, explained });
  }

  private give(columns: Record<Column, string>, { event, adds }: Share): void {
    this.place = { ...this.place, sum: this.place.sum + (adds ?? 0) };
    this.items.push({ ...columns, ...itemOf(event, adds ?? 0, this.place.sum) });
  }
}

const itemOf = (event: Recorded, adds: number, sum: number) => ({ stream: event.stream, ...eventRead(event), adds, sum });

const totalOf = (shares: readonly Share[]): number => shares.reduce((sum, { adds }) => sum + (adds ?? 0), 0);
