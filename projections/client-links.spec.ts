import type { ClientLinkEvent } from '../libs/domain/client-link/client-link.events.js';
import { directionIdOf } from '../libs/domain/client-link/client-link.state.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, ben } from '../libs/domain/testing/example.js';
import { linkChanged, linked, nothing, unlinked } from '../libs/domain/testing/example-link.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { clientLinks, type ClientLinkRow } from './client-links.projection.js';

const uses = { ...nothing, usePackages: true };
const books = { ...nothing, bookAndManageAppointments: true };
const history = [linked({ annas: { gives: uses } }), linkChanged({ annas: { gives: uses }, bens: { gives: books } }), unlinked, linked()];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (events: readonly ClientLinkEvent[]) => fold(clientLinks, new Map<string, ClientLinkRow>(), delivered(recorded(events)));
  const upTo = (n: number) => listed(history.slice(0, n));
  const [annas, bens] = [directionIdOf(anna, ben), directionIdOf(ben, anna)];

  it('G1, G2: a link as each of the two sees it', () =>
    expect(Object.fromEntries(upTo(1))).toEqual({
      [annas]: {
        ...{ directionId: annas, clientId: anna, otherClientId: ben, relationship: 'child', otherRelationship: 'parent' },
        ...{ gives: uses, gets: nothing, revision: 0n },
      },
      [bens]: {
        ...{ directionId: bens, clientId: ben, otherClientId: anna, relationship: 'parent', otherRelationship: 'child' },
        ...{ gives: nothing, gets: uses, revision: 0n },
      },
    }));
  it('G2: changed, for both', () => {
    expect(upTo(2).get(annas)).toMatchObject({ gives: uses, gets: books, revision: 1n });
    expect(upTo(2).get(bens)).toMatchObject({ gives: books, gets: uses, revision: 1n });
  });
  it('G3: unlinked, there is nothing between them', () => expect([...upTo(3)]).toEqual([]));
  it('G1: linked anew, what was permitted before is not', () => {
    expect(upTo(4).get(annas)).toMatchObject({ gives: nothing, gets: nothing, revision: 3n });
    expect(upTo(4).get(bens)).toMatchObject({ gives: nothing, gets: nothing });
  });
});
