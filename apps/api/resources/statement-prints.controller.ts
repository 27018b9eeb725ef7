import { Controller, Get, Injectable, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Refusal } from '../../../libs/domain/kernel/refusal.js';
import type { PrintedPage } from '../../../libs/printing/printed-page.js';
import { statementPage, type StatementEntry } from '../../../libs/printing/printed-statement.js';
import { PAPERS, type Paper } from '../../../libs/printing/style.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { clientList } from '../../../projections/client-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsOneOf } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { BusinessDays } from './business-days.js';
import { ownId } from './own-things.js';
import { MOST_ITEMS } from './paging.js';
import { asHtml, asPdf, Html, Pdf } from './prints.controller.js';
import { Reading } from './reading.js';
import { StatementFilters } from './statement.shapes.js';
import { Statements } from './statements.controller.js';

const MOST = 2_000; // entries on paper, which is made in memory

const TooLong = ApiConflictResponse({
  description: 'It has more entries than can be on paper (`STATEMENT_TOO_LONG`).',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

class StatementPrintQuery extends StatementFilters {
  @IsOneOf([...PAPERS], { optional: true, description: 'a PDF is A4 unless told; HTML takes the paper of the printer' })
  paper?: Paper;
}

/** J3: one owner's statement on paper. */
@Injectable()
export class PrintedStatements {
  constructor(
    private readonly statements: Statements,
    private readonly reading: Reading,
    private readonly days: BusinessDays,
  ) {}

  /** @throws Refusal STATEMENT_TOO_LONG */
  async of(call: CallContext, ownerId: string, { paper: _, ...query }: StatementPrintQuery): Promise<PrintedPage> {
    const entries = await this.entries(call, ownerId, query);
    const [{ name: business }, { name: owner }, { currency, timeZone, today }] = await Promise.all([
      this.reading.one(businessSettings, call, 'business', call.business),
      this.reading.one(clientList, call, 'client', ownerId),
      this.days.here(call),
    ]);
    return statementPage({
      ...{ business, owner, currency, timeZone, today, entries },
      ...{ from: query.onFrom ?? null, until: query.onUntil ?? null },
    });
  }

  private async entries(call: CallContext, ownerId: string, query: Omit<StatementPrintQuery, 'paper'>): Promise<StatementEntry[]> {
    const entries: StatementEntry[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await this.statements.of(call, ownerId, { ...query, limit: MOST_ITEMS, cursor });
      entries.push(...page.items);
      cursor = page.next;
      if (cursor !== null && entries.length >= MOST)
        throw new Refusal(
          'STATEMENT_TOO_LONG',
          `A statement on paper has at most ${MOST} entries: ask for fewer days, or for one package.`,
          {
            most: MOST,
          },
        );
    }
    return entries;
  }
}

@ApiTags('Clients')
@Controller('clients')
export class StatementPrintsController {
  constructor(private readonly prints: PrintedStatements) {}

  @Get(':clientId/statement.html')
  @Allow('reports:usage')
  @Html
  @TooLong
  async html(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() query: StatementPrintQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return asHtml(reply, await this.prints.of(call, clientId, query), query.paper);
  }

  @Get(':clientId/statement.pdf')
  @Allow('reports:usage')
  @Pdf
  @TooLong
  async pdf(
    @Call() call: CallContext,
    @PathId('clientId') clientId: string,
    @Query() query: StatementPrintQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return asPdf(reply, await this.prints.of(call, clientId, query), query.paper);
  }
}

@ApiTags('The client’s side')
@Controller('me')
export class OwnStatementPrintsController {
  constructor(private readonly prints: PrintedStatements) {}

  @Get('statement.html')
  @Allow('own:read')
  @Html
  @TooLong
  async html(@Call() call: CallContext, @Query() query: StatementPrintQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return asHtml(reply, await this.prints.of(call, ownId(call), query), query.paper);
  }

  @Get('statement.pdf')
  @Allow('own:read')
  @Pdf
  @TooLong
  async pdf(@Call() call: CallContext, @Query() query: StatementPrintQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return asPdf(reply, await this.prints.of(call, ownId(call), query), query.paper);
  }
}
