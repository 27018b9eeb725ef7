import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PARTS } from '../../../libs/command-handling/handler.js';
import { cardsOf, type Parts } from '../../../libs/command-handling/operation.js';
import { NotFromStripe } from '../../../libs/payments/card-payments.js';
import { Public } from '../http/access.js';
import { TakesRaw } from '../http/json-body.js';
import { CountedKnocks } from '../stripe/counted-knocks.js';

/**
 * Where Stripe knocks: outside of the tokens, inside of its signature. What is wrong is 400; what cannot be asked about right now is 503, and
 * Stripe sends it again, for three days. Not in the document: nobody calls it but Stripe, in the form that Stripe describes.
 */
@ApiExcludeController()
@Controller('stripe/webhooks')
export class StripeWebhooksController {
  constructor(
    @Inject(PARTS) private readonly parts: Pick<Parts, 'cards'>,
    private readonly knocks: CountedKnocks,
  ) {}

  @Post()
  @Public()
  @TakesRaw()
  @HttpCode(200)
  async hear(@Body() body: Buffer | undefined, @Headers('stripe-signature') signature: string | undefined): Promise<{ heard: string }> {
    const cards = cardsOf(this.parts);
    try {
      return { heard: await this.knocks.hear(cards.readWebhook(body ?? Buffer.alloc(0), signature ?? '')) };
    } catch (error) {
      if (error instanceof NotFromStripe) this.knocks.countRefused();
      throw error;
    }
  }
}
