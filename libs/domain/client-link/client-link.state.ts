import { v5 as uuidv5 } from 'uuid';
import type { Aggregate } from '../kernel/event.js';
import {
  clientLinkEvents,
  type ClientLinkEvent,
  type Link,
  type LinkSide,
  type Permissions,
  type Relationship,
} from './client-link.events.js';

export type ClientLinkState = { status: 'none' } | { status: 'unlinked' } | LinkedClients;

export interface LinkedClients extends Link {
  status: 'linked';
}

/** One stream for two clients, whoever of them is asked. */
export const linkIdOf = (clientId: string, otherClientId: string): string => [clientId, otherClientId].sort().join('~');

/** One of the two directions: what there is between a client and the other one, as the first sees it. */
export const directionIdOf = (clientId: string, otherClientId: string): string => uuidv5(otherClientId, clientId);

export const clientLink: Aggregate<ClientLinkState, ClientLinkEvent> = {
  category: 'clientLink',
  events: clientLinkEvents,
  initial: { status: 'none' },
  evolve: (_, { type, data }) => {
    switch (type) {
      case 'ClientsLinked':
      case 'LinkChanged':
        return { status: 'linked', ...data };
      case 'ClientsUnlinked':
        return { status: 'unlinked' };
      default:
        return type satisfies never;
    }
  },
};

/** Does this client let the other of the link do it? */
export const gives = (state: ClientLinkState, clientId: string, permission: keyof Permissions): boolean =>
  state.status === 'linked' && sidesOf(state, clientId).own.gives[permission];

/** The link as one of the two sees it. */
export interface LinkView {
  clientId: string;
  otherClientId: string;
  relationship: Relationship; // what the other one is to this client
  otherRelationship: Relationship; // what this client is to the other one
  gives: Permissions; // what this client lets the other one do
  gets: Permissions; // what the other one lets this client do
}

export const linkSeenBy = (clientId: string, link: Link): LinkView => {
  const { own, other } = sidesOf(link, clientId);
  return {
    ...{ clientId, otherClientId: other.clientId, relationship: other.relationship, otherRelationship: own.relationship },
    ...{ gives: own.gives, gets: other.gives },
  };
};

const sidesOf = ({ low, high }: Link, clientId: string): { own: LinkSide; other: LinkSide } =>
  low.clientId === clientId ? { own: low, other: high } : { own: high, other: low };
