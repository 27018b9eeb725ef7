import { IsOneOf, IsPositivePrice, IsText, MoneyBody } from '../validation/fields.js';

/** D2: how money is taken, or given back, at the desk. A card through Stripe is none of these. */
export const AT_THE_DESK = ['cash', 'cardTerminal', 'bankTransfer', 'other'] as const;

export class PaymentBody {
  @IsPositivePrice()
  amount: MoneyBody;

  @IsOneOf(AT_THE_DESK)
  method: (typeof AT_THE_DESK)[number];

  @IsText({ max: 200, optional: true, nullable: true, description: 'which one it is; of `other` it says what it was' })
  reference?: string | null;
}

type Moved<Method> = Pick<PaymentBody, 'amount' | 'reference'> & { method: Method };

export const paymentOf = <Method extends string>({ amount, method, reference = null }: Moved<Method>) => ({ amount, method, reference });
