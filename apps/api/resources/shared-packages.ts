import { Injectable } from '@nestjs/common';
import type { ListQuery } from '../../../libs/projection-engine/read-models.js';
import { clientList } from '../../../projections/client-list.projection.js';
import { packageList, type PackageRow } from '../../../projections/package-list.projection.js';
import type { CallContext } from '../http/call.js';
import { Bookable, usableOn } from './bookable.js';
import type { AvailablePackagePage, AvailableQuery } from './bookable.shapes.js';
import { BusinessDays } from './business-days.js';
import { MOST_SHOWN, type Sharing } from './link.shapes.js';
import { linkedClient, Links, type NamedLink } from './links.js';
import type { Page, PageQuery } from './paging.js';
import { Reading, type Shown } from './reading.js';

type Package = Shown<PackageRow>;
type Selected = Omit<ListQuery<PackageRow>, 'among' | 'limit' | 'cursor'>;

/** G4: packages with those who share them. */
@Injectable()
export class SharedPackages {
  constructor(
    private readonly reading: Reading,
    private readonly links: Links,
    private readonly days: BusinessDays,
    private readonly bookable: Bookable,
  ) {}

  /** The owners' view: with whom each is shared. */
  async ownersView(call: CallContext, packages: readonly Package[]): Promise<(Package & Sharing)[]> {
    const owners = [...new Set(packages.map(({ clientId }) => clientId))];
    const users = await this.links.because(call, owners, ({ gives }) => gives.usePackages);
    return packages.map((item) => Object.assign(item, sharedWith(users.filter(({ clientId }) => clientId === item.clientId))));
  }

  /** A client's own packages and those that others let the client use, each as this client sees it. */
  async usableBy(call: CallContext, clientId: string, page: PageQuery, selected: Selected): Promise<Page<Package & Sharing>> {
    const holds = await this.links.followed(call, [clientId], ({ gives, gets }) => gives.usePackages || gets.usePackages);
    const sharing = holds.filter(({ gets }) => gets.usePackages).map(({ otherClientId }) => otherClientId);
    const query = { ...selected, among: { clientId: [clientId, ...sharing] }, few: true };
    const [{ items, next }, links] = await Promise.all([this.reading.page(packageList, call, page, query), this.links.named(call, holds)]);
    if (items.length === 0 && links.length === 0) await this.reading.one(clientList, call, 'client', clientId); // who has either is there
    const owners = new Map(links.filter(({ gets }) => gets.usePackages).map((link) => [link.otherClientId, linkedClient(link)]));
    const ownUsers = sharedWith(links.filter(({ gives }) => gives.usePackages));
    const seen = (item: Package): Sharing =>
      item.clientId === clientId ? ownUsers : { sharedWith: [], sharedBy: owners.get(item.clientId) ?? null };
    return { items: items.map((item) => ({ ...item, ...seen(item) })), next };
  }

  /** E1: those of them that can be booked from, with what an appointment then costs. */
  async available(call: CallContext, { clientId, serviceId, start, ...page }: AvailableQuery): Promise<AvailablePackagePage> {
    const on = await this.days.dateAt(call, start);
    const { items, next } = await this.usableBy(call, clientId, page, usableOn(on, serviceId));
    return { items: await this.bookable.withFees(call, items), next };
  }
}

const sharedWith = (users: readonly NamedLink[]): Sharing => ({
  sharedWith: users.slice(0, MOST_SHOWN).map(linkedClient),
  sharedBy: null,
});
