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
