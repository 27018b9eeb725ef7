import { idOf } from '../testing/example.js';
import {
  a,
  arranged,
  arrangementOf,
  b,
  c,
  categoryCreated,
  categoryRemoved,
  categoryRenamed,
  d,
  feet,
  hands,
  listed,
  relisted,
  unlisted,
} from '../testing/example-offering-list.js';
import { given } from '../testing/given.js';
import {
  arrangeOfferings,
  createCategory,
  listOffering,
  relistOffering,
  removeCategory,
  renameCategory,
  unlistOffering,
} from './offering-list.decisions.js';
import { offeringList } from './offering-list.state.js';

const aList = given(offeringList);
const arrange = (...said: Parameters<typeof arrangementOf>) => arrangeOfferings(arrangementOf(...said));

const offerings = [listed(a, 0), listed(b, 1), listed(c, 2)];
const categories = [categoryCreated(hands, 'Hands'), categoryCreated(feet, 'Feet')];
const grouped = [...offerings, ...categories, arranged([a], [hands, b], [feet, c])];

describe('categories', () => {
  it('C8: one is created as the last, and empty', () => {
    aList([])
      .when(createCategory(hands, 'Hands'))
      .emits([categoryCreated(hands, 'Hands')]);
    aList(categories).when(createCategory(hands, 'Hands')).refuses('ALREADY_EXISTS');
  });
  it('C8: there is a bound to how many', () =>
    aList(Array.from({ length: 500 }, (_, n) => categoryCreated(idOf(`category ${n}`), 'One more')))
      .when(createCategory(hands, 'Hands'))
      .refuses('TOO_MANY_CATEGORIES'));
  it('C8: one is renamed; to what it is called, is nothing', () => {
    aList(categories)
      .when(renameCategory(feet, 'Toes'))
      .emits([categoryRenamed(feet, 'Toes')]);
    aList(categories).when(renameCategory(feet, 'Feet')).emits([]);
    aList([]).when(renameCategory(feet, 'Toes')).refuses('NOT_FOUND');
  });
  it('C8: removed, it keeps its offerings, ungrouped after those that are', () => {
    aList(grouped)
      .when(removeCategory(hands))
      .emits([categoryRemoved(hands, [a, b])]);
    aList([...grouped, categoryRemoved(hands, [a, b])])
      .when(removeCategory(hands))
      .emits([]);
    aList(grouped)
      .when(removeCategory(idOf('unheard of')))
      .refuses('NOT_FOUND');
  });
  it('C8: one that was removed can no longer be renamed', () =>
    aList([...grouped, categoryRemoved(hands, [a, b])])
      .when(renameCategory(hands, 'Fingers'))
      .refuses('NOT_FOUND'));
});

describe('the arrangement', () => {
  it('C8: is stored whole: offerings and categories in any order', () =>
    aList([...offerings, ...categories])
      .when(arrange([c], [feet, b, a], [hands]))
      .emits([arranged([c], [feet, b, a], [hands])]));
  it('C8: as it is, is nothing', () => {
    aList(grouped)
      .when(arrange([a], [hands, b], [feet, c]))
      .emits([]);
  });
  it('C8: names are kept, and new offerings come after those in no category', () =>
    aList([...grouped, listed(d, 1)])
      .when(arrange([a], [hands, b, d], [feet, c]))
      .emits([arranged([a], [hands, b, d], [feet, c])]));

  const [unknown, nowhere] = [idOf('unknown'), idOf('nowhere')];
  it.each([
    ['an unknown offering', arrangementOf([a, unknown], [hands, b], [feet, c]), '/ungrouped/1', 'UNKNOWN', unknown],
    ['an offering twice', arrangementOf([a], [hands, b], [feet, c, a]), '/categories/1/offeringIds/1', 'REPEATED', a],
    ['an offering twice in its group', arrangementOf([a, a], [hands, b], [feet, c]), '/ungrouped/1', 'REPEATED', a],
    ['an offering less', arrangementOf([], [hands, b], [feet, c]), '/ungrouped', 'MISSING', a],
    ['an unknown category', arrangementOf([a], [hands, b], [feet, c], [nowhere]), '/categories/2/categoryId', 'UNKNOWN', nowhere],
    ['a category twice', arrangementOf([a], [hands, b], [feet, c], [hands]), '/categories/2/categoryId', 'REPEATED', hands],
    ['a category less', arrangementOf([a, b], [feet, c]), '/categories', 'MISSING', hands],
  ])('C8: with %s is refused, naming it', (_, wanted, field, code, id) =>
    aList(grouped)
      .when(arrangeOfferings(wanted))
      .refuses('INVALID_INPUT', { errors: [{ field, code, message: expect.stringContaining(id) }] }),
  );
  it('C8, L1: everything that is wrong is named at once', () =>
    aList(grouped)
      .when(arrange([unknown, a, a], [hands, nowhere], [hands]))
      .refuses('INVALID_INPUT', {
        errors: [
          { field: '/categories/1/categoryId', code: 'REPEATED' },
          { field: '/ungrouped/0', code: 'UNKNOWN' },
          { field: '/ungrouped/2', code: 'REPEATED' },
          { field: '/categories/0/offeringIds/0', code: 'UNKNOWN' },
          { field: '/categories', code: 'MISSING' },
          { field: '/ungrouped', code: 'MISSING' },
          { field: '/ungrouped', code: 'MISSING' },
        ],
      }));
});

describe('deleted offerings', () => {
  const withoutB = [...offerings, ...categories, arranged([a, b, c], [hands], [feet]), unlisted(b, '1')];

  it('C7: can be left out, and keep their places, after the one that they came after', () => {
    aList(withoutB)
      .when(arrange([c, a], [hands], [feet]))
      .emits([arranged([c, a, b], [hands], [feet])]);
    aList(withoutB)
      .when(arrange([c], [feet, a], [hands]))
      .emits([arranged([b, c], [feet, a], [hands])]);
  });
  it('C7: several in a row stay in a row', () =>
    aList([...withoutB, unlisted(c, '1')])
      .when(arrange([], [hands, a], [feet]))
      .emits([arranged([b, c], [hands, a], [feet])]));
  it('C7: can be named, and moved', () =>
    aList(withoutB)
      .when(arrange([a, c], [hands, b], [feet]))
      .emits([arranged([a, c], [hands, b], [feet])]));
  it('C7, C8: stay in their category, and leave it ungrouped when it is removed', () =>
    aList([...grouped, unlisted(b, '3')])
      .when(removeCategory(hands))
      .emits([categoryRemoved(hands, [a, b])]));
  it('C7: restored, they must be named again', () =>
    aList([...withoutB, relisted(b, '2')])
      .when(arrange([a, c], [hands], [feet]))
      .refuses('INVALID_INPUT', { errors: [{ field: '/ungrouped', code: 'MISSING', message: expect.stringContaining(b) }] }));
});

describe('what follows from offerings', () => {
  it('C8: a new one is the last of those in no category, once', () => {
    aList([])
      .when(listOffering(a, 0n))
      .emits([listed(a, 0)]);
    aList(grouped)
      .when(listOffering(d, 0n))
      .emits([listed(d, 1)]);
    aList(grouped).when(listOffering(a, 0n)).emits([]);
  });
  it('C7: a deleted one is left out, a restored one is back, each once', () => {
    aList(grouped)
      .when(unlistOffering(a, 2n))
      .emits([unlisted(a, '2')]);
    aList([...grouped, unlisted(a, '2')])
      .when(unlistOffering(a, 2n))
      .emits([]);
    aList([...grouped, unlisted(a, '2')])
      .when(relistOffering(a, 3n))
      .emits([relisted(a, '3')]);
    aList([...grouped, unlisted(a, '2'), relisted(a, '3')])
      .when(relistOffering(a, 3n))
      .emits([]);
  });
  it('C7: what comes late, from before what is known, changes nothing more', () => {
    aList([...grouped, relisted(a, '3')])
      .when(unlistOffering(a, 2n))
      .emits([]);
    aList([...grouped, unlisted(a, '4')])
      .when(relistOffering(a, 3n))
      .emits([]);
  });
  it('C7, C8: an offering that was not heard of yet is listed by whatever comes first', () => {
    aList([])
      .when(unlistOffering(a, 1n))
      .emits([listed(a, 0, '1'), unlisted(a, '1')]);
    aList([])
      .when(relistOffering(a, 2n))
      .emits([listed(a, 0, '2')]);
    aList([listed(a, 0, '1'), unlisted(a, '1')])
      .when(listOffering(a, 0n))
      .emits([]);
  });
});
