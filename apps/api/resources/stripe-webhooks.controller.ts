import { Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PARTS } from '../../../libs/command-handling/handler.js';
import { cardsOf, type Parts } from '../../../libs/command-handling/operation.js';
import { NotFromStripe } from '../../../libs/payments/at-stripe.js';
import { Public } from '../http/access.js';
import { RawBody, TakesRaw } from '../http/raw-body.js';
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
  async hear(@RawBody() body: Buffer, @Headers('stripe-signature') signature: string | undefined): Promise<{ heard: string }> {
    const cards = cardsOf(this.parts);
    try {
      return { heard: await this.knocks.hear(cards.readWebhook(body, signature ?? '')) };
    } catch (error) {
      if (error instanceof NotFromStripe) this.knocks.countRefused();
      throw error;
    }
  }
}
