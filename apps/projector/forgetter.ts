import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { forgetAgain } from '../../libs/command-handling/forgotten.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { ClientForgotten } from '../../libs/domain/client/client.events.js';
import type { EventOf, Recorded } from '../../libs/domain/kernel/event.js';
import { NOTHING } from '../../libs/projection-engine/checkpoint.js';
import type { Consumer } from '../../libs/projection-engine/consumer.js';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import type { Feed } from '../../libs/projection-engine/feed.js';
import { checkpointOfForgetting, FORGETTING, scrubForgotten, STILL_NAMED_IN } from '../../libs/projection-engine/forgotten.js';
import { migrate } from '../../libs/projection-engine/schema.js';
import { isScrubbed } from '../../libs/projection-engine/scrub.js';
import { requireSameStore } from '../../libs/projection-engine/store-check.js';

const LOOK = 500; // ms between two looks at what is not done yet
const AT_ONCE = 50;
/** After that nothing is under way any more that began before: keys are kept in memory for 60 s, answers and states for less. */
const SETTLED_AFTER = '2 minutes';

type Forgot = Recorded<EventOf<typeof ClientForgotten>>;

/**
 * Sees to it that a person who is forgotten is forgotten everywhere, whoever died in between: the key is deleted and answers are dropped before the
 * checkpoint moves; histories are scrubbed once the read models hold the event; and all of it once more when nothing is under way any more.
 */
export class Forgetter {
  readonly consumer: Consumer;

  constructor(
    private readonly parts: Parts,
    private readonly pool: Pool,
    private readonly projections: readonly Projection[],
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.consumer = {
      ...FORGETTING,
      linger: 0,
      concerns: (type) => type === ClientForgotten.type,
      fold: async (events) => {
        for (const event of events) if (event.type === ClientForgotten.type) await this.hear(event as Forgot);
        return NOTHING;
      },
      reset: () => undefined,
    };
  }

  /** Before anything is read: the tables, and what a restore has brought back. */
  async start(feed: Feed, signal: AbortSignal): Promise<void> {
    await migrate(this.pool, this.projections, [FORGETTING]);
    await forgetAgain(this.parts, this.pool, () => requireSameStore(feed, checkpointOfForgetting(this.pool), signal, this.log));
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) =>
        this.log.warn({ err: error }, 'Who is forgotten could not be scrubbed; it is tried again.'),
      );
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
    }
  }

  private async hear({ data: { clientId }, metadata: { business }, stream, revision, position }: Forgot): Promise<void> {
    await this.parts.forgetting.forget(clientId);
    await this.pool.query(HEARD, [clientId, business, stream, revision, position]);
  }

  private async look(): Promise<void> {
    await scrubForgotten(this.pool, this.projections, this.log);
    const scrubbed = this.projections.filter(isScrubbed);
    const own = [scrubbed.map(({ name }) => name), scrubbed.map(({ version }) => version)];
    await this.each(NOW_SCRUBBED, own, 'UPDATE policies.forgotten SET scrubbed_at = now() WHERE client_id = $1');
    await this.each(TO_SETTLE, [], SETTLED);
  }

  /** One after the other: one with whom it fails holds up nobody. Answers may have been kept meanwhile. */
  private async each(found: string, values: unknown[], done: string): Promise<void> {
    const { rows } = await this.pool.query<{ clientId: string }>(found, values);
    for (const { clientId } of rows) {
      try {
        await this.parts.forgetting.forget(clientId);
        await this.pool.query(done, [clientId]);
      } catch (error) {
        this.log.warn({ err: error, clientId }, 'A client could not be forgotten everywhere; it is tried again.');
      }
    }
  }
}

const HEARD = `
  INSERT INTO policies.forgotten (client_id, business_id, stream, revision, position) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`;

// At random: some with whom it fails must not hide the others.
const NOW_SCRUBBED = `
  SELECT client_id AS "clientId" FROM policies.forgotten f
    WHERE scrubbed_at IS NULL AND NOT settled AND NOT EXISTS (${STILL_NAMED_IN}) ORDER BY random() LIMIT ${AT_ONCE}`;

const TO_SETTLE = `
  SELECT client_id AS "clientId" FROM policies.forgotten
    WHERE NOT settled AND scrubbed_at IS NOT NULL AND heard_at < now() - interval '${SETTLED_AFTER}' ORDER BY random() LIMIT ${AT_ONCE}`;

/** And once more taken out of every build. */
const SETTLED = `
  WITH again AS (DELETE FROM read_models.scrubbed WHERE client_id = $1) UPDATE policies.forgotten SET settled = true WHERE client_id = $1`;
