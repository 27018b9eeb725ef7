import { setTimeout as sleep } from 'node:timers/promises';
import { fewAtOnce } from './few-at-once.js';

const numbers = Array.from({ length: 10 }, (_, n) => n);

it('gives what came of each, in their order, whichever ends first', async () => {
  const squared = await fewAtOnce(numbers, 4, async (n) => {
    await sleep(10 - n);
    return n * n;
  });
  expect(squared).toEqual(numbers.map((n) => n * n));
  expect(await fewAtOnce([], 4, () => Promise.reject(new Error('never')))).toEqual([]);
});

it('has so many at work and no more', async () => {
  let working = 0;
  const seen = await fewAtOnce(numbers, 3, async () => {
    working += 1;
    await sleep(5);
    const now = working;
    working -= 1;
    return now;
  });
  expect(Math.max(...seen)).toBe(3);
});

it('begins nothing more once one has failed, and leaves nothing at work', async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const work = fewAtOnce(numbers, 3, async (n) => {
    begun.push(n);
    await sleep(n === 1 ? 5 : 20);
    if (n === 1) throw new Error('no');
    ended.push(n);
  });
  await expect(work).rejects.toThrow('no');
  expect([begun, ended]).toEqual([
    [0, 1, 2],
    [0, 2],
  ]);
});
