import type { Recorded } from '../domain/kernel/event.js';
import type { Write } from './checkpoint.js';
import type { Fed } from './feed.js';

/** Whatever follows `$all` with a checkpoint of its own: a projection, or the policies' to-do list. */
export interface Consumer {
  name: string;
  version: number;
  /** Whether events of a type concern it. */
  concerns(type: string): boolean;
  /** It also folds what could not be decoded, as it is stored; to others that is poison. */
  takesUnreadable?: true;
  /**
   * What a batch changes; asked while what the batch before it changes is being written.
   * @throws PoisonEvent
   */
  fold(events: readonly Recorded[]): Promise<Write>;
  /** Forget whatever is known of rows that may not have been written. */
  reset(): void;
  /** How long to wait for more events before a batch is folded (ms). */
  linger: number;
}

/** An event that a consumer can't fold. */
export class PoisonEvent extends Error {
  override name = 'PoisonEvent';
  readonly #event: Fed; // not enumerable: what is about people must not get into a log

  constructor(event: Fed, cause: unknown) {
    super(`${event.type} ${event.stream}@${event.revision}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.#event = event;
  }

  get event(): Fed {
    return this.#event;
  }
}
