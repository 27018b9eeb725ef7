import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { business } from '../../../libs/domain/business/business.js';
import { asInstant, dayAfter, localDateOf, startOfDay } from '../../../libs/domain/kernel/calendar.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import type { Here } from '../../../libs/reporting/define-report.js';
import type { CallContext } from '../http/call.js';
import { Streams } from './streams.js';

/** From a moment on and before another; from a local date of the business on and until another, both included. */
export interface Span {
  from?: string;
  before?: string;
  onFrom?: string;
  onUntil?: string;
}

/** Days as they are in the business, whose clocks they follow. */
@Injectable()
export class BusinessDays {
  constructor(
    @Inject(PARTS) private readonly parts: Pick<Parts, 'facts' | 'clock'>,
    private readonly streams: Streams,
  ) {}

  /** The date on the wall of the business at a moment: unless told now, or then. */
  async dateAt(call: CallContext, moment: string = call.asOf?.at ?? this.parts.clock()): Promise<string> {
    return localDateOf(asInstant(moment), await this.timeZone(call));
  }

  /** All that a span says, in moments. */
  async within(
    call: CallContext,
    { from, before, onFrom, onUntil }: Span,
  ): Promise<{ from: string | undefined; before: string | undefined }> {
    if (onFrom === undefined && onUntil === undefined) return { from, before };
    const timeZone = await this.timeZone(call);
    const begins = [from && asInstant(from), onFrom && startOfDay(onFrom, timeZone)];
    const ends = [before && asInstant(before), onUntil && startOfDay(dayAfter(onUntil), timeZone)];
    return { from: begins.filter(isSaid).toSorted().at(-1), before: ends.filter(isSaid).toSorted()[0] };
  }

  /** What reports follow: the day, the clocks and the currency of the business, now or then. */
  async here(call: CallContext): Promise<Here> {
    const [today, timeZone, { currency }] = await Promise.all([this.dateAt(call), this.timeZone(call), this.settings(call)]);
    return { business: call.business, today, timeZone, currency, asOf: call.asOf?.position };
  }

  private async timeZone(call: CallContext): Promise<string> {
    const { asOf } = call;
    const events = asOf ? await this.streams.events(business, call, call.business) : [];
    const then = events.findLast(({ position }) => position <= asOf!.position);
    return then ? then.data.timeZone : (await this.settings(call)).timeZone;
  }

  private async settings({ business: id }: CallContext) {
    const settings = await this.parts.facts.of(business, id, id);
    if (!settings) throw new NotFound('business', id);
    return settings.state;
  }
}

const isSaid = (moment: string | undefined): moment is string => moment !== undefined;
