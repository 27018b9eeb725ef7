import type { Recorded } from '../domain/kernel/event.js';

/** Which event, and where it stands in its stream. */
export interface EventRef {
  id: string;
  stream: string;
  revision: bigint;
}

/** An event that could not be decoded, as it is stored: poison to every consumer of its type, nothing to the others. */
export type Unreadable = Recorded & { unreadable: Error };

export type Fed = Recorded | Unreadable;

/** Where the events come from: the domain's events of `$all`, in order. */
export interface Feed {
  /** Its address, without credentials: for people to read. */
  store: string;
  /** All events after a position, then the new ones as they come, in batches; ends when the signal says so. Comes back by itself after a lost connection. */
  read(options: { after: bigint | undefined; signal: AbortSignal }): AsyncIterable<readonly Fed[]>;
  /** Whether the store holds this event at this place. */
  has(event: EventRef): Promise<boolean>;
  /** The oldest event after a position: its time (ms since 1970) says how old the read models are. */
  next(after: bigint | undefined): Promise<{ position: bigint; time: number } | undefined>;
}
