/** More commands wait, or conflict, than is bearable: the caller should come again a little later (503). */
export class TooBusy extends Error {
  readonly code = 'TOO_BUSY';
  constructor(what: string) {
    super(`${what} is too busy at the moment: try again.`);
    this.name = 'TooBusy';
  }
}

/** Runs one piece of work at a time for each name, in the order of arrival. @param most that may wait or run for one name */
export function streamQueues(most: number): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>();
  return async (name, work) => {
    const queue = queues.get(name) ?? { last: Promise.resolve(), length: 0 };
    if (queue.length >= most) throw new TooBusy(name);
    queues.set(name, queue);
    queue.length += 1;
    const mine = queue.last.then(work);
    queue.last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      queue.length -= 1;
      if (queue.length === 0) queues.delete(name);
    }
  };
}
