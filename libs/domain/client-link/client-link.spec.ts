import { anna, ben } from '../testing/example.js';
import { deliveries } from '../testing/deliveries.js';
import { linkChanged, linked, linkOf, nothing, unlinked } from '../testing/example-link.js';
import { given } from '../testing/given.js';
import { changeLink, linkClients, unlinkClients } from './client-link.decisions.js';
import { clientLink, gives, linkIdOf, linkSeenBy } from './client-link.state.js';

const aLink = given(clientLink);
const annaAndBen = { clientId: anna, otherClientId: ben };
const benAndAnna = { clientId: ben, otherClientId: anna };
const uses = { ...nothing, usePackages: true };
const books = { ...nothing, bookAndManageAppointments: true };

describe('linking two clients', () => {
  it('G1: Ben is the child of Anna, so she is his parent', () =>
    aLink([])
      .when(linkClients({ ...annaAndBen, relationship: 'child' }))
      .emits([linked()]));
  it('G1: said by either of the two, it is the same link', () => {
    expect(linkIdOf(anna, ben)).toBe(linkIdOf(ben, anna));
    aLink([])
      .when(linkClients({ ...benAndAnna, relationship: 'parent' }))
      .emits([linked()]);
  });
  it.each([
    ...(['partner', 'sibling', 'other'] as const).map((same) => [same, same] as const),
    ...([['parent', 'child'] as const, ['child', 'parent'] as const] as const),
    ...(['guardian', 'grandparent'] as const).map((label) => [label, 'other'] as const),
  ])('G1: of a %s one is by default the %s', (relationship, inverse) =>
    aLink([])
      .when(linkClients({ ...annaAndBen, relationship }))
      .emits([linked({ annas: { relationship: inverse }, bens: { relationship } })]),
  );
  it('G1: the label of each side can be said', () =>
    aLink([])
      .when(linkClients({ ...annaAndBen, relationship: 'grandparent', otherRelationship: 'child' }))
      .emits([linked({ annas: { relationship: 'child' }, bens: { relationship: 'grandparent' } })]));
  it('G2: what is permitted is said per direction; what is not said is not permitted', () =>
    aLink([])
      .when(linkClients({ ...annaAndBen, relationship: 'child', gives: { usePackages: true }, gets: { bookAndManageAppointments: true } }))
      .emits([linked({ annas: { gives: uses }, bens: { gives: books } })]));
  it('G1: not with oneself', () =>
    aLink([])
      .when(linkClients({ clientId: anna, otherClientId: anna, relationship: 'partner' }))
      .refuses('LINK_WITH_ONESELF', { clientId: anna }));
  it('G1: the same again changes nothing', () =>
    aLink([linked()])
      .when(linkClients({ ...annaAndBen, relationship: 'child' }))
      .emits([]));
  it('G2: said anew, it is as it is said: what was permitted and is not said any more is taken away', () =>
    aLink([linked({ annas: { gives: uses } })])
      .when(linkClients({ ...annaAndBen, relationship: 'child', gives: { bookAndManageAppointments: true } }))
      .emits([linkChanged({ annas: { gives: books } })]));
  it('G1: again, once they were unlinked', () =>
    aLink([linked({ annas: { gives: uses } }), unlinked])
      .when(linkClients({ ...annaAndBen, relationship: 'child' }))
      .emits([linked()]));
});

describe('changing a link', () => {
  it('G2: only what is said changes, and the event says all', () =>
    aLink([linked({ annas: { gives: uses }, bens: { gives: books } })])
      .when(changeLink({ ...annaAndBen, gives: { receiveNotificationCopies: true } }))
      .emits([linkChanged({ annas: { gives: { ...uses, receiveNotificationCopies: true } }, bens: { gives: books } })]));
  it('G3: taking a permission away, said by either side', () => {
    const before = [linked({ annas: { gives: { ...uses, completeIntakeForms: true } } })];
    const after = [linkChanged({ annas: { gives: { ...nothing, completeIntakeForms: true } } })];
    aLink(before)
      .when(changeLink({ ...annaAndBen, gives: { usePackages: false } }))
      .emits(after);
    aLink(before)
      .when(changeLink({ ...benAndAnna, gets: { usePackages: false } }))
      .emits(after);
  });
  it('G1: the label of one side leaves that of the other', () =>
    aLink([linked()])
      .when(changeLink({ ...annaAndBen, relationship: 'other', otherRelationship: undefined }))
      .emits([linkChanged({ bens: { relationship: 'other' } })]));
  it('G2: to what it is already changes nothing', () =>
    aLink([linked()])
      .when(changeLink({ ...annaAndBen, relationship: 'child', gives: { usePackages: false } }))
      .emits([]));
  it('A3: they must be linked', () => {
    aLink([])
      .when(changeLink({ ...annaAndBen, gives: { usePackages: true } }))
      .refuses('NOT_FOUND');
    aLink([linked(), unlinked])
      .when(changeLink({ ...annaAndBen, gives: { usePackages: true } }))
      .refuses('NOT_FOUND');
  });
});

describe('unlinking', () => {
  it('G3: takes the link away, said by either', () => {
    aLink([linked()]).when(unlinkClients(annaAndBen)).emits([unlinked]);
    aLink([linked()]).when(unlinkClients(benAndAnna)).emits([unlinked]);
  });
  it('G3: once', () => aLink([linked(), unlinked]).when(unlinkClients(annaAndBen)).emits([]));
  it('A3: what was never linked is not there', () => aLink([]).when(unlinkClients(annaAndBen)).refuses('NOT_FOUND'));
});

describe('what a link permits', () => {
  const fold = (events: Parameters<typeof clientLink.evolve>[1][]) => events.reduce(clientLink.evolve, clientLink.initial);
  const usage = (...events: Parameters<typeof fold>[0]) => [anna, ben].map((giver) => gives(fold(events), giver, 'usePackages'));

  it('G3: Anna lets Ben use her packages, not Ben her his', () => {
    expect(usage(linked({ annas: { gives: uses } }))).toEqual([true, false]);
    expect(usage(linked({ bens: { gives: uses } }))).toEqual([false, true]);
  });
  it('G2: of the four only those that are given', () =>
    expect(gives(fold([linked({ annas: { gives: uses } })]), anna, 'completeIntakeForms')).toBe(false));
  it('G3: nothing when never linked, when taken away, when unlinked, and when linked anew', () => {
    const given = linked({ annas: { gives: uses } });
    expect([usage(), usage(given, linkChanged()), usage(given, unlinked), usage(given, unlinked, linked())]).toEqual(
      Array(4).fill([false, false]),
    );
  });
  it('G1: each sees the other as what they are to them', () => {
    const link = linkOf({ annas: { gives: uses } });
    expect(linkSeenBy(anna, link)).toEqual({
      ...annaAndBen,
      relationship: 'child',
      otherRelationship: 'parent',
      gives: uses,
      gets: nothing,
    });
    expect(linkSeenBy(ben, link)).toEqual({
      ...benAndAnna,
      relationship: 'parent',
      otherRelationship: 'child',
      gives: nothing,
      gets: uses,
    });
  });
  it.each(deliveries)('K1: a link is the same, events delivered %s', (_, delivered) => {
    const history = [linked(), linkChanged({ annas: { gives: uses } }), unlinked, linked({ bens: { gives: books } })];
    expect(fold(delivered(history))).toEqual(fold(history));
  });
});
