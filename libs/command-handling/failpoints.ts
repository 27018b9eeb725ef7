import type { EventStore } from '../event-store/event-store.js';

/**
 * Where a test pulls the plug: with `FAILPOINT=after:SessionConsumed` the process kills itself the moment an append with
 * that event was acknowledged, with `before:…` the moment before it is sent. Without the variable the store is as it was.
 */
export const withFailpoints = (store: EventStore, setting = process.env.FAILPOINT): EventStore => {
  if (!setting) return store;
  const [when, type] = setting.split(':');
  const pullPlug = (moment: string, events: readonly { type: string }[]): void => {
    if (moment === when && events.some((event) => event.type === type)) process.kill(process.pid, 'SIGKILL');
  };
  return {
    ...store,
    append: async (stream, expected, events) => {
      pullPlug('before', events);
      const appended = await store.append(stream, expected, events);
      pullPlug('after', events);
      return appended;
    },
  };
};
