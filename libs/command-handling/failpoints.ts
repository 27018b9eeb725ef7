import type { EventStore } from '../event-store/event-store.js';

/**
 * Where a test pulls the plug: with `FAILPOINT=after:SessionConsumed` the process kills itself the moment an append with
 * that event was acknowledged, with `before:…` the moment before it is sent. `after:SessionConsumed@<correlation id>` cuts one
 * request off there: nothing more of it is stored, and the process kills itself once all that are named so, separated by
 * commas, have come to their places. Without the variable the store is as it was.
 */
export const withFailpoints = (store: EventStore, setting = process.env.FAILPOINT): EventStore => {
  if (!setting) return store;
  const places = new Map(setting.split(',').map(requestAndPlace));
  const cutOff = new Set<string>();
  const pass = async (moment: string, events: readonly { type: string; metadata: { $correlationId: string } }[]): Promise<void> => {
    const request = places.has(ANY) ? ANY : events[0]!.metadata.$correlationId;
    if (events.some(({ type }) => places.get(request) === `${moment}:${type}`)) cutOff.add(request);
    if (cutOff.size === places.size) process.kill(process.pid, 'SIGKILL');
    if (cutOff.has(request)) await never;
  };
  return {
    ...store,
    append: async (stream, expected, events) => {
      await pass('before', events);
      const appended = await store.append(stream, expected, events);
      await pass('after', events);
      return appended;
    },
  };
};

const ANY = 'any request';
const never = new Promise<never>(() => undefined);

const requestAndPlace = (one: string): [string, string] => {
  const [place, request = ANY] = one.split('@');
  return [request, place!];
};
