import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { folded, type Aggregate, type AnyEvent, type Recorded } from '../../../libs/domain/kernel/event.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import type { CallContext } from '../http/call.js';

/** What is read from the events themselves, not from a read model: as new as what was stored last. */
@Injectable()
export class Streams {
  constructor(@Inject(PARTS) private readonly parts: Pick<Parts, 'store' | 'codec'>) {}

  /** @throws NotFound when this business has no such thing (A3) */
  async events<State, Event extends AnyEvent>(
    aggregate: Aggregate<State, Event>,
    call: CallContext,
    id: string,
  ): Promise<Recorded<Event>[]> {
    const events = await this.anyEvents(aggregate, call, id);
    if (events.length === 0) throw new NotFound(aggregate.category, id);
    return events;
  }

  /** None when this business has no such thing. `to`: up to this revision. */
  async anyEvents<State, Event extends AnyEvent>(
    { category }: Aggregate<State, Event>,
    { business }: CallContext,
    id: string,
    to?: bigint,
  ): Promise<Recorded<Event>[]> {
    const { store, codec } = this.parts;
    const events = await codec.decode(await store.readStream(`${category}-${id}`, { to }));
    return events[0]?.metadata.business === business ? (events as Recorded<Event>[]) : [];
  }

  /**
   * K2: those of them up to a position, if one is given.
   * @throws NotFound when this business has no such thing, or had none then
   */
  async eventsAsOf<State, Event extends AnyEvent>(
    aggregate: Aggregate<State, Event>,
    call: CallContext,
    id: string,
    until: bigint | undefined,
  ): Promise<Recorded<Event>[]> {
    const events = await this.events(aggregate, call, id);
    if (until === undefined) return events;
    const then = events.filter(({ position }) => position <= until);
    if (then.length === 0) throw new NotFound(aggregate.category, id);
    return then;
  }

  /** @throws NotFound when this business has no such thing (A3) */
  async state<State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>, call: CallContext, id: string): Promise<State> {
    return folded(aggregate, await this.events(aggregate, call, id));
  }
}
