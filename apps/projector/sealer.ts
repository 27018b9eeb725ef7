import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { SealFolder } from '../../libs/audit/seal-folder.js';
import type { SealKey } from '../../libs/audit/seal.js';
import { sinceSealed } from '../../libs/audit/sealed-through.js';
import { BrokenSeals, type Stray, strayCount } from '../../libs/audit/seal-stream.js';
import { keepSeals } from '../../libs/audit/kept-seals.js';
import { migrateSealing, sealAll, sealStreamsOf } from '../../libs/audit/sealing.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { Conflict } from '../../libs/event-store/event-store.js';
import { businessesOf } from '../../libs/projection-engine/event-feed.js';

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
  strays = 0; // events among the seals that are none: somebody else has written them
  private readonly folder: SealFolder | undefined;
  private isWhole = false; // the folder has the seals of every business

  constructor(
    private readonly parts: Pick<Parts, 'store' | 'codec' | 'clock'>,
    private readonly pool: Pool,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
    private readonly settings: SealSettings,
  ) {
    if (settings.folder !== undefined) this.folder = new SealFolder(settings.folder, log);
  }

  /** Seals that are not those that the folder has. */
  get differing(): number {
    return this.folder?.differing ?? 0;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let wait = await this.left(); !signal.aborted; wait = this.settings.everyMs) {
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.look();
    }
  }

  /** What is left of the interval, in ms: whoever leads now may not have led when all was sealed last. */
  private async left(): Promise<number> {
    const { everyMs } = this.settings;
    try {
      await migrateSealing(this.pool);
      this.strays = await strayCount(this.pool);
      const since = await sinceSealed(this.pool);
      if (since === undefined) return 0;
      this.lastAt = Date.now() - since;
      return Math.min(Math.max(everyMs - since, 0), everyMs);
    } catch {
      return 0; // the look says what is wrong
    }
  }

  /** A failure waits for the next time: what was not sealed then is sealed with what comes. */
  private async look(): Promise<void> {
    const { pool, folder } = this;
    try {
      await migrateSealing(pool);
      const made = await sealAll({ ...this.parts, pool }, { key: this.settings.key, folder, onStray: this.tell });
      this.strays = await strayCount(pool);
      this.made += made;
      this.lastAt = Date.now();
      if (made > 0) this.log.info({ seals: made }, 'What has happened is sealed.');
      if (folder && !this.isWhole) await this.fill(folder);
    } catch (error) {
      if (error instanceof Conflict) return;
      this.failures += 1;
      if (error instanceof BrokenSeals)
        this.log.error({ err: error }, 'Seals were changed or taken away: nothing is signed over that (docs/operations.md).');
      else this.log.warn({ err: error }, 'What has happened could not be sealed; it is sealed the next time.');
    }
  }

  private readonly tell = (stray: Stray): void =>
    this.log.error(
      { stray },
      'An event among the seals is none: somebody else can write to the event store (docs/auditing.md). Sealing goes on after it.',
    );

  /** Once: seals that were made before there was the folder, or by somebody who was not told of it. */
  private async fill(folder: SealFolder): Promise<void> {
    const { store } = this.parts;
    const streams = await sealStreamsOf({ store, pool: this.pool }, this.tell);
    let broken: BrokenSeals | undefined;
    for (const business of await businessesOf(this.pool)) {
      try {
        await keepSeals(store, folder, (await streams.of(business)).last);
      } catch (error) {
        if (!(error instanceof BrokenSeals)) throw error;
        broken = error;
      }
    }
    if (broken) throw broken;
    this.isWhole = true;
  }
}
