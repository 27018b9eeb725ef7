import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { SealKey } from '../../libs/audit/seal.js';
import { migrateSealing, sealAll } from '../../libs/audit/sealing.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import type { Seal } from '../../libs/domain/seal/seal.events.js';
import { Conflict } from '../../libs/event-store/event-store.js';

export interface SealSettings {
  key: SealKey;
  everyMs: number;
  folder: string | undefined; // where each seal is written to as well, to be kept elsewhere
}

/** Seals the histories of all businesses at intervals, when something has happened (K4). */
export class Sealer {
  made = 0;
  failures = 0;
  lastAt: number | undefined; // ms since 1970: when all was sealed last

  constructor(
    private readonly parts: Pick<Parts, 'store' | 'codec' | 'clock'>,
    private readonly pool: Pool,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
    private readonly settings: SealSettings,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.settings.everyMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.look();
    }
  }

  /** A failure waits for the next time: what was not sealed then is sealed with what comes. */
  private async look(): Promise<void> {
    const { key, folder } = this.settings;
    try {
      await migrateSealing(this.pool);
      const made = await sealAll({ ...this.parts, pool: this.pool }, { key, kept: folder === undefined ? undefined : keptIn(folder) });
      this.made += made;
      this.lastAt = Date.now();
      if (made > 0) this.log.info({ seals: made }, 'What has happened is sealed.');
    } catch (error) {
      if (error instanceof Conflict) return;
      this.failures += 1;
      this.log.warn({ err: error }, 'What has happened could not be sealed; it is sealed the next time.');
    }
  }
}

const keptIn =
  (folder: string) =>
  async (seal: Seal): Promise<void> => {
    const own = join(folder, seal.businessId);
    const path = join(own, `${String(seal.number).padStart(8, '0')}.json`);
    await mkdir(own, { recursive: true });
    await writeFile(`${path}.new`, `${JSON.stringify(seal)}\n`);
    await rename(`${path}.new`, path); // whole, or not there
  };
