import type { Head } from '../domain/seal/seal.events.js';
import { chainHash, GENESIS, linkText } from '../event-store/chain.js';
import type { StoredEvent } from '../event-store/event-store.js';
import { isHashed } from '../event-store/foreign-events.js';
import { type Fault, MOST_FAULTS, type Why } from './fault.js';
import { EMPTY_LOG, logAfter } from './seal.js';
import type { Mark } from './verify-seals.js';

export interface HistoryOptions {
  business: string;
  marks: readonly Mark[];
  /** The heads that a seal names, should something not hold. */
  headsOf(seal: number): Promise<readonly Head[]>;
  /** Streams whose chains are checked, now: they may become fewer. */
  concerns(stream: string): boolean;
}

/** What does not hold, and where in `$all` that shows. */
export interface Found {
  fault: Fault;
  at: bigint;
}

/** Where a stream is. */
interface Place {
  revision: bigint;
  hash: string;
  fault?: Fault;
}

/** What a stretch of the history, between two seals, has of a stream. */
interface Part {
  first: bigint;
  last: bigint;
  hash: string; // of the last
  eventId: string;
}

/**
 * Holds the events of one business, in the order of `$all`, against their hashes and against the seals (K4). Keeps where each stream is, and what the
 * stretch up to the next seal has of each that it touches.
 */
export class HistoryVerifier {
  events = 0;
  private readonly found: Found[] = [];
  private readonly places = new Map<string, Place>();
  private parts = new Map<string, Part>();
  private log = EMPTY_LOG;
  private next = 0; // the mark that the events come to
  private unsealed: { mark: Mark; parts: ReadonlyMap<string, Part>; events: number } | undefined; // the first stretch that is not what was sealed
  private position = -1n; // the highest so far

  constructor(private readonly options: HistoryOptions) {}

  take(event: StoredEvent): void {
    for (let mark = this.mark; mark && mark.through < event.position; mark = this.mark) this.reach(mark);
    if (!isHashed(event))
      return void this.note('inserted', event, 'It has no hash: it was not appended by this service, and no seal covers it.');
    this.events += 1;
    this.log = logAfter(this.log, event);
    if (event.position <= this.position) this.note('reordered', event, 'It stands after one that it came before.');
    else this.position = event.position;
    if (!this.options.concerns(event.stream)) return;
    const { stream, id: eventId, revision: last, metadata } = event;
    if (this.mark) this.parts.set(stream, { first: this.parts.get(stream)?.first ?? last, last, hash: metadata.hash, eventId });
    this.follow(event);
  }

  /** What does not hold; and, should the seals say no more than that they do not fit, that. */
  async finish(): Promise<{ found: Found[]; misfit: Found | undefined }> {
    for (let mark = this.mark; mark; mark = this.mark) this.reach(mark);
    if (!this.unsealed) return { found: this.found, misfit: undefined };
    const { mark, events } = this.unsealed;
    const heads = await this.options.headsOf(mark.number);
    for (const fault of this.inStretch(mark, this.unsealed.parts, heads)) this.addShown(fault, mark.through);
    const [why, says] = misfitOf(mark, events);
    return { found: this.found, misfit: { fault: this.shown(mark, why, says), at: mark.through } };
  }

  /** How many streams it keeps the place of. */
  get size(): number {
    return this.places.size;
  }

  /** Forgets what has ceased to concern it. */
  narrow(): void {
    for (const kept of [this.places, this.parts]) for (const stream of kept.keys()) if (!this.options.concerns(stream)) kept.delete(stream);
  }

  private get mark(): Mark | undefined {
    return this.unsealed ? undefined : this.options.marks[this.next];
  }

  /** All events that the seal covers have come: are they what was sealed? */
  private reach(mark: Mark): void {
    this.next += 1;
    if (this.log !== mark.log || this.events !== mark.events) this.unsealed = { mark, parts: this.parts, events: this.events };
    this.parts = new Map();
  }

  /** The chain of the event's stream. */
  private follow(event: StoredEvent): void {
    const place = this.places.get(event.stream);
    const fault = place?.fault ? refined(place.fault, event) : this.faultOf(event, place ?? { revision: -1n, hash: GENESIS });
    this.places.set(event.stream, { revision: event.revision, hash: event.metadata.hash, ...(fault && { fault }) });
  }

  private faultOf(event: StoredEvent, before: Place): Fault | undefined {
    const { revision } = event;
    if (event.metadata.business !== this.options.business) return this.note('inserted', event, 'It is of another business.');
    const expected = before.revision + 1n;
    if (revision > expected) return this.note('dropped', event, `It is missing, and ${revision} comes next.`, expected);
    if (revision < expected) return this.note('inserted', event, 'There was one at this revision before.');
    const { hash, ...metadata } = event.metadata;
    if (chainHash(before.hash, linkText({ ...event, metadata })) !== hash)
      return this.note('changed', event, 'It is not what its hash says, after the event before it.');
    return undefined;
  }

  private note(why: Why, { stream, revision, id }: StoredEvent, says: string, missing?: bigint): Fault {
    const place = missing === undefined ? { revision, eventId: id } : { revision: missing };
    const fault: Fault = { why, business: this.options.business, stream, ...place, says };
    if (this.found.length < MOST_FAULTS) this.found.push({ fault, at: this.position });
    return fault;
  }

  /** What a seal shows may have shown in the chain too, later: that says it best. */
  private addShown(fault: Fault, at: bigint): void {
    const known = this.found.find((one) => one.fault.stream === fault.stream && one.fault.revision === fault.revision);
    if (known && known.at > at) known.at = at;
    else if (!known && this.found.length < MOST_FAULTS) this.found.push({ fault, at });
  }

  /** Which streams were not, at the end of the stretch, where the seal says. */
  private inStretch(mark: Mark, parts: ReadonlyMap<string, Part>, heads: readonly Head[]): Fault[] {
    const faults = heads
      .filter(({ stream }) => this.options.concerns(stream))
      .flatMap((head) => this.atHead(mark, head, parts.get(head.stream)) ?? []);
    const sealed = new Set(heads.map(({ stream }) => stream));
    const added = [...(mark.isLone ? [] : parts)].filter(([stream]) => !sealed.has(stream));
    const inserted = added.map(([stream, { first, eventId }]) => ({
      ...this.shown(mark, 'inserted', 'It was not there when this was sealed.'),
      ...{ stream, revision: first, eventId },
    }));
    return [...faults, ...inserted];
  }

  private atHead(mark: Mark, { stream, revision, hash }: Head, part: Part | undefined): Fault | undefined {
    const place = this.places.get(stream);
    const sealed = BigInt(revision);
    const upTo = `It was sealed up to revision ${revision}`;
    const shown = (why: Why, at: bigint, says: string): Fault => ({ ...this.shown(mark, why, says), stream, revision: at });
    if (!place) return shown('missingStream', 0n, `${upTo}, and nothing of it is there.`);
    if (!part) {
      if (place.fault?.why === 'dropped') return shown('dropped', place.fault.revision!, place.fault.says);
      return place.revision < sealed ? shown('truncated', place.revision + 1n, `${upTo}, and ends at ${place.revision}.`) : undefined;
    }
    if (part.last < sealed) return shown('truncated', part.last + 1n, `${upTo}, and was at ${part.last}.`);
    if (part.last > sealed) return { ...shown('inserted', sealed + 1n, `${upTo}, and goes on to ${part.last}.`), eventId: part.eventId };
    if (part.hash === hash) return undefined;
    return shown('recomputed', part.first, `Its hashes follow from each other, and another was sealed at revision ${revision}.`);
  }

  private shown({ number }: Mark, why: Why, says: string): Fault {
    return { why, business: this.options.business, seal: number, says };
  }
}

/** What was missing comes later: it was moved. */
function refined(fault: Fault, { revision, id }: StoredEvent): Fault {
  if (fault.why !== 'dropped' || fault.revision !== revision) return fault;
  return Object.assign(fault, { why: 'reordered', eventId: id, says: 'It stands after one that it came before.' } satisfies Partial<Fault>);
}

/** The seal does not fit, and each stream that it names does. */
function misfitOf({ events: sealed, isLone }: Mark, events: number): [Why, string] {
  if (events < sealed) return ['truncated', `${sealed} events were sealed up to here, and ${events} are there.`];
  if (isLone) return ['recomputed', 'What is there up to here is not what was sealed.'];
  return ['reordered', 'The events are not in the order, or not at the positions, that were sealed.'];
}
