import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Answered } from '../../../libs/command-handling/command.js';
import { LoadCatalogue, type CatalogueFile, type Loaded } from '../../../libs/command-handling/commands/catalogue-file.commands.js';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import {
  catalogueFile,
  nameOf,
  type CatalogueKey,
  type CatalogueKeys,
  type CatalogueKind,
} from '../../../libs/domain/catalogue-file/catalogue-file.js';
import type { AnyEvent } from '../../../libs/domain/kernel/event.js';
import { withoutDeleted } from '../../../libs/domain/offering-list/offering-list.state.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import type { Payment } from '../../../libs/domain/offering/offering.events.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { offeringArrangement } from '../../../projections/offering-arrangement.projection.js';
import { offeringList, type OfferingRow } from '../../../projections/offering-list.projection.js';
import { providerList } from '../../../projections/provider-list.projection.js';
import { serviceList } from '../../../projections/service-list.projection.js';
import { taxList } from '../../../projections/tax-list.projection.js';
import type { CallContext } from '../http/call.js';
import type { CatalogueFileBody } from '../resources/catalogue-file.shapes.js';
import { Reading, type Shown } from '../resources/reading.js';
import { keysFor, type KeyOf } from './keys.js';

const PAGE = 500;
const UNTOLD_SERVICE = { description: '', active: true, publiclyDisplayed: true, externalReference: null };
const UNTOLD_PROVIDER = { active: true, externalReference: null };
const UNTOLD_OFFERING = {
  ...{ description: '', status: 'inactive' as const, services: [], expiryRule: { kind: 'none' as const } },
  ...{ payment: null, soldOnline: false, externalReference: null },
};

/** What a business has and sells, from a file and as a file. */
@Injectable()
export class CatalogueFiles {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'store' | 'codec'>,
  ) {}

  async load(call: CallContext, body: CatalogueFileBody): Promise<Answered<Loaded>> {
    const file = whole(body);
    const { given, things } = await this.catalogue({ ...call, minPosition: (await this.parts.store.lastPosition()) ?? 0n });
    const named = new Set(keysIn(file).map(nameOf));
    const known = things.filter((each) => named.has(nameOf(each)) && !given.has(nameOf(each)));
    return this.commands.execute(new LoadCatalogue(call, { file, known }));
  }

  async of(call: CallContext): Promise<CatalogueFile> {
    const { rows, keyOf } = await this.catalogue(call);
    const { name, timeZone, currency, settings } = await this.reading.one(businessSettings, call, 'business', call.business);
    const { stripeAccount: _, ...copied } = settings; // whose money it is, is never copied
    const byKey = <Each extends { key: string }>(list: Each[]): Each[] => list.sort((a, b) => (a.key < b.key ? -1 : 1));
    const key = (kind: CatalogueKind) => (id: string) => keyOf(kind, id);
    return {
      business: { name, timeZone, currency, settings: copied },
      taxes: byKey(rows.taxes.map(({ taxId, name: called, rate }) => ({ key: keyOf('tax', taxId), name: called, rate }))),
      services: byKey(
        rows.services.map(({ serviceId, taxIds, revision: __, ...said }) => ({
          ...{ key: keyOf('service', serviceId), ...said },
          taxes: taxIds.map(key('tax')),
        })),
      ),
      providers: byKey(
        rows.providers.map(({ providerId, serviceIds, revision: __, ...said }) => ({
          ...{ key: keyOf('provider', providerId), ...said },
          services: serviceIds.map(key('service')),
        })),
      ),
      categories: rows.categories.map(({ categoryId, name: called, offeringIds }) => ({
        ...{ key: keyOf('category', categoryId), name: called },
        offerings: offeringIds.map(key('offering')),
      })),
      offerings: rows.offerings.map((row) => offeringIn(row, keyOf)),
    };
  }

  /** Everything that has a key in a file: the one that was given to it, or one that follows from its name. */
  private async catalogue(call: CallContext): Promise<{ rows: Rows; keyOf: KeyOf; given: CatalogueKeys; things: CatalogueKey[] }> {
    const rows = await this.rows(call);
    const given = await this.given(call.business);
    const { keyOf, things } = keysFor(
      [
        ...rows.taxes.map(({ taxId: id, name }) => ({ kind: 'tax' as const, id, name })),
        ...rows.services.map(({ serviceId: id, name }) => ({ kind: 'service' as const, id, name })),
        ...rows.providers.map(({ providerId: id, name }) => ({ kind: 'provider' as const, id, name })),
        ...rows.categories.map(({ categoryId: id, name }) => ({ kind: 'category' as const, id, name })),
        ...rows.offerings.map(({ offeringId: id, name }) => ({ kind: 'offering' as const, id, name })),
      ],
      given,
    );
    return { rows, keyOf, given, things };
  }

  private async rows(call: CallContext) {
    const [taxes, services, providers, offerings] = [
      await this.all(taxList, call),
      await this.all(serviceList, call),
      await this.all(providerList, call),
      await this.all(offeringList, call),
    ];
    const list = await this.reading.oneOrNone(offeringArrangement, call, call.business);
    const { ungrouped, categories } = list ? withoutDeleted(list) : { ungrouped: [], categories: [] };
    const order = new Map([...ungrouped, ...categories.flatMap(({ offeringIds }) => offeringIds)].map((id, n) => [id, n]));
    const placeOf = ({ offeringId }: { offeringId: string }) => order.get(offeringId) ?? order.size;
    return {
      ...{ taxes, services, providers, categories },
      offerings: offerings.filter(({ deleted }) => !deleted).sort((a, b) => placeOf(a) - placeOf(b)),
    };
  }

  private async all<Row extends { name: string }>(projection: Projection<Row>, call: CallContext): Promise<Shown<Row>[]> {
    const rows: Shown<Row>[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.reading.page(projection, call, { limit: PAGE, cursor }, { by: 'name' });
      rows.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return rows;
  }

  private async given(businessId: string): Promise<CatalogueKeys> {
    const events: AnyEvent[] = await this.parts.codec.decode(await this.parts.store.readStream(`${catalogueFile.category}-${businessId}`));
    return (events as Parameters<typeof catalogueFile.evolve>[1][]).reduce(catalogueFile.evolve, catalogueFile.initial);
  }
}

type Rows = Awaited<ReturnType<CatalogueFiles['rows']>>;

const offeringIn = (row: Shown<OfferingRow>, keyOf: KeyOf): CatalogueFile['offerings'][number] => {
  const { offeringId, name, description, status, services, expiryRule, payment, soldOnline, externalReference } = row;
  return {
    ...{ key: keyOf('offering', offeringId), name, description, status, expiryRule, soldOnline, externalReference },
    services: services.map(({ serviceId, limit }) => ({ service: keyOf('service', serviceId), limit })),
    payment: paymentIn(payment, keyOf),
  };
};

const paymentIn = (payment: Payment | null, keyOf: KeyOf): CatalogueFile['offerings'][number]['payment'] => {
  if (payment?.method === 'paidUpfront')
    return { method: payment.method, fee: payment.fee, taxes: payment.taxIds.map((id) => keyOf('tax', id)) };
  return (
    payment && { method: payment.method, fees: payment.fees.map(({ serviceId, fee }) => ({ service: keyOf('service', serviceId), fee })) }
  );
};

/** What a file leaves out is as when a thing is made without saying it. */
const whole = ({ taxes = [], services = [], providers = [], offerings = [], ...rest }: CatalogueFileBody): CatalogueFile => ({
  ...rest,
  taxes,
  services: services.map((each) => ({ ...UNTOLD_SERVICE, ...each, taxes: each.taxes ?? [] })),
  providers: providers.map((each) => ({ ...UNTOLD_PROVIDER, ...each })),
  offerings: offerings.map((each) => ({ ...UNTOLD_OFFERING, ...each })),
});

const keysIn = ({ taxes, services, providers, categories = [], offerings }: CatalogueFile): Pick<CatalogueKey, 'kind' | 'key'>[] => {
  const of = (kind: CatalogueKind, list: readonly { key: string }[]) => list.map(({ key }) => ({ kind, key }));
  return [
    ...of('tax', taxes),
    ...of('service', services),
    ...of('provider', providers),
    ...of('category', categories),
    ...of('offering', offerings),
  ];
};
