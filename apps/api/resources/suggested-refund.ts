import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { invoice } from '../../../libs/domain/invoice/invoice.state.js';
import { zero } from '../../../libs/domain/kernel/money.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import { existing } from '../../../libs/domain/package/package.decisions.js';
import { packageAggregate } from '../../../libs/domain/package/package.state.js';
import { suggestedRefund, type SuggestedRefund } from '../../../libs/domain/package/suggested-refund.js';
import type { CallContext } from '../http/call.js';
import { Streams } from './streams.js';

/** H4: worked out from the events themselves, like the refund that may follow. */
@Injectable()
export class Suggestions {
  constructor(
    private readonly streams: Streams,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'clock'>,
  ) {}

  async refundOf(call: CallContext, packageId: string): Promise<SuggestedRefund> {
    const sold = existing(await this.streams.state(packageAggregate, call, packageId), packageId);
    const issued = await this.streams.state(invoice, call, sold.invoiceId).catch(unlessNotThere);
    const none = zero(sold.currency);
    const nothing = { paid: none, refunded: none, pending: none };
    return suggestedRefund(sold, issued?.status === 'issued' ? issued : nothing, this.parts.clock());
  }
}

/** The invoice of a sale comes moments after it. */
const unlessNotThere = (error: unknown): undefined => {
  if (!(error instanceof NotFound)) throw error;
};
