import { changeLink, linkClients, unlinkClients, type LinkClients as Said } from '../../domain/client-link/client-link.decisions.js';
import {
  clientLink,
  linkIdOf,
  linkSeenBy,
  type ClientLinkState,
  type LinkedClients,
  type LinkView,
} from '../../domain/client-link/client-link.state.js';
import { assertRemembered, client } from '../../domain/client/client.js';
import { ChangeOf, CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { referenceInPath, type Operation } from '../operation.js';

type Pair = Pick<LinkView, 'clientId' | 'otherClientId'>;

export class LinkClients extends ChangeOf<Said, LinkView> {}
export class ChangeLink extends ChangeOf<Pair & Partial<Omit<Said, keyof Pair>>, LinkView> {}
export class UnlinkClients extends CommandOf<Pair, Pair> {}

export const clientLinkHandlers = [
  handlerOf(LinkClients, async (operation, input) => {
    const linkId = await linkBetween(operation, input);
    return operation.change(clientLink, linkId, linkClients(input), seenBy(input));
  }),
  handlerOf(ChangeLink, async (operation, input) => {
    const linkId = await linkBetween(operation, input);
    return operation.change(clientLink, linkId, changeLink(input), seenBy(input));
  }),
  handlerOf(UnlinkClients, async (operation, { clientId, otherClientId }) => {
    const linkId = await linkBetween(operation, { clientId, otherClientId }, { forgotten: true });
    await operation.change(clientLink, linkId, unlinkClients({ clientId, otherClientId }), () => ({}));
    return { clientId, otherClientId };
  }),
];

/** A3: both are clients of this business; nothing new is given to or by one who is forgotten. */
const linkBetween = async (operation: Operation, { clientId, otherClientId }: Pair, { forgotten = false } = {}): Promise<string> => {
  const both = await operation.lookUp(
    referenceInPath(client, 'clientId', clientId),
    referenceInPath(client, 'otherClientId', otherClientId),
  );
  if (!forgotten) both.forEach(assertRemembered);
  return linkIdOf(clientId, otherClientId);
};

const seenBy =
  ({ clientId }: Pair) =>
  (state: ClientLinkState): LinkView =>
    linkSeenBy(clientId, state as LinkedClients);
