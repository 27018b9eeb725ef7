import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { withoutTexts } from '../../libs/projection-engine/compare.js';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import type { Feed } from '../../libs/projection-engine/feed.js';
import { lastVerified } from '../../libs/projection-engine/verified.js';
import { NotVerifiable, verify } from '../../libs/projection-engine/verify.js';

const LOOK = 60_000; // ms between two looks at whether it is time
const FIRST = 3_600_000; // ms after it began to lead, for what was never verified: not while everything starts
const MOST_TOLD = 20; // differences, in the log

export interface VerifierOptions {
  databaseUrl: string;
  pool: Pool;
  feed: Feed;
  projections: readonly Projection[];
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  everyMs: number;
  /** Hours of the day in UTC, from the first on and before the second; undefined: at any. */
  between?: readonly [number, number];
  look?: number;
  first?: number;
}

/** J5: the leading projector verifies the read models by itself. */
export class Verifier {
  constructor(private readonly options: VerifierOptions) {}

  async run(signal: AbortSignal): Promise<void> {
    const { logger, projections, look = LOOK, first = FIRST } = this.options;
    const began = Date.now();
    while (!signal.aborted) {
      await sleep(look, undefined, { signal }).catch(() => undefined);
      try {
        if (signal.aborted || !this.isHour(new Date())) continue;
        const last = new Map((await lastVerified(this.options.pool)).map(({ name, verifiedAt }) => [name, Date.parse(verifiedAt)]));
        const due = ({ name }: Projection) => Date.now() >= (last.get(name) ?? began + first - this.options.everyMs) + this.options.everyMs;
        await this.verifyAll(projections.filter(due), signal);
      } catch (error) {
        logger.warn({ err: error }, 'The read models could not be verified; it is tried again.');
      }
    }
  }

  /** From one read of the events; but one that can't be verified now must not keep the others from it. */
  private async verifyAll(due: readonly Projection[], signal: AbortSignal): Promise<void> {
    if (due.length === 0 || signal.aborted) return;
    try {
      await this.verifyThese(due, signal);
    } catch (error) {
      if (due.length === 1 || !(error instanceof NotVerifiable)) throw error;
      for (const one of due)
        await this.verifyAll([one], signal).catch((failure: unknown) =>
          this.options.logger.warn({ err: failure }, 'A read model could not be verified; it is tried again.'),
        );
    }
  }

  private isHour(now: Date): boolean {
    const [from, before] = this.options.between ?? [0, 24];
    const hour = now.getUTCHours();
    return from < before ? hour >= from && hour < before : hour >= from || hour < before;
  }

  private async verifyThese(projections: readonly Projection[], signal: AbortSignal): Promise<void> {
    const { databaseUrl, feed, logger } = this.options;
    const told = new Map<Projection, number>();
    const results = await verify(
      {
        ...{ databaseUrl, feed, projections, logger },
        onDifference: (difference, projection) => {
          const count = (told.get(projection) ?? 0) + 1;
          told.set(projection, count);
          if (count <= MOST_TOLD) logger.error({ difference: withoutTexts(projection, difference) }, 'A row is not as the events say.');
        },
      },
      signal,
    );
    for (const result of results)
      if (result.differences > 0 || result.problem !== null)
        logger.error(
          { result },
          'A read model is not as the events say: `projector verify` lists each row, `projector rebuild` builds it anew.',
        );
      else logger.info({ result }, 'A read model was verified: it is as the events say.');
  }
}
