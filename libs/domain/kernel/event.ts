import { z } from 'zod';

/**
 * A fact as it is stored. `type` and `version` are pinned for ever: rename the constant freely, never the string.
 * A changed shape is a new version, with the pure function that lifts the version before it (`upcast[1]` makes
 * version 2 of version 1).
 */
export const defineEvent = <const Type extends string, Shape extends z.ZodObject>(
  type: Type,
  data: Shape,
  { version = 1, upcast = {}, forgets }: { version?: number; upcast?: Record<number, (data: unknown) => unknown>; forgets?: string } = {},
): EventDefinition<Type, Shape> => ({ type, version, data, upcast, personal: personalFieldsOf(data), forgets });

export interface EventDefinition<Type extends string = string, Shape extends z.ZodObject = z.ZodObject> {
  type: Type;
  version: number;
  data: Shape;
  upcast: Record<number, (data: unknown) => unknown>;
  /** Field → the field that holds the id of the person whom it is about. Its value is stored encrypted with that person's key. */
  personal: Record<string, string>;
  /** The field that holds the id of a person of whom nothing can be read from here on. */
  forgets?: string;
}

export type EventOf<Definition> = Definition extends { type: infer Type; data: infer Shape extends z.ZodType }
  ? { type: Type; data: z.infer<Shape> }
  : never;

export type AnyEvent = { type: string; data: unknown };

/** Everything that the command handling needs to know of one kind of stream. */
export interface Aggregate<State, Event extends AnyEvent> {
  category: string; // of the stream's name: `package` of `package-<id>`
  events: readonly EventDefinition[];
  initial: State;
  evolve(state: State, event: Event): State; // folding never refuses: history has happened
}

/** What a stream has come to. */
export const folded = <State, Event extends AnyEvent>({ initial, evolve }: Aggregate<State, Event>, events: readonly Event[]): State =>
  events.reduce<State>((state, event) => evolve(state, event), structuredClone(initial));

/** What a decision is: pure, and with everything that it looked up brought in by the command. */
export type Decide<State, Event> = (state: State) => Event[];

/** `stripe`: what is brought in because Stripe says so; `operator`: what follows from restoring a backup. Nobody calls with these. */
export type Role = 'owner' | 'administrator' | 'receptionist' | 'client' | 'auditor' | 'stripe' | 'operator';

/** Who did it, also where a policy carries on: `id` is the opaque `sub` of the caller's token, stored in clear. */
export interface Actor {
  id: string;
  role: Role;
}

/** What is stored beside every event. The names with `$` are EventStoreDB's own conventions. */
export interface Metadata {
  business: string;
  actor: Actor;
  policy?: string; // that gave the command, because of what the actor did
  commandId: string;
  requestHash?: string; // HMAC-SHA-256, hex; policies have none
  hashKey?: string; // id of the HMAC key
  $correlationId: string;
  $causationId: string;
  time: string; // UTC, milliseconds; never before the previous event's
  read?: Record<string, string>; // stream → revision of the facts that the decision read
  version: number; // of the event's shape
  hash: string; // the chain (docs/stored-forms.md)
}

/** An event as it comes back from the store: decoded, upcast to the newest version, personal fields readable. */
export type Recorded<Event extends AnyEvent = AnyEvent> = Event & {
  id: string;
  stream: string;
  revision: bigint; // in its stream, from 0
  position: bigint; // commit position in $all
  metadata: Metadata;
  /** Its data as they are stored, where they are not the same: encrypted, or of an older version. */
  stored?: object;
};

/** The event of that type, which must be among these. */
export const eventOf = <Event extends AnyEvent, const Type extends Event['type']>(
  events: readonly Recorded<Event>[],
  type: Type,
): Recorded<Extract<Event, { type: Type }>> => {
  const found = events.find((event) => event.type === type);
  if (!found) throw new Error(`There is no ${type} among ${events.map((event) => event.type).join(', ') || 'no events'}.`);
  return found as Recorded<Extract<Event, { type: Type }>>;
};

/** What a personal field reads as once its person was forgotten. */
export const FORGOTTEN = '(forgotten)';

/** A personal text of somebody who is forgotten: that there was one is left. */
export const forgotten = <Text extends string | null>(text: Text): Text => (text === null ? text : (FORGOTTEN as Text));

const personalFields = z.registry<{ about: string }>();

/** A text about a person: stored encrypted with the key of the person named by the field `about` of the same event. */
export const personal = (about: string, shape: z.ZodString = z.string()) => shape.register(personalFields, { about });

function personalFieldsOf(data: z.ZodObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data.shape).flatMap(([field, shape]) => {
      const inner = withoutWrappers(shape as z.ZodType);
      const mark = personalFields.get(inner);
      if (!mark) return assertNothingPersonal(field, inner);
      return [[field, mark.about]];
    }),
  );
}

/** Only whole fields of an event are encrypted: a mark anywhere else would be stored in clear. */
function assertNothingPersonal(field: string, shape: z.ZodType): [] {
  for (const inner of within(shape)) {
    if (personalFields.get(inner))
      throw new Error(`${field}: a personal text stands in the event itself, as it is or nullable or optional.`);
    assertNothingPersonal(field, inner);
  }
  return [];
}

/** The schemas that a schema is made of, whatever kind it is. */
function within(shape: z.ZodType): z.ZodType[] {
  const parts = shape instanceof z.ZodObject ? Object.values(shape.shape) : Object.values(shape.def).flat();
  return parts.filter((part): part is z.ZodType => part instanceof z.ZodType);
}

function withoutWrappers(shape: z.ZodType): z.ZodType {
  return shape instanceof z.ZodOptional || shape instanceof z.ZodNullable ? withoutWrappers(shape.unwrap() as z.ZodType) : shape;
}
