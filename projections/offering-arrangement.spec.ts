import { deliveries } from '../libs/domain/testing/deliveries.js';
import {
  a,
  arranged,
  b,
  c,
  categoryCreated,
  categoryRemoved,
  categoryRenamed,
  feet,
  hands,
  listed,
  relisted,
  unlisted,
} from '../libs/domain/testing/example-offering-list.js';
import type { OfferingListEvent } from '../libs/domain/offering-list/offering-list.events.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { offeringArrangement } from './offering-arrangement.projection.js';

const before = [listed(a, 0), listed(b, 1), listed(c, 2), categoryCreated(hands, 'Hands'), categoryCreated(feet, 'Feet')];
const grouped = [...before, arranged([b], [feet, c], [hands, a])];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const row = (...events: OfferingListEvent[]) => [...fold(offeringArrangement, new Map(), delivered(recorded(events))).values()][0];

  it('C8: all offerings, in no category at first', () =>
    expect(row(...before)).toMatchObject({
      ungrouped: [a, b, c],
      categories: [
        { categoryId: hands, name: 'Hands', offeringIds: [] },
        { categoryId: feet, name: 'Feet', offeringIds: [] },
      ],
      ...{ deleted: [], revision: 4n },
    }));
  it('C8: as they were arranged, with the names that categories have now', () =>
    expect(row(...grouped, categoryRenamed(feet, 'Toes'))).toMatchObject({
      ungrouped: [b],
      categories: [
        { categoryId: feet, name: 'Toes', offeringIds: [c] },
        { categoryId: hands, name: 'Hands', offeringIds: [a] },
      ],
    }));
  it('C8: a category that was removed leaves its offerings', () =>
    expect(row(...grouped, categoryRemoved(feet, [b, c]))).toMatchObject({
      ungrouped: [b, c],
      categories: [{ categoryId: hands, offeringIds: [a] }],
    }));
  it('C7: which are deleted, in their places', () => {
    expect(row(...grouped, unlisted(c, '1'))).toMatchObject({ deleted: [c], categories: [{ offeringIds: [c] }, {}] });
    expect(row(...grouped, unlisted(c, '1'), relisted(c, '2'))).toMatchObject({ deleted: [], revision: 7n });
  });
});
