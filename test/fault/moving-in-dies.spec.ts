import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import pLimit from 'p-limit';
import { CatalogueFiles } from '../../apps/api/catalogue-file/catalogue-files.js';
import { CsvFile } from '../../apps/api/imports/csv-file.js';
import { Imports } from '../../apps/api/imports/imports.js';
import { CatalogueFileBody } from '../../apps/api/resources/catalogue-file.shapes.js';
import { Reading } from '../../apps/api/resources/reading.js';
import { checked } from '../../apps/api/validation/validation-pipe.js';
import { defaultSettings } from '../../libs/domain/business/business.events.js';
import { business, createBusiness } from '../../libs/domain/business/business.js';
import type { ImportEvent } from '../../libs/domain/import/import.events.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import { openReadModels, type ReadModels } from '../../libs/projection-engine/read-models.js';
import { serviceWith } from '../support/faults.js';
import { csvOf } from '../support/moving-in.js';
import { openMortal, type Death, type Mortal } from '../support/mortal.js';

// The import of a file, and the loading of a catalogue file, die after each of their appends (with SOAK=1 also before), and are sent again. Nobody
// else heals here: with POLICIES=api it is all up to who sends it again.

const soak = Boolean(process.env.SOAK);
const AT_ONCE = 4;
const PATIENCE = 600_000; // ms
const FILE_LIMIT = 100_000; // bytes

const service = serviceWith('api');
const { fleet, history, making } = service;
let readModels: ReadModels;
beforeAll(async () => {
  readModels = await openReadModels(fleet().pool, await allProjections());
});
afterAll(() => readModels?.close());

/** A call as the HTTP door makes it, of somebody in a business. */
const callOf = (businessId: string, who = 'an owner', key = randomUUID()) => ({
  ...{ business: businessId, actor: { id: who, role: 'owner' as const }, correlationId: randomUUID(), idempotencyKey: key },
});
type Call = ReturnType<typeof callOf>;

const mortally = async <Done>(work: (mortal: Mortal) => Promise<Done>, how: { death?: Death; ahead?: number } = {}) => {
  const mortal = await openMortal(fleet(), how);
  try {
    return { came: await mortal.does(() => work(mortal)), appends: mortal.appends() };
  } finally {
    await mortal.close();
  }
};

const deathsOf = (appends: number): Death[] =>
  Array.from({ length: appends }, (_, n) => n + 1).flatMap((at) => [
    ...(soak ? [{ at, when: 'before' as const }] : []),
    { at, when: 'after' },
  ]);

const eachDeath = async <Outcome>(appends: number, dies: (death: Death) => Promise<Outcome>) => {
  const limit = pLimit(AT_ONCE);
  return Promise.all(deathsOf(appends).map((death) => limit(async () => ({ death, ...(await dies(death)) }))));
};

describe('L7: a file of packages', () => {
  const SILENT_FOR = 31_000; // ms

  const moveIn = async ({ commands, parts }: Mortal, call: Call, text: string): Promise<string> => {
    const imports = new Imports(commands, readModels, parts);
    const file = await CsvFile.take(Readable.from([Buffer.from(text)]), FILE_LIMIT);
    const manner = { source: 'import', dryRun: false, createClients: true, onError: 'continue' as const };
    const { importId } = await imports.take(call, file, manner);
    await imports.beforeApplicationShutdown(); // it is worked on to its end
    return importId;
  };

  /** Two packages of somebody who is not there, from an offering that was never sold. */
  const aFile = async () => {
    const offeringId = await making().offering();
    const client = { client: `${offeringId}@example.org`, clientName: 'Anna' };
    const row = { offering: offeringId, ...client, remaining: 2, soldOn: '2026-01-31' };
    return { offeringId, text: csvOf([1, 2].map((n) => ({ reference: `${offeringId} ${n}`, ...row }))) };
  };

  /** Types of all that has happened to the offering, its packages, their invoices and clients. */
  const effectOf = async (offeringId: string): Promise<string[]> => {
    const events = await history();
    const sales = (events as Recorded<PackageEvent>[]).flatMap(({ type, data }) =>
      type === 'PackageSold' && data.offeringId === offeringId ? [data] : [],
    );
    const streams = new Set([
      ...[`offering-${offeringId}`],
      ...sales.flatMap(({ packageId, clientId, invoice }) => [
        `package-${packageId}`,
        `client-${clientId}`,
        `invoice-${invoice.invoiceId}`,
      ]),
    ]);
    return events.flatMap(({ stream, type }) => (streams.has(stream) ? [type] : [])).sort();
  };
  const endOf = async (importId: string) =>
    ((await history()) as Recorded<ImportEvent>[]).flatMap(({ type, data }) =>
      type === 'ImportEnded' && data.importId === importId ? [{ outcome: data.outcome, there: data.imported + data.skipped }] : [],
    );

  it(
    'C5, D3, L7: dies anywhere; sent again by another, or taken up by who sent it, every package is there once, with its invoice',
    async () => {
      const { business: businessId } = fleet().desk;
      const control = await aFile();
      const { appends } = await mortally((alive) => moveIn(alive, callOf(businessId), control.text));
      const effect = await effectOf(control.offeringId);
      expect(effect).toEqual([
        ...['ClientRegistered', 'InvoiceIssued', 'InvoiceIssued', 'OfferingDefined', 'OfferingLocked', 'PackageImported'],
        ...['PackageImported', 'PackageSold', 'PackageSold', 'RemainingAdjusted', 'RemainingAdjusted'],
      ]);

      const outcomes = await eachDeath(appends, async (death) => {
        const { offeringId, text } = await aFile();
        const call = callOf(businessId);
        const { came: died } = await mortally((mortal) => moveIn(mortal, call, text), { death });
        const again = death.at % 2 === 0 ? callOf(businessId, 'another owner') : call;
        const { came: importId } = await mortally((alive) => moveIn(alive, again, text), { ahead: SILENT_FOR });
        return { died, ends: await endOf(importId!), effect: await effectOf(offeringId) };
      });
      expect(outcomes).toEqual(
        deathsOf(appends).map((death) => ({ death, died: undefined, ends: [{ outcome: 'completed', there: 2 }], effect })),
      );
    },
    PATIENCE,
  );
});

describe('a catalogue file', () => {
  const cad = (amount: number) => ({ amount, currency: 'CAD' });
  const { stripeAccount: _, ...settings } = defaultSettings;
  const file = checked(
    {
      business: { name: 'From a file', timeZone: 'Europe/Paris', currency: 'CAD', settings },
      taxes: [{ key: 'gst', name: 'GST', rate: '5' }],
      services: ['massage', 'yoga'].map((key) => ({ key, name: key, durationMinutes: 60, price: cad(9_000), taxes: ['gst'] })),
      providers: [{ key: 'dana', name: 'Dana Roy', services: ['massage', 'yoga'] }],
      categories: [{ key: 'passes', name: 'Passes', offerings: ['b'] }],
      offerings: ['a', 'b'].map((key) => ({
        key,
        name: key,
        status: 'active',
        services: [{ service: 'yoga', limit: 5 }],
        payment: { method: 'paidUpfront', fee: cad(1), taxes: ['gst'] },
      })),
    },
    CatalogueFileBody,
  ) as CatalogueFileBody;

  const newBusiness = async (): Promise<string> => {
    const [businessId, commandId] = [randomUUID(), randomUUID()];
    const { handle, clock } = fleet().reader;
    const context = { commandId, business: businessId, actor: { id: 'an owner', role: 'owner' as const }, now: clock() };
    const description = { businessId, name: 'Clinic', timeZone: 'America/Toronto', currency: 'CAD', settings: defaultSettings };
    await handle(business, businessId, { ...context, correlationId: commandId, causationId: commandId }, createBusiness(description));
    return businessId;
  };

  const filesOf = ({ commands, parts }: Mortal) => new CatalogueFiles(commands, new Reading(readModels), parts);
  const load = (mortal: Mortal, call: Call) => filesOf(mortal).load(call, file);
  const effectOf = async (businessId: string) => {
    const types = (await history()).flatMap(({ type, metadata }) => (metadata.business === businessId ? [type] : [])).sort();
    const { came } = await mortally(async (alive) =>
      filesOf(alive).of({ ...callOf(businessId), minPosition: (await alive.parts.store.lastPosition())! }),
    );
    return { types, exported: came };
  };

  it(
    'B1, C1, C8: dies anywhere while it is loaded; loaded again, the business is what the file says, and nothing is doubled',
    async () => {
      const control = await newBusiness();
      const { appends } = await mortally((alive) => load(alive, callOf(control)));
      const effect = await effectOf(control);
      expect(effect.exported).toMatchObject({ categories: file.categories, offerings: [{ key: 'a' }, { key: 'b' }] });

      const outcomes = await eachDeath(appends, async (death) => {
        const businessId = await newBusiness();
        const { came: died } = await mortally((mortal) => load(mortal, callOf(businessId)), { death });
        await mortally((alive) => load(alive, callOf(businessId, 'another owner')));
        return { died, ...(await effectOf(businessId)) };
      });
      expect(outcomes).toEqual(deathsOf(appends).map((death) => ({ death, died: undefined, ...effect })));
    },
    PATIENCE,
  );
});

it('C5, D3, K3, L7: streams and read models agree', () => service.settled(), PATIENCE);
