import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { withoutTexts } from '../../libs/projection-engine/compare.js';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import type { Feed } from '../../libs/projection-engine/feed.js';
import { lastVerified } from '../../libs/projection-engine/verified.js';
import { verify } from '../../libs/projection-engine/verify.js';

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

/** J5: the leading projector verifies the read models by itself, one after the other. */
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
        for (const projection of projections.filter(due)) if (!signal.aborted) await this.verifyOne(projection, signal);
      } catch (error) {
        logger.warn({ err: error }, 'The read models could not be verified; it is tried again.');
      }
    }
  }

  private isHour(now: Date): boolean {
    const [from, before] = this.options.between ?? [0, 24];
    const hour = now.getUTCHours();
    return from < before ? hour >= from && hour < before : hour >= from || hour < before;
  }

  private async verifyOne(projection: Projection, signal: AbortSignal): Promise<void> {
    const { databaseUrl, feed, logger } = this.options;
    let told = 0;
    const [result] = await verify(
      {
        ...{ databaseUrl, feed, projections: [projection], logger },
        onDifference: (difference) => {
          told += 1;
          if (told <= MOST_TOLD) logger.error({ difference: withoutTexts(projection, difference) }, 'A row is not as the events say.');
        },
      },
      signal,
    );
    if (!result) return;
    if (result.differences > 0 || result.problem !== null)
      logger.error(
        { result },
        'A read model is not as the events say: `projector verify` lists each row, `projector rebuild` builds it anew.',
      );
    else logger.info({ result }, 'A read model was verified: it is as the events say.');
  }
}
