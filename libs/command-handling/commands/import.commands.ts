import canonicalize from 'canonicalize';
import type { ClientDescription, ClientEvent } from '../../domain/client/client.events.js';
import { assertRemembered, client, registerClient, type Client } from '../../domain/client/client.js';
import { endImport, recordProgress, resumeImport, startImport } from '../../domain/import/import.decisions.js';
import type { BadRow, ImportCounts, ImportOutcome, ImportStartedData } from '../../domain/import/import.events.js';
import { importAggregate, type StartedImport } from '../../domain/import/import.state.js';
import type { Decide, Recorded } from '../../domain/kernel/event.js';
import { importedIdOf } from '../../domain/kernel/ids.js';
import { pick } from '../../domain/kernel/pick.js';
import { lockForSale } from '../../domain/offering/offering.decisions.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering, type DefinedOffering } from '../../domain/offering/offering.state.js';
import { importPackage, type ImportPackage as Moving } from '../../domain/package/import.js';
import type { PackageImportedData } from '../../domain/package/package.events.js';
import { packageAggregate } from '../../domain/package/package.state.js';
import { saleOf } from '../../domain/package/sale.js';
import { service } from '../../domain/service/service.js';
import { CommandOf, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import { lockedTerms } from '../locked-terms.js';
import { reference, versioned, type Operation } from '../operation.js';

// L7: packages that were sold elsewhere are moved in, file by file, row by row.

type Started = Versioned<StartedImport> & { isNew: boolean };
type Working = ImportCounts & { importId: string; attempt: number };

export class StartImport extends CommandOf<Omit<ImportStartedData, 'importId' | 'at'>, Started> {}
export class ResumeImport extends CommandOf<{ importId: string }, StartedImport & { isResumed: boolean }> {}
export class RecordProgress extends CommandOf<Working & { badRows: BadRow[] }, StartedImport> {}
export class EndImport extends CommandOf<Working & { outcome: ImportOutcome }, StartedImport> {}

/** One package as a row says it, what it names being found. */
export type MovedPackage = Omit<PackageImportedData, 'packageId'>;

/** `imported`: it is here now. `skipped`: it was before, the same. */
export interface RowDone {
  became: 'imported' | 'skipped';
}

/** When it came to be here, if the caller's own request brought it: that may have been a try whose outcome nobody knew. */
interface Brought {
  broughtAt: string | null;
}

/** The same again is the same command, whoever imports it: sent again, it also carries out what a dead process left undone. */
export class ImportPackage extends CommandOf<MovedPackage, RowDone & Brought> {
  override get ownId(): string {
    return importedIdOf(this.caller.business, 'command', canonicalize(this.input)!);
  }
}
/** What importing it would come to, refusals included; nothing is appended. The client need not be there yet. */
export class TryPackage extends CommandOf<MovedPackage, RowDone> {}
/** The client of a row, if nobody has registered them before. */
export class ImportClient extends CommandOf<ClientDescription, Pick<ClientDescription, 'clientId'>> {}

/** What has been done of a file is looked up each time: that is how it is taken up again. */
const EACH_TIME = { anew: true };

export const importHandlers = [
  handlerOf(
    StartImport,
    async (operation, said) => {
      const importId = operation.id('import');
      const before = await operation.recall(importAggregate, importId, asStarted);
      if (before) return { ...versioned(before), isNew: false };
      const started = startImport({ importId, at: operation.now, ...said });
      return { ...(await operation.make(importAggregate, importId, started, asStarted)), isNew: true };
    },
    EACH_TIME,
  ),
  handlerOf(
    ResumeImport,
    async (operation, { importId }) => {
      const resume = resumeImport(importId, operation.now);
      const { answer, events } = await operation.decide(importAggregate, importId, resume, { view: asStarted });
      return { ...answer, isResumed: events.length > 0 };
    },
    EACH_TIME,
  ),
  handlerOf(
    RecordProgress,
    (operation, said) => operation.change(importAggregate, said.importId, recordProgress({ at: operation.now, ...said }), asStarted),
    EACH_TIME,
  ),
  handlerOf(
    EndImport,
    (operation, said) => operation.change(importAggregate, said.importId, endImport({ at: operation.now, ...said }), asStarted),
    EACH_TIME,
  ),

  handlerOf(
    ImportClient,
    async (operation, description) => {
      const unlessThere: Decide<Client | null, ClientEvent> = (state) => {
        assertRemembered(state);
        return state === null ? registerClient(description)(state) : [];
      };
      await operation.decide(client, description.clientId, unlessThere, { begins: true }); // most often
      return pick(description, 'clientId');
    },
    EACH_TIME,
  ),

  handlerOf(
    ImportPackage,
    async (operation, moved): Promise<RowDone & Brought> => {
      const packageId = packageIdOf(operation, moved);
      const before = await operation.recall(packageAggregate, packageId, () => undefined);
      if (before) return { became: 'skipped', broughtAt: broughtAt(operation, before.events) };

      const [known] = await operation.lookUp(reference(client, '/clientId', moved.clientId));
      assertRemembered(known);
      const { offeringId, soldOn: on } = moved;
      const decided = async (terms: Terms) =>
        importPackage(await pinned(operation, packageId, moved, terms))(await operation.newest(packageAggregate, packageId));
      const terms = await lockedTerms(operation, { offeringId, because: 'import', on, decided });
      const moving = await pinned(operation, packageId, moved, terms);
      const { events, repeated } = await operation.decide(packageAggregate, packageId, importPackage(moving), { begins: true });
      return { became: events.length > 0 && !repeated ? 'imported' : 'skipped', broughtAt: broughtAt(operation, events) };
    },
    EACH_TIME,
  ),
  handlerOf(
    TryPackage,
    async (operation, moved): Promise<RowDone> => {
      const packageId = packageIdOf(operation, moved);
      const offered = await operation.newest(offering, moved.offeringId);
      lockForSale(moved.offeringId, 'import', moved.soldOn)(offered);
      const moving = await pinned(operation, packageId, moved, (offered as DefinedOffering).terms);
      const events = importPackage(moving)(await operation.newest(packageAggregate, packageId));
      if (events.length > 0) assertRemembered(await operation.newest(client, moved.clientId)); // that nobody is there yet is fine
      return { became: events.length > 0 ? 'imported' : 'skipped' };
    },
    EACH_TIME,
  ),
];

const broughtAt = ({ caller }: Operation, [brought]: readonly Recorded[]): string | null =>
  brought?.metadata.$correlationId === caller.correlationId ? brought.metadata.time : null;

const asStarted = (state: unknown): StartedImport => ({ ...(state as StartedImport) });

/** C5, D3: the offering's terms as they are now, at no charge, sold when it was sold. */
const pinned = async (operation: Operation, packageId: string, moved: MovedPackage, terms: Terms): Promise<Moving> => {
  const { currency, timeZone, today } = await operation.business();
  const services = await operation.lookUp(...terms.services.map(({ serviceId }, n) => reference(service, `/services/${n}`, serviceId)));
  const buying = {
    ...pick(moved, 'offeringId', 'clientId', 'soldOn'),
    ...{ packageId, invoiceId: operation.id('invoice'), appointmentId: null, purchaseId: null, externalReference: moved.reference },
    ...{ channel: 'import' as const, currency, timeZone, today },
  };
  return { sale: saleOf(terms, services, [], buying), imported: { packageId, ...moved } };
};

const packageIdOf = ({ caller: { business } }: Operation, { source, reference }: MovedPackage): string =>
  importedIdOf(business, 'package', source, reference);
