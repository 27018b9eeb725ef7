import { Body, Controller, Get, Patch, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { ChangeTax, DefineTax } from '../../../libs/command-handling/commands/catalogue.commands.js';
import { taxList } from '../../../projections/tax-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsId, IsPercentage, IsText, type FieldOptions } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed, Versioned } from './answered.js';
import { NamedQuery, PageOf } from './paging.js';
import { Reading } from './reading.js';

/** What is said of a tax; of a change, only what changes. */
const TaxFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsText({ max: 100, example: 'QST', ...how })
    name: string;

    @IsPercentage({ example: '9.975', ...how })
    rate: string;
  }
  return Fields;
};

class Tax extends TaxFields() {
  @IsId()
  taxId: string;
}

class TaxBody extends TaxFields() {}
class ChangeTaxBody extends TaxFields({ optional: true }) {}
class TaxAnswer extends IntersectionType(Tax, Changed) {}
class TaxRead extends IntersectionType(Tax, Versioned) {}
class TaxPage extends PageOf(TaxRead) {}

/** A4: taxes, each on the net, added on top of prices. */
@ApiTags('Catalogue')
@Controller('taxes')
export class TaxesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post()
  @Allow('catalogue:write')
  @ApiCreatedResponse({ type: TaxAnswer })
  define(@Call() call: CallContext, @Body() body: TaxBody): Promise<TaxAnswer> {
    return this.commands.execute(new DefineTax(call, body));
  }

  @Patch(':taxId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: TaxAnswer })
  change(@Call() call: CallContext, @PathId('taxId') taxId: string, @Body() body: ChangeTaxBody): Promise<TaxAnswer> {
    return this.commands.execute(new ChangeTax(call, { taxId, ...body }));
  }

  @Get()
  @Allow('catalogue:read')
  @ApiOkResponse({ type: TaxPage })
  list(@Call() call: CallContext, @Query() query: NamedQuery): Promise<TaxPage> {
    return this.reading.named(taxList, call, query);
  }

  @Get(':taxId')
  @Allow('catalogue:read')
  @ApiOkResponse({ type: TaxRead })
  read(@Call() call: CallContext, @PathId('taxId') taxId: string): Promise<TaxRead> {
    return this.reading.one(taxList, call, 'tax', taxId);
  }
}
