import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { invoice } from '../../../libs/domain/invoice/invoice.state.js';
import type { Aggregate, AnyEvent } from '../../../libs/domain/kernel/event.js';
import { zero } from '../../../libs/domain/kernel/money.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import { packageAggregate } from '../../../libs/domain/package/package.state.js';
import { suggestedRefund, type SuggestedRefund } from '../../../libs/domain/package/suggested-refund.js';
import type { CallContext } from '../http/call.js';

/** H4: worked out from the events themselves, like the refund that may follow. */
@Injectable()
export class Suggestions {
  constructor(@Inject(PARTS) private readonly parts: Pick<Parts, 'store' | 'codec' | 'clock'>) {}

  async refundOf(call: CallContext, packageId: string): Promise<SuggestedRefund> {
    const sold = await this.stateOf(packageAggregate, call, packageId);
    if (sold?.status !== 'sold' && sold?.status !== 'cancelled') throw new NotFound('package', packageId);
    const issued = await this.stateOf(invoice, call, sold.invoiceId);
    const nothing = { paid: zero(sold.currency), refunded: zero(sold.currency) };
    return suggestedRefund(sold, issued?.status === 'issued' ? issued : nothing, this.parts.clock());
  }

  /** Undefined: there is none in this business. */
  private async stateOf<State, Event extends AnyEvent>(
    aggregate: Aggregate<State, Event>,
    { business }: CallContext,
    id: string,
  ): Promise<State | undefined> {
    const { store, codec } = this.parts;
    const events = await codec.decode(await store.readStream(`${aggregate.category}-${id}`));
    if (events[0]?.metadata.business !== business) return undefined;
    return (events as unknown as Event[]).reduce((state, event) => aggregate.evolve(state, event), structuredClone(aggregate.initial));
  }
}
