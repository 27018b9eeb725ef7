import { assertByCard, atStripe, fromStripe } from './card-amounts.js';

const of = (amount: number, currency: string) => ({ amount, currency });

describe('amounts as Stripe writes them', () => {
  it.each([
    ['CAD', 45_000, 45_000],
    ['JPY', 5_000, 5_000],
    ['KWD', 5_120, 5_120],
    ['HUF', 500_000, 500_000],
    ['ISK', 5_000, 500_000], // 5,000 krónur
  ])('I4: %s %i is %i there, and back', (currency, ours, stripes) => {
    expect(atStripe(of(ours, currency))).toBe(stripes);
    expect(fromStripe(stripes, currency.toLowerCase())).toEqual(of(ours, currency));
  });
  it.each([
    ['KWD', 5_125],
    ['MGA', 100],
    ['UGX', 100],
  ])('I4: %s %i is not taken by card, and the reason is told', (currency, amount) =>
    expect(() => assertByCard(of(amount, currency))).toThrow(expect.objectContaining({ code: 'AMOUNT_NOT_BY_CARD' }) as Error),
  );
  it('I4: what can be charged is taken', () => {
    for (const amount of [of(1, 'CAD'), of(5_120, 'KWD'), of(5, 'JPY'), of(5, 'ISK')]) expect(() => assertByCard(amount)).not.toThrow();
  });
});
