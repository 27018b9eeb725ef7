import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { forgetAgain, migrateForgotten } from '../../libs/command-handling/forgotten.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { ClientForgotten } from '../../libs/domain/client/client.events.js';
import type { EventOf, Recorded } from '../../libs/domain/kernel/event.js';
import { NOTHING } from '../../libs/projection-engine/checkpoint.js';
import type { Consumer } from '../../libs/projection-engine/consumer.js';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import { scrubHistory } from '../../libs/projection-engine/scrub-history.js';

/** Pinned: its checkpoint has this name. */
const FORGETTING = 'forgetting';

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
      name: FORGETTING,
      version: 1,
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
  async start(): Promise<void> {
    await migrateForgotten(this.pool);
    await forgetAgain(this.parts, this.pool);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) =>
        this.log.warn({ err: error }, 'Who is forgotten could not be scrubbed; it is tried again.'),
      );
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether the read models hold the event; of those that are being built beside them, in the end each. */
  private async areHeld(position: string, isLast: boolean): Promise<boolean> {
    const { rowCount } = await this.pool.query(BEHIND, [
      this.projections.map(({ name }) => name),
      this.projections.map(({ version }) => version),
      position,
      isLast,
    ]);
    return rowCount === 0;
  }

  private async hear({ data: { clientId }, metadata: { business }, stream, revision, position }: Forgot): Promise<void> {
    await this.parts.forgetting.forget(clientId);
    await this.pool.query(HEARD, [clientId, business, stream, revision, position]);
  }

  private async look(): Promise<void> {
    const { rows } = await this.pool.query<Unsettled>(UNSETTLED, [AT_ONCE]);
    for (const { clientId, stream, revision, position, isLast } of rows) {
      if (!(await this.areHeld(position, isLast))) continue;
      const [event] = await this.parts.codec.decode(
        await this.parts.store.readStream(stream, { from: BigInt(revision), to: BigInt(revision) }),
      );
      await this.parts.forgetting.forget(clientId); // answers may have been kept meanwhile
      for (const projection of this.projections) await scrubHistory(this.pool, projection, event!);
      await this.pool.query('UPDATE policies.forgotten SET scrubbed_at = coalesce(scrubbed_at, now()), settled = $2 WHERE client_id = $1', [
        clientId,
        isLast,
      ]);
    }
  }
}

interface Unsettled {
  clientId: string;
  stream: string;
  revision: string;
  position: string;
  isLast: boolean;
}

const BEHIND = `
  SELECT FROM read_models.checkpoints JOIN unnest($1::text[], $2::integer[]) AS mine (projection, version) USING (projection, version)
   WHERE (position IS NULL OR position < $3)
     AND ($4 OR EXISTS (SELECT FROM read_models.live_builds l
       WHERE l.projection = checkpoints.projection AND l.version = checkpoints.version AND l.build = checkpoints.build)) LIMIT 1`;

const HEARD = `
  INSERT INTO policies.forgotten (client_id, business_id, stream, revision, position) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`;

const UNSETTLED = `
  SELECT client_id AS "clientId", stream, revision::text, position::text, scrubbed_at IS NOT NULL AS "isLast"
    FROM policies.forgotten WHERE NOT settled AND (scrubbed_at IS NULL OR heard_at < now() - interval '${SETTLED_AFTER}')
   ORDER BY scrubbed_at IS NOT NULL, position LIMIT $1`;
