import { Injectable } from '@nestjs/common';
import { invoice } from '../../../libs/domain/invoice/invoice.state.js';
import type { AnyEvent, Recorded } from '../../../libs/domain/kernel/event.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { usesIn, type Use, type UsageFigure } from '../../../libs/domain/package/explanation.js';
import { packageAggregate } from '../../../libs/domain/package/package.state.js';
import { explainSale, saleIn, standingOf } from '../../../libs/domain/package/sale-explanation.js';
import type { Report } from '../../../libs/reporting/define-report.js';
import type { CallContext } from '../http/call.js';
import { salesReport, statusOf } from '../reports/sales.report.js';
import { usageReport } from '../reports/usage.report.js';
import { cellPage, type ExplainedRow } from './cell-page.js';
import { cellCursorOf, type CellPlace } from './cell-place.js';
import type { SalesCellExplanation, SalesCellQuery, UsageCellExplanation, UsageCellQuery } from './cell.shapes.js';
import { PAGE } from './paging.js';
import { Reported, type CellQuery } from './reported.js';
import { Streams } from './streams.js';

type Columns<Id extends string> = Record<Id, string>;

/** What the rows of a report are made of. */
interface Making<Id extends string> {
  ids: readonly Id[]; // columns that name a row, and say which streams
  checked: readonly string[]; // columns that its events must say alike
  /** How a row of some is explained. */
  explaining(rows: readonly Columns<Id>[], place: CellPlace): (row: Columns<Id>) => Promise<ExplainedRow>;
}

const OF_SALE = ['soldOn', 'clientId', 'offeringId', 'channel', 'invoiceId'];
const OF_STANDING = ['status', 'expiresOn', 'remaining', 'paid', 'refunded', 'outstanding'];
const OF_USE = ['what', 'offeringId', 'ownerId', 'clientId', 'serviceId', 'appointmentId', 'recordedAt'];

/** J2, J3, K: why a cell of a report is what it is: the rows that make it up, and the events that make up each, read from what is stored. */
@Injectable()
export class ExplainedCells {
  constructor(
    private readonly reported: Reported,
    private readonly streams: Streams,
  ) {}

  async ofSales(call: CallContext, query: SalesCellQuery): Promise<SalesCellExplanation> {
    const { figure } = query;
    const isByStanding = asksForStanding(query);
    const explained = await this.of(salesReport, call, query, {
      ids: ['packageId', 'invoiceId'] as const,
      checked: isByStanding ? [...OF_SALE, ...OF_STANDING] : OF_SALE,
      explaining: (_, place) => (row) => this.sale(call, row, query, place),
    });
    return { figure, by: query.by ?? null, ...explained, ...(figure === 'packages' && COUNT) };
  }

  async ofUsage(call: CallContext, query: UsageCellQuery): Promise<UsageCellExplanation> {
    const { figure } = query;
    const explained = await this.of(usageReport, call, query, {
      ids: ['packageId', 'entryId'] as const,
      checked: OF_USE,
      explaining: (rows, { until }) => this.uses(call, rows, { figure, until }),
    });
    return { figure, by: query.by ?? null, ...explained, ...(figure !== 'fee' && COUNT) };
  }

  /** Most cells take the first event of a package alone: only what is asked by how packages stand takes all of them. */
  private async sale(
    call: CallContext,
    { packageId, invoiceId }: Columns<'packageId' | 'invoiceId'>,
    query: SalesCellQuery,
    { until, today }: CellPlace,
  ): Promise<ExplainedRow> {
    const isByStanding = asksForStanding(query);
    const [sold, invoiced] = await Promise.all([
      this.streams.anyEvents(packageAggregate, call, packageId, isByStanding ? undefined : 0n),
      isByStanding || query.figure !== 'packages' ? this.streams.anyEvents(invoice, call, invoiceId) : [],
    ]);
    const then = { sold: upTo(until, sold), invoiced: upTo(until, invoiced) };
    const standing = isByStanding ? standingOf(then.sold, then.invoiced) : undefined;
    return {
      shares: explainSale(then.sold, then.invoiced, query.figure),
      says: { ...saleIn(then.sold), ...standing, ...(standing && { status: statusOf(standing, today) }) },
    };
  }

  /** Each package is read once for all of its rows, and of it no more is kept than they need. */
  private uses(
    call: CallContext,
    rows: readonly Columns<'packageId' | 'entryId'>[],
    { figure, until }: { figure: UsageFigure; until: bigint },
  ): (row: Columns<'packageId' | 'entryId'>) => Promise<ExplainedRow> {
    const wanted = new Set(rows.map(({ entryId }) => entryId));
    const read = new Map<string, Promise<Use[]>>();
    const usesOf = async (packageId: string): Promise<Use[]> => {
      const events = upTo(until, await this.streams.anyEvents(packageAggregate, call, packageId));
      return usesIn(events).filter(({ entryId }) => wanted.has(entryId));
    };
    return async ({ packageId, entryId }) => {
      const uses = read.get(packageId) ?? usesOf(packageId);
      read.set(packageId, uses);
      const use = (await uses).find((one) => one.entryId === entryId);
      if (!use) return { shares: [], says: {} };
      const adds = use.adds[figure];
      return { shares: adds === 0 ? [] : [{ event: use.event, adds, sum: adds }], says: { ...use.says } };
    };
  }

  private of<Filters, Id extends string>(
    report: Report<Filters>,
    call: CallContext,
    query: Filters & CellQuery,
    { ids, checked, explaining }: Making<Id>,
  ) {
    const columns = [...new Set([...ids, ...checked])];
    return this.reported.cell(report, call, query, columns, async ({ cell, isOver, place, prefix, currency, ...then }) => {
      const explain = explaining(
        cell.rows.map((row) => row.columns as Columns<Id>),
        place,
      );
      const page = await cellPage(cell, place, { ids, checked, explain, isOver, limit: query.limit ?? PAGE });
      return {
        ...{ key: query.key ?? null, value: cell.value, currency, sum: page.place.sum },
        ...pick(page, 'items', 'differing', 'holds'),
        ...{ position: place.until < 0n ? null : String(place.until) },
        next: page.isLast ? null : prefix + cellCursorOf(page.place),
        ...then,
      };
    });
  }
}

const COUNT = { currency: null };

/** Status, and what is owing or expires: not what the sale said for ever. */
const asksForStanding = ({ by, status, owing, expiringUntil }: SalesCellQuery): boolean =>
  by === 'status' || [status, owing, expiringUntil].some((asked) => asked !== undefined);

const upTo = <Event extends AnyEvent>(until: bigint, events: readonly Recorded<Event>[]): Recorded<Event>[] =>
  events.filter(({ position }) => position <= until);
