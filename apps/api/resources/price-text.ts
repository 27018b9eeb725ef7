import { decimalOf } from '../../../libs/domain/kernel/money.js';
import type { Money } from '../../../libs/domain/kernel/shapes.js';
import type { Payment } from '../../../libs/domain/offering/offering.events.js';

/** C9: what an offering costs, for people: `450.00 CAD plus taxes`, `60.00 to 80.00 CAD each appointment`. */
export const priceText = (payment: Payment | null): string => {
  if (payment === null) return '';
  if (payment.method === 'paidUpfront') return `${inWords(payment.fee)}${payment.taxIds.length > 0 ? ' plus taxes' : ''}`;
  const fees = payment.fees.map(({ fee }) => fee).sort((a, b) => a.amount - b.amount);
  const [least, most] = [fees[0], fees.at(-1)];
  if (!least || !most) return '';
  return `${least.amount === most.amount ? '' : `${decimalOf(least)} to `}${inWords(most)} each appointment`;
};

export const inWords = (money: Money): string => `${decimalOf(money)} ${money.currency}`;
