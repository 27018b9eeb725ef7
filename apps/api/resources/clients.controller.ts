import { Body, Controller, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { ChangeClient, ForgetClient, RegisterClient } from '../../../libs/command-handling/commands/catalogue.commands.js';
import { clientList } from '../../../projections/client-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsEmailAddress, IsId, IsText, type FieldOptions } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed, Versioned } from './answered.js';
import { EmptyBody } from './empty-body.js';
import { NamedQuery, PageOf } from './paging.js';
import { Reading } from './reading.js';

/** What is said of a client; of a change, only what changes. */
const ClientFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsText({ max: 200, example: 'Anna Tremblay', ...how })
    name: string;

    @IsEmailAddress({ optional: true, nullable: true })
    email: string | null;

    @IsText({ max: 50, optional: true, nullable: true })
    phone: string | null;

    @IsText({ max: 200, optional: true, nullable: true, description: 'the id of this client in the platform' })
    externalReference: string | null;
  }
  return Fields;
};

const UNTOLD = { email: null, phone: null, externalReference: null };

class Client extends ClientFields() {
  @IsId()
  clientId: string;
}

class ForgottenClient extends Changed {
  @IsId()
  clientId: string;
}

class ClientBody extends ClientFields() {}
class ChangeClientBody extends ClientFields({ optional: true }) {}
class ClientAnswer extends IntersectionType(Client, Changed) {}
class ClientRead extends IntersectionType(Client, Versioned) {}
class ClientPage extends PageOf(ClientRead) {}

/** The people who buy packages and book appointments. */
@ApiTags('Clients')
@Controller('clients')
export class ClientsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Post()
  @Allow('clients:write')
  @ApiCreatedResponse({ type: ClientAnswer })
  register(@Call() call: CallContext, @Body() body: ClientBody): Promise<ClientAnswer> {
    return this.commands.execute(new RegisterClient(call, { ...UNTOLD, ...body }));
  }

  @Patch(':clientId')
  @Allow('clients:write')
  @ApiOkResponse({ type: ClientAnswer })
  change(@Call() call: CallContext, @PathId('clientId') clientId: string, @Body() body: ChangeClientBody): Promise<ClientAnswer> {
    return this.commands.execute(new ChangeClient(call, { clientId, ...body }));
  }

  /** Deletes the client's key: names, addresses and reasons in free words read "(forgotten)" from then on, and what was sold and booked stays. */
  @Post(':clientId/forget')
  @HttpCode(200)
  @Allow('clients:forget')
  @ApiOkResponse({ type: ForgottenClient })
  forget(@Call() call: CallContext, @PathId('clientId') clientId: string, @Body() _: EmptyBody): Promise<ForgottenClient> {
    return this.commands.execute(new ForgetClient(call, { clientId }));
  }

  @Get()
  @Allow('clients:read')
  @ApiOkResponse({ type: ClientPage })
  list(@Call() call: CallContext, @Query() query: NamedQuery): Promise<ClientPage> {
    return this.reading.named(clientList, call, query);
  }

  @Get(':clientId')
  @Allow('clients:read')
  @ApiOkResponse({ type: ClientRead })
  read(@Call() call: CallContext, @PathId('clientId') clientId: string): Promise<ClientRead> {
    return this.reading.one(clientList, call, 'client', clientId);
  }
}
