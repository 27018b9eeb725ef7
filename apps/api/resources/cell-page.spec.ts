import type { Share } from '../../../libs/domain/kernel/explanation.js';
import { recorded } from '../../../libs/projection-engine/testing/recorded.js';
import type { CellRow } from '../../../libs/reporting/reports.js';
import { cellPage } from './cell-page.js';
import type { CellPlace } from './cell-place.js';

const [event] = recorded([{ type: 'PackageSold', data: {} }]);
const begin: CellPlace = { until: 9n, today: '2027-01-31', timeZone: 'UTC', after: undefined, given: 0, sum: 0, off: 0 };

/** Rows 1, 2, 3, … that add so much each. */
const rowsOf = (adds: readonly number[]): CellRow[] =>
  adds.map((added, n) => ({
    ...{ place: { value: '2027-01-31', id: String(n + 1) }, adds: added },
    ...{ sum: adds.slice(0, n + 1).reduce((sum, one) => sum + one, 0), columns: { id: String(n + 1), of: 'Anna' } },
  }));

/** All pages, when each row has one event for each number. */
async function pagesOf(reported: readonly number[], events: readonly number[][], { limit = 200, isOver = false, ofWhom = 'Anna' } = {}) {
  const rows = rowsOf(reported);
  const value = rows.at(-1)?.sum ?? 0;
  const pages: { adds: number[]; sum: number; holds: boolean; differing: object[] }[] = [];
  for (let [place, isLast] = [begin, false]; !isLast;) {
    const rest = rows.filter(({ place: { id } }) => !place.after || Number(id) > Number(place.after.id));
    const page = await cellPage({ value, rows: rest, more: false }, place, {
      ...{ ids: ['id'] as const, checked: ['of'], limit, isOver: () => isOver },
      explain: ({ id }) => {
        const shares = events[Number(id) - 1]!.map((adds): Share => ({ event: event!, adds, sum: adds }));
        return Promise.resolve({ shares, says: { of: ofWhom } });
      },
    });
    ({ place, isLast } = page);
    pages.push({ adds: page.items.map(({ adds }) => adds), sum: place.sum, holds: page.holds, differing: page.differing });
  }
  return pages;
}

it('L5: pages go on where the one before has ended, be it within a row', async () =>
  expect(await pagesOf([3, 3, 0], [[1, 2], [3], []], { limit: 1 })).toEqual([
    ...[
      { adds: [1], sum: 1, holds: true, differing: [] },
      { adds: [2], sum: 3, holds: true, differing: [] },
    ],
    { adds: [3], sum: 6, holds: true, differing: [] },
  ]));
it('K3: a row that differs is told on its page; the pages after it hold again', async () =>
  expect(await pagesOf([5, 3, 4], [[1, 2], [3], [4]], { limit: 1 })).toEqual([
    ...[
      { adds: [1], sum: 1, holds: true, differing: [] },
      { adds: [2], sum: 3, holds: false, differing: [{ id: '1', reported: 5, explained: 3, columns: [] }] },
    ],
    ...[
      { adds: [3], sum: 6, holds: true, differing: [] },
      { adds: [4], sum: 10, holds: true, differing: [] },
    ],
  ]));
it('K3: a row that is in this cell, but not by its events', async () =>
  expect(await pagesOf([1], [[1]], { ofWhom: 'Ben' })).toEqual([
    { adds: [1], sum: 1, holds: false, differing: [{ id: '1', reported: 1, explained: 1, columns: ['of'] }] },
  ]));
it('L5: without time for more, a page ends after some whole rows', async () => {
  const many = Array.from({ length: 70 }, () => 2);
  const pages = await pagesOf(
    many,
    many.map(() => [1, 1]),
    { isOver: true },
  );
  expect(pages.map(({ adds, sum, holds }) => [adds.length, sum, holds])).toEqual([
    [64, 64, true],
    [128 - 64, 128, true],
    [12, 140, true],
  ]);
});
