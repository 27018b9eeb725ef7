import { isDeepStrictEqual } from 'node:util';
import type { Decide } from '../kernel/event.js';
import { said } from '../kernel/pick.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { ClientLinkEvent, Link, Permissions, Relationship } from './client-link.events.js';
import { linkIdOf, linkSeenBy, type ClientLinkState, type LinkedClients, type LinkView } from './client-link.state.js';

type DecideLink = Decide<ClientLinkState, ClientLinkEvent>;
type Pair = Pick<LinkView, 'clientId' | 'otherClientId'>;

const NOTHING: Permissions = {
  bookAndManageAppointments: false,
  completeIntakeForms: false,
  receiveNotificationCopies: false,
  usePackages: false,
};

/** G1: what the other side is, unless it is said. */
const INVERSE: Record<Relationship, Relationship> = {
  ...{ parent: 'child', child: 'parent', guardian: 'other', grandparent: 'other' },
  ...{ partner: 'partner', sibling: 'sibling', other: 'other' },
};

/** The link as a client says it; what is not said is the inverse label, and not permitted. */
export interface LinkClients extends Pair {
  relationship: Relationship;
  otherRelationship?: Relationship;
  gives?: Partial<Permissions>;
  gets?: Partial<Permissions>;
}

/** G1, G2: they are linked like this from now on, whether or not they were before. */
export const linkClients =
  ({ clientId, otherClientId, relationship, otherRelationship = INVERSE[relationship], gives = {}, gets = {} }: LinkClients): DecideLink =>
  (state) => {
    assertTwo({ clientId, otherClientId });
    const link = linkOf({
      ...{ clientId, otherClientId, relationship, otherRelationship },
      ...{ gives: { ...NOTHING, ...said(gives) }, gets: { ...NOTHING, ...said(gets) } },
    });
    return state.status === 'linked' ? changed(state, link) : [{ type: 'ClientsLinked', data: link }];
  };

/** G2: only what is said changes; a label of one side leaves that of the other as it is. */
export const changeLink =
  ({ clientId, otherClientId, gives = {}, gets = {}, ...labels }: Pair & Partial<Omit<LinkClients, keyof Pair>>): DecideLink =>
  (state) => {
    const before = linked(state, { clientId, otherClientId });
    const seen = linkSeenBy(clientId, before);
    const permitted = { gives: { ...seen.gives, ...said(gives) }, gets: { ...seen.gets, ...said(gets) } };
    return changed(before, linkOf({ ...seen, ...said(labels), ...permitted }));
  };

/** G3: unlinking takes all permissions with it. */
export const unlinkClients =
  ({ clientId, otherClientId }: Pair): DecideLink =>
  (state) => {
    if (state.status === 'unlinked') return [];
    const { low, high } = linked(state, { clientId, otherClientId });
    return [{ type: 'ClientsUnlinked', data: { lowId: low.clientId, highId: high.clientId } }];
  };

const linkOf = ({ clientId, otherClientId, relationship, otherRelationship, gives, gets }: LinkView): Link => {
  const own = { clientId, relationship: otherRelationship, gives };
  const other = { clientId: otherClientId, relationship, gives: gets };
  return clientId < otherClientId ? { low: own, high: other } : { low: other, high: own };
};

const changed = ({ low, high }: LinkedClients, link: Link): ClientLinkEvent[] =>
  isDeepStrictEqual({ low, high }, link) ? [] : [{ type: 'LinkChanged', data: link }];

const assertTwo = ({ clientId, otherClientId }: Pair): void => {
  if (clientId === otherClientId)
    throw new Refusal('LINK_WITH_ONESELF', 'A client cannot be linked with themselves: name another client.', { clientId });
};

const linked = (state: ClientLinkState, { clientId, otherClientId }: Pair): LinkedClients => {
  if (state.status !== 'linked') throw new NotFound('link', linkIdOf(clientId, otherClientId));
  return state;
};
