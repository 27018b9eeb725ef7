import fc from 'fast-check';
import { cad, gst, qst } from '../testing/example.js';
import { decimalOf, minorUnitsOf, minus, placesOf, sum, withTaxes, zero, type Tax } from './money.js';

const amountsOf = (net: number, currency: string, taxes: readonly Tax[]) => {
  const charge = withTaxes({ amount: net, currency }, taxes);
  return { taxes: charge.taxes.map(({ amount }) => amount), total: charge.total };
};

describe('a price with its taxes', () => {
  it('A4: the decimals of a currency are those of ISO 4217, whatever the runtime shows', () => {
    expect(['CAD', 'HUF', 'COP', 'IDR', 'JPY', 'XAF', 'KWD', 'IQD', 'CLF'].map(placesOf)).toEqual([2, 2, 2, 2, 0, 0, 3, 3, 4]);
    expect(decimalOf({ amount: 45_000_000, currency: 'COP' })).toBe('450000.00');
    expect(minorUnitsOf('450000.00', 'COP')).toBe(45_000_000);
  });
  it('A4: two taxes, JPY and KWD', () => {
    expect(amountsOf(1_050, 'JPY', [gst, qst])).toEqual({
      taxes: [
        { amount: 53, currency: 'JPY' }, // ¥52.5
        { amount: 105, currency: 'JPY' }, // ¥104.737 5
      ],
      total: { amount: 1_208, currency: 'JPY' },
    });
    expect(amountsOf(12_345, 'KWD', [gst, qst])).toEqual({
      taxes: [
        { amount: 617, currency: 'KWD' }, // 617.25 fils of KWD 12.345
        { amount: 1_231, currency: 'KWD' }, // 1,231.413 75 fils
      ],
      total: { amount: 14_193, currency: 'KWD' },
    });
  });
  it('A4: each on the net, none on another', () =>
    expect(withTaxes(cad(100_00), [gst, qst])).toEqual({
      net: cad(100_00),
      taxes: [
        { ...gst, amount: cad(5_00) },
        { ...qst, amount: cad(9_98) }, // 9.975
      ],
      total: cad(114_98),
    }));
  it('A4: half a unit is rounded away from zero, either way', () =>
    expect([10, 30, -10, -30].map((net) => amountsOf(net, 'CAD', [gst]).taxes[0]!.amount)).toEqual([1, 2, -1, -2]));
  it('A4: no tax, and a tax of nothing', () => {
    expect(amountsOf(100, 'CAD', [])).toEqual({ taxes: [], total: cad(100) });
    expect(amountsOf(100, 'CAD', [{ ...gst, rate: '0' }])).toEqual({ taxes: [cad(0)], total: cad(100) });
  });
});

describe('amounts', () => {
  it('A4: add up in one currency only', () => {
    expect(sum('CAD', [cad(1), cad(2)])).toEqual(cad(3));
    expect(sum('CAD', [])).toEqual(zero('CAD'));
    expect(() => sum('CAD', [cad(1), { amount: 1, currency: 'JPY' }])).toThrow(RangeError);
    expect(() => minus(cad(1), { amount: 1, currency: 'JPY' })).toThrow(RangeError);
  });
  it('A4: nothing is a plain zero, not a negative one', () => expect(minus(cad(5), cad(5))).toEqual(cad(0)));
});

// Against exact integers. The currencies have 0, 2 and 3 decimals; the minor unit is all that the sums know of them.
const currency = fc.constantFrom('JPY', 'CAD', 'KWD');
const usual = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 });
const anyAmount = fc.oneof(usual, fc.maxSafeInteger());
const rate = fc
  .tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 6 }), fc.nat(999_999))
  .map(([whole, decimals, fraction]) => ({
    text: decimals === 0 ? `${whole}` : `${whole}.${`${fraction}`.padStart(6, '0').slice(0, decimals)}`,
  }));
const isSafe = (amount: bigint): boolean => amount >= BigInt(Number.MIN_SAFE_INTEGER) && amount <= BigInt(Number.MAX_SAFE_INTEGER);

/** amount × rate / 100, rounded half away from zero. */
const taxOn = (amount: number, rateText: string): bigint => {
  const [whole, fraction = ''] = rateText.split('.') as [string, string?];
  const times = BigInt(amount) * BigInt(whole + fraction.padEnd(6, '0'));
  const by = 100_000_000n; // a hundred times the million by which the rate is scaled
  const rounded = (2n * (times < 0n ? -times : times) + by) / (2n * by);
  return times < 0n ? -rounded : rounded;
};

describe('money, exactly', () => {
  const runs = { numRuns: 2_000 };

  it('A4: a tax is the exact product rounded once, and the total is the exact sum', () =>
    fc.assert(
      fc.property(currency, anyAmount, fc.array(rate, { maxLength: 4 }), (code, net, rates) => {
        const taxes = rates.map(({ text }, n): Tax => ({ taxId: `${n}`, name: `${n}`, rate: text }));
        const expected = taxes.map((tax) => taxOn(net, tax.rate));
        const total = expected.reduce((a, b) => a + b, BigInt(net));
        if (![...expected, total].every(isSafe))
          return void expect(() => withTaxes({ amount: net, currency: code }, taxes)).toThrow(RangeError);

        const charge = amountsOf(net, code, taxes);
        expect(charge.taxes.map(({ amount }) => BigInt(amount))).toEqual(expected);
        expect(charge.total).toEqual({ amount: Number(total), currency: code });
        return undefined;
      }),
      runs,
    ));

  it('A4: a sum is exact, or it is refused', () =>
    fc.assert(
      fc.property(currency, fc.array(anyAmount, { maxLength: 6 }), (code, amounts) => {
        const money = amounts.map((amount) => ({ amount, currency: code }));
        const partial = amounts.map((_, n) => amounts.slice(0, n + 1).reduce((total, amount) => total + BigInt(amount), 0n));
        try {
          expect(BigInt(sum(code, money).amount)).toBe(partial.at(-1) ?? 0n);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(partial.every(isSafe)).toBe(false);
        }
      }),
      runs,
    ));

  it('A4: what was taken away can be added again', () =>
    fc.assert(
      fc.property(usual, usual, (from, what) => expect(sum('CAD', [minus(cad(from), cad(what)), cad(what)])).toEqual(cad(from))),
      runs,
    ));
});
