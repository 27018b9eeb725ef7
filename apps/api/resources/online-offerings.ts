import { Injectable } from '@nestjs/common';
import { withTaxes } from '../../../libs/domain/kernel/money.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { isSoldOnline } from '../../../libs/domain/offering/offering.decisions.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { offeringList, type OfferingRow } from '../../../projections/offering-list.projection.js';
import { serviceList, type ServiceRow } from '../../../projections/service-list.projection.js';
import { taxList, type TaxRow } from '../../../projections/tax-list.projection.js';
import type { CallContext } from '../http/call.js';
import type { OnlineOffering } from './online-offering.shapes.js';
import type { Page, PageQuery } from './paging.js';
import { Reading, type Shown } from './reading.js';

interface Known {
  services: Map<string, ServiceRow>;
  taxes: Map<string, TaxRow>;
}

/** I4: what a client can buy online, in the order of the business's list. */
@Injectable()
export class OnlineOfferings {
  constructor(private readonly reading: Reading) {}

  /** Nothing while the business sells nothing online. A page may be shorter than others: of some offerings a service is not on show (B2). */
  async page(call: CallContext, page: PageQuery): Promise<Page<OnlineOffering>> {
    const { settings, currency } = await this.reading.one(businessSettings, call, 'business', call.business);
    if (!settings.clientsMayBuyOnline || settings.stripeAccount === null) return { items: [], next: null };
    const where = { status: 'active', deleted: false, soldOnline: true } as const;
    const { items, next } = await this.reading.page(offeringList, call, page, { by: 'place', where });
    const known = await this.known(call, items);
    return { items: items.flatMap((item) => shown(item, known, currency)), next };
  }

  private async known(call: CallContext, offerings: readonly Shown<OfferingRow>[]): Promise<Known> {
    const serviceIds = offerings.flatMap(({ services }) => services.map(({ serviceId }) => serviceId));
    const taxIds = offerings.flatMap(({ payment }) => (payment?.method === 'paidUpfront' ? payment.taxIds : []));
    const [services, taxes] = await Promise.all([
      this.reading.those(serviceList, call, serviceIds),
      this.reading.those(taxList, call, taxIds),
    ]);
    return { services, taxes };
  }
}

const shown = ({ payment, ...offering }: Shown<OfferingRow>, { services, taxes }: Known, currency: string): OnlineOffering[] => {
  const described = offering.services.flatMap(({ serviceId }) => services.get(serviceId) ?? []);
  if (payment?.method !== 'paidUpfront' || payment.fee.amount === 0 || !isSoldOnline({ ...offering, payment }, described)) return [];
  return [
    {
      ...pick(offering, 'offeringId', 'name', 'description', 'expiryRule'),
      services: described.map((one, n) => ({
        ...pick(one, 'serviceId', 'name', 'description', 'durationMinutes'),
        limit: offering.services[n]!.limit,
      })),
      price: withTaxes(
        { ...payment.fee, currency },
        payment.taxIds.flatMap((taxId) => taxes.get(taxId) ?? []),
      ),
    },
  ];
};
