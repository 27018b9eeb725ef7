import type { ClientLinkEvent, Link, Permissions, Relationship } from '../libs/domain/client-link/client-link.events.js';
import { directionIdOf, linkSeenBy } from '../libs/domain/client-link/client-link.state.js';
import { column, defineProjection, insert, remove, type RowOf } from '../libs/projection-engine/define-projection.js';

/** G1, G2: who is linked with whom, a row per direction: the link as one of the two sees it. */
export const clientLinks = defineProjection({
  name: 'client_links',
  version: 2,
  history: true,
  key: 'directionId',
  columns: {
    directionId: column.uuid(),
    clientId: column.uuid().indexed(),
    otherClientId: column.uuid(),
    relationship: column.text<Relationship>(), // what the other one is to this client
    otherRelationship: column.text<Relationship>(),
    gives: column.json<Permissions>(), // what this client lets the other one do
    gets: column.json<Permissions>(), // what the other one lets this client do
    revision: column.bigint(),
  },
}).on<ClientLinkEvent>({
  ClientsLinked: insert(({ data, revision }) => bothDirections(data, revision)),
  LinkChanged: insert(({ data, revision }) => bothDirections(data, revision)),
  ClientsUnlinked: [
    remove(({ data: { lowId, highId } }) => directionIdOf(lowId, highId)),
    remove(({ data: { lowId, highId } }) => directionIdOf(highId, lowId)),
  ],
});

export type ClientLinkRow = RowOf<typeof clientLinks>;

function bothDirections(link: Link, revision: bigint) {
  return [link.low, link.high].map(({ clientId }) => {
    const seen = linkSeenBy(clientId, link);
    return { directionId: directionIdOf(clientId, seen.otherClientId), ...seen, revision };
  });
}
