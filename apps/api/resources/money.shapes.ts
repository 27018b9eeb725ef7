import { IsId, IsMoney, IsNested, IsPercentage, IsText, MoneyBody } from '../validation/fields.js';

export class TaxLine {
  @IsId()
  taxId: string;

  @IsText({ max: 100 })
  name: string;

  @IsPercentage()
  rate: string;

  @IsMoney()
  amount: MoneyBody;
}

/** A price with its taxes on top: `total` = `net` + the taxes. */
export class Charge {
  @IsMoney()
  net: MoneyBody;

  @IsNested(TaxLine, { list: { max: 10 } })
  taxes: TaxLine[];

  @IsMoney()
  total: MoneyBody;
}

export class InvoiceLine extends Charge {
  @IsText({ max: 500 })
  description: string;

  @IsId({ nullable: true })
  serviceId: string | null;
}
