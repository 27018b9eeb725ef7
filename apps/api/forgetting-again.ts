import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Projection } from '../../libs/projection-engine/define-projection.js';
import { unscrubbed } from '../../libs/projection-engine/forgotten.js';

const LOOK = 250; // ms

/**
 * After a restore: nothing is answered until no read model tells of those who are forgotten. It is the projector that scrubs them. Whoever starts
 * meanwhile holds back too: a restart, or another API.
 */
export class ForgettingAgain {
  /** What it waits for; undefined: nothing is held back. */
  heldBy: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly projections: readonly Projection[],
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {}

  /** @param again those who are forgotten again: the projector may not have heard of them yet */
  async start(again: readonly string[]): Promise<void> {
    await this.look(new Set([...again, ...(await unscrubbed(this.pool, this.projections)).keys()]), new Set(again));
    if (this.heldBy !== undefined) this.log.warn({}, `Nothing is answered yet. ${this.heldBy} It takes a projector.`);
  }

  /** Rejects while anything is left. */
  async done(): Promise<void> {
    if (this.heldBy !== undefined) throw new Error(this.heldBy);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private async look(clients: ReadonlySet<string>, unheard: ReadonlySet<string>): Promise<void> {
    let left = unheard;
    try {
      const waiting = await unscrubbed(this.pool, this.projections);
      left = unheard.size > 0 ? await notHeard(this.pool, [...unheard]) : unheard;
      const named = [...waiting].filter(([clientId]) => clients.has(clientId)).map(([, readModels]) => readModels);
      this.heldBy = named.length + left.size > 0 ? saying(named.length + left.size, new Set(named.flat()), left.size > 0) : undefined;
    } catch (error) {
      this.heldBy ??= 'Who is forgotten could not be read.';
      this.log.warn({ err: error }, 'Who is forgotten could not be read; it is read again.');
    }
    if (this.heldBy !== undefined) this.timer = setTimeout(() => void this.look(clients, left), LOOK).unref();
  }
}

async function notHeard(pool: Pool, clientIds: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM unnest($1::uuid[]) AS id WHERE NOT EXISTS (SELECT FROM policies.forgotten WHERE client_id = id)',
    [clientIds],
  );
  return new Set(rows.map(({ id }) => id));
}

function saying(clients: number, readModels: ReadonlySet<string>, areUnheard: boolean): string {
  const waits = [...(areUnheard ? ['the projector to hear of them'] : []), ...[...readModels].sort()];
  return `Clients who are forgotten (${clients}) are being forgotten again, after a restore. It waits for ${waits.join(', ') || 'the projector'}.`;
}
