import type { BusinessDescription, Settings } from '../../domain/business/business.events.js';
import { business, changeBusiness } from '../../domain/business/business.js';
import { arrangeAsInFile, type FileArrangement } from '../../domain/catalogue-file/arrangement.js';
import {
  catalogueFile,
  giveKeys,
  nameOf,
  type CatalogueKey,
  type CatalogueKeys,
  type CatalogueKind,
} from '../../domain/catalogue-file/catalogue-file.js';
import type { Aggregate, AnyEvent, Decide } from '../../domain/kernel/event.js';
import { assertCurrency } from '../../domain/kernel/money.js';
import { InvalidInput, Refusal, type FieldError } from '../../domain/kernel/refusal.js';
import type { Limit, Money } from '../../domain/kernel/shapes.js';
import { offeringList } from '../../domain/offering-list/offering-list.state.js';
import { changeOffering, defineOffering } from '../../domain/offering/offering.decisions.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering } from '../../domain/offering/offering.state.js';
import type { ProviderDescription } from '../../domain/provider/provider.events.js';
import { changeProvider, provider, registerProvider } from '../../domain/provider/provider.js';
import type { ServiceDescription } from '../../domain/service/service.events.js';
import { changeService, defineService, service } from '../../domain/service/service.js';
import type { TaxDescription } from '../../domain/tax/tax.events.js';
import { changeTax, defineTax, tax } from '../../domain/tax/tax.js';
import { CommandOf } from '../command.js';
import { fewAtOnce } from '../few-at-once.js';
import { handlerOf } from '../handler.js';
import type { Operation } from '../operation.js';

// A business from a file: what it has and sells, each thing under a key of the file in place of an id.

const AT_ONCE = 16; // things of the file

type Keyed<Description> = Description & { key: string };

export interface CatalogueFile {
  business?: Pick<BusinessDescription, 'name' | 'timeZone' | 'currency'> & { settings: Omit<Settings, 'stripeAccount'> };
  taxes: Keyed<Omit<TaxDescription, 'taxId'>>[];
  services: Keyed<Omit<ServiceDescription, 'serviceId' | 'taxIds'> & { taxes: string[] }>[];
  providers: Keyed<Omit<ProviderDescription, 'providerId' | 'serviceIds'> & { services: string[] }>[];
  categories?: Keyed<{ name: string; offerings: string[] }>[];
  offerings: Keyed<FileTerms>[];
}

export interface FileTerms extends Omit<Terms, 'services' | 'payment'> {
  services: { service: string; limit: Limit }[];
  payment:
    | { method: 'paidUpfront'; fee: Money; taxes: string[] }
    | { method: 'paidEachAppointment'; fees: { service: string; fee: Money }[] }
    | null;
}

export interface Loaded {
  created: number;
  changed: number;
  unchanged: number;
}

interface Loading {
  file: CatalogueFile;
  known: CatalogueKey[]; // things of the business that keys of the file stand for, though no file has been loaded that said so
}

/** Loaded again it changes nothing; what it does not name stays as it is. */
export class LoadCatalogue extends CommandOf<Loading, Loaded> {
  override get said(): unknown {
    return this.input.file;
  }
}

export const catalogueFileHandlers = [
  handlerOf(LoadCatalogue, async (operation, { file, known }) => {
    const businessId = operation.caller.business;
    assertKeysFit(file);
    const { currency } = await operation.business();
    const wanted = keysIn(file, known, (kind, n) => operation.id(kind, n));
    const before = await operation.newest(catalogueFile, businessId);
    await assertAllFits(operation, file, idsBy(wanted, before), currency);

    const { answer: keys } = await operation.decide(catalogueFile, businessId, giveKeys(wanted), { fresh: true });
    const done = { created: 0, changed: 0, unchanged: 0 };
    for (const steps of planOf(file, idsBy(wanted, keys), currency, businessId)) {
      const changes = await fewAtOnce(steps, AT_ONCE, async ({ aggregate, id, decide }) => {
        const { events, revision } = await operation.decide(aggregate, id, decide, { fresh: true });
        return events.length === 0 ? 'unchanged' : revision < BigInt(events.length) ? 'created' : 'changed';
      });
      for (const became of changes) done[became] += 1;
      await assureListed(operation, steps);
    }
    return done;
  }),
];

/** C8: new offerings are in the list of the business, also those whose process died before it had put them there. */
const assureListed = async (operation: Operation, steps: readonly Step[]): Promise<void> => {
  const offerings = steps.filter(({ aggregate }) => aggregate.category === offering.category);
  if (offerings.length === 0) return;
  const { asOf } = await operation.newest(offeringList, operation.caller.business);
  const unlisted = offerings.filter(({ id }) => !asOf.has(id));
  await fewAtOnce(unlisted, AT_ONCE, ({ id }) => operation.settled(offering, id, { such: ({ type }) => type === 'OfferingDefined' }));
};

interface Step {
  at: string; // JSON pointer into the file
  aggregate: Aggregate<unknown, AnyEvent>;
  id: string;
  decide: Decide<unknown, AnyEvent>;
}

type IdOf = (kind: CatalogueKind, key: string) => string;

/** What there is to do, group by group: what something refers to comes before it. */
const planOf = (file: CatalogueFile, idOf: IdOf, currency: string, businessId: string): Step[][] => [
  file.business ? [businessStep(file.business, businessId)] : [],
  file.taxes.map(({ key, ...said }, n) => {
    const taxId = idOf('tax', key);
    return step(`/taxes/${n}`, tax, taxId, (state) => (state ? changeTax(taxId, said) : defineTax({ taxId, ...said }))(state));
  }),
  file.services.map(({ key, taxes, ...said }, n) => {
    const [serviceId, taxIds] = [idOf('service', key), taxes.map((each) => idOf('tax', each))];
    const description = { ...said, taxIds };
    return step(`/services/${n}`, service, serviceId, (state) => {
      assertCurrency('/price', said.price, currency);
      return (state ? changeService(serviceId, description) : defineService({ serviceId, ...description }))(state);
    });
  }),
  file.providers.map(({ key, services, ...said }, n) => {
    const providerId = idOf('provider', key);
    const description = { ...said, serviceIds: services.map((each) => idOf('service', each)) };
    return step(`/providers/${n}`, provider, providerId, (state) =>
      (state ? changeProvider(providerId, description) : registerProvider({ providerId, ...description }))(state),
    );
  }),
  offeringSteps(file, idOf, currency),
  file.categories ? [step('/categories', offeringList, businessId, arrangeAsInFile(arrangementOf(file, file.categories, idOf)))] : [],
];

const step = <State, Event extends AnyEvent>(
  at: string,
  aggregate: Aggregate<State, Event>,
  id: string,
  decide: Decide<State, Event>,
): Step => ({ at, aggregate, id, decide }) as unknown as Step;

const businessStep = ({ settings, ...said }: NonNullable<CatalogueFile['business']>, businessId: string): Step =>
  step('/business', business, businessId, (state) =>
    changeBusiness(businessId, (before) => ({ ...said, settings: { ...before.settings, ...settings } }))(state),
  );

/** B2: what goes into an offering is active and displayed by what the file says; what was in it before may have been hidden since. */
const offeringSteps = ({ services, offerings }: CatalogueFile, idOf: IdOf, currency: string): Step[] => {
  const offerable = services.filter(({ active, publiclyDisplayed }) => active && publiclyDisplayed);
  const facts = { currency, offerable: new Set(offerable.map(({ key }) => idOf('service', key))) };
  return offerings.map(({ key, ...said }, n) => {
    const [offeringId, terms] = [idOf('offering', key), termsOf(said, idOf)];
    return step(`/offerings/${n}`, offering, offeringId, (state) =>
      (state.status === 'undefined' ? defineOffering(offeringId, terms, facts) : changeOffering(offeringId, terms, facts))(state),
    );
  });
};

const termsOf = ({ services, payment, ...said }: FileTerms, idOf: IdOf): Terms => ({
  ...said,
  services: services.map(({ service: key, limit }) => ({ serviceId: idOf('service', key), limit })),
  payment:
    payment?.method === 'paidUpfront'
      ? { method: payment.method, fee: payment.fee, taxIds: payment.taxes.map((key) => idOf('tax', key)) }
      : payment && {
          method: payment.method,
          fees: payment.fees.map(({ service: key, fee }) => ({ serviceId: idOf('service', key), fee })),
        },
});

const arrangementOf = ({ offerings }: CatalogueFile, categories: NonNullable<CatalogueFile['categories']>, idOf: IdOf): FileArrangement => {
  const grouped = new Set(categories.flatMap(({ offerings: keys }) => keys));
  return {
    ungrouped: offerings.filter(({ key }) => !grouped.has(key)).map(({ key }) => idOf('offering', key)),
    categories: categories.map(({ key, name, offerings: keys }) => ({
      ...{ categoryId: idOf('category', key), name },
      offeringIds: keys.map((each) => idOf('offering', each)),
    })),
  };
};

const LISTS = { tax: 'taxes', service: 'services', provider: 'providers', category: 'categories', offering: 'offerings' } as const;
const KINDS = Object.keys(LISTS) as CatalogueKind[];

/** Every key of the file, with what it stands for if nothing else was said before. */
const keysIn = (file: CatalogueFile, known: readonly CatalogueKey[], newId: (kind: CatalogueKind, n: number) => string): CatalogueKey[] => {
  const ids = new Map(known.map((each) => [nameOf(each), each.id]));
  return KINDS.flatMap((kind) =>
    (file[LISTS[kind]] ?? []).map(({ key }, n) => ({ kind, key, id: ids.get(nameOf({ kind, key })) ?? newId(kind, n) })),
  );
};

const idsBy = (wanted: readonly CatalogueKey[], given: CatalogueKeys): IdOf => {
  const ids = new Map([...wanted.map((each) => [nameOf(each), each.id] as const), ...given]);
  return (kind, key) => ids.get(nameOf({ kind, key }))!;
};

/** Every key once, and whatever refers to one names one of this file. */
const assertKeysFit = (file: CatalogueFile): void => {
  const errors: FieldError[] = [];
  const keys = new Map(KINDS.map((kind) => [kind, new Set<string>()]));
  for (const kind of KINDS)
    (file[LISTS[kind]] ?? []).forEach(({ key }, n) => {
      if (keys.get(kind)!.has(key))
        errors.push({ field: `/${LISTS[kind]}/${n}/key`, code: 'REPEATED', message: `There are two ${LISTS[kind]} with this key.` });
      keys.get(kind)!.add(key);
    });
  for (const { kind, key, field } of referencesIn(file))
    if (!keys.get(kind)!.has(key)) errors.push({ field, code: 'UNKNOWN_KEY', message: `There is no ${kind} with this key in the file.` });
  const placed = new Set<string>();
  file.categories?.forEach(({ offerings }, n) =>
    offerings.forEach((key, m) => {
      if (placed.has(key))
        errors.push({ field: `/categories/${n}/offerings/${m}`, code: 'REPEATED', message: 'This offering has its place already.' });
      placed.add(key);
    }),
  );
  if (errors.length > 0) throw new InvalidInput(errors.slice(0, MAX_ERRORS));
};

const referencesIn = (file: CatalogueFile): { kind: CatalogueKind; key: string; field: string }[] => {
  const all = (kind: CatalogueKind, field: string, keys: readonly string[], after = '') =>
    keys.map((key, n) => ({ kind, key, field: `${field}/${n}${after}` }));
  return [
    ...file.services.flatMap(({ taxes }, n) => all('tax', `/services/${n}/taxes`, taxes)),
    ...file.providers.flatMap(({ services }, n) => all('service', `/providers/${n}/services`, services)),
    ...file.offerings.flatMap(({ services, payment }, n) => [
      ...all(
        'service',
        `/offerings/${n}/services`,
        services.map((each) => each.service),
        '/service',
      ),
      ...(payment?.method === 'paidUpfront' ? all('tax', `/offerings/${n}/payment/taxes`, payment.taxes) : []),
      ...(payment?.method === 'paidEachAppointment'
        ? all(
            'service',
            `/offerings/${n}/payment/fees`,
            payment.fees.map((each) => each.service),
            '/service',
          )
        : []),
    ]),
    ...(file.categories ?? []).flatMap(({ offerings }, n) => all('offering', `/categories/${n}/offerings`, offerings)),
  ];
};

const MAX_ERRORS = 100;

/** Everything that a rule would refuse, named in the file, before anything is appended. */
const assertAllFits = async (operation: Operation, file: CatalogueFile, idOf: IdOf, currency: string): Promise<void> => {
  const errors: FieldError[] = [];
  const plan = planOf(file, idOf, currency, operation.caller.business);
  if (file.business && file.business.currency !== currency)
    errors.push({ field: '/business/currency', code: 'FIXED', message: `The currency of this business is ${currency} for ever.` });
  errors.push(...(await removedCategories(operation, file, idOf)));
  const steps = plan.flat().filter(({ at }) => at !== '/categories' && (at !== '/business' || errors.length === 0));
  await fewAtOnce(steps, AT_ONCE, async ({ at, aggregate, id, decide }) => {
    const state = await operation.newest(aggregate, id);
    try {
      decide(state);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      errors.push(...errorsOf(error).map(({ field, ...told }) => ({ field: at + inFile(field), ...told })));
    }
  });
  if (errors.length > 0) throw new InvalidInput(errors.sort((a, b) => (a.field < b.field ? -1 : 1)).slice(0, MAX_ERRORS));
};

const removedCategories = async (operation: Operation, { categories = [] }: CatalogueFile, idOf: IdOf): Promise<FieldError[]> => {
  const { removed } = await operation.newest(offeringList, operation.caller.business);
  return categories.flatMap(({ key }, n) => {
    const message = 'The category with this key was removed: give it another key to make it anew.';
    return removed.has(idOf('category', key)) ? [{ field: `/categories/${n}/key`, code: 'CATEGORY_REMOVED', message }] : [];
  });
};

const errorsOf = (refusal: Refusal): FieldError[] =>
  refusal instanceof InvalidInput ? refusal.errors : [{ field: '', code: refusal.code, message: refusal.message }];

/** Fields as files name them: by key, not by id. */
const inFile = (field: string): string => field.replaceAll('/serviceId', '/service').replaceAll('/taxIds', '/taxes');
