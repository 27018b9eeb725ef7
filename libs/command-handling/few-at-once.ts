/**
 * Does the same work with each of many things, begun in their order, `most` of them at a time. Gives what came of each. Once one has
 * failed no other is begun, and its error is thrown when all that had begun have ended.
 */
export const fewAtOnce = async <Item, Done>(items: readonly Item[], most: number, work: (item: Item) => Promise<Done>): Promise<Done[]> => {
  const done: Done[] = [];
  const failures: unknown[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [n, item] of waiting) {
      if (failures.length > 0) return;
      try {
        done[n] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return done;
};
