import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonical, NotStorable, storable, storableObject } from './stored-json.js';

const safe = fc.jsonValue({ noUnicodeString: false }).filter((value) => {
  try {
    storable(value);
    return true;
  } catch {
    return false;
  }
});

it('gives back exactly what JSON gives back, and the same canonical text', () =>
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
        safe,
      ),
      (value) => {
        const stored = storableObject(value);
        const back = JSON.parse(JSON.stringify(stored)) as typeof stored;
        expect(back).toStrictEqual(stored);
        expect(canonical(back)).toBe(canonicalize(value));
      },
    ),
  ));

it('sorts, escapes and writes numbers as RFC 8785 shows', () => {
  const value = {
    '\u20ac': 1e21,
    '\r': [56, 1e-27, 4.5, 2e-3],
    '1': '\u20ac$\u000F\nA\'B"\\\\"/',
    '😂': null,
    '\ufb33': true,
    ö: [],
    '10': {},
    '2': 0,
  };
  expect(canonical(value)).toBe(canonicalize(value));
  expect(canonical(value)).toMatch(/^\{"\\r":\[56,1e-27,4.5,0.002\],"1":.*"10":\{\},"2":0,"ö":\[\],"€":1e\+21,"😂":null,"\ufb33":true\}$/);
});

it('drops fields that are undefined, and the sign of zero', () =>
  expect(storableObject({ a: undefined, b: -0, c: [{ d: undefined }] })).toStrictEqual({ b: 0, c: [{}] }));

it.each([
  ['an integer beyond 2^53 − 1', { amount: 2 ** 53 }],
  ['a negative one', { lines: [{ amount: -(2 ** 53) }] }],
  ['a lone surrogate', { note: 'a\ud800b' }],
  ['one in the name of a field', { 'a\udc00': 1 }],
  ['infinity', { rate: Infinity }],
  ['what is not a number', { rate: NaN }],
  ['a bigint', { position: 1n }],
  ['a date', { at: new Date(0) }],
  ['a map', { remaining: new Map() }],
  ['a hole in a list', { ids: ['a', undefined] }],
  ['what would read as encrypted', { note: { $enc: 1 } }],
  ['a field named __proto__', JSON.parse('{"a":{"__proto__":1}}') as object],
])('refuses %s', (_, value) => expect(() => storableObject(value)).toThrow(NotStorable));

it('takes whole surrogate pairs, 2^53 − 1 and fractions', () =>
  expect(storableObject({ a: '🧘', b: 2 ** 53 - 1, c: 9.975 })).toEqual({ a: '🧘', b: 9007199254740991, c: 9.975 }));
