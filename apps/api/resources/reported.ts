import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { BadCursor } from '../../../libs/projection-engine/paging.js';
import type { Report } from '../../../libs/reporting/define-report.js';
import type { Exports } from '../../../libs/reporting/exports.js';
import type { Reports } from '../../../libs/reporting/reports.js';
import type { CallContext } from '../http/call.js';
import { BusinessDays } from './business-days.js';
import { PAGE, type Page, type PageQuery } from './paging.js';
import { Past } from './past.js';
import { isDataException, notACursor, Reading } from './reading.js';

/** The tokens under which they are provided. */
export const REPORTS = Symbol('reports');
export const EXPORTS = Symbol('exports');

interface OfThePast {
  asOf?: string;
}
interface Ordered extends OfThePast {
  descending?: boolean;
}
interface Sorted extends Ordered {
  sort?: string;
}

/** J2, J3: what all reports have in common: the caller's business, now or then, freshness, pages, files. */
@Injectable()
export class Reported {
  constructor(
    @Inject(REPORTS) private readonly reports: Reports,
    @Inject(EXPORTS) private readonly exports: Exports,
    private readonly reading: Reading,
    private readonly days: BusinessDays,
    private readonly past: Past,
  ) {}

  /** Items are what the report's columns say; tests hold them against the document. */
  async page<Filters, Item>(report: Report<Filters>, call: CallContext, query: Filters & Sorted & PageQuery): Promise<Page<Item>> {
    const { here, ...then } = await this.of(report, call, query);
    const { sort = report.sortedBy, descending, limit = PAGE, cursor } = query;
    const page = await orNotACursor(cursor, this.reports.page(report, { here, query }, { sort, descending, limit, cursor }));
    return { ...page, ...then } as Page<Item>;
  }

  async totals<Filters, Totals>(
    report: Report<Filters>,
    call: CallContext,
    query: Filters & Ordered & PageQuery & { by: string },
  ): Promise<Totals> {
    const { here, ...then } = await this.of(report, call, query);
    const { by, limit = PAGE, cursor, descending } = query;
    const totals = await orNotACursor(cursor, this.reports.totals(report, { here, query }, { by, descending, limit, cursor }));
    return { by, currency: here.currency, ...totals, ...then } as Totals;
  }

  /** All rows as CSV. */
  async file<Filters>(report: Report<Filters>, call: CallContext, query: Filters & Sorted & { bom?: boolean }): Promise<Readable> {
    const { here } = await this.of(report, call, query);
    const { sort = report.sortedBy, descending = false, bom = false } = query;
    const statementOf = this.reports.allRows(report, { here, query }, { sort, descending });
    return this.exports.csv(statementOf, { business: call.business, columns: Object.keys(report.columns), bom });
  }

  /** Where and when, once all that is read is as fresh as the caller wants it. */
  private async of<Filters>({ rows, joins }: Report<Filters>, call: CallContext, { asOf }: OfThePast) {
    const then = await this.past.of(call, asOf);
    for (const read of [rows, ...Object.values(joins).map(({ to }) => to)]) await this.reading.fresh(read, then.call);
    return { here: await this.days.here(then.call), ...pick(then, 'asOf') };
  }
}

/** A cursor that somebody made up can bring a value that is none of its column's. */
const orNotACursor = async <T>(cursor: string | undefined, answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (error) {
    if (cursor !== undefined && (error instanceof BadCursor || isDataException(error))) throw notACursor();
    throw error;
  }
};
