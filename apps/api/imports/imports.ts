import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Answered, Versioned } from '../../../libs/command-handling/command.js';
import { ResumeImport, StartImport } from '../../../libs/command-handling/commands/import.commands.js';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { business } from '../../../libs/domain/business/business.js';
import type { StartedImport } from '../../../libs/domain/import/import.state.js';
import { localDateOf } from '../../../libs/domain/kernel/calendar.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import type { ReadModels } from '../../../libs/projection-engine/read-models.js';
import type { CallContext } from '../http/call.js';
import { HttpProblem } from '../http/problems.js';
import { READ_MODELS } from '../resources/reading.js';
import type { CsvFile } from './csv-file.js';
import { ImportRun, surveyed } from './import-run.js';
import { clientsNamed, placesIn, type Places } from './places.js';

/** How a file is to be moved in. */
export interface Manner {
  source: string;
  dryRun: boolean;
  createClients: boolean;
  onError: 'continue' | 'stop';
}

const MOST_AT_ONCE = 4; // files, in one process
const FRESH_WITHIN = 5_000; // ms
const LOOKED_UP_IN = ['client_list', 'offering_list', 'service_list'];

/**
 * L7: files of packages that are being moved in by this process, after their calls were answered. A file is nowhere but here: when the
 * process dies, whoever sent it sends it again.
 */
@Injectable()
export class Imports implements BeforeApplicationShutdown {
  private readonly running = new Map<string, Promise<void>>();
  private readonly log = new Logger('imports');
  private stopping = false;

  constructor(
    private readonly commands: CommandBus,
    @Inject(READ_MODELS) private readonly readModels: ReadModels,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'facts' | 'clock' | 'store'>,
  ) {}

  /** The same request sent again takes up what was left behind, if nobody works on it. */
  async take(call: CallContext, file: CsvFile, manner: Manner): Promise<Answered<Versioned<StartedImport>>> {
    const { rows } = await surveyed(file);
    if (this.running.size >= MOST_AT_ONCE || this.stopping)
      throw new HttpProblem(503, 'TOO_BUSY', `${MOST_AT_ONCE} files are being moved in here already. Send it later.`, RETRY);
    const places = await this.places(call);
    const { isNew, ...started } = await this.commands.execute(new StartImport(call, { ...manner, rows, fileHash: file.hash }));
    if (isNew) this.work(call, file, started, places);
    else if (!this.running.has(started.importId)) {
      const { importId } = started;
      const { isResumed, ...resumed } = await this.commands.execute(new ResumeImport(callerOf(call), { importId }));
      if (isResumed) this.work(call, file, resumed, places);
    }
    return started;
  }

  /** Those that run note how far they have come, and are taken up again later. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running.values());
  }

  private work(call: CallContext, file: CsvFile, started: StartedImport, places: Places): void {
    const run = new ImportRun(started, file, {
      ...{ commands: this.commands, caller: callerOf(call), places },
      clientsNamed: (named) => clientsNamed({ readModels: this.readModels, ...this.parts }, call.business, named),
      isStopping: () => this.stopping,
      clock: this.parts.clock,
      log: (error) => this.log.error(error),
    });
    file.inUse = true;
    const done = run
      .run()
      .catch((error: unknown) => this.log.error(error)) // it is heard of no more, and so counts as interrupted
      .finally(async () => {
        this.running.delete(started.importId);
        await file.close();
      });
    this.running.set(started.importId, done);
  }

  /** What rows can name, as fresh as all that has happened before the file came. */
  private async places({ business: businessId }: CallContext): Promise<Places> {
    const { readModels, parts } = this;
    const settings = await parts.facts.of(business, businessId, businessId);
    if (!settings) throw new NotFound('business', businessId);
    if (!(await readModels.waitFor((await parts.store.lastPosition()) ?? 0n, FRESH_WITHIN, LOOKED_UP_IN)))
      throw new HttpProblem(
        503,
        'NOT_YET_FRESH',
        'The lists of offerings, services and clients are not up to date yet. Send it later.',
        RETRY,
      );
    return placesIn({ readModels, ...parts }, { ...settings.state, today: localDateOf(parts.clock(), settings.state.timeZone) });
  }
}

const RETRY = { headers: { 'retry-after': '1' } };

const callerOf = ({ business: businessId, actor, correlationId }: CallContext) => ({ business: businessId, actor, correlationId });
