import { IsOneOf, IsPositivePrice, IsText, IsWebAddress, MoneyBody } from '../validation/fields.js';

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

const RETURNS = 'at one of the origins that the service lets clients be sent to';

/** Where the browser goes from Stripe's page. */
export class ReturnBody {
  @IsWebAddress({ description: `where the client is sent to once it is paid, ${RETURNS}` })
  successUrl: string;

  @IsWebAddress({ description: `and where, if they turn back, ${RETURNS}` })
  cancelUrl: string;
}

/** D2: by card, at a page of Stripe that the client is handed. */
export class CardPaymentBody extends ReturnBody {
  @IsOneOf(['stripe'])
  method: 'stripe';

  @IsPositivePrice()
  amount: MoneyBody;
}

/** D2: how what is paid with a sale is paid, by `method`. */
export const WITH_A_SALE = { ...Object.fromEntries(AT_THE_DESK.map((method) => [method, PaymentBody])), stripe: CardPaymentBody };
