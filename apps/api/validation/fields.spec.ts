import 'reflect-metadata';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { withTaxes, type Tax } from '../../../libs/domain/kernel/money.js';
import type { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { OfferBody } from '../testing/shop.js';
import {
  IsCurrency,
  IsEmailAddress,
  IsFlag,
  IsId,
  IsInstant,
  IsInteger,
  IsInvoiceNumber,
  IsLimit,
  IsLocalDate,
  IsMoney,
  IsNested,
  IsOneOf,
  IsPercentage,
  IsPrice,
  IsText,
  IsTimeZone,
  IsVariant,
  traitsOf,
} from './fields.js';
import type { BodyClass } from './fields.js';
import { ValidationPipe } from './validation-pipe.js';

const pipe = new ValidationPipe();

/** Field → code of what is wrong with it. */
const wrongIn = (shape: BodyClass, sent: unknown, type: 'body' | 'query' = 'body'): Record<string, string> => {
  try {
    pipe.transform(sent, { type, metatype: shape });
    return {};
  } catch (error) {
    return Object.fromEntries((error as InvalidInput).errors.map(({ field, code }) => [field, code]));
  }
};

/** A body with one field `it`. */
const bodyWith = (decorator: PropertyDecorator): BodyClass => {
  class Body {}
  decorator(Body.prototype, 'it');
  return Body;
};

const uuid = '5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a10';

describe('A field', () => {
  it.each<[string, PropertyDecorator, string, unknown[], unknown[]]>([
    ['an id', IsId(), 'NOT_AN_ID', [uuid], ['', 'x', uuid.toUpperCase(), `${uuid}\n`, ` ${uuid}`, 5, {}, [uuid]]],
    [
      'a line of text',
      IsText({ max: 5 }),
      'NOT_A_TEXT',
      ['a', 'é 日本', '🙂🙂🙂🙂🙂', '👩🏽‍⚕️'],
      ['', ' ', 'abcdef', '🙂🙂🙂🙂🙂🙂', 'a\nb', 'a\u0000', '\u0085x', '\ud800', 5, true, []],
    ],
    ['lines of text', IsText({ max: 9, lines: true }), 'NOT_A_TEXT', ['a\nb\tc'], ['a\u0007', '\n', 'x'.repeat(10)]],
    ['text that may be empty', IsText({ min: 0, max: 3 }), 'NOT_A_TEXT', ['', ' '], ['abcd']],
    ['a whole number', IsInteger({ min: -1, max: 9 }), 'NOT_AN_INTEGER', [-1, 0, 9, 1.0], [-2, 10, 0.5, '1', NaN, 2 ** 53, true, [1]]],
    ['a flag', IsFlag(), 'NOT_A_BOOLEAN', [true, false], ['true', 0, 1, '']],
    ['one of some', IsOneOf(['a', 'b']), 'NOT_ONE_OF', ['a'], ['c', '', 'A', ['a'], 0, 'toString']],
    [
      'a date',
      IsLocalDate(),
      'NOT_A_DATE',
      ['2027-01-31', '2028-02-29', '2000-02-29'],
      [
        '2027-02-29',
        '1900-02-29',
        '2027-04-31',
        '2027-13-01',
        '2027-00-10',
        '2027-1-1',
        '0000-01-01',
        '9999-01-01',
        '2027-01-31T00:00:00Z',
        '2027-01-31 ',
        20270131,
      ],
    ],
    [
      'a moment',
      IsInstant(),
      'NOT_AN_INSTANT',
      ['2027-01-31T09:30:00Z', '2027-01-31T09:30Z', '2027-01-31T09:30:00.123Z', '2027-01-31T09:30:00-05:00', '2027-01-31T23:59:59.9+14:00'],
      [
        '2027-01-31',
        '2027-01-31T09:30:00',
        '2027-02-30T09:30:00Z',
        '2027-01-31T24:00:00Z',
        '2027-01-31T09:60:00Z',
        '2027-01-31T09:30:60Z',
        '2027-01-31T09:30:00.1234Z',
        '2027-01-31T09:30:00+25:00',
        '2027-01-31t09:30:00z',
        1801387800,
      ],
    ],
    [
      'a time zone',
      IsTimeZone(),
      'NOT_A_TIME_ZONE',
      ['America/Toronto', 'UTC', 'Pacific/Auckland', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'],
      ['Mars/Olympus', '', '+01:00', 'America/', '../etc/passwd', 'x'.repeat(100), 5],
    ],
    ['a currency', IsCurrency(), 'NOT_A_CURRENCY', ['CAD', 'JPY', 'KWD'], ['cad', 'XYZ', '', 'CADD', 5]],
    [
      'a percentage',
      IsPercentage(),
      'NOT_A_PERCENTAGE',
      ['9.975', '0', '100', '0.000001', '100.0'],
      ['-1', '100.1', '101', '9,975', '.5', '5.', '05', '1e1', '0.0000001', 9.975, ''],
    ],
    [
      "an invoice's number",
      IsInvoiceNumber(),
      'NOT_AN_INVOICE_NUMBER',
      ['2027-000123', '2027-1234567'],
      ['', '2027-123', '27-000123', '2027000123', '2027-000123\n', ' 2027-000123', '2027-00000012345', 2027, ['2027-000123']],
    ],
    [
      'an e-mail address',
      IsEmailAddress(),
      'NOT_AN_EMAIL',
      ['a@b.ca', 'é.x+y@sub.example.org'],
      ['a', 'a@b', '@b.ca', 'a@', 'a b@c.ca', 'a@b..ca', `${'x'.repeat(250)}@b.ca`, 'a@b.ca\n'],
    ],
    ['a limit', IsLimit(), 'NOT_A_LIMIT', [1, 100_000, 'unlimited'], [0, -1, 1.5, 100_001, 'Unlimited', '5', null]],
  ])('that is %s takes what is one, and nothing else', (_, decorator, code, right, wrong) => {
    const shape = bodyWith(decorator);
    expect(right.filter((value) => wrongIn(shape, { it: value })['/it'])).toEqual([]);
    expect(wrong.filter((value) => wrongIn(shape, { it: value })['/it'] !== code)).toEqual([]);
  });

  it('A4: that is money has whole minor units, never negative', () => {
    const shape = bodyWith(IsMoney());
    expect(wrongIn(shape, { it: { amount: 0, currency: 'CAD' } })).toEqual({});
    expect(wrongIn(shape, { it: { amount: -1, currency: 'cad', rate: 1 } })).toEqual({
      '/it/rate': 'UNKNOWN_FIELD',
      '/it/amount': 'NOT_AN_INTEGER',
      '/it/currency': 'NOT_A_CURRENCY',
    });
    expect(wrongIn(shape, { it: { amount: 12.5, currency: 'CAD' } })).toEqual({ '/it/amount': 'NOT_AN_INTEGER' });
    expect(wrongIn(shape, { it: 5 })).toEqual({ '/it': 'NOT_AN_OBJECT' });
    expect(wrongIn(shape, { it: null })).toEqual({ '/it': 'NOT_AN_OBJECT' });
  });

  it('A4: that is a price is bounded, so that ten taxes on a hundred of them stay within the safe integers', () => {
    const most = 10 ** 12;
    const shape = bodyWith(IsPrice());
    expect(wrongIn(shape, { it: { amount: most, currency: 'CAD' } })).toEqual({});
    expect(wrongIn(shape, { it: { amount: most + 1, currency: 'CAD' } })).toEqual({ '/it/amount': 'NOT_AN_INTEGER' });
    const tax = { taxId: uuid, name: 'all of it', rate: '100' };
    const { total } = withTaxes({ amount: most, currency: 'CAD' }, Array<Tax>(10).fill(tax));
    expect(Number.isSafeInteger(100 * total.amount)).toBe(true);
  });

  it('is required unless it may be left out, and null only if it may be', () => {
    expect(wrongIn(bodyWith(IsId()), {})).toEqual({ '/it': 'REQUIRED' });
    expect(wrongIn(bodyWith(IsId({ optional: true })), {})).toEqual({});
    expect(wrongIn(bodyWith(IsId({ optional: true })), { it: null })).toEqual({ '/it': 'NOT_AN_ID' });
    expect(wrongIn(bodyWith(IsId({ nullable: true })), { it: null })).toEqual({});
    expect(wrongIn(bodyWith(IsId({ nullable: true })), {})).toEqual({ '/it': 'REQUIRED' });
  });

  it('that is a list is bounded, and each of its items is looked at', () => {
    const shape = bodyWith(IsId({ list: { min: 1, max: 2, unique: true } }));
    expect(wrongIn(shape, { it: [uuid] })).toEqual({});
    expect(wrongIn(shape, { it: [uuid, 'x'] })).toEqual({ '/it/1': 'NOT_AN_ID' });
    for (const it of [[], [uuid, uuid], [1, 2, 3], uuid, { 0: uuid, length: 1 }])
      expect(wrongIn(shape, { it })).toEqual({ '/it': 'NOT_A_LIST' });
  });

  it('that is one of several shapes is held to the one it names', () => {
    class None {}
    IsOneOf(['none'])(None.prototype, 'kind');
    class OnDate {}
    IsOneOf(['on'])(OnDate.prototype, 'kind');
    IsLocalDate()(OnDate.prototype, 'date');
    const shape = bodyWith(IsVariant('kind', { none: None, on: OnDate }));
    expect(wrongIn(shape, { it: { kind: 'on', date: '2027-01-31' } })).toEqual({});
    expect(wrongIn(shape, { it: { kind: 'on' } })).toEqual({ '/it/date': 'REQUIRED' });
    expect(wrongIn(shape, { it: { kind: 'none', date: '2027-01-31' } })).toEqual({ '/it/date': 'UNKNOWN_FIELD' });
    for (const kind of ['never', 'constructor', 5, undefined])
      expect(wrongIn(shape, { it: { kind } })).toEqual({ '/it/kind': 'NOT_ONE_OF' });
  });

  it('of a class above counts as its own', () => {
    class Above {}
    IsId()(Above.prototype, 'id');
    class Below extends Above {}
    IsFlag()(Below.prototype, 'flag');
    expect(wrongIn(Below, { id: 'x', flag: 1 })).toEqual({ '/id': 'NOT_AN_ID', '/flag': 'NOT_A_BOOLEAN' });
  });
});

describe('A body', () => {
  const offer = {
    name: 'Five',
    services: [{ serviceId: uuid, limit: 5 }],
    expiry: { kind: 'none' },
    fee: { amount: 5000, currency: 'CAD' },
  };

  it('names every offending field at once', () => {
    const sent = {
      ...offer,
      name: '',
      services: [{ serviceId: uuid, limit: 0 }, 7],
      expiry: { kind: 'on', date: '2027-02-30' },
      'a/b~c': 1,
    };
    expect(wrongIn(OfferBody, sent)).toEqual({
      '/a~1b~0c': 'UNKNOWN_FIELD',
      '/name': 'NOT_A_TEXT',
      '/services/0/limit': 'NOT_A_LIMIT',
      '/services/1': 'NOT_AN_OBJECT',
      '/expiry/date': 'NOT_A_DATE',
    });
  });

  it('that is no object, or not there at all, misses what it must have', () => {
    expect(Object.values(wrongIn(OfferBody, undefined))).toEqual(['REQUIRED', 'REQUIRED', 'REQUIRED', 'REQUIRED']);
    for (const sent of [[], 'x', 5, true]) expect(wrongIn(OfferBody, sent)).toEqual({ '': 'NOT_AN_OBJECT' });
  });

  it('of 10,000 services is refused as one list that is too long', () => {
    expect(wrongIn(OfferBody, { ...offer, services: Array.from({ length: 10_000 }, () => ({})) })).toEqual({ '/services': 'NOT_A_LIST' });
  });

  it('of 10,000 unknown fields is answered with a bounded list', () => {
    const sent = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, 1]));
    expect(Object.keys(wrongIn(OfferBody, sent))).toHaveLength(100);
  });

  it('without a class, or taken in parts, is a mistake of ours', () => {
    expect(() => pipe.transform({}, { type: 'body', metatype: Object })).toThrow('taken whole, as a class');
    expect(() => pipe.transform('x', { type: 'body', metatype: OfferBody, data: 'name' })).toThrow('taken whole, as a class');
  });

  it('offends in the same fields as class-validator itself finds', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.constant(uuid),
      fc.constant({}),
      fc.constant([]),
    );
    const service = fc.record(
      { serviceId: fc.oneof(fc.constant(uuid), value), limit: fc.oneof(fc.constantFrom(1, 'unlimited'), value), extra: value },
      { requiredKeys: [] },
    );
    const sent = fc.record(
      {
        name: fc.oneof(fc.constant('Five'), value),
        description: fc.oneof(fc.constant('x'), value),
        services: fc.oneof(fc.array(service, { maxLength: 3 }), value),
        fee: fc.oneof(fc.record({ amount: fc.oneof(fc.nat(), value), currency: fc.oneof(fc.constant('CAD'), value) }), value),
        taxIds: fc.oneof(fc.array(fc.oneof(fc.constant(uuid), value), { maxLength: 4 }), value),
        startsAt: fc.oneof(fc.constant('2027-01-31T09:30:00Z'), value),
        online: value,
        extra: value,
      },
      { requiredKeys: [] },
    );
    const topFields = (fields: string[]): string[] => [...new Set(fields)].sort();
    fc.assert(
      fc.property(sent, (partial) => {
        const body = { expiry: { kind: 'none' }, ...partial };
        const theirs = validateSync(instanceOf(OfferBody, body), { whitelist: true, forbidNonWhitelisted: true });
        expect(topFields(Object.keys(wrongIn(OfferBody, body)).map((field) => field.split('/')[1]!))).toEqual(
          topFields(theirs.map(({ property }) => property)),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

/** What class-validator needs to look into: instances all the way down. */
const instanceOf = (shape: BodyClass, value: unknown): object => {
  const made = Object.entries(value as object).map(([name, inner]) => [name, instancesWithin(shape, name, inner)]);
  return Object.assign(new shape(), Object.fromEntries(made) as object);
};

const instancesWithin = (shape: BodyClass, name: string, value: unknown): unknown => {
  const of = traitsOf(shape, name)?.shapeOf;
  if (!of || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => instancesWithin(shape, name, item));
  const inner = of(value);
  return inner ? instanceOf(inner, value) : value;
};

describe('A query', () => {
  class Query {}
  IsInteger({ min: 1, max: 100, optional: true })(Query.prototype, 'limit');
  IsFlag({ optional: true })(Query.prototype, 'deleted');
  IsOneOf(['active', 'inactive'], { list: { max: 2 }, optional: true })(Query.prototype, 'status');
  IsText({ max: 9, optional: true })(Query.prototype, 'text');
  const read = (sent: object): unknown => pipe.transform(sent, { type: 'query', metatype: Query });

  it('reads numbers, flags and lists from its texts', () => {
    expect(read({ limit: '20', deleted: 'true', status: 'active', text: '5' })).toEqual({
      limit: 20,
      deleted: true,
      status: ['active'],
      text: '5',
    });
    expect(read({ status: ['active', 'inactive'] })).toEqual({ status: ['active', 'inactive'] });
  });

  it('refuses what its texts can not stand for, and what it does not know', () => {
    expect(wrongIn(Query, { limit: '1e2', deleted: 'yes', status: 'gone', text: ['a', 'b'], other: '1' }, 'query')).toEqual({
      '/other': 'UNKNOWN_FIELD',
      '/limit': 'NOT_AN_INTEGER',
      '/deleted': 'NOT_A_BOOLEAN',
      '/status/0': 'NOT_ONE_OF',
      '/text': 'NOT_A_TEXT',
    });
    for (const limit of ['', '0', '101', '-1', '1.5', '٣', '9'.repeat(30)])
      expect(wrongIn(Query, { limit }, 'query')).toEqual({ '/limit': 'NOT_AN_INTEGER' });
  });
});

describe('A class of a body', () => {
  it('may have nested bodies in lists', () => {
    class Line {}
    IsId()(Line.prototype, 'id');
    const shape = bodyWith(IsNested(Line, { list: { max: 2 } }));
    expect(wrongIn(shape, { it: [{ id: uuid }, { id: 'x' }] })).toEqual({ '/it/1/id': 'NOT_AN_ID' });
  });

  it('may not have validators that are not of fields.ts: nothing would say what their errors are called', async () => {
    const { IsString } = await import('class-validator');
    expect(() => wrongInUnguarded(bodyWith(IsString()))).toThrow('not of apps/api/validation/fields.ts');
  });
});

const wrongInUnguarded = (shape: BodyClass): unknown => pipe.transform({}, { type: 'body', metatype: shape });
