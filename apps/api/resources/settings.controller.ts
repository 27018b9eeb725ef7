import { Body, Controller, Get, Patch } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { ChangeSettings } from '../../../libs/command-handling/commands/business.commands.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import {
  IsCurrency,
  IsFlag,
  IsId,
  IsInteger,
  IsNested,
  IsOneOf,
  IsStripeAccount,
  IsText,
  IsTimeZone,
  type FieldOptions,
} from '../validation/fields.js';
import { Changed, Versioned } from './answered.js';
import { Reading } from './reading.js';

const OUTCOMES = ['returned', 'forfeited'];
const TWO_MONTHS = 60 * 24 * 60; // minutes

/** What a business can set; of a change, only what changes. */
const SettingsFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsFlag(how)
    clientsSeeInvoices: boolean;

    @IsFlag(how)
    clientsMayBuyOnline: boolean;

    @IsOneOf(OUTCOMES, { ...how, description: 'what a no-show does to the session (H1)' })
    onNoShow: 'returned' | 'forfeited';

    @IsOneOf(OUTCOMES, { ...how, description: 'what a late cancellation by the client does to the session (H2)' })
    onLateCancellation: 'returned' | 'forfeited';

    @IsInteger({ min: 0, max: TWO_MONTHS, description: 'a cancellation later than so many minutes before the start is late', ...how })
    lateCancellationWindowMinutes: number;

    @IsStripeAccount({ nullable: true, example: 'acct_1032D82eZvKYlo2C', description: 'the connected Stripe account', ...how })
    stripeAccount: string | null;
  }
  return Fields;
};

class SettingsShape extends SettingsFields() {}
class SettingsBody extends SettingsFields({ optional: true }) {}

class ChangeSettingsBody {
  @IsText({ max: 200, optional: true })
  name?: string;

  @IsTimeZone({ optional: true })
  timeZone?: string;

  @IsNested(SettingsBody, { optional: true })
  settings?: SettingsBody;
}

class Settings {
  @IsId()
  businessId: string;

  @IsText({ max: 200 })
  name: string;

  @IsTimeZone()
  timeZone: string;

  @IsCurrency()
  currency: string;

  @IsNested(SettingsShape)
  settings: SettingsShape;
}

class SettingsAnswer extends IntersectionType(Settings, Changed) {}
class SettingsRead extends IntersectionType(Settings, Versioned) {}

/** A1: what the business has set. */
@ApiTags('Settings')
@Controller('settings')
export class SettingsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Get()
  @Allow('settings:read')
  @ApiOkResponse({ type: SettingsRead })
  async read(@Call() call: CallContext): Promise<SettingsRead> {
    const { id, ...settings } = await this.reading.one(businessSettings, call, 'business', call.business);
    return { businessId: id, ...settings };
  }

  @Patch()
  @Allow('settings:write')
  @ApiOkResponse({ type: SettingsAnswer })
  change(@Call() call: CallContext, @Body() body: ChangeSettingsBody): Promise<SettingsAnswer> {
    return this.commands.execute(new ChangeSettings(call, body));
  }
}
