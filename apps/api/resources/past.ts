import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { EVENT_FEED, positionAt, timeAt } from '../../../libs/projection-engine/event-feed.js';
import type { ReadModels } from '../../../libs/projection-engine/read-models.js';
import { assertMay } from '../http/access.js';
import type { CallContext, Then } from '../http/call.js';
import type { RequestError } from '../http/problems.js';
import { isPosition } from '../validation/formats.js';
import type { AsOfRead } from './answered.js';
import { BusinessDays } from './business-days.js';
import { FRESH_WITHIN, notYetFresh, POOL, READ_MODELS } from './reading.js';

const NOTHING_YET = -1n; // before all positions
const AHEAD = 10_000; // ms that clocks of callers may be

/** K2: which past a query asks for. */
@Injectable()
export class Past {
  constructor(
    @Inject(READ_MODELS) private readonly readModels: ReadModels,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'clock' | 'store'>,
    private readonly days: BusinessDays,
  ) {}

  /**
   * The call as it sees what was so then, and what to say of that; without `asOf` the call as it is.
   * @param asOf a position or an instant
   * @throws HttpProblem 403 for who may not see the past, 503 when events up to there can't be read yet; InvalidInput for a time to come
   */
  async of(call: CallContext, asOf: string | undefined): Promise<{ call: CallContext; asOf?: AsOfRead }> {
    if (asOf === undefined) return { call };
    assertMay(call, 'history:read', 'ask how things were (asOf)');
    const then = isPosition(asOf) ? await this.after(call, BigInt(asOf)) : await this.at(call, this.notToCome(asOf));
    const seen = { ...call, asOf: then };
    const position = then.position === NOTHING_YET ? null : String(then.position);
    return { call: seen, asOf: { position, at: then.at, today: await this.days.dateAt(seen) } };
  }

  /** Up to the last event whose running maximum of recorded time, over the business's events, is not after the instant (docs/stored-forms.md, Time). */
  async at(call: CallContext, instant: string): Promise<Then> {
    const newest = await timeAt(this.pool, call.business);
    if (newest === undefined || newest <= instant) await this.holdsAllThereIs();
    return { position: (await positionAt(this.pool, call.business, instant)) ?? NOTHING_YET, at: instant };
  }

  /** A moment that this clock has not reached is now: what is still to come by then would be in one page and not in another. */
  private notToCome(asOf: string): string {
    const [instant, now] = [asInstant(asOf), this.parts.clock()];
    if (Date.parse(instant) > Date.parse(now) + AHEAD) throw toCome();
    return instant < now ? instant : now;
  }

  private async after({ business }: CallContext, position: bigint): Promise<Then> {
    if (!(await this.readModels.waitFor(position, FRESH_WITHIN, [EVENT_FEED]))) throw notYetFresh(position);
    return { position, at: (await timeAt(this.pool, business, position)) ?? this.parts.clock() };
  }

  /** Waits until the table of events has all that had happened when it was asked: nothing of a moment that is over is found later. */
  private async holdsAllThereIs(): Promise<void> {
    const end = performance.now() + FRESH_WITHIN;
    let last: bigint | undefined;
    for await (const batch of this.parts.store.readAll({ after: await this.readModels.position(EVENT_FEED) })) {
      last = batch.at(-1)!.position;
      if (performance.now() > end) throw notYetFresh(last); // there may be more
    }
    if (last === undefined) return;
    if (!(await this.readModels.waitFor(last, Math.max(0, end - performance.now()), [EVENT_FEED]))) throw notYetFresh(last);
  }
}

const toCome = (): InvalidInput => {
  const error: RequestError = { field: '/asOf', in: 'query', code: 'TO_COME', message: 'asOf must not be a moment that is still to come.' };
  return new InvalidInput([error]);
};
