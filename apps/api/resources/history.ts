import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import type { Recorded } from '../../../libs/domain/kernel/event.js';
import { InvalidInput, NotFound } from '../../../libs/domain/kernel/refusal.js';
import type { PackageEvent } from '../../../libs/domain/package/package.events.js';
import { packageAggregate, packageView, type PackageState } from '../../../libs/domain/package/package.state.js';
import type { CallContext } from '../http/call.js';
import type { RequestError } from '../http/problems.js';
import type { PackageAsOf, AsOfQuery, PackageHistory } from './history.shapes.js';

/** K1, K2: read from the events themselves, not from a read model: what an auditor replays is what was stored. */
@Injectable()
export class History {
  constructor(@Inject(PARTS) private readonly parts: Pick<Parts, 'store' | 'codec'>) {}

  /** K1: every event of a package, and what was left after each. */
  async of(call: CallContext, packageId: string): Promise<PackageHistory> {
    const events = await this.read(call, packageId);
    let state: PackageState = structuredClone(packageAggregate.initial);
    const items = events.map((event) => {
      state = packageAggregate.evolve(state, event);
      const { status, expiresOn, services } = packageView(state);
      return { ...entryOf(event), after: { status, expiresOn, services } };
    });
    return { packageId, items };
  }

  /** K2: the package as it was at a moment, or after an event. */
  async asOf(call: CallContext, packageId: string, { at, revision }: AsOfQuery): Promise<PackageAsOf> {
    if ((at === undefined) === (revision === undefined)) throw neitherOrBoth();
    const until = at === undefined ? undefined : asInstant(at);
    const events = (await this.read(call, packageId)).filter((event) =>
      until === undefined ? event.revision <= BigInt(revision!) : event.metadata.time <= until,
    );
    const last = events.at(-1);
    if (!last) throw new NotFound('package', packageId);
    const state = events.reduce<PackageState>(packageAggregate.evolve, structuredClone(packageAggregate.initial));
    return { ...packageView(state), revision: String(last.revision), at: last.metadata.time };
  }

  private async read({ business }: CallContext, packageId: string): Promise<Recorded<PackageEvent>[]> {
    const { store, codec } = this.parts;
    const events = await codec.decode(await store.readStream(`${packageAggregate.category}-${packageId}`));
    if (events[0]?.metadata.business !== business) throw new NotFound('package', packageId);
    return events as Recorded<PackageEvent>[];
  }
}

const neitherOrBoth = (): InvalidInput => {
  const message = 'Ask for either a moment (at) or an event number (revision).';
  const error: RequestError = { field: '/at', in: 'query', code: 'ONE_OF', message };
  return new InvalidInput([error]);
};

const entryOf = ({ id, type, revision, position, metadata, data }: Recorded<PackageEvent>) => ({
  ...{ eventId: id, type, revision: String(revision), position: String(position) },
  ...{ at: metadata.time, actorId: metadata.actor.id, actorRole: metadata.actor.role },
  reason: 'reason' in data ? data.reason : null,
  data,
});
