import canonicalize from 'canonicalize';
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { BusinessDescription } from '../domain/business/business.events.js';
import { business } from '../domain/business/business.js';
import { localDateOf } from '../domain/kernel/calendar.js';
import type { Aggregate, AnyEvent, Decide, Recorded } from '../domain/kernel/event.js';
import { commandIdOf, idFor } from '../domain/kernel/ids.js';
import type { Tax } from '../domain/kernel/money.js';
import { NotFound, Refusal, UnknownReferences } from '../domain/kernel/refusal.js';
import type { PolicyCommand } from '../domain/policies/policy.js';
import { tax } from '../domain/tax/tax.js';
import type { Codec } from '../event-store/codec.js';
import type { EventStore } from '../event-store/event-store.js';
import type { CommandContext, Handle } from '../event-store/handle.js';
import type { CardPayments } from '../payments/card-payments.js';
import type { CheckoutSettings } from '../payments/settings.js';
import type { Claim, Claimed, Claims } from './claims.js';
import type { Clock } from './clock.js';
import type { Caller, CommandOf, Versioned } from './command.js';
import { isFact, type Facts } from './facts.js';
import type { FollowUps } from './follow-up.js';
import type { Forgetting } from './forgetting.js';

/** What every operation works with. */
export interface Parts {
  store: EventStore;
  codec: Codec;
  handle: Handle;
  facts: Facts;
  claims: Claims;
  forgetting: Forgetting;
  followUps: FollowUps;
  clock: Clock;
  requestHashKey: { id: string; secret: string };
  policiesHere: boolean; // false: the projector alone carries out policies
  cards: CardPayments | undefined; // undefined: no keys of Stripe are set
  checkouts: CheckoutSettings;
}

/** Something that the body names, or the address: `field` is the JSON pointer to its id. */
export interface Reference<State> {
  aggregate: Aggregate<State, AnyEvent>;
  field: string;
  in?: 'path';
  id: string;
}

export const reference = <State>(aggregate: Aggregate<State, AnyEvent>, field: string, id: string): Reference<State> => ({
  aggregate,
  field,
  id,
});

export const referenceInPath = <State>(aggregate: Aggregate<State, AnyEvent>, name: string, id: string): Reference<State> => ({
  ...reference(aggregate, `/${name}`, id),
  in: 'path',
});

type Found<R> = R extends Reference<infer State> ? NonNullable<State> : never;

/**
 * One command being carried out: who, when, under which id, and how to look things up and decide. All ids and times of
 * the command come from here, so that a repeat makes the same ones.
 */
export class Operation {
  readonly now: string;
  readonly commandId: string;
  private readonly request: Pick<Claim, 'requestHash' | 'hashKey'> | undefined; // of a command that may be a repeat
  private readonly read: Record<string, string> = {}; // stream → revision of what decisions on other streams rest on
  private claimed: Promise<Claimed> | undefined;
  private readonly beside: Operation[] = [];
  private waited = false; // for the first of several same requests
  private soleUntil: number | undefined;
  private reached = 0n;

  constructor(
    private readonly parts: Parts,
    readonly caller: Caller,
    command: CommandOf<unknown, unknown>,
  ) {
    const { business: businessId, actor, idempotencyKey } = caller;
    this.now = parts.clock();
    const mayBeRepeat = idempotencyKey !== undefined || command.ownId !== undefined;
    this.commandId = command.ownId ?? (idempotencyKey === undefined ? uuidv7() : commandIdOf(businessId, actor.id, idempotencyKey));
    this.soleUntil = mayBeRepeat ? undefined : Infinity;
    this.request = mayBeRepeat ? requestOf(command, parts.requestHashKey) : undefined;
  }

  /**
   * L2: carries it out, unless this very request was answered before: then that is the answer, whatever has happened since.
   * A key that stands for another request is told so if nothing was wrong with this one, also when nothing came of it.
   */
  async once<Answer extends object>(carryOut: () => Promise<Answer>): Promise<Answer> {
    const claimed = await this.claim();
    if (claimed.is === 'seen' && claimed.answer !== undefined) return claimed.answer as Answer;
    const answer = await carryOut();
    if (claimed.is === 'reused') throw keyReused();
    if (this.request) this.parts.claims.keep(this.commandId, answer);
    return answer;
  }

  /** The id of the nth thing of a kind that this command makes. */
  id(name: string, index = 0): string {
    return idFor(this.commandId, name, index);
  }

  /** How far the event store was read or written by this command. */
  get position(): bigint {
    return [this, ...this.beside].map(({ reached }) => reached).reduce((a, b) => (a > b ? a : b));
  }

  get checkouts(): CheckoutSettings {
    return this.parts.checkouts;
  }

  /** @throws Refusal STRIPE_NOT_CONFIGURED */
  get cards(): CardPayments {
    return cardsOf(this.parts);
  }

  get takesCards(): boolean {
    return this.parts.cards !== undefined;
  }

  /** @throws Refusal STRIPE_NOT_CONFIGURED */
  assertTakesCards(): void {
    cardsOf(this.parts);
  }

  /** A command of its own that is carried out as a part of this one: a stream takes from each command once. */
  another(command: CommandOf<unknown, unknown>): Operation {
    const operation = new Operation(this.parts, command.caller, command);
    this.beside.push(operation);
    return operation;
  }

  async business(): Promise<BusinessDescription & { today: string }> {
    const [settings] = (await this.find([reference(business, '', this.caller.business)])) as [BusinessDescription | undefined];
    if (!settings) throw new NotFound('business', this.caller.business);
    return { ...settings, today: localDateOf(this.now, settings.timeZone) };
  }

  /** What the body names, all of it; throws with every field that names nothing in this business. */
  async lookUp<const References extends readonly Reference<unknown>[]>(
    ...references: References
  ): Promise<{ [N in keyof References]: Found<References[N]> }> {
    const found = await this.find(references);
    const unknown = references.filter((_, n) => found[n] === undefined);
    if (unknown.length > 0) throw new UnknownReferences(unknown.map(({ aggregate, ...where }) => ({ ...where, what: aggregate.category })));
    return found as { [N in keyof References]: Found<References[N]> };
  }

  /** Taxes as they are now, in this order. */
  async taxes(taxIds: readonly string[], field = ''): Promise<Tax[]> {
    return this.lookUp(...taxIds.map((id, n) => reference(tax, `${field}/${n}`, id)));
  }

  /** The newest state of a stream of this business, read from the store: also of one that this command has changed, and others since. */
  async newest<State>(
    aggregate: Aggregate<State, AnyEvent>,
    id: string,
    { ifMatch = false }: Pick<How<State, State>, 'ifMatch'> = {}, // it is what the caller addressed: as the caller saw it, or refused
  ): Promise<State> {
    const { answer } = await this.handle<State, AnyEvent, State>(aggregate, id, () => [], { fresh: true, ifMatch, asks: true });
    return answer;
  }

  /** The same, as a command answers it. */
  async shown<State, View extends object>(
    aggregate: Aggregate<State, AnyEvent>,
    id: string,
    view: (state: State) => View,
  ): Promise<Versioned<View>> {
    return versioned(await this.handle<State, AnyEvent, View>(aggregate, id, () => [], { fresh: true, asks: true, view }));
  }

  /** What never changes of a stream of this business, such as whose a package is: not read again while this process has it. */
  async known<State, View>(aggregate: Aggregate<State, AnyEvent>, id: string, view: (state: State) => View): Promise<View> {
    return (await this.handle<State, AnyEvent, View>(aggregate, id, () => [], { anyAge: true, view })).answer;
  }

  /** Begins a stream of a business that is there; gives its state, or what `view` makes of it. */
  async make<State, Event extends AnyEvent, View extends object = NonNullable<State>>(
    aggregate: Aggregate<State, Event>,
    id: string,
    decide: Decide<State, Event>,
    view = whole as (state: State) => View,
  ): Promise<Versioned<View>> {
    if (aggregate.category !== business.category) await this.business();
    return versioned(await this.decide(aggregate, id, decide, { begins: true, view }));
  }

  /** Changes the thing that the caller addressed, if it still is as the caller saw it (If-Match). */
  async change<State, Event extends AnyEvent, View extends object = NonNullable<State>>(
    aggregate: Aggregate<State, Event>,
    id: string,
    decide: Decide<State, Event>,
    view = whole as (state: State) => View,
  ): Promise<Versioned<View>> {
    return versioned(await this.decide(aggregate, id, decide, { ifMatch: true, view }));
  }

  /**
   * The newest state of a stream, once all that follows from its last change, or the last that is such a one, has been carried
   * out, and from those shortly before, in their order: a decision on another stream that undoes it would else come before it.
   * `atAnyAge`: what of that is still carried out when it is so old that it is no longer under way; all of it unless told.
   */
  async settled<State, Event extends AnyEvent>(
    aggregate: Aggregate<State, Event>,
    id: string,
    {
      such = () => true,
      atAnyAge = () => true,
      ...how
    }: { such?: (event: Recorded<Event>) => boolean; atAnyAge?: (command: PolicyCommand) => boolean; ifMatch?: boolean } = {},
  ): Promise<State> {
    const state = await this.newest(aggregate, id, how);
    const triggers = (await this.history(aggregate, id)).filter(such);
    const since = new Date(Date.parse(this.now) - SETTLES_WITHIN).toISOString();
    const unsettled = triggers.filter((event, n) => n === triggers.length - 1 || event.metadata.time > since);
    for (const event of unsettled) await this.parts.followUps.settle(event, event.metadata.time > since ? () => true : atAnyAge);
    return unsettled.length > 0 ? this.newest(aggregate, id) : state;
  }

  /** Every event of a stream that is known to be of this business. */
  async history<State, Event extends AnyEvent>({ category }: Aggregate<State, Event>, id: string): Promise<Recorded<Event>[]> {
    const { store, codec } = this.parts;
    return (await codec.decode(await store.readStream(`${category}-${id}`))) as Recorded<Event>[];
  }

  /** What follows from the event that somebody is forgotten; the projector does it again, should this process die. */
  forgetPerson(personId: string): Promise<void> {
    return this.parts.forgetting.forget(personId);
  }

  /** What this command did here when it was sent before; undefined if it did nothing here yet. */
  async recall<State, Event extends AnyEvent, View>(
    aggregate: Aggregate<State, Event>,
    id: string,
    view: (state: State, events: readonly Recorded[]) => View,
  ): Promise<Decided<View, Event> | undefined> {
    const claimed = await this.claim();
    if (claimed.is === 'new') return undefined;
    if (claimed.is === 'seen') await this.letFirstFinish(aggregate, id, claimed.age);
    const recalled = await this.handle(aggregate, id, () => [], {
      fresh: true,
      view: (state, events) => (events.length > 0 ? view(state, events) : undefined), // of a stream that is not there, there is no view
    });
    return recalled.events.length > 0 ? (recalled as Decided<View, Event>) : undefined;
  }

  /**
   * Decides on one stream, appends, and carries out what follows from it. A command that was carried out before gives
   * its events again; nothing is appended then.
   */
  async decide<State, Event extends AnyEvent, View = State>(
    aggregate: Aggregate<State, Event>,
    id: string,
    decide: Decide<State, Event>,
    how: How<State, View> = {},
  ): Promise<Decided<View, Event>> {
    const claimed = await this.claim();
    if (claimed.is === 'reused') return this.handle(aggregate, id, refuseReuse(decide), how);
    if (claimed.is === 'seen') await this.letFirstFinish(aggregate, id, claimed.age);
    return this.handle(aggregate, id, decide, { ...how, ...(claimed.is === 'new' && how.begins ? { create: 'unseen' } : {}) });
  }

  private async handle<State, Event extends AnyEvent, View>(
    aggregate: Aggregate<State, Event>,
    id: string,
    decide: Decide<State, Event>,
    { ifMatch = false, asks = false, view = whole as (state: State) => View, ...options }: How<State, View> & { create?: 'unseen' },
  ): Promise<Decided<View, Event>> {
    const { policiesHere, followUps, handle, facts } = this.parts;
    const since = performance.now();
    const stream = `${aggregate.category}-${id}`;
    const context = this.context(stream, ifMatch);
    const asked = asks ? { ...context, commandId: uuidv7() } : context; // what this command did before would be answered as it was then
    const decided = await handle(aggregate, id, asked, decide, { ...options, answer: view });
    this.reach(decided.position);
    if (decided.revision >= 0n) this.read[stream] = decided.revision.toString();
    if (decided.events.length > 0) facts.forget(stream);
    if (policiesHere) this.reach(await followUps.after(decided, since));
    return decided;
  }

  private context(stream: string, withIfMatch: boolean): CommandContext {
    const { business: businessId, actor, correlationId, ifMatch } = this.caller;
    const { [stream]: _, ...read } = this.read;
    return {
      ...{ commandId: this.commandId, business: businessId, actor, correlationId, causationId: this.commandId, now: this.now },
      ...this.request,
      ...(Object.keys(read).length > 0 && { read }),
      ...(withIfMatch && ifMatch !== undefined && { expectedRevision: ifMatch }),
      soleUntil: this.soleUntil,
    };
  }

  /** L2: before anything is decided. Only what may be a repeat can share its id with another request. */
  private claim(): Promise<Claimed> {
    this.claimed ??= this.request ? this.claimWith(this.request) : Promise.resolve({ is: 'new' });
    return this.claimed;
  }

  private async claimWith(request: Pick<Claim, 'requestHash' | 'hashKey'>): Promise<Claimed> {
    const until = performance.now() + LEASE - SLACK;
    const claimed = await this.parts.claims.claim({ commandId: this.commandId, ...request });
    this.soleUntil = claimed.is === 'new' ? until : undefined;
    return claimed;
  }

  /** The same request at once, or soon after: the first is left alone with it for a while, so that both have one effect. */
  private async letFirstFinish(aggregate: Aggregate<unknown, AnyEvent>, id: string, age: number): Promise<void> {
    if (this.waited) return;
    this.waited = true;
    for (let waited = age; waited < LEASE; waited += POLL) {
      const { events } = await this.handle(aggregate, id, () => [], { fresh: true });
      if (events.length > 0) return;
      await sleep(POLL);
    }
  }

  private async find(references: readonly Reference<unknown>[]): Promise<unknown[]> {
    return Promise.all(references.map((named) => (isFact(named.aggregate) ? this.fact(named) : this.guarded(named))));
  }

  private async fact({ aggregate, id }: Reference<unknown>): Promise<unknown> {
    const fact = await this.parts.facts.of(aggregate, this.caller.business, id);
    if (fact) this.read[fact.stream] = fact.revision.toString();
    return fact?.state;
  }

  /** What is decided on is no fact: its state as this process knows it, which is only good for whether it is there. */
  private async guarded({ aggregate, id }: Reference<unknown>): Promise<unknown> {
    try {
      const { answer, revision } = await this.handle(aggregate, id, () => [], { anyAge: true });
      return revision < 0n ? undefined : answer;
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  private reach(position: bigint): void {
    if (position > this.reached) this.reached = position;
  }
}

/** @throws Refusal STRIPE_NOT_CONFIGURED */
export const cardsOf = ({ cards }: Pick<Parts, 'cards'>): CardPayments => {
  if (cards) return cards;
  throw new Refusal(
    'STRIPE_NOT_CONFIGURED',
    'Cards are not taken here: whoever runs this service sets STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET (docs/card-payments.md).',
  );
};

/** How long the first of several same requests is left alone with it, less what clocks and pauses may eat up; ms. */
const LEASE = 2_000;
const SLACK = 500;
const POLL = 50;

/** ms after which what follows has followed, even from a process that died. */
const SETTLES_WITHIN = 60_000;

interface How<State, View> {
  begins?: boolean; // the stream's id follows from this command
  fresh?: boolean; // a guard: decides on the head of the stream
  anyAge?: boolean; // only what never changes is asked
  asks?: boolean; // nothing is decided
  ifMatch?: boolean; // this is the stream that the caller's If-Match is about
  view?: (state: State, events: readonly Recorded[]) => View; // made before anything else can change the state
}

export interface Decided<Answer, Event extends AnyEvent> {
  answer: Answer;
  events: Recorded<Event>[];
  revision: bigint;
  position: bigint;
  repeated: boolean;
}

const whole = (state: unknown): unknown => state;

/** L4: as it was when this was decided. */
export const versioned = <View extends object>({
  answer,
  revision,
}: Pick<Decided<View, AnyEvent>, 'answer' | 'revision'>): Versioned<View> => ({
  ...answer,
  revision: revision.toString(),
});

/** The key stands for another request: told only when nothing else is wrong with this one. */
const refuseReuse =
  <State, Event>(decide: Decide<State, Event>): Decide<State, Event> =>
  (state) => {
    if (decide(state).length === 0) return [];
    throw keyReused();
  };

const keyReused = (): Refusal =>
  new Refusal('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used before for another request: send a new one.');

const requestOf = ({ constructor: { name }, said }: CommandOf<unknown, unknown>, key: Parts['requestHashKey']) => ({
  requestHash: createHmac('sha256', key.secret)
    .update(canonicalize({ operation: name, input: said })!)
    .digest('hex'),
  hashKey: key.id,
});
