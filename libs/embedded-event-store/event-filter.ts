import { invalidCall } from './grpc-errors.js';
import type { StoredEvent } from './stored-event.js';

export type EventFilter = (event: Pick<StoredEvent, 'stream' | 'type'>) => boolean;

export interface FilterExpression {
  on: 'stream' | 'type';
  regex: string; // empty: the prefixes count
  prefixes: readonly string[];
}

const patternLimit = 4_096; // characters

/**
 * A filter as `EventFilter.cs` builds it. Patterns are JavaScript's, which differ from .NET's in rare constructs
 * (inline flags, balancing groups): those are refused.
 */
export const eventFilter = ({ on, regex, prefixes }: FilterExpression): EventFilter => {
  if (regex === '') return (event) => prefixes.some((prefix) => event[on].startsWith(prefix));
  if (regex.length > patternLimit) throw invalidCall(`a filter's pattern is limited to ${patternLimit} characters`);
  const pattern = compile(regex);
  return (event) => pattern.test(event[on]);
};

const compile = (regex: string): RegExp => {
  try {
    return new RegExp(regex);
  } catch (error) {
    throw invalidCall(`the filter's pattern is not valid: ${(error as Error).message}`);
  }
};

/** The real server reads pages of this many matching events; the default window is as large. */
const pageSize = 32;

/**
 * When a filtered subscription is told how far the server has looked. While catching up that is decided page by
 * page, live it is decided event by event (`Enumerators.AllSubscriptionFiltered`, `SubscriptionsService`).
 */
export class CheckpointCounter {
  private considered = 0;
  private page = { considered: 0, matched: 0, position: 0n };
  private readonly interval: number;

  /** @param start position at which the subscription starts */
  constructor(
    private readonly window: number = pageSize,
    multiplier: number,
    start: bigint,
  ) {
    if (multiplier === 0) throw invalidCall('checkpointIntervalMultiplier must be at least 1');
    this.interval = window * multiplier;
    this.page.position = start;
  }

  /** Counts an event read while catching up; gives the position of a checkpoint that is due after it. */
  caughtUpWith(event: StoredEvent, matches: boolean): bigint | undefined {
    this.page.considered += 1;
    if (matches) {
      this.page.matched += 1;
      this.page.position = event.position;
    }
    if (this.page.matched < pageSize && this.page.considered < this.window) return undefined;
    const { position } = this.page;
    this.endPage(event.position);
    if (this.considered < this.interval) return undefined;
    this.considered %= this.interval;
    return position;
  }

  /** The end of the log has been reached in the middle of a page. */
  endPage(position: bigint): void {
    this.considered += this.page.considered;
    this.page = { considered: 0, matched: 0, position };
  }

  /** Counts a live event; gives the position of a checkpoint that is due after it. */
  passedLive(event: StoredEvent): bigint | undefined {
    this.considered += 1;
    if (this.considered < this.interval) return undefined;
    this.considered = 0;
    return event.position;
  }
}
