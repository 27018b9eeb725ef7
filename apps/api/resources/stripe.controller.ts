import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiConflictResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { ownAccount } from '../../../libs/command-handling/card-payments/own-account.js';
import { ConnectStripe } from '../../../libs/command-handling/commands/stripe-account.commands.js';
import { PARTS } from '../../../libs/command-handling/handler.js';
import { cardsOf, type Parts } from '../../../libs/command-handling/operation.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsFlag, IsInstant, IsStripeAccount, IsText, IsWebAddress } from '../validation/fields.js';
import { Answered } from './answered.js';
import { Reading } from './reading.js';

class OnboardingBody {
  @IsWebAddress({ description: 'where the browser goes when the business has told Stripe about itself, or has left' })
  returnUrl: string;

  @IsWebAddress({ description: 'where it goes when the link is used up: there a new one is asked for' })
  refreshUrl: string;
}

class OnboardingLink {
  @IsStripeAccount()
  account: string;

  @IsWebAddress({ description: 'where the business tells Stripe about itself; good once, for minutes' })
  url: string;

  @IsInstant()
  expiresAt: string;
}
class OnboardingAnswer extends IntersectionType(OnboardingLink, Answered) {}

class StripeAccountRead {
  @IsStripeAccount({ nullable: true, description: 'null: not connected yet' })
  account: string | null;

  @IsFlag({ description: 'cards can be taken' })
  chargesEnabled: boolean;

  @IsFlag({ description: 'Stripe pays the money out' })
  payoutsEnabled: boolean;

  @IsFlag()
  detailsSubmitted: boolean;

  @IsText({ max: 200, list: { max: 1_000 }, description: 'what Stripe still wants to know, in its words' })
  currentlyDue: string[];
}

const NOT_CONNECTED: StripeAccountRead = {
  ...{ account: null, chargesEnabled: false, payoutsEnabled: false, detailsSubmitted: false, currentlyDue: [] },
};

const NotToBeAsked = ApiConflictResponse({
  description:
    'This service has no keys of Stripe (`STRIPE_NOT_CONFIGURED`), or none for this account (`STRIPE_REFUSED`), or the account is of another business (`ACCOUNT_OF_ANOTHER_BUSINESS`).',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** A1, I4: the business's account at Stripe. */
@ApiTags('Card payments')
@Controller('stripe')
export class StripeController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'cards'>,
  ) {}

  @Post('onboarding')
  @Allow('settings:write')
  @HttpCode(200)
  @ApiOkResponse({ type: OnboardingAnswer })
  connect(@Call() call: CallContext, @Body() body: OnboardingBody): Promise<OnboardingAnswer> {
    return this.commands.execute(new ConnectStripe(call, body));
  }

  @Get('account')
  @Allow('settings:read')
  @ApiOkResponse({ type: StripeAccountRead })
  @NotToBeAsked
  async account(@Call() call: CallContext): Promise<StripeAccountRead> {
    const cards = cardsOf(this.parts);
    const { settings } = await this.reading.one(businessSettings, call, 'business', call.business);
    if (settings.stripeAccount === null) return NOT_CONNECTED;
    const account = await ownAccount(cards, call.business, settings.stripeAccount);
    return pick(account, 'account', 'chargesEnabled', 'payoutsEnabled', 'detailsSubmitted', 'currentlyDue');
  }
}
