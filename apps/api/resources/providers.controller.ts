import { Body, Controller, Get, Patch, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { ChangeProvider, RegisterProvider } from '../../../libs/command-handling/commands/catalogue.commands.js';
import { providerList } from '../../../projections/provider-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsFlag, IsId, IsText, type FieldOptions } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed, Versioned } from './answered.js';
import { NamedQuery, PageOf } from './paging.js';
import { Reading } from './reading.js';

/** What is said of a provider; of a change, only what changes. */
const ProviderFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsText({ max: 200, example: 'Dana Roy', ...how })
    name: string;

    @IsFlag({ optional: true, description: 'true unless told' })
    active: boolean;

    @IsId({ list: { max: 500, unique: true }, description: 'the services that this person gives', ...how })
    serviceIds: string[];

    @IsText({ max: 200, optional: true, nullable: true })
    externalReference: string | null;
  }
  return Fields;
};

const UNTOLD = { active: true, externalReference: null };

class Provider extends ProviderFields() {
  @IsId()
  providerId: string;
}

class ProviderBody extends ProviderFields() {}
class ChangeProviderBody extends ProviderFields({ optional: true }) {}
class ProviderAnswer extends IntersectionType(Provider, Changed) {}
class ProviderRead extends IntersectionType(Provider, Versioned) {}
class ProviderPage extends PageOf(ProviderRead) {}

/** B1: the persons who give services. */
@ApiTags('Catalogue')
@Controller('providers')
export class ProvidersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post()
  @Allow('catalogue:write')
  @ApiCreatedResponse({ type: ProviderAnswer })
  register(@Call() call: CallContext, @Body() body: ProviderBody): Promise<ProviderAnswer> {
    return this.commands.execute(new RegisterProvider(call, { ...UNTOLD, ...body }));
  }

  @Patch(':providerId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: ProviderAnswer })
  change(@Call() call: CallContext, @PathId('providerId') providerId: string, @Body() body: ChangeProviderBody): Promise<ProviderAnswer> {
    return this.commands.execute(new ChangeProvider(call, { providerId, ...body }));
  }

  @Get()
  @Allow('catalogue:read')
  @ApiOkResponse({ type: ProviderPage })
  list(@Call() call: CallContext, @Query() query: NamedQuery): Promise<ProviderPage> {
    return this.reading.named(providerList, call, query);
  }

  @Get(':providerId')
  @Allow('catalogue:read')
  @ApiOkResponse({ type: ProviderRead })
  read(@Call() call: CallContext, @PathId('providerId') providerId: string): Promise<ProviderRead> {
    return this.reading.one(providerList, call, 'provider', providerId);
  }
}
