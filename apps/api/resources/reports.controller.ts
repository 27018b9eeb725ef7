import type { Readable } from 'node:stream';
import { Controller, Get, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { TakesItsTime } from '../http/time-limit.js';
import { salesReport } from '../reports/sales.report.js';
import { usageReport } from '../reports/usage.report.js';
import { SalesCellExplanation, SalesCellQuery, UsageCellExplanation, UsageCellQuery } from './cell.shapes.js';
import { ExplainedCells } from './explained-cells.js';
import { Reported } from './reported.js';
import { SalesFileQuery, SalesPage, SalesQuery, SalesTotals, SalesTotalsQuery } from './report.shapes.js';
import { UsageFileQuery, UsagePage, UsageQuery, UsageTotals, UsageTotalsQuery } from './usage.shapes.js';

const Csv = ApiOkResponse({
  description: 'All rows, as RFC 4180 has it: a header, CRLF, UTF-8; amounts are decimals of the currency.',
  content: { 'text/csv': { schema: { type: 'string' } } },
});

/** J2, J3: what was sold, and what was used. */
@ApiTags('Reports')
@Controller('reports')
export class ReportsController {
  constructor(
    private readonly reported: Reported,
    private readonly cells: ExplainedCells,
  ) {}

  @Get('sales')
  @Allow('reports:sales')
  @ApiOkResponse({ type: SalesPage })
  sales(@Call() call: CallContext, @Query() query: SalesQuery): Promise<SalesPage> {
    return this.reported.page(salesReport, call, query);
  }

  @Get('sales/totals')
  @Allow('reports:sales')
  @ApiOkResponse({ type: SalesTotals })
  salesTotals(@Call() call: CallContext, @Query() query: SalesTotalsQuery): Promise<SalesTotals> {
    return this.reported.totals(salesReport, call, query);
  }

  @Get('sales/explanation')
  @Allow('reports:sales')
  @ApiOkResponse({ type: SalesCellExplanation })
  explainSales(@Call() call: CallContext, @Query() query: SalesCellQuery): Promise<SalesCellExplanation> {
    return this.cells.ofSales(call, query);
  }

  @Get('sales.csv')
  @Allow('reports:sales')
  @TakesItsTime()
  @Csv
  async salesFile(
    @Call() call: CallContext,
    @Query() query: SalesFileQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return asFile(reply, 'sales', await this.reported.file(salesReport, call, query));
  }

  @Get('usage')
  @Allow('reports:usage')
  @ApiOkResponse({ type: UsagePage })
  usage(@Call() call: CallContext, @Query() query: UsageQuery): Promise<UsagePage> {
    return this.reported.page(usageReport, call, query);
  }

  @Get('usage/totals')
  @Allow('reports:usage')
  @ApiOkResponse({ type: UsageTotals })
  usageTotals(@Call() call: CallContext, @Query() query: UsageTotalsQuery): Promise<UsageTotals> {
    return this.reported.totals(usageReport, call, query);
  }

  @Get('usage/explanation')
  @Allow('reports:usage')
  @ApiOkResponse({ type: UsageCellExplanation })
  explainUsage(@Call() call: CallContext, @Query() query: UsageCellQuery): Promise<UsageCellExplanation> {
    return this.cells.ofUsage(call, query);
  }

  @Get('usage.csv')
  @Allow('reports:usage')
  @TakesItsTime()
  @Csv
  async usageFile(
    @Call() call: CallContext,
    @Query() query: UsageFileQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return asFile(reply, 'usage', await this.reported.file(usageReport, call, query));
  }
}

const asFile = (reply: FastifyReply, name: string, rows: Readable): StreamableFile => {
  void reply.headers({ 'cache-control': PRIVATE });
  return new StreamableFile(rows, { type: 'text/csv; charset=utf-8', disposition: `attachment; filename="${name}.csv"` });
};

/** It names people: no cache keeps it. */
const PRIVATE = 'private, no-store';
