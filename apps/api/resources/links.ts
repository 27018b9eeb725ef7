import { Injectable } from '@nestjs/common';
import type { Permissions } from '../../../libs/domain/client-link/client-link.events.js';
import { directionIdOf } from '../../../libs/domain/client-link/client-link.state.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { clientLinks, type ClientLinkRow } from '../../../projections/client-links.projection.js';
import { clientList } from '../../../projections/client-list.projection.js';
import type { CallContext } from '../http/call.js';
import { MOST_SHOWN, type LinkedClient, type LinkedContact, type LinkRead, type MailTo } from './link.shapes.js';
import type { Page, PageQuery } from './paging.js';
import { Reading, type Shown } from './reading.js';

type Link = Shown<ClientLinkRow>;
export type NamedLink = Link & { otherName: string };

/** `gives`: those whom a client lets do it; `gets`: those who let this client do it. */
interface Permitted {
  side: 'gives' | 'gets';
  permission: keyof Permissions;
}

const MOST_FOLLOWED = 1_000; // links, where something else is shown because of them

/** G: who is linked with whom, with their names and addresses. */
@Injectable()
export class Links {
  constructor(private readonly reading: Reading) {}

  /** All links of a client. */
  async of(call: CallContext, clientId: string, page: PageQuery): Promise<Page<LinkRead>> {
    await this.reading.one(clientList, call, 'client', clientId);
    const { items, next } = await this.reading.page(clientLinks, call, page, { by: 'relationship', where: { clientId } });
    return { items: (await this.named(call, items)).map(linkRead), next };
  }

  /** The link of two clients, as the first of them sees it. */
  async between(call: CallContext, clientId: string, otherClientId: string): Promise<LinkRead> {
    const link = await this.reading.one(clientLinks, call, 'link', directionIdOf(clientId, otherClientId));
    const [named] = await this.named(call, [link]);
    return linkRead(named!);
  }

  /** G5: whom a client lets do something, or who lets the client, and how they are reached. */
  async contacts(call: CallContext, clientId: string, page: PageQuery, { side, permission }: Permitted): Promise<Page<LinkedContact>> {
    await this.reading.one(clientList, call, 'client', clientId);
    const { items, next } = await this.reading.page(clientLinks, call, page, {
      by: 'relationship',
      where: { clientId },
      also: (query) => void query.whereRaw(`(${side} ->> ?)::boolean`, [permission]),
    });
    return { items: await this.reached(call, await this.named(call, items)), next };
  }

  /** G5: which addresses to pre-fill when something of a client is mailed. */
  async mailTo(call: CallContext, clientId: string): Promise<MailTo> {
    const { name, email } = await this.reading.one(clientList, call, 'client', clientId);
    const copies = await this.reached(call, await this.because(call, [clientId], ({ gives }) => gives.receiveNotificationCopies));
    const addresses = [
      { ...{ clientId, name, email }, because: 'client' as const },
      ...copies.map((other) => ({ ...pick(other, 'clientId', 'name', 'email'), because: 'notificationCopies' as const })),
    ];
    return { addresses: addresses.filter(hasAddress).slice(0, MOST_SHOWN) };
  }

  /** The links of these clients because of which something else is shown. */
  async because(call: CallContext, clientIds: readonly string[], holds: (link: Link) => boolean): Promise<NamedLink[]> {
    return this.named(call, await this.followed(call, clientIds, holds));
  }

  /** The same, before anybody asks what the others are called. */
  async followed(call: CallContext, clientIds: readonly string[], holds: (link: Link) => boolean): Promise<Link[]> {
    if (clientIds.length === 0) return [];
    const links = await this.reading.thoseWith(clientLinks, call, { column: 'clientId', values: clientIds, limit: MOST_FOLLOWED });
    return links.filter(holds);
  }

  async named(call: CallContext, links: readonly Link[]): Promise<NamedLink[]> {
    const nameOf = await this.reading.names(
      call,
      links.map(({ otherClientId }) => otherClientId),
    );
    return links.map((link) => ({ ...link, otherName: nameOf(link.otherClientId) }));
  }

  private async reached(call: CallContext, links: readonly NamedLink[]): Promise<LinkedContact[]> {
    const people = await this.reading.those(
      clientList,
      call,
      links.map(({ otherClientId }) => otherClientId),
    );
    return links.map((link) => ({ ...linkedClient(link), email: people.get(link.otherClientId)?.email ?? null }));
  }
}

/** The other one of a link, as the client whose link it is sees them. */
export const linkedClient = ({ otherClientId, otherName, relationship }: NamedLink): LinkedClient => ({
  ...{ clientId: otherClientId, name: otherName, relationship },
});

const linkRead = ({ directionId: _, ...link }: NamedLink): LinkRead => link;

const hasAddress = <Person extends { email: string | null }>(person: Person): person is Person & { email: string } => person.email !== null;
