import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { chargeOf } from '../../../libs/domain/package/package.decisions.js';
import { service } from '../../../libs/domain/service/service.js';
import type { ServiceDescription } from '../../../libs/domain/service/service.events.js';
import { tax } from '../../../libs/domain/tax/tax.js';
import type { Tax } from '../../../libs/domain/kernel/money.js';
import type { ListQuery } from '../../../libs/projection-engine/read-models.js';
import { packageList, type ListedService, type PackageRow } from '../../../projections/package-list.projection.js';
import type { CallContext } from '../http/call.js';
import type { AvailableService, BookableServices } from './bookable.shapes.js';
import { BusinessDays } from './business-days.js';
import { inWords } from './price-text.js';
import { Reading } from './reading.js';

type Of = Pick<PackageRow, 'currency'>;

/** E1: what can be booked from packages, and what an appointment costs with each. */
@Injectable()
export class Bookable {
  constructor(
    private readonly reading: Reading,
    private readonly days: BusinessDays,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'facts'>,
  ) {}

  /** These packages, each of their services with what an appointment costs. */
  withFees<Package extends Of & { services: ListedService[] }>(
    call: CallContext,
    packages: readonly Package[],
  ): Promise<(Package & { services: AvailableService[] })[]> {
    return Promise.all(
      packages.map(async (item) => ({
        ...item,
        services: await Promise.all(item.services.map(async (left) => this.withFee(call, item, left, await this.described(call, left)))),
      })),
    );
  }

  /** B2, E1: starting from a package: its services that can be booked for a moment, now unless told; none once it can not. */
  async servicesOf(call: CallContext, packageId: string, start?: string): Promise<BookableServices> {
    const sold = await this.reading.one(packageList, call, 'package', packageId);
    const answer = pick(sold, 'packageId', 'expiresOn');
    if (!isUsableOn(sold, await this.days.dateAt(call, start))) return { ...answer, items: [] };
    const items = await Promise.all(
      sold.services.filter(isLeft).map(async (left) => {
        const described = await this.described(call, left);
        return isBookableBy(call, described) ? [await this.withFee(call, sold, left, described)] : [];
      }),
    );
    return { ...answer, items: items.flat() };
  }

  /** C3, C4: the fee of the sale, with the taxes that the service has now. */
  private async withFee(
    call: CallContext,
    sold: Of,
    left: ListedService,
    described: ServiceDescription | undefined,
  ): Promise<AvailableService> {
    const { fee } = left;
    const taxes = fee === null ? [] : await Promise.all((described?.taxIds ?? []).map((taxId) => this.tax(call, taxId)));
    const charge = chargeOf(
      sold,
      left,
      taxes.flatMap((known) => known ?? []),
    );
    const text = fee === null ? 'Nothing more' : `${inWords(fee)}${charge.taxes.length > 0 ? ' plus taxes' : ''}`;
    return { ...left, feeNote: { text, charge } };
  }

  private async described(call: CallContext, { serviceId }: ListedService): Promise<ServiceDescription | undefined> {
    return (await this.parts.facts.of(service, call.business, serviceId))?.state;
  }

  private async tax(call: CallContext, taxId: string): Promise<Tax | undefined> {
    return (await this.parts.facts.of(tax, call.business, taxId))?.state;
  }
}

/** E1: neither cancelled nor expired on a local date, nor sold after it. */
const isUsableOn = ({ status, soldOn, expiresOn }: Pick<PackageRow, 'status' | 'soldOn' | 'expiresOn'>, on: string): boolean =>
  status === 'sold' && soldOn <= on && (expiresOn === null || expiresOn >= on);

/** B2: what is hidden can be booked by staff, what is inactive by nobody. */
const isBookableBy = ({ actor }: CallContext, described: ServiceDescription | undefined): boolean =>
  described !== undefined && described.active && (described.publiclyDisplayed || actor.role !== 'client');

const isLeft = ({ remaining }: ListedService): boolean => remaining === null || remaining > 0;

/** E1: the same as a query: packages that can be used on a local date, with a session of the service left; first to expire on top. */
export const usableOn = (on: string, serviceId?: string): Pick<ListQuery<PackageRow>, 'by' | 'where' | 'atMost' | 'also'> => ({
  by: 'expiresOn',
  where: { status: 'sold' },
  atMost: { soldOn: on },
  also: (query) => {
    query.whereRaw('(expires_on IS NULL OR expires_on >= ?::date)', [on]);
    const left = '@.remaining == null || @.remaining > 0';
    if (serviceId === undefined) query.whereRaw(`jsonb_path_exists(services, '$[*] \\? (${left})')`);
    else
      query.whereRaw(`jsonb_path_exists(services, '$[*] \\? (@.serviceId == $id && (${left}))', ?::jsonb)`, [
        JSON.stringify({ id: serviceId }),
      ]);
  },
});
