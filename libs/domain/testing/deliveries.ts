/** A way in which a history may reach a fold; whatever the way, the outcome is the same. */
type Delivery = <Event>(history: readonly Event[]) => Event[];

const once: Delivery = (history) => [...history];
const eachTwice: Delivery = (history) => history.flatMap((event) => [event, event]);

/** Of 15 events: the 1st to the 10th, then the 5th to the 15th, then the 10th to the last. */
const inOverlappingBatches: Delivery = (history) => {
  const step = Math.ceil(history.length / 3);
  return [0, step, 2 * step].flatMap((start) => history.slice(Math.max(0, start - 1), start + 2 * step));
};

export const deliveries: [string, Delivery][] = [
  ['once', once],
  ['each twice', eachTwice],
  ['in overlapping batches', inOverlappingBatches],
];
