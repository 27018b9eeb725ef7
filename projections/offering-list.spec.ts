import { deliveries } from '../libs/domain/testing/deliveries.js';
import { facial, idOf, massage } from '../libs/domain/testing/example.js';
import {
  offeringChanged,
  offeringDefined,
  offeringDeleted,
  offeringId,
  offeringLocked,
  offeringRestored,
  termsOf,
} from '../libs/domain/testing/example-catalogue.js';
import { a, arranged, b, c, categoryRemoved, listed as isListed } from '../libs/domain/testing/example-offering-list.js';
import { cancelled, consumed, fromPurchase, sold } from '../libs/domain/testing/example-package.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { offeringList, type OfferingRow } from './offering-list.projection.js';

const another = idOf('another offering');
const sales = (from: number, to: number, of = offeringId) =>
  Array.from({ length: to - from + 1 }, (_, n) => sold({ packageId: idOf(`package ${from + n}`), offeringId: of }));

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (...events: { type: string; data: unknown }[]) =>
    fold(offeringList, new Map<string, OfferingRow>(), delivered(recorded(events)));

  it('C1: an offering with the terms it has now', () => {
    const changes = { services: [massage, facial].map((serviceId) => ({ serviceId, limit: 2 })), expiryRule: fromPurchase(1, 'months') };
    const rows = listed(offeringDefined({ status: 'inactive', services: [], payment: null }), offeringChanged(changes));
    expect([...rows.values()]).toEqual([
      {
        ...{ offeringId, ...termsOf(changes), locked: false, deleted: false, sold: 0, countedTo: 1n, revision: 1n },
        ...{ categoryId: null, place: 999_999, words: 'relax\n' },
      },
    ]);
  });

  it('C9: in which category and in which place, from when it is listed on', () => {
    const defined = [a, b, c].map((id) => ({ type: 'OfferingDefined', data: { offeringId: id, ...termsOf() } }));
    const [hands, feet] = [idOf('hands'), idOf('feet')];
    const inOrder = (...events: { type: string; data: unknown }[]) =>
      [...listed(...defined, ...events).values()]
        .sort((one, other) => one.place - other.place)
        .map(({ offeringId: id, categoryId }) => [id, categoryId]);

    const all = [a, b, c].map((id, place) => isListed(id, place));
    expect(inOrder(...all.slice(0, 2))).toEqual([a, b, c].map((id) => [id, null]));
    const grouped = [...all, arranged([c], [hands, b], [feet, a])];
    expect(inOrder(...grouped)).toEqual([
      [c, null],
      [b, hands],
      [a, feet],
    ]);
    expect(inOrder(...grouped, categoryRemoved(hands, [c, b]))).toEqual([
      [c, null],
      [b, null],
      [a, feet],
    ]);
    expect(inOrder(...grouped, arranged([b, c], [feet, a], [hands]))).toEqual([
      [b, null],
      [c, null],
      [a, feet],
    ]);
  });

  it('C9: how many were sold, each once, apart for each offering', () => {
    const rows = listed(
      ...[offeringDefined(), { type: 'OfferingDefined', data: { offeringId: another, ...termsOf() } }, offeringLocked],
      ...[...sales(1, 5), ...sales(6, 8, another), offeringChanged({ description: 'New' }), ...sales(9, 12)],
    );
    expect(rows.get(offeringId)).toMatchObject({ sold: 9, description: 'New' });
    expect(rows.get(another)).toMatchObject({ sold: 3, locked: false });
  });
  it('C9: a package that was cancelled was sold all the same', () =>
    expect(listed(offeringDefined(), offeringLocked, sold(), consumed('2027-02-01', 0), cancelled).get(offeringId)).toMatchObject({
      sold: 1,
    }));

  it('C5: is locked from the first sale on, also by later changes', () => {
    expect(listed(offeringDefined()).get(offeringId)).toMatchObject({ locked: false });
    expect(listed(offeringDefined(), offeringLocked, offeringChanged({ status: 'inactive' })).get(offeringId)).toMatchObject({
      locked: true,
      status: 'inactive',
    });
  });
  it('C7: is deleted, and restored, with what was sold of it', () => {
    const before = [offeringDefined(), offeringLocked, ...sales(1, 2), offeringDeleted];
    expect(listed(...before).get(offeringId)).toMatchObject({ deleted: true, locked: true, sold: 2 });
    expect(listed(...before, offeringRestored).get(offeringId)).toMatchObject({ deleted: false, locked: true, sold: 2, revision: 5n });
  });
});
