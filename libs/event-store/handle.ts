import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Actor, Aggregate, AnyEvent, Decide, Recorded } from '../domain/kernel/event.js';
import { NotFound, Refusal } from '../domain/kernel/refusal.js';
import type { Codec, Encoded } from './codec.js';
import { Conflict, type EventStore, type Logger, OutcomeUnknown, StoreUnavailable } from './event-store.js';
import { grow, type KnownStream, nothing, type RecordedCommand } from './known-stream.js';
import { streamQueues, TooBusy } from './stream-queues.js';

export { TooBusy };

/** Who commands, on whose behalf, and what makes it this command and no other. */
export interface CommandContext {
  commandId: string;
  business: string;
  actor: Actor;
  policy?: string; // that gives the command
  requestHash?: string; // HMAC-SHA-256, hex; policies have none
  hashKey?: string; // id of its key
  correlationId: string;
  causationId: string;
  now: string; // UTC, milliseconds
  read?: Record<string, string>; // stream → revision of the facts that the decision read
  expectedRevision?: bigint; // the caller's If-Match
  /**
   * Until when (on the clock of performance.now(), ms) nobody else can be handling this very command: no other process,
   * no earlier attempt. Infinity for a command id made by us a moment ago. Only an append that was acknowledged before
   * is believed without reading it back, because the store answers a repeat with the success of the first, whose time,
   * and so whose hash, are others. Undefined: it may be a repeat at any time.
   */
  soleUntil?: number;
}

export interface HandleOptions<State, Event extends AnyEvent, Answer> {
  /**
   * The stream's id follows from the command's, so it is taken to be empty, unread. If it is not, the command is decided
   * again on what is there. Without `soleUntil` the answer is what was decided now, though a first attempt may have
   * stored the same fact with another time; and the state is not cached.
   */
  create?: 'unseen';
  /** A guard: reads on from the cached revision before it decides, so that it sees the stream's head. */
  fresh?: boolean;
  /** Only what never changes is asked: what is cached will do, however old. */
  anyAge?: boolean;
  /** Makes the answer while nobody else can change the state. */
  answer?: (state: State, events: Recorded<Event>[]) => Answer;
}

export interface Handled<State, Event extends AnyEvent, Answer> {
  /** Only good until the caller next waits for anything: later commands change it in place. Use `answer` for what must last. */
  state: State;
  answer: Answer;
  revision: bigint; // of the stream after the command; -1: it has no events
  position: bigint; // of the command's last event; of the stream's, if it has none
  events: Recorded<Event>[]; // what the command appended; just appended ones all carry the position of the last
  repeated: boolean; // answered from what an earlier attempt stored
}

export type Handle = <State, Event extends AnyEvent, Answer = undefined>(
  aggregate: Aggregate<State, Event>,
  id: string,
  context: CommandContext,
  decide: Decide<State, Event>,
  options?: HandleOptions<State, Event, Answer>,
) => Promise<Handled<State, Event, Answer>>;

export interface HandleParts {
  store: Pick<EventStore, 'append' | 'readStream'>;
  codec: Codec;
  logger?: Logger;
  /** Of the stored events that the cached states were folded from; in memory the states take some two thirds of that. */
  cacheBytes?: number;
  /** Where they are kept, for whoever has to drop them. */
  states?: LRUCache<string, KnownStream>;
  /** Commands that may wait for one stream. */
  maxQueued?: number;
}

const CACHE_BYTES = 256 * 1024 * 1024;
const MAX_QUEUED = 256;
const MAX_TRIES = 10; // of a decision that others get ahead of
const MAX_UNKNOWN = 3; // appends of one command whose outcome is not known
const JITTER = 20; // ms, at most, times the number of the try
const RELOAD_AFTER = [0, 100, 300, 700, 1500]; // ms, after an unknown outcome: a store that restarts is back by then
const LONG_STREAM = 2000n; // events: the design wants to know

/** The states that were read or made last, by stream. */
export const stateCache = (bytes = CACHE_BYTES) =>
  new LRUCache<string, KnownStream>({ maxSize: bytes, sizeCalculation: (known) => known.bytes });

/**
 * Handles one command on one stream: load, decide, append at the revision that was read.
 * @throws Refusal of the decision; NotFound for another business's stream; PRECONDITION_FAILED when `expectedRevision` is not
 *   the stream's; IDEMPOTENCY_KEY_REUSED when the command id is known with another request hash; TooBusy; StoreUnavailable;
 *   OutcomeUnknown (the same command sent again settles it)
 */
export function createHandle({
  store,
  codec,
  logger,
  cacheBytes,
  states: cache = stateCache(cacheBytes),
  maxQueued = MAX_QUEUED,
}: HandleParts): Handle {
  const inTurn = streamQueues(maxQueued);

  const handle: Handle = (aggregate, id, context, decide, options = {}) =>
    inTurn(`${aggregate.category}-${id}`, () => handleInTurn(aggregate, id, context, decide, options));

  async function handleInTurn<State, Event extends AnyEvent, Answer>(
    aggregate: Aggregate<State, Event>,
    id: string,
    context: CommandContext,
    decide: Decide<State, Event>,
    options: HandleOptions<State, Event, Answer>,
  ): Promise<Handled<State, Event, Answer>> {
    const stream = `${aggregate.category}-${id}`;
    const cached = cache.get(stream) as KnownStream<State> | undefined;
    let known = cached ?? nothing(aggregate);
    let news: Recorded<Event>[] = []; // what was last read
    let atHead = false; // have we seen the head of the stream, or only what it was some time ago?
    let unknowns = 0;
    let appended: Encoded[] = [];
    const readOn = async (): Promise<void> => {
      news = await growToHead(stream, aggregate, known);
      atHead = true;
    };

    if (options.fresh || (!cached && options.create !== 'unseen')) await readOn();

    for (let tries = 0; tries < MAX_TRIES;) {
      if (known.business !== undefined && known.business !== context.business) throw new NotFound(aggregate.category, id);

      const earlier = known.commands.get(context.commandId);
      if (earlier) return answerAgain(aggregate, stream, known, { context, earlier, news, appended }, options);

      const decided = decideOn(aggregate, id, known, context, decide);
      if ((decided instanceof Refusal || decided.length === 0) && !atHead && !options.anyAge) {
        await readOn(); // never say no because of what was true some time ago
        continue;
      }
      if (decided instanceof Refusal) throw decided.after(known.position);
      if (decided.length === 0) return answered(known, [], false, options);

      tries += 1;
      appended = await encode(stream, known, context, decided);
      const outcome = await outcomeOf(
        store.append(
          stream,
          known.revision < 0n ? 'no_stream' : known.revision,
          appended.map(({ event }) => event),
        ),
      );
      if (outcome instanceof Conflict) {
        await sleep(Math.random() * JITTER * tries);
        await readOn();
        if (news.length > 0) continue;
        known = nothing(aggregate); // then what we knew was not this store's
        await readOn();
      } else if (outcome instanceof OutcomeUnknown) {
        unknowns += 1;
        if (unknowns === MAX_UNKNOWN) throw outcome;
        known = nothing(aggregate);
        await patiently(readOn, outcome);
      } else {
        const asExpected = outcome.revision === known.revision + BigInt(appended.length);
        const sole = asExpected && unknowns === 0 && performance.now() < (context.soleUntil ?? 0);
        const unseen = options.create === 'unseen' && !atHead;
        if (sole || unseen) return answered(known, growByOwn(stream, aggregate, known, appended, outcome.position, sole), false, options);
        await readOn(); // it may have been a repeat: what is stored is the truth, and the command is found in it
      }
    }
    throw new TooBusy(stream);
  }

  /** Reads on from what is known to the head of the stream, and folds it in. */
  async function growToHead<State, Event extends AnyEvent>(
    stream: string,
    aggregate: Aggregate<State, Event>,
    known: KnownStream<State>,
  ): Promise<Recorded<Event>[]> {
    const events = (await codec.decode(await store.readStream(stream, { from: known.revision + 1n }))) as Recorded<Event>[];
    fold(stream, aggregate, known, events);
    return events;
  }

  /** Folds what was just appended, as it would be read back. Not cached when it might not be what is stored. */
  function growByOwn<State, Event extends AnyEvent>(
    stream: string,
    aggregate: Aggregate<State, Event>,
    known: KnownStream<State>,
    appended: Encoded[],
    position: bigint,
    sole: boolean,
  ): Recorded<Event>[] {
    const events = appended.map(({ event, data }, index) => {
      return { ...event, data, stream, revision: known.revision + BigInt(index + 1), position } as unknown as Recorded<Event>;
    });
    if (known.revision < LONG_STREAM && known.revision + BigInt(events.length) >= LONG_STREAM)
      logger?.warn({ stream }, `A stream has grown to ${LONG_STREAM} events: it takes an ADR to let it grow on.`);
    fold(
      stream,
      aggregate,
      known,
      events,
      appended.map(({ bytes }) => bytes),
    );
    if (!sole) cache.delete(stream);
    return events;
  }

  function fold<State, Event extends AnyEvent>(
    stream: string,
    aggregate: Aggregate<State, Event>,
    known: KnownStream<State>,
    events: Recorded<Event>[],
    bytes: number[] = [],
  ): void {
    try {
      events.forEach((event, n) => grow(known, aggregate, event, bytes[n]));
      if (known.revision >= 0n) cache.set(stream, known);
    } catch (error) {
      cache.delete(stream); // the state is neither the old nor the new
      throw error;
    }
  }

  const encode = (stream: string, known: KnownStream, context: CommandContext, events: AnyEvent[]): Promise<Encoded[]> =>
    codec.encode(events, {
      stream,
      revision: known.revision + 1n,
      previousHash: known.hash,
      metadata: {
        business: context.business,
        actor: context.actor,
        policy: context.policy,
        commandId: context.commandId,
        requestHash: context.requestHash,
        hashKey: context.hashKey,
        $correlationId: context.correlationId,
        $causationId: context.causationId,
        time: context.now > known.time ? context.now : known.time,
        read: context.read,
      },
    });

  /** The answer of a command that the stream already knows: as it was when the command had been carried out (L2). */
  async function answerAgain<State, Event extends AnyEvent, Answer>(
    aggregate: Aggregate<State, Event>,
    stream: string,
    known: KnownStream<State>,
    {
      context,
      earlier,
      news,
      appended,
    }: { context: CommandContext; earlier: RecordedCommand; news: Recorded<Event>[]; appended: Encoded[] },
    options: HandleOptions<State, Event, Answer>,
  ): Promise<Handled<State, Event, Answer>> {
    if (!sameRequest(earlier, context))
      throw new Refusal('IDEMPOTENCY_KEY_REUSED', 'The Idempotency-Key was used before, for another request.').after(known.position);
    const isOurs = ({ metadata }: Recorded): boolean => metadata.commandId === context.commandId;
    const repeated = (events: Recorded<Event>[]): boolean => events.at(-1)!.metadata.hash !== appended.at(-1)?.event.metadata.hash;

    const read = news.filter(isOurs);
    if (earlier.last === known.revision && read[0]?.revision === earlier.first) return answered(known, read, repeated(read), options);
    const then = nothing(aggregate);
    const history = (await codec.decode(await store.readStream(stream, { to: earlier.last }))) as Recorded<Event>[];
    for (const event of history) grow(then, aggregate, event);
    const events = history.filter(isOurs);
    return answered(then, events, repeated(events), options);
  }

  return handle;
}

/** What the decision says, once the caller's If-Match holds. */
function decideOn<State, Event extends AnyEvent>(
  aggregate: Aggregate<State, Event>,
  id: string,
  { state, revision }: KnownStream<State>,
  { expectedRevision }: CommandContext,
  decide: Decide<State, Event>,
): Event[] | Refusal {
  try {
    if (expectedRevision !== undefined && revision < 0n) return new NotFound(aggregate.category, id);
    if (expectedRevision !== undefined && revision !== expectedRevision)
      return new Refusal('PRECONDITION_FAILED', `It is at revision ${revision} now.`, { revision: revision.toString() });
    return decide(state);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const answered = <State, Event extends AnyEvent, Answer>(
  { state, revision, position }: KnownStream<State>,
  events: Recorded<Event>[],
  repeated: boolean,
  { answer }: HandleOptions<State, Event, Answer>,
): Handled<State, Event, Answer> => ({ state, answer: answer?.(state, events) as Answer, revision, position, events, repeated });

/** Hashes made with different keys can't be compared: the same command id then has to do. */
const sameRequest = (earlier: RecordedCommand, { requestHash, hashKey }: CommandContext): boolean =>
  earlier.hashKey !== hashKey || earlier.requestHash === requestHash;

/** The two failures that the handling goes on from become values. */
const outcomeOf = <T>(append: Promise<T>): Promise<T | Conflict | OutcomeUnknown> =>
  append.catch((error: unknown) => {
    if (error instanceof Conflict || error instanceof OutcomeUnknown) return error;
    throw error;
  });

async function patiently(read: () => Promise<void>, otherwise: OutcomeUnknown): Promise<void> {
  for (const ms of RELOAD_AFTER) {
    await sleep(ms);
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
  throw otherwise;
}
