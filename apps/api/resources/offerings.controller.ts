import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType, OmitType } from '@nestjs/swagger';
import {
  ChangeOffering,
  DefineOffering,
  DeleteOffering,
  RestoreOffering,
} from '../../../libs/command-handling/commands/offering.commands.js';
import type { ExpiryRule, Limit } from '../../../libs/domain/kernel/shapes.js';
import type { Payment } from '../../../libs/domain/offering/offering.events.js';
import { offeringList, type OfferingRow } from '../../../projections/offering-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import {
  IsFlag,
  IsId,
  IsInteger,
  IsLimit,
  IsNested,
  IsOneOf,
  IsPrice,
  IsText,
  IsVariant,
  MoneyBody,
  type FieldOptions,
} from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed, Versioned } from './answered.js';
import { EmptyBody } from './empty-body.js';
import { EXPIRY } from './expiry.shapes.js';
import { PageOf, PageQuery } from './paging.js';
import { priceText } from './price-text.js';
import { Reading, type Shown } from './reading.js';

const MAX_SERVICES = 100;

class OfferedService {
  @IsId()
  serviceId: string;

  @IsLimit()
  limit: Limit;
}

class ServiceFee {
  @IsId()
  serviceId: string;

  @IsPrice()
  fee: MoneyBody;
}

class PaidUpfront {
  @IsOneOf(['paidUpfront'])
  method: 'paidUpfront';

  @IsPrice()
  fee: MoneyBody;

  @IsId({ list: { max: 10, unique: true }, description: 'taxes on the package fee' })
  taxIds: string[];
}

class PaidEachAppointment {
  @IsOneOf(['paidEachAppointment'])
  method: 'paidEachAppointment';

  @IsNested(ServiceFee, { list: { max: MAX_SERVICES }, description: 'what each appointment is charged, per service' })
  fees: ServiceFee[];
}

/** What is said of an offering; of a change, only what changes. */
const OfferingFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsText({ max: 200, example: 'Five massages', ...how })
    name: string;

    @IsText({ max: 2000, min: 0, lines: true, optional: true })
    description: string;

    @IsOneOf(['active', 'inactive'], { optional: true, description: 'inactive unless told; what is inactive may be unfinished' })
    status: 'active' | 'inactive';

    @IsNested(OfferedService, { list: { max: MAX_SERVICES }, optional: true })
    services: OfferedService[];

    @IsVariant('kind', EXPIRY, { optional: true, description: 'the time in which sessions must be used; none unless told' })
    expiryRule: ExpiryRule;

    @IsVariant('method', { paidUpfront: PaidUpfront, paidEachAppointment: PaidEachAppointment }, { optional: true, nullable: true })
    payment: Payment | null;

    @IsFlag({ optional: true, description: 'whether clients may buy it online; only what is paid upfront' })
    soldOnline: boolean;

    @IsText({ max: 200, optional: true, nullable: true })
    externalReference: string | null;
  }
  return Fields;
};

const UNTOLD = {
  description: '',
  status: 'inactive' as const,
  services: [],
  expiryRule: { kind: 'none' as const },
  payment: null,
  soldOnline: false,
  externalReference: null,
};

class OfferingBody extends OfferingFields() {}
class ChangeOfferingBody extends OfferingFields({ optional: true }) {}

class ListedService extends OfferedService {
  @IsText({ max: 200, min: 0, description: 'what the service is called now' })
  name: string;
}

class OfferingCategory {
  @IsId()
  categoryId: string;

  @IsText({ max: 200, min: 0 })
  name: string;
}

class Offering extends OfferingFields() {
  @IsId()
  offeringId: string;

  @IsFlag({ description: 'from the first sale on: name, services and payment method can no longer change' })
  locked: boolean;

  @IsFlag()
  deleted: boolean;
}

class Listed {
  @IsNested(ListedService, { list: { max: MAX_SERVICES } })
  services: ListedService[];

  @IsNested(OfferingCategory, { nullable: true, description: 'null: it is in none' })
  category: OfferingCategory | null;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'packages sold of it' })
  sold: number;

  @IsText({ max: 200, min: 0, description: 'for people; empty while the payment is not decided', example: '450.00 CAD plus taxes' })
  priceText: string;
}

class OfferingAnswer extends IntersectionType(Offering, Changed) {}
class OfferingRead extends IntersectionType(OmitType(Offering, ['services']), Listed, Versioned) {}
class OfferingPage extends PageOf(OfferingRead) {}

class OfferingsQuery extends PageQuery {
  @IsText({ max: 200, optional: true, description: 'anywhere in the name or the description, in any case' })
  text?: string;

  @IsId({ optional: true, description: 'those in this category' })
  categoryId?: string;

  @IsFlag({ optional: true, description: 'those in no category' })
  ungrouped?: boolean;

  @IsOneOf(['active', 'inactive'], { optional: true })
  status?: 'active' | 'inactive';

  @IsFlag({ optional: true, description: 'deleted ones are left out unless asked for' })
  includeDeleted?: boolean;
}

/** C: what the business sells. */
@ApiTags('Offerings')
@Controller('offerings')
export class OfferingsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post()
  @Allow('catalogue:write')
  @ApiCreatedResponse({ type: OfferingAnswer })
  define(@Call() call: CallContext, @Body() body: OfferingBody): Promise<OfferingAnswer> {
    return this.commands.execute(new DefineOffering(call, { ...UNTOLD, ...body }));
  }

  @Patch(':offeringId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: OfferingAnswer })
  change(@Call() call: CallContext, @PathId('offeringId') offeringId: string, @Body() body: ChangeOfferingBody): Promise<OfferingAnswer> {
    return this.commands.execute(new ChangeOffering(call, { offeringId, ...body }));
  }

  @Delete(':offeringId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: OfferingAnswer })
  delete(@Call() call: CallContext, @PathId('offeringId') offeringId: string, @Body() _: EmptyBody): Promise<OfferingAnswer> {
    return this.commands.execute(new DeleteOffering(call, { offeringId }));
  }

  @Post(':offeringId/restore')
  @Allow('catalogue:write')
  @HttpCode(200)
  @ApiOkResponse({ type: OfferingAnswer })
  restore(@Call() call: CallContext, @PathId('offeringId') offeringId: string, @Body() _: EmptyBody): Promise<OfferingAnswer> {
    return this.commands.execute(new RestoreOffering(call, { offeringId }));
  }

  @Get()
  @Allow('catalogue:read')
  @ApiOkResponse({ type: OfferingPage })
  async list(@Call() call: CallContext, @Query() query: OfferingsQuery): Promise<OfferingPage> {
    const { text, categoryId, ungrouped, status, includeDeleted = false } = query;
    const { items, next } = await this.reading.page(offeringList, call, query, {
      by: 'place',
      where: { status, categoryId, deleted: includeDeleted ? undefined : false },
      isNull: { categoryId: ungrouped },
      containing: { words: text },
    });
    return { items: await this.shown(call, items), next };
  }

  @Get(':offeringId')
  @Allow('catalogue:read')
  @ApiOkResponse({ type: OfferingRead })
  async read(@Call() call: CallContext, @PathId('offeringId') offeringId: string): Promise<OfferingRead> {
    const [shown] = await this.shown(call, [await this.reading.one(offeringList, call, 'offering', offeringId)]);
    return shown!;
  }

  /** C9: with the names that services and categories have now, and what it costs, for people. */
  private async shown(call: CallContext, rows: Shown<OfferingRow>[]): Promise<OfferingRead[]> {
    const ids = rows.flatMap(({ services, categoryId }) => [
      ...services.map(({ serviceId }) => serviceId),
      ...(categoryId ? [categoryId] : []),
    ]);
    const nameOf = await this.reading.names(call, ids);
    return rows.map(({ countedTo: _, place: __, words: ___, categoryId, ...row }) => ({
      ...row,
      services: row.services.map((service) => ({ ...service, name: nameOf(service.serviceId) })),
      category: categoryId === null ? null : { categoryId, name: nameOf(categoryId) },
      priceText: priceText(row.payment),
    }));
  }
}
