import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { areScrubbed } from '../../libs/command-handling/forgotten.js';

const LOOK = 250; // ms

/** After a restore: nothing is answered until no read model tells of those who are forgotten. It is the projector that scrubs them. */
export class ForgettingAgain {
  isHeld: boolean;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly clientIds: readonly string[],
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.isHeld = clientIds.length > 0;
    if (this.isHeld) {
      log.warn({ clients: clientIds.length }, 'Clients are forgotten again; until then nothing is answered. It takes a projector.');
      this.lookLater();
    }
  }

  /** Rejects while anything is left. */
  async done(): Promise<void> {
    if (this.isHeld) throw new Error('Clients are being forgotten again.');
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private lookLater(): void {
    this.timer = setTimeout(() => void this.look(), LOOK).unref();
  }

  private async look(): Promise<void> {
    try {
      this.isHeld = !(await areScrubbed(this.pool, this.clientIds));
    } catch (error) {
      this.log.warn({ err: error }, 'Who is forgotten could not be read; it is read again.');
    }
    if (this.isHeld) this.lookLater();
  }
}
