import { invalid, missing } from './failure.js';

interface Asked {
  limit?: number;
  starting_after?: string;
  ending_before?: string;
}

/** A page of a list, newest first, as the library pages through it by itself. */
export const pageOf = <Item extends { id: string }>(url: string, oldestFirst: Item[], asked: Asked) => {
  const { limit = 10, starting_after: after, ending_before: before } = asked;
  if (limit < 1 || limit > 100) throw invalid('This value must be from 1 to 100.', 'limit', 'parameter_invalid_integer');
  if (after !== undefined && before !== undefined) throw invalid('You can only use one of starting_after and ending_before.');
  const items = oldestFirst.toReversed();
  const placeOf = (id: string, param: string) => {
    const place = items.findIndex((item) => item.id === id);
    if (place < 0) throw missing('object', id, param);
    return place;
  };
  const end = before === undefined ? items.length : placeOf(before, 'ending_before');
  const start = after === undefined ? (before === undefined ? 0 : Math.max(0, end - limit)) : placeOf(after, 'starting_after') + 1;
  const data = items.slice(start, Math.min(start + limit, end));
  return { object: 'list' as const, url, data, has_more: before === undefined ? start + limit < items.length : start > 0 };
};
