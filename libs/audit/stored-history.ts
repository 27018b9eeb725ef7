import type { Seal } from '../domain/seal/seal.events.js';
import { isSeal, sealsOf } from '../domain/seal/seal.events.js';
import type { EventStore, StoredEvent } from '../event-store/event-store.js';
import { isOfABusiness } from '../event-store/foreign-events.js';
import { endLine, eventLine, headerLine, sealLine } from './export-lines.js';
import type { HistorySource } from './verify.js';

type Reads = Pick<EventStore, 'readAll' | 'readStream' | 'lastPosition'>;

const SEALS_AT_ONCE = 50n;

export interface StoredHistoryOptions {
  /** All businesses unless told. */
  business?: string;
  /** Position up to which it is read, so that it is whole though others write on; to the end unless told. */
  through?: bigint;
}

/** The history as it is in the event store, of one business or of all. */
export class StoredHistory implements HistorySource {
  readonly businesses: readonly string[];
  foreign = 0; // events that the last reading passed over: they are of no business

  constructor(
    private readonly store: Reads,
    private readonly options: StoredHistoryOptions = {},
  ) {
    this.businesses = options.business === undefined ? [] : [options.business];
  }

  async *events(): AsyncGenerator<StoredEvent[]> {
    const { business, through } = this.options;
    this.foreign = 0;
    for await (const batch of this.store.readAll()) {
      const events = batch.filter(({ position }) => through === undefined || position <= through);
      const own = events.filter(isOfABusiness);
      this.foreign += events.length - own.length;
      yield own.filter((event) => !isSeal(event) && (business === undefined || event.metadata.business === business));
      if (events.length < batch.length || events.at(-1)!.position === through) return;
    }
  }

  businessOf({ metadata }: StoredEvent): string {
    return metadata.business;
  }

  async *seals(business: string): AsyncGenerator<Seal> {
    const { through } = this.options;
    for await (const event of sealEventsOf(this.store, business)) {
      if (through !== undefined && event.position > through) return;
      yield event.data as unknown as Seal;
    }
  }
}

/** The events with the seals of a business. */
export async function* sealEventsOf(store: Pick<EventStore, 'readStream'>, business: string): AsyncGenerator<StoredEvent> {
  for (let from = 0n; ; from += SEALS_AT_ONCE) {
    const events = await store.readStream(sealsOf(business), { from, to: from + SEALS_AT_ONCE - 1n });
    yield* events;
    if (BigInt(events.length) < SEALS_AT_ONCE) return;
  }
}

/** The same, from a revision back to its beginning: so many at first, as whoever needs few reads few. */
export async function* sealEventsBackFrom(
  store: Pick<EventStore, 'readStream'>,
  business: string,
  { end, atFirst }: { end: bigint; atFirst: bigint },
): AsyncGenerator<StoredEvent> {
  for (let [to, many] = [end, atFirst]; to >= 0n; [to, many] = [to - many, SEALS_AT_ONCE]) {
    const from = to - many + 1n;
    const events = await store.readStream(sealsOf(business), { from: from < 0n ? 0n : from, to });
    if (events.length === 0) return;
    yield* events.reverse();
  }
}

/**
 * The lines of an export of one business: all that had happened when it began, as it is stored, and the seals (docs/stored-forms.md). What is about
 * people stays encrypted.
 */
export async function* exportOf(store: Reads, business: string, at: string): AsyncGenerator<string> {
  const through = (await store.lastPosition()) ?? -1n;
  const history = new StoredHistory(store, { business, through });
  const counted = { events: 0, seals: 0 };
  yield headerLine({ version: 1, business, through: through.toString(), at });
  for await (const batch of history.events()) {
    counted.events += batch.length;
    if (batch.length > 0) yield batch.map(eventLine).join('');
  }
  for await (const seal of history.seals(business)) {
    counted.seals += 1;
    yield sealLine(seal);
  }
  yield endLine(counted);
}
