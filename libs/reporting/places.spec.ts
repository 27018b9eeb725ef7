import { setImmediate as soon } from 'node:timers/promises';
import { Places, TooManyAtOnce } from './places.js';

it('are taken by a business and by all up to their numbers, and given back once', () => {
  const places = new Places({ ofABusiness: 2, inAll: 3 });
  const [first] = [places.take('a'), places.take('a')];
  expect(() => places.take('a')).toThrow(TooManyAtOnce);
  const third = places.take('b');
  expect(() => places.take('c')).toThrow(TooManyAtOnce);
  first();
  first();
  const again = places.take('c');
  expect(() => places.take('a')).toThrow(TooManyAtOnce);
  again();
  third();
  places.take('a');
});

it('J2: who asks for one too many waits for a turn, in order; when many wait already it is refused', async () => {
  const places = new Places({ ofABusiness: 2 });
  const leave = await places.turn('ours');
  await places.turn('ours');
  const told: number[] = [];
  const turns = Array.from({ length: 16 }, async (_, n) => {
    const leaveNow = await places.turn('ours');
    told.push(n);
    return leaveNow;
  });
  await soon();
  expect(told).toEqual([]);
  await expect(places.turn('ours')).rejects.toThrow(TooManyAtOnce);
  await places.turn("another's");
  leave();
  leave(); // given back once
  await soon();
  expect(told).toEqual([0]);
  for (const turn of turns) (await turn)();
  expect(told).toEqual(turns.map((_, n) => n));
});

it('J2: a turn is not waited for any longer than was said', async () => {
  const places = new Places({ ofABusiness: 1, patience: 20 });
  const leave = await places.turn('ours');
  const late = await Promise.allSettled([places.turn('ours'), places.turn('ours')]);
  for (const turn of late) expect(turn).toMatchObject({ reason: expect.any(TooManyAtOnce) as unknown });
  const inTime = places.turn('ours');
  leave();
  (await inTime)();
});
