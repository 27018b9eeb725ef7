import { Controller, Get, Injectable, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { clientList } from '../../../projections/client-list.projection.js';
import { packageUsage } from '../../../projections/package-usage.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PathId } from '../validation/path-id.js';
import { BusinessDays } from './business-days.js';
import { ownId } from './own-things.js';
import { Reading } from './reading.js';
import { StatementPage, StatementQuery } from './statement.shapes.js';

/** J3: one owner's packages: what was used, by whom, and what was left after it. */
@Injectable()
export class Statements {
  constructor(
    private readonly reading: Reading,
    private readonly days: BusinessDays,
  ) {}

  async of(call: CallContext, ownerId: string, query: StatementQuery): Promise<StatementPage> {
    const { packageId, onFrom, onUntil, descending, ...page } = query;
    await this.reading.one(clientList, call, 'client', ownerId);
    const { from, before } = await this.days.within(call, { onFrom, onUntil });
    const { items, next } = await this.reading.page(packageUsage, call, page, {
      ...{ by: 'position', descending, where: { ownerId, packageId } },
      ...{ from: { at: from }, before: { at: before } },
    });
    const nameOf = await this.reading.names(
      call,
      items.map(({ clientId }) => clientId),
    );
    return {
      items: items.map(({ ownerId: _, offeringId: __, consumptionId: ___, ...entry }) => ({
        ...entry,
        clientName: nameOf(entry.clientId),
      })),
      next,
    };
  }
}

@ApiTags('Clients')
@Controller('clients')
export class StatementsController {
  constructor(private readonly statements: Statements) {}

  @Get(':clientId/statement')
  @Allow('reports:usage')
  @ApiOkResponse({ type: StatementPage })
  statement(@Call() call: CallContext, @PathId('clientId') clientId: string, @Query() query: StatementQuery): Promise<StatementPage> {
    return this.statements.of(call, clientId, query);
  }
}

@ApiTags('The client’s side')
@Controller('me')
export class OwnStatementController {
  constructor(private readonly statements: Statements) {}

  @Get('statement')
  @Allow('own:read')
  @ApiOkResponse({ type: StatementPage })
  statement(@Call() call: CallContext, @Query() query: StatementQuery): Promise<StatementPage> {
    return this.statements.of(call, ownId(call), query);
  }
}
