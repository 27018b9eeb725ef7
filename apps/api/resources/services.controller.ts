import { Body, Controller, Get, Patch, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { ChangeService, DefineService } from '../../../libs/command-handling/commands/catalogue.commands.js';
import { serviceList } from '../../../projections/service-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsFlag, IsId, IsInteger, IsPrice, IsText, MoneyBody, type FieldOptions } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed, Versioned } from './answered.js';
import { NamedQuery, PageOf } from './paging.js';
import { Reading } from './reading.js';

const A_DAY = 24 * 60; // minutes

/** What is said of a service; of a change, only what changes. */
const ServiceFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsText({ max: 200, example: 'Deep tissue massage', ...how })
    name: string;

    @IsText({ max: 2000, min: 0, lines: true, optional: true })
    description: string;

    @IsInteger({ min: 1, max: A_DAY, example: 60, ...how })
    durationMinutes: number;

    @IsPrice(how)
    price: MoneyBody;

    @IsId({ list: { max: 10, unique: true }, optional: true })
    taxIds: string[];

    @IsFlag({ optional: true, description: 'true unless told' })
    active: boolean;

    @IsFlag({ optional: true, description: 'true unless told' })
    publiclyDisplayed: boolean;

    @IsText({ max: 200, optional: true, nullable: true })
    externalReference: string | null;
  }
  return Fields;
};

const UNTOLD = { description: '', taxIds: [], active: true, publiclyDisplayed: true, externalReference: null };

class Service extends ServiceFields() {
  @IsId()
  serviceId: string;
}

class ServiceBody extends ServiceFields() {}
class ChangeServiceBody extends ServiceFields({ optional: true }) {}
class ServiceAnswer extends IntersectionType(Service, Changed) {}
class ServiceRead extends IntersectionType(Service, Versioned) {}
class ServicePage extends PageOf(ServiceRead) {}

/** B1: bookable treatments and classes. */
@ApiTags('Catalogue')
@Controller('services')
export class ServicesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post()
  @Allow('catalogue:write')
  @ApiCreatedResponse({ type: ServiceAnswer })
  define(@Call() call: CallContext, @Body() body: ServiceBody): Promise<ServiceAnswer> {
    return this.commands.execute(new DefineService(call, { ...UNTOLD, ...body }));
  }

  @Patch(':serviceId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: ServiceAnswer })
  change(@Call() call: CallContext, @PathId('serviceId') serviceId: string, @Body() body: ChangeServiceBody): Promise<ServiceAnswer> {
    return this.commands.execute(new ChangeService(call, { serviceId, ...body }));
  }

  @Get()
  @Allow('catalogue:read')
  @ApiOkResponse({ type: ServicePage })
  list(@Call() call: CallContext, @Query() query: NamedQuery): Promise<ServicePage> {
    return this.reading.named(serviceList, call, query);
  }

  @Get(':serviceId')
  @Allow('catalogue:read')
  @ApiOkResponse({ type: ServiceRead })
  read(@Call() call: CallContext, @PathId('serviceId') serviceId: string): Promise<ServiceRead> {
    return this.reading.one(serviceList, call, 'service', serviceId);
  }
}
