import type { ClientLinkEvent, Link, Permissions } from '../client-link/client-link.events.js';
import { anna, ben } from './example.js';

export const nothing: Permissions = {
  ...{ bookAndManageAppointments: false, completeIntakeForms: false, receiveNotificationCopies: false, usePackages: false },
};

const annaIsLow = anna < ben;

/** Anna and her child Ben, who may do nothing for each other if nothing else is said. */
export const linkOf = ({ annas = {}, bens = {} }: { annas?: Partial<Link['low']>; bens?: Partial<Link['low']> } = {}): Link => {
  const side = (clientId: string, relationship: 'parent' | 'child', over: Partial<Link['low']>) => ({
    ...{ clientId, relationship, gives: nothing, ...over },
  });
  const [own, other] = [side(anna, 'parent', annas), side(ben, 'child', bens)];
  return annaIsLow ? { low: own, high: other } : { low: other, high: own };
};
type Sides = Parameters<typeof linkOf>[0];

export const linked = (sides?: Sides): ClientLinkEvent => ({ type: 'ClientsLinked', data: linkOf(sides) });
export const linkChanged = (sides?: Sides): ClientLinkEvent => ({ type: 'LinkChanged', data: linkOf(sides) });
export const unlinked: ClientLinkEvent = {
  type: 'ClientsUnlinked',
  data: annaIsLow ? { lowId: anna, highId: ben } : { lowId: ben, highId: anna },
};
