/** Chance that comes out the same each time: mulberry32 over a seed. */
export const seeded = (seed: number) => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (most: number): number => Math.floor(next() * most);
  return {
    below,
    between: (least: number, most: number): number => least + below(most - least + 1),
    isTrue: (share: number): boolean => next() < share,
    oneOf: <T>(items: readonly T[]): T => items[below(items.length)]!,
  };
};

export type Chance = ReturnType<typeof seeded>;
